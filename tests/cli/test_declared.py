"""``edi plan``, ``apply`` and ``export`` against the real engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from support.command_line import TOKEN, CommandLine
from support.engine_process import ECHO
from support.scripted_edi import scripted_edi
from support.small_edi import SmallEdi
from support.waiting import until

from edi_labext.client import EdiClient
from edi_labext.errors import NotFound
from edi_labext.operations import get_deployment, start_and_wait, undeploy

Folder = Callable[..., Path]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gone(client: EdiClient) -> Iterator[Callable[[str], str]]:
    """Name what is to be removed at the end."""
    names: list[str] = []

    def remember(name: str) -> str:
        names.append(name)
        return name

    yield remember
    for name in names:
        undeploy(client, name)


def write(here: Path, services: dict[str, object]) -> None:
    (here / "edi.yaml").write_text(yaml.safe_dump({"version": 1, "services": services}))


def planned(edi: CommandLine, status: int) -> str:
    result = edi("plan")
    assert (result.exit_code, result.stderr) == (status, ""), result.output
    return result.stdout


def test_from_nothing_to_as_it_should_be_and_on(
    edi: CommandLine, client: EdiClient, folder: Folder, here: Path, gone: Callable[[str], str]
) -> None:
    made, name = folder("declared"), gone("declared")
    entry = {"folder": "declared", "profile": {"policy": {"kernel_min": 2}}}
    write(here, {name: entry})

    shown = planned(edi, 2)
    assert shown.splitlines() == [
        "declared: create",
        "    deploy it from declared (it is not there)",
        "    profile policy.kernel_min: 1 -> 2",
        "    start it",
        "1 service would change, 0 would not.",
    ]
    with pytest.raises(NotFound):
        client.get_model(name)
    assert edi.lines("apply", "--wait") == ["declared: deployed, profile saved, started, ready"]
    # Ready is one kernel that takes requests; the second follows.
    until(lambda: get_deployment(client, name).kernels_ready == 2)
    uid = client.get_model(name).uid

    assert planned(edi, 0) == (
        "declared: nothing to do\nNothing to do: 1 service as it should be.\n"
    )
    assert edi.lines("apply", "--wait") == ["declared: nothing to do"]

    entry["profile"] = {"policy": {"kernel_min": 1}, "kernel": {"gpu": "no"}}
    write(here, {name: entry})
    assert planned(edi, 2).splitlines()[:4] == [
        "declared: change (needs a restart)",
        "    stop it and wait until its kernels are gone",
        "    profile policy.kernel_min: 2 -> 1",
        "    start it",
    ]
    assert edi.lines("apply", "--wait") == ["declared: stopped, profile saved, started, ready"]
    assert client.get_model(name).uid == uid

    (made / "more.txt").write_text("new")
    assert "replace its package by declared" in planned(edi, 2)
    assert edi.lines("apply", "--wait=60") == ["declared: stopped, replaced, started, ready"]
    assert client.app_profile(name)["policy"]["kernel_min"] == 1
    planned(edi, 0)

    write(here, {name: {**entry, "state": "stopped"}})
    assert edi.lines("apply") == ["declared: stopped"]
    planned(edi, 0)
    write(here, {name: {"state": "absent"}})
    assert "remove it and its files for good" in planned(edi, 2)
    assert edi.lines("apply") == ["declared: removed"]
    planned(edi, 0)


def test_a_file_that_changed_as_much_as_it_can_without_another_size(
    edi: CommandLine, folder: Folder, here: Path, gone: Callable[[str], str]
) -> None:
    made = folder(gone("same-size"), ECHO)
    write(here, {"same-size": {"folder": "same-size", "state": "stopped"}})
    edi.lines("apply")
    planned(edi, 0)
    (made / "kernel.py").write_text(ECHO.replace("EchoKernel", "OhceKernel"))
    assert "replace" in planned(edi, 2)
    (made / "kernel.py").write_text(ECHO)
    planned(edi, 0)
    (made / "kernel.py").chmod(0o755)
    assert "replace" in planned(edi, 2)


def test_a_description_stands_in_for_that_of_the_folder(
    edi: CommandLine,
    client: EdiClient,
    folder: Folder,
    here: Path,
    gone: Callable[[str], str],
) -> None:
    folder("source")
    description = {
        "tag": "from the file",
        "mk_environments": [{"name": "GREETING", "value": "hello"}],
        "attributes": [{"key": "size", "value": "7"}],
    }
    entry = {"folder": "source", "description": description, "state": "stopped"}
    write(here, {gone("described"): entry})
    assert edi.lines("apply") == ["described: deployed"]
    model = client.get_model("described")
    assert (model.tag, model.mk_environments[0].value) == ("from the file", "hello")
    assert [item.key for item in model.attributes] == ["size", "edi.package"]
    planned(edi, 0)
    description["tag"] = "another"
    write(here, {"described": entry})
    assert "replace" in planned(edi, 2)


def test_what_was_deployed_by_hand_is_taken_over_by_its_size(
    edi: CommandLine, folder: Folder, here: Path, gone: Callable[[str], str]
) -> None:
    made = folder(gone("by-hand"))
    edi.lines("model", "deploy", "-p", str(made))
    write(here, {"by-hand": {"folder": "by-hand", "state": "stopped"}})
    assert "note: Its package has the size of the folder's." in planned(edi, 0)
    (made / "more.txt").write_text("new")
    assert "replace" in planned(edi, 2)


def test_applying_again_calls_nothing_that_changes(alone: CommandLine, here: Path) -> None:
    """Against an EDI that keeps no attributes and has nothing of ours."""
    with scripted_edi() as server:
        small = SmallEdi(server, engine=False)
        small.add("kept", "ready")
        command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        write(here, {"kept": {}, "other": {"state": "absent"}})
        assert command("plan").exit_code == 0
        result = command("apply", "--wait")
        assert (result.exit_code, result.stdout) == (
            0,
            "kept: nothing to do\nother: nothing to do\n",
        )
        assert {request.method for request in server.received} == {"GET"}


def test_forms_for_programs(
    edi: CommandLine, folder: Folder, here: Path, gone: Callable[[str], str]
) -> None:
    folder(gone("formed"))
    write(here, {"formed": {"folder": "formed", "state": "stopped"}})
    result = edi("plan", "-o", "json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["changes"] is True
    assert told["services"][0]["change"] == "create"
    told = yaml.safe_load("\n".join(edi.lines("apply", "-o", "yaml")))
    assert told == {"changed": True, "services": [{"name": "formed", "done": ["deployed"]}]}
    told = json.loads("\n".join(edi.lines("apply", "-o", "json")))
    assert told == {"changed": False, "services": [{"name": "formed", "done": []}]}


def test_a_failure_names_what_was_done_and_leaves_the_rest(
    edi: CommandLine, client: EdiClient, folder: Folder, here: Path, gone: Callable[[str], str]
) -> None:
    folder(gone("fails"), f"raise SystemExit('no weights')\n{ECHO}")
    folder("untouched")
    write(here, {"fails": {"folder": "fails"}, "untouched": {"folder": "untouched"}})
    result = edi("apply", "--wait")
    assert result.exit_code == 1
    assert "fails after this was done: deployed, started: fails failed to start" in result.stderr
    assert "Applying again goes on from here." in result.stderr
    with pytest.raises(NotFound):
        client.get_model("untouched")
    shown = edi("plan").stdout
    assert "note: It is started and failed" in shown
    report = json.loads(edi("apply", "--wait", "-o", "json").stdout)
    assert (report["changed"], report["services"]) == (False, [])
    assert report["error"]["code"] == "deployment_failed"


def test_export_and_back(
    edi: CommandLine, client: EdiClient, folder: Folder, here: Path, gone: Callable[[str], str]
) -> None:
    folder(gone("exported"))
    edi.lines("model", "deploy", "-p", "exported")
    start_and_wait(client, "exported")
    text = "\n".join(edi.lines("export", "exported", "-p", "./exported"))
    document = yaml.safe_load(text)
    assert document["services"]["exported"]["folder"] == "./exported"
    # YAML 1.1 would read a plain "no" as false, and 022 as 18.
    assert document["services"]["exported"]["profile"]["kernel"]["gpu"] == "no"
    assert document["services"]["exported"]["profile"]["kernel"]["umask"] == "022"
    assert edi("export", "exported", "-o", "edi.yaml").exit_code == 0
    assert "folder:" in (here / "edi.yaml").read_text(), "the missing folder is not explained"
    planned(edi, 0)
    again = edi("export", "exported", "-o", "edi.yaml")
    assert (again.exit_code, again.stdout) == (2, "")
    assert edi("export", "nothing").stderr == "Model <nothing> doesn't exist.\n"
    assert edi("export", "exported", "other", "-p", "x").exit_code == 2
    assert edi("export", "Not A Name").exit_code == 2


#: What is wrong, the line that is named, and a word of the message.
WRONG = {
    "no keys": ("- a\n", 1, "services"),
    "nothing": ("", 1, "services"),
    "no services": ("services: {}\n", 1, "at least 1"),
    "another version": ("version: 2\nservices: {a: {}}\n", 1, "version"),
    "unknown at the top": ("servces:\n  a: {}\n", 1, "Did you mean services?"),
    "unknown in a service": ("services:\n  a:\n    foldr: a\n", 3, "Did you mean folder?"),
    "unknown in a description": (
        "services:\n  a:\n    description:\n      name: b\n",
        4,
        "There is tag",
    ),
    "a state that is none": ("services:\n  a:\n    state: running\n", 3, "started"),
    "a name that is none": ("services:\n  Not_A_Name: {}\n", 2, "not-a-name"),
    "a text for a number": (
        "services:\n  a:\n    profile:\n      policy:\n        kernel_min: two\n",
        5,
        "whole number",
    ),
    "a number out of range": (
        "services:\n  a:\n    profile:\n      policy:\n        kernel_min: -3\n",
        5,
        "kernel_min",
    ),
    "a gpu mode that is none": (
        "services:\n  a:\n    profile:\n      kernel: {gpu: maybe}\n",
        4,
        "kernel.gpu",
    ),
    "a key twice": ("services:\n  a: {}\n  a: {}\n", 3, "appears twice"),
    "a tab": ("services:\n\ta: {}\n", 2, "tab"),
    "an open bracket": ("services: {a: {}\n", 2, "expected"),
    "an anchor": ("services:\n  a: &x {}\n  b: *x\n", 2, "write the value out"),
    "a tag": ("services:\n  a: {folder: !!binary aGk=}\n", 2, "tag"),
    "python": ("services: !!python/object/apply:os.system [id]\n", 1, "tag"),
    "a list as key": ("services:\n  [a]: {}\n", 2, "key"),
    "a control character": ("services: \x07\n", None, "characters"),
    "no UTF-8": (b"services: \xff\n", None, "UTF-8"),
    "too deep": ("services: " + "[" * 500_000, None, "deep"),
    "too deep in blocks": ("- " * 500_000, None, "deep"),
    "too large": (b"#" * ((1 << 20) + 1), None, "at most"),
}


@pytest.mark.parametrize(("text", "line", "said"), WRONG.values(), ids=WRONG)
def test_a_file_with_faults_is_refused_with_the_line(
    alone: CommandLine, here: Path, text: str | bytes, line: int | None, said: str
) -> None:
    (here / "edi.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    for verb in ("plan", "apply"):
        result = alone(verb)
        assert (result.exit_code, result.stdout) == (2, "")
        assert line is None or f"line {line}" in result.stderr
        assert said in result.stderr
        assert "Traceback" not in result.stderr
    assert not alone.store.exists()


def test_all_faults_are_told_at_once(alone: CommandLine, here: Path) -> None:
    (here / "edi.yaml").write_text("services:\n  a:\n    stat: x\n    state: no\n  B: {}\n")
    shown = alone("plan").stderr
    assert [f"  line {line}: " in shown for line in (3, 4, 5)] == [True] * 3


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"a-new-one": {}}, "names no folder"),
        ({"a-new-one": {"folder": "missing"}}, "does not exist"),
        ({"a-new-one": {"folder": "empty"}}, "model.json"),
    ],
    ids=["no folder", "missing", "empty"],
)
def test_what_cannot_be_planned(
    edi: CommandLine, here: Path, services: dict[str, object], said: str
) -> None:
    (here / "empty").mkdir()
    write(here, services)
    result = edi("plan")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "a-new-one" in result.stderr


def test_a_misspelt_field_of_the_profile(edi: CommandLine, here: Path, folder: Folder) -> None:
    folder("misspelt")
    entry = {"folder": "misspelt", "profile": {"policy": {"kernel_mim": 2}}}
    write(here, {"misspelt": entry})
    result = edi("plan")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'policy.kernel_mim'" in result.stderr
    assert "Did you mean kernel_min?" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["plan", "-f", "missing.yaml"], ["plan", "-f", "."], ["apply", "extra"]]
)
def test_wrong_use(alone: CommandLine, here: Path, arguments: list[str]) -> None:
    result = alone(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert not alone.store.exists()
