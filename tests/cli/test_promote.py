"""``edi promote``: from this machine's engine to another EDI, which is an engine too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command_line import CommandLine
from support.engine import running_engine

from edi_labext.client import EdiClient
from edi_labext.errors import NotFound
from edi_labext.operations import get_deployment, undeploy

Folder = Callable[..., Path]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, EdiClient]]:
    store = tmp_path_factory.mktemp("other") / "store"
    with running_engine(store) as (_, client):
        yield store, client


@pytest.fixture
def command(edi: CommandLine, other: tuple[Path, EdiClient]) -> CommandLine:
    """``local`` is the one engine, ``wmla`` the other."""
    facts = json.loads((other[0] / "engine.json").read_text())
    token = Path(facts["token_file"]).read_text().strip()
    return edi.set(EDI_REST_SERVER=facts["rest_server"], USER_ACCESS_TOKEN=token)


@pytest.fixture
def source(
    edi: CommandLine, client: EdiClient, other: tuple[Path, EdiClient], folder: Folder
) -> Iterator[Path]:
    made = folder("promoted")
    edi.lines("model", "deploy", "-p", str(made))
    profile = client.app_profile("promoted")
    profile["policy"]["task_execution_timeout"] = 7
    profile["resource_allocation"]["kernel"]["resource_plan"] = "here/inference"
    client.update_profile("promoted", profile)
    yield made
    undeploy(client, "promoted")
    undeploy(other[1], "promoted")


def bring(command: CommandLine, folder: Path, *flags: str):
    return command("promote", "promoted", "-e", "local", "--to", "wmla", "-p", str(folder), *flags)


def test_it_is_the_same_over_there(
    command: CommandLine, client: EdiClient, other: tuple[Path, EdiClient], source: Path
) -> None:
    there = other[1]
    asked = bring(command, source)
    assert asked.exit_code == 1
    assert asked.stdout.splitlines() == [
        "package: wmla has none of that name",
        "profile policy.task_execution_timeout: 60 -> 7",
        "profile resource_allocation.kernel.resource_plan: 'sample-project/inference' -> "
        "'here/inference'",
        "note: The folder has the size of the service's package. More cannot be told, since it "
        "was not deployed by edi apply or edi promote.",
    ]
    assert asked.stderr == (
        "Model <promoted> was not promoted: nobody can be asked here. Use -f.\n"
    )
    with pytest.raises(NotFound):
        there.get_model("promoted")

    done = bring(command, source, "-f", "--wait")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-2:] == [
        "Model <promoted> is promoted to wmla successfully",
        "Model <promoted> is ready.",
    ]
    assert get_deployment(there, "promoted").state == "ready"
    ours, theirs = client.app_profile("promoted"), there.app_profile("promoted")
    for profile in (ours, theirs):
        profile.pop("create_time")
        profile.pop("last_update_time")
    assert theirs == ours

    again = bring(command, source)
    assert (again.exit_code, again.stdout.splitlines()[0]) == (0, "package: the same")
    assert again.stdout.splitlines()[-1] == (
        "Model <promoted> is the same in wmla; nothing was changed."
    )

    (source / "more.txt").write_text("new")
    command.lines("model", "deploy", "-e", "local", "-p", str(source), "-f")
    changed = bring(command, source, "-f")
    assert changed.exit_code == 0, changed.output
    assert "it is started in wmla: it would be stopped and started again" in changed.stdout
    assert get_deployment(there, "promoted").state in ("starting", "ready")


def test_what_the_other_side_keeps(
    command: CommandLine, other: tuple[Path, EdiClient], source: Path
) -> None:
    plan = "resource_allocation.kernel.resource_plan"
    done = bring(command, source, "-f", "--keep", plan)
    assert done.exit_code == 0, done.output
    assert plan not in done.stdout
    profile = other[1].app_profile("promoted")
    assert profile["resource_allocation"]["kernel"]["resource_plan"] == "sample-project/inference"
    assert profile["policy"]["task_execution_timeout"] == 7


def test_a_folder_that_is_not_what_runs_is_refused(
    command: CommandLine, other: tuple[Path, EdiClient], source: Path
) -> None:
    (source / "more.txt").write_text("new")
    result = bring(command, source, "-f")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is not what promoted was deployed from" in result.stderr
    with pytest.raises(NotFound):
        other[1].get_model("promoted")


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        (["--to", "local"], 2, "is in local already"),
        (["--to", "nowhere"], 2, "There is no environment 'nowhere'"),
        ([], 2, "--to"),
        (["--to", "wmla", "--keep", "policy.nothing"], 1, "has no field 'policy.nothing'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_promoted(
    command: CommandLine, source: Path, flags: list[str], status: int, said: str
) -> None:
    result = command("promote", "promoted", "-e", "local", "-p", str(source), *flags)
    assert (result.exit_code, result.stdout) == (status, "")
    assert said in result.stderr


def test_what_is_not_there(command: CommandLine, source: Path) -> None:
    result = command("promote", "other", "-e", "local", "--to", "wmla", "-p", str(source))
    assert (result.exit_code, result.stderr) == (1, "Model <other> doesn't exist.\n")
