"""``edi runtime``: each verb against the real engine, and kernels in what it made."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command_line import TOKEN, CommandLine
from support.pythons import make_conda, make_venv
from support.scripted_edi import Reply, scripted_edi

from edi_labext.client import EdiClient
from edi_labext.errors import NotFound
from edi_labext.models import PYTHON_LAUNCHER, Runtime
from edi_labext.operations import undeploy

TELLS = """
import json, os, sys
from redhareapi import Kernel

class Tells(Kernel):
    def on_task_invoke(self, task_context):
        task_context.set_output_data(json.dumps([sys.prefix, os.environ.get("GREETING")]))

if __name__ == "__main__":
    Tells().run()
"""


@pytest.fixture(autouse=True)
def _clean(client: EdiClient) -> Iterator[None]:
    """Every test finds and leaves no runtime but those of the engine."""
    before = {item.type for item in client.runtimes()}
    yield
    for item in client.runtimes():
        if item.type not in before:
            client.delete_runtime(item.type)


def document(edi: CommandLine, name: str) -> dict[str, Any]:
    return dict(json.loads("\n".join(edi.lines("runtime", "view", name, "-j"))))


def test_the_walk(
    edi: CommandLine, client: EdiClient, folder: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """A virtual environment becomes a runtime, a service runs in it, and is told why it cannot."""
    make_venv(tmp_path / "ml")
    assert edi.lines("runtime", "create", "ml", "--python", str(tmp_path / "ml"),
                     "--env", "GREETING=hello", "--description", "For learning") == [
        "Runtime <ml> is created successfully"
    ]  # fmt: skip
    table = edi.lines("runtime", "list")
    assert table[0].split() == ["NAME", "PYTHON", "DESCRIPTION"]
    assert [line.split()[0] for line in table[1:4]] == ["python", "ml", "dlipy3"]
    assert str(tmp_path / "ml") in table[2]
    assert table[2].endswith("  For learning")

    made = folder("in-ml", TELLS)
    described = json.loads((made / "model.json").read_text())
    (made / "model.json").write_text(json.dumps({**described, "runtime": "ml"}))
    edi("model", "deploy", "-p", str(made))
    edi("model", "start", "in-ml")
    deadline = time.monotonic() + 15
    while (answer := client.infer("in-ml", b"{}")).status != 200:
        assert time.monotonic() < deadline, answer
    assert json.loads(answer.body) == [str(tmp_path / "ml"), "hello"]

    refused = edi("runtime", "delete", "ml", "-f")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "model <in-ml> is started in it" in refused.stderr
    undeploy(client, "in-ml")
    assert edi.lines("runtime", "delete", "-f", "ml") == ["Runtime <ml> is deleted successfully"]
    with pytest.raises(NotFound):
        client.runtime("ml")


def test_a_view_shows_all_but_the_values_of_variables(edi: CommandLine, tmp_path: Path) -> None:
    home = make_conda(tmp_path / "c", "ml")
    script = tmp_path / "before.sh"
    script.write_text("source activate ml\nmodule load cuda\n")
    edi.lines("runtime", "create", "conda", "--conda-home", str(home), "--conda-env", "ml",
              "--pre-exec", f"@{script}", "--env", "SECRET=s3cret")  # fmt: skip
    lines = edi.lines("runtime", "view", "conda")
    assert lines[0] == "Name:             conda"
    assert f"Python:           {home}/envs/ml" in lines
    assert "Variable:         SECRET" in lines
    assert lines[-3:] == [
        "Before the kernel (pre_exec):",
        "  source activate ml",
        "  module load cuda",
    ]
    assert "s3cret" not in "\n".join(lines)
    whole = document(edi, "conda")
    assert whole["envs"] == [{"name": "SECRET", "value": "s3cret"}]
    assert (whole["conda_home"], whole["conda_env_name"]) == (str(home), "ml")
    assert whole["launcher"] == PYTHON_LAUNCHER


def test_flags_change_only_what_they_name(edi: CommandLine, client: EdiClient) -> None:
    client.create_runtime(
        Runtime(type="x", conda_home="/c", conda_env_name="a", later={"kept": None})
    )
    updated = ["Runtime is updated successfully"]
    assert edi.lines("runtime", "update", "x", "--env", "A=1", "--env", "B=2=3") == updated
    assert edi.lines("runtime", "update", "--env", "A=9", "x", "--pre-exec", "true") == updated
    assert edi.lines("runtime", "update", "x", "--conda-env", "b") == updated
    now = client.runtime("x")
    assert {item.name: item.value for item in now.envs} == {"A": "9", "B": "2=3"}
    assert (now.conda_home, now.conda_env_name, now.pre_exec) == ("/c", "b", "true")
    assert now.model_extra == {"later": {"kept": None}}
    edi.lines("runtime", "update", "x", "--python", "/p/bin/python", "--description", "mine")
    now = client.runtime("x")
    assert (now.python, now.conda_home, now.conda_env_name) == ("/p/bin/python", "", "")
    assert (now.description, now.pre_exec) == ("mine", "true")


def test_a_file_is_the_whole_of_it(edi: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "runtime.json"
    path.write_text(json.dumps({"type": "filed", "conda_home": "/c", "later": [1]}))
    assert edi.lines("runtime", "create", "-f", str(path)) == [
        "Runtime <filed> is created successfully"
    ]
    whole = document(edi, "filed")
    assert (whole["conda_home"], whole["later"]) == ("/c", [1])
    whole.update(description="by file", conda_home="")
    result = edi("runtime", "update", "filed", "-f", "-", stdin=json.dumps(whole))
    assert (result.exit_code, result.stdout) == (0, "Runtime is updated successfully\n")
    assert document(edi, "filed")["description"] == "by file"
    whole.pop("type")
    path.write_text(json.dumps(whole))
    assert edi.lines("runtime", "create", "named", "-f", str(path))


def test_the_python_of_a_notebook_kernel(
    edi: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = make_venv(tmp_path / "ml")
    specs = tmp_path / "share" / "kernels" / "ml-env"
    specs.mkdir(parents=True)
    spec = {"argv": [str(interpreter)], "display_name": "Python 3 (ml)", "language": "python"}
    (specs / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    edi.lines("runtime", "create", "mine", "--kernelspec", "ml-env")
    lines = edi.lines("runtime", "view", "mine")
    assert f"Python:           {interpreter}" in lines
    assert "Notebook kernel:  ml-env" in lines
    assert "Description:      The Python of the notebook kernel Python 3 (ml)." in lines
    edi.lines("runtime", "update", "mine", "--python", sys.executable)
    assert "ml-env" not in "\n".join(edi.lines("runtime", "view", "mine"))[60:]
    missing = edi("runtime", "create", "x", "--kernelspec", "nobody")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "There is no notebook kernel 'nobody'" in missing.stderr
    assert "ml-env" in missing.stderr


def test_a_path_is_made_absolute_and_a_command_is_not(
    edi: CommandLine, client: EdiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env").mkdir()
    for name, given, kept in (
        ("a", "env", f"{tmp_path}/env"),
        ("b", "./env/bin/python", f"{tmp_path}/env/bin/python"),
        ("c", "python3.12", "python3.12"),
        ("d", "/opt/x/bin/python", "/opt/x/bin/python"),
    ):
        edi.lines("runtime", "create", name, "--python", given)
        assert client.runtime(name).python == kept


def test_other_forms_of_the_list(edi: CommandLine) -> None:
    listed = json.loads("\n".join(edi.lines("runtime", "list", "-j")))
    assert [item["type"] for item in listed][:2] == ["python", "dlipy3"]
    assert json.loads("\n".join(edi.lines("runtime", "list", "-o", "json"))) == listed
    assert edi.lines("runtime", "list", "-o", "yaml")[0] == "- type: python"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["view", "nope"], 1, "Runtime <nope> doesn't exist."),
        (["delete", "nope", "-f"], 1, "Runtime <nope> doesn't exist."),
        (["update", "nope", "--env", "A=1"], 1, "Runtime <nope> doesn't exist."),
        (["delete", "python", "-f"], 1, "is built in and cannot be removed"),
        (["update", "python", "--env", "A=1"], 1, "is built in and cannot be changed"),
        (["create", "python"], 1, "already a runtime 'python'"),
        (["create", "a/b"], 1, "type: "),
        (["create", "x", "--conda-home", "/c", "--conda-env", "../b"], 1, "conda_env_name"),
        (["create", "x", "--env", "MSD_X=1"], 1, "envs.0.name"),
        (["delete", "nope"], 1, "nobody can be asked here. Use -f."),
        (["create"], 2, "Give a NAME, or -f FILE."),
        (["create", "x", "--conda-env", "b"], 2, "--conda-env needs --conda-home"),
        (["create", "x", "--env", "A"], 2, "NAME=VALUE"),
        (["create", "x", "--python", "/p", "--conda-home", "/c"], 2, "Give one of"),
        (["create", "-f", "x", "--env", "A=1"], 2, "leave the other flags out"),
        (["create", "-f", "/nowhere/x.json"], 2, "cannot be read"),
        (["create", "x", "--pre-exec", "@/nowhere/x"], 2, "cannot be read"),
        (["update", "nope"], 2, "Nothing to change"),
        (["update"], 2, "Missing argument 'NAME'"),
        (["lst"], 2, 'Did you mean "list"?'),
    ],
)
def test_what_cannot_be(edi: CommandLine, arguments: list[str], status: int, words: str) -> None:
    result = edi("runtime", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "must hold a JSON object"),
        ("{", "not valid JSON"),
        ("{}", "is no runtime: type"),
        ('{"type": 7}', "is no runtime: type"),
        ('{"type": "y"}', "is the runtime 'y', not 'x'"),
    ],
)
def test_a_file_that_cannot_be(edi: CommandLine, text: str, words: str) -> None:
    arguments = ["create", "-f", "-"] if "y" not in text[-4:] else ["create", "x", "-f", "-"]
    result = edi("runtime", *arguments, stdin=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_wmla_is_not_told_of_a_python_by_path(alone: CommandLine) -> None:
    with scripted_edi() as wmla:
        wmla.on("GET", "/edi/v1/capabilities", Reply(404, b"{}"))
        wmla.on("POST", "/deployment/runtime", Reply(200, b""))
        edi = alone.set(EDI_REST_SERVER=wmla.url, USER_ACCESS_TOKEN=TOKEN)
        refused = edi("runtime", "create", "x", "--python", "/p")
        assert refused.exit_code == 2
        assert "give --conda-home and --conda-env" in refused.stderr
        done = edi("runtime", "create", "x", "--conda-home", "/opt/anaconda3", "--conda-env", "y")
        assert (done.exit_code, done.stdout) == (0, "Runtime <x> is created successfully\n")
        sent = json.loads(wmla.received[-1].body)
        assert (sent["type"], sent["conda_env_name"], sent["launcher"]) == (
            "x",
            "y",
            PYTHON_LAUNCHER,
        )
