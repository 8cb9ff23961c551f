"""The checks in front of a deploy: errors refuse before anything is sent, warnings are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.scripted_edi import ScriptedEdi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import Conflict, InvalidInput
from edi_labext.operations import Progress, apply_fix, check_folder, deploy_folder


def misspell(folder: Path) -> None:
    kernel = folder / "kernel.py"
    kernel.write_text(kernel.read_text().replace("on_task_invoke", "on_task_invok"))


def test_an_error_of_the_checks_refuses(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, folder: Path
) -> None:
    misspell(folder)
    with pytest.raises(InvalidInput) as raised:
        deploy_folder(client, folder)
    assert raised.value.code == "kernel_hook_misspelt"
    assert raised.value.message.startswith("kernel.py:6:5: ")
    assert server.received == []


def test_after_the_fix_it_is_deployed(small: SmallEdi, client: EdiClient, folder: Path) -> None:
    misspell(folder)
    [error] = check_folder(folder).errors
    assert error.fix is not None
    apply_fix(folder, error.fix.id)
    assert deploy_folder(client, folder, start=False).name == "echo"


def test_warnings_are_told_and_do_not_refuse(
    small: SmallEdi, client: EdiClient, folder: Path
) -> None:
    (folder / "model.json").write_text('{"name": "echo", "kernel_path": "kernel.py"}')
    (folder / "README.md").write_text("# Echo\n")
    told: list[Progress] = []
    deploy_folder(client, folder, start=False, report=told.append)
    messages = [progress.message for progress in told if progress.phase == "check"]
    assert messages[-1] == (
        '2 warnings; model.json:1:1: schema_version is missing; it should be "1"'
    )


@pytest.mark.parametrize("name", ["", "   ", "-rf", "a/b", "A"])
def test_rows_48_to_51_as_an_argument(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, folder: Path, name: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        deploy_folder(client, folder, name=name)
    assert raised.value.code == "invalid_name"
    assert server.received == []


def test_row_55_a_name_in_use(small: SmallEdi, client: EdiClient, folder: Path) -> None:
    small.add("echo")
    with pytest.raises(Conflict) as raised:
        deploy_folder(client, folder)
    assert raised.value.code == "exists"
    assert small.archives == []
