"""Kernels in Pythons that know nothing of this package, with the real engine."""

from __future__ import annotations

import json
import os
import platform
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support import pythons
from support.engine_process import EngineProcess
from support.waiting import until

ROUTE = "deployment/runtime"
#: Answers what it runs in; ``import edi_labext`` must fail in a Python that is not ours.
TELLS = """
import json
import os
import sys

import redhareapiversion
from redhareapi import Kernel

try:
    import edi_labext
except ImportError:
    edi_labext = None


class Tells(Kernel):
    def on_task_invoke(self, task_context):
        task_context.set_output_data(json.dumps({
            "version": sys.version_info[:2],
            "executable": sys.executable,
            "prefix": sys.prefix,
            "environment": dict(os.environ),
            "path": sys.path,
            "flags": [sys.flags.no_user_site, sys.flags.ignore_environment],
            "has_our_package": edi_labext is not None,
            "pid": os.getpid(),
        }))


if __name__ == "__main__":
    Tells().run()
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One engine whose own environment is full of what is none of a kernel's business."""
    noise = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONSTARTUP": "/nowhere",
        "PYTHONUSERBASE": "/nowhere",
        "PYTHONDONTWRITEBYTECODE": "1",
        "VIRTUAL_ENV": "/nowhere",
        "CONDA_PREFIX": "/nowhere",
        "BASH_ENV": "/nowhere/bashrc",
        "ENV": "/nowhere/shrc",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in noise.items():
            patch.setenv(name, value)
        process = EngineProcess(tmp_path_factory.mktemp("runtimes") / "store")
    yield process
    assert process.stop() == 0


@pytest.fixture
def in_runtime(engine: EngineProcess, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Create a runtime and deploy and start a kernel in it; returns the deployment's name."""
    made: list[str] = []

    def make(kernel: str = TELLS, model: dict[str, Any] | None = None, **runtime: Any) -> str:
        name = f"in-{abs(hash((request.node.name, len(made)))):x}"
        answer = engine.call("POST", ROUTE, json={"type": name, **runtime})
        assert answer.status_code == 200, answer.text
        made.append(name)
        deploy(engine, name, name, kernel, **(model or {}))
        assert engine.start_model(name).status_code == 200
        return name

    yield make
    for name in made:
        engine.stop_model(name)
        engine.wait_for(name, "stopped")
        assert engine.call("DELETE", f"model/{name}").status_code == 200
        assert engine.call("DELETE", f"{ROUTE}/{name}").status_code == 200


def deploy(
    engine: EngineProcess, name: str, runtime: str, kernel: str = TELLS, **model: Any
) -> None:
    description = {"name": name, "kernel_path": "kernel.py", "runtime": runtime, **model}
    answer = engine.deploy(name, kernel, **{"model.json": json.dumps(description)})
    assert answer.status_code == 200, answer.text


def told(engine: EngineProcess, name: str) -> dict[str, Any]:
    status = engine.wait_for(name, "ready", "failed", seconds=30)
    assert status["state"] == "ready", status
    answer = engine.infer(name)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def answered(engine: EngineProcess, name: str) -> dict[str, Any]:
    """Ask until a kernel answers: one has just been killed, or is on its way."""

    def answer() -> requests.Response | None:
        told = engine.infer(name)
        return told if told.status_code == 200 else None

    return dict(until(answer, seconds=20).json())


def named(path: str) -> dict[str, Any]:
    return {"attributes": [{"key": "edi-python", "value": path}]}


def test_there_are_pythons_to_test_with() -> None:
    """Else the next test would be empty without anybody noticing."""
    assert pythons.FIT or platform.system() != "Linux"


@pytest.mark.parametrize("name", pythons.FIT)
def test_every_python_of_this_machine_runs_kernels(
    engine: EngineProcess, in_runtime: Callable[..., str], name: str
) -> None:
    answer = told(engine, in_runtime(**named(name)))
    assert tuple(answer["version"]) == pythons.minor(Path(name))
    assert answer["executable"] == name
    assert not answer["has_our_package"]


@pytest.mark.parametrize("name", pythons.OLD)
def test_a_python_that_is_too_old_is_refused(
    engine: EngineProcess, in_runtime: Callable[..., str], name: str
) -> None:
    runtime = in_runtime(**named(name))
    reason = engine.wait_for(runtime, "failed")["reason"]
    version = ".".join(str(part) for part in pythons.minor(Path(name)))
    assert f"in runtime {runtime}: " in reason
    assert f"is Python {version}." in reason
    assert "kernels need Python 3.8 or newer" in reason
    assert f'"edi runtime update {runtime} --python PATH"' in reason


@pytest.mark.parametrize("by", ["folder", "interpreter"])
def test_a_virtual_environment_without_any_package(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path, by: str
) -> None:
    interpreter = pythons.make_venv(tmp_path / "ml env")
    name = in_runtime(**named(str(interpreter if by == "interpreter" else tmp_path / "ml env")))
    answer = told(engine, name)
    assert answer["prefix"] == str(tmp_path / "ml env")
    assert answer["executable"] == str(interpreter)
    environment = answer["environment"]
    assert environment["VIRTUAL_ENV"] == str(tmp_path / "ml env")
    assert environment["PATH"].split(os.pathsep)[0] == str(interpreter.parent)
    assert "CONDA_PREFIX" not in environment
    assert not answer["has_our_package"]
    assert "/nowhere" not in json.dumps(answer)
    ours = {"PYTHONPATH", "PYTHONUNBUFFERED"}
    assert {key for key in environment if key.startswith("PYTHON")} == ours
    assert str(Path(__file__).parents[2]) not in answer["path"]
    assert answer["flags"] == [0, 0]


@pytest.mark.parametrize(("given", "folder"), [("ml", "envs/ml"), ("", "."), ("base", ".")])
def test_a_conda_environment(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path, given: str, folder: str
) -> None:
    home = pythons.make_conda(tmp_path / "anaconda3", "ml")
    answer = told(engine, in_runtime(conda_home=str(home), conda_env_name=given))
    prefix = (home / folder).resolve()
    assert answer["executable"] == str(prefix / "bin" / "python")
    environment = answer["environment"]
    assert environment["CONDA_PREFIX"] == str(prefix)
    assert environment["CONDA_DEFAULT_ENV"] == given or prefix.name
    assert environment["PATH"].split(os.pathsep)[0] == str(prefix / "bin")
    assert environment["DLIM_MK_COND_HOME"] == str(home)
    assert environment["DLIM_MK_COND_ENV_NAME"] == given
    assert "VIRTUAL_ENV" not in environment


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(stat.S_IRWXU)
    return str(path)


def test_what_is_missing_is_named(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "dangling").symlink_to("/nowhere/python")
    (tmp_path / "empty").mkdir()
    broken = script(tmp_path / "broken", "#!/bin/sh\necho no module encodings >&2\nexit 1\n")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"conda_home": str(tmp_path / "anaconda3"), "conda_env_name": "ml"},
         "anaconda3/envs/ml/bin/python' does not exist (there is no '"),
        (named(str(tmp_path / "nope")), "nope' does not exist"),
        (named(str(tmp_path / "plain")), "plain' cannot be executed"),
        (named(str(tmp_path / "dangling")), "dangling' is a link to what is not there"),
        (named(str(tmp_path / "empty")), "empty/bin/python' does not exist (there is no '"),
        (named(str(broken)), "broken' does not run as a Python: no module encodings"),
        (named("python9.99"), "there is no command 'python9.99' on the kernel's PATH"),
        (named(script(tmp_path / "mute", "#!/bin/sh\ntrue\n")), "mute' does not run as a Python"),
        (named(script(tmp_path / "odd", "no script\n")), "odd' "),
    ]  # fmt: skip
    names = [in_runtime(**runtime) for runtime, _ in cases]
    for name, (_, words) in zip(names, cases, strict=True):
        reason = engine.wait_for(name, "failed")["reason"]
        assert reason.startswith(f"The kernel could not be launched in runtime {name}: "), reason
        assert words in reason
        assert "edi runtime update" in reason


def test_an_interpreter_that_is_mended_is_asked_again(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "python"
    script(path, "#!/bin/sh\nexit 1\n")
    name = in_runtime(**named(str(path)))
    engine.wait_for(name, "failed")
    script(path, f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    engine.wait_for(name, "ready")
    assert tuple(told(engine, name)["version"]) == sys.version_info[:2]
    script(path, "#!/bin/sh\necho it is broken again >&2\nexit 1\n")
    engine.stop_model(name)
    engine.wait_for(name, "stopped")
    engine.start_model(name)
    assert "it is broken again" in engine.wait_for(name, "failed")["reason"]


def test_variables_of_the_runtime_come_before_those_of_others(
    engine: EngineProcess, in_runtime: Callable[..., str]
) -> None:
    def variables(*names: str, by: str) -> list[dict[str, str]]:
        return [{"name": name, "value": by} for name in names]

    name = in_runtime(
        envs=[*variables("A", "B", "C", "LANG", by="runtime"), *variables("PWD", by="x")],
        model={"mk_environments": variables("B", "C", by="model")},
    )
    engine.stop_model(name)
    engine.wait_for(name, "stopped")
    profile = engine.call("GET", f"model/{name}/appprofile").json()
    profile["kernel"]["envs"] += variables("C", by="profile")
    assert engine.call("PUT", f"model/{name}/appprofile", json=profile).status_code == 200
    engine.start_model(name)
    environment = told(engine, name)["environment"]
    assert [environment[key] for key in ("A", "B", "C", "LANG")] == [
        "runtime",
        "model",
        "profile",
        "runtime",
    ]
    assert environment["PWD"] != "x"


def test_pre_exec_runs_before_the_kernel_in_its_environment(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path
) -> None:
    activate = tmp_path / "activate"
    # A sourced script sees no arguments of ours.
    activate.write_text('export ACTIVATED="yes $#"\n')
    name = in_runtime(
        pre_exec=f"# it's a comment\nsource '{activate}'\n"
        'export BEFORE="$REDHARE_MODEL_NAME" GIVEN="$A"\n'
        "echo to the log\nulimit -n 77\ntrue && false || true\n"
        "cat <<END >/dev/null\nexec 'not this'\nEND\nset -- a b c  # \\",
        envs=[{"name": "A", "value": "of the runtime"}],
        kernel=TELLS.replace('"flags":', '"files": os.sysconf("SC_OPEN_MAX"), "flags":'),
    )
    answer = told(engine, name)
    environment = answer["environment"]
    assert environment["ACTIVATED"] == "yes 0"
    assert environment["BEFORE"] == name
    assert environment["GIVEN"] == "of the runtime"
    assert answer["files"] == 77
    assert answer["executable"] == sys.executable
    assert "to the log" in engine.status(name)["log_tail"]


def test_pre_exec_may_choose_the_python(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path
) -> None:
    """As ``module load`` does: the command is on no PATH before."""
    home = pythons.make_conda(tmp_path / "modules")
    (home / "bin" / "python").rename(home / "bin" / "edi-module-python")
    name = in_runtime(pre_exec=f"PATH={home}/bin:$PATH", **named("edi-module-python"))
    assert told(engine, name)["executable"] == str(home / "bin" / "edi-module-python")


@pytest.mark.parametrize(
    ("pre_exec", "words"),
    [
        ("echo first\necho no such module >&2\nexit 3", "exited with code 3: "),
        ("false\nexport NEVER=1", "exited with code 1"),
        ("module-of-nobody load x", "module-of-nobody: "),
        ("source /nowhere/activate", "/nowhere/activate"),
        ("if true; then", "syntax error"),
        ("echo 'unclosed", "exited with code "),
    ],
)
def test_a_pre_exec_that_fails_is_a_failed_start(
    engine: EngineProcess, in_runtime: Callable[..., str], pre_exec: str, words: str
) -> None:
    name = in_runtime(pre_exec=pre_exec)
    reason = engine.wait_for(name, "failed")["reason"]
    start = f"The kernel did not start: pre_exec of runtime {name} exited with code "
    assert reason.startswith(start), reason
    assert words in reason


def test_a_python_that_fails_after_pre_exec_is_told_from_it(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path
) -> None:
    script(tmp_path / "late-python", "#!/bin/sh\necho no libraries >&2\nexit 4\n")
    name = in_runtime(pre_exec=f"PATH={tmp_path}:$PATH", **named("late-python"))
    reason = engine.wait_for(name, "failed")["reason"]
    assert reason.startswith(
        f"The kernel did not start: the Python of runtime {name} exited with code 4: no libraries"
    )


def test_a_pre_exec_that_hangs_ends_with_the_connection_timeout(
    engine: EngineProcess, in_runtime: Callable[..., str]
) -> None:
    name = in_runtime(pre_exec="sleep 600 & wait")
    engine.stop_model(name)
    engine.wait_for(name, "stopped")
    profile = engine.call("GET", f"model/{name}/appprofile").json()
    profile["kernel"]["connection_timeout"] = 1
    assert engine.call("PUT", f"model/{name}/appprofile", json=profile).status_code == 200
    engine.start_model(name)
    assert "did not report ready within 1 s" in engine.wait_for(name, "failed")["reason"]


def test_a_missing_module_names_the_runtime(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path
) -> None:
    interpreter = pythons.make_venv(tmp_path / "ml")
    name = in_runtime(kernel="import torch_of_nobody\n", **named(str(interpreter)))
    reason = engine.wait_for(name, "failed")["reason"]
    version = ".".join(str(part) for part in sys.version_info[:2])
    assert "No module named 'torch_of_nobody' (kernel.py, line 1)" in reason
    assert f"; runtime {name} = {interpreter}, Python {version}." in reason


def test_what_runs_goes_on_in_the_old_and_the_next_start_takes_the_new(
    engine: EngineProcess, in_runtime: Callable[..., str], tmp_path: Path
) -> None:
    name = in_runtime()
    before = told(engine, name)
    interpreter = pythons.make_venv(tmp_path / "new")
    changed = {"type": name, **named(str(interpreter))}
    assert engine.call("PUT", f"{ROUTE}/{name}", json=changed).status_code == 200
    assert told(engine, name)["pid"] == before["pid"]
    # Also a kernel that takes the place of one that was killed.
    os.kill(before["pid"], 9)
    assert answered(engine, name)["executable"] == before["executable"]
    # At once: its kernels need not have ended by then.
    engine.stop_model(name)
    engine.start_model(name)
    assert answered(engine, name)["executable"] == str(interpreter)


def test_a_runtime_that_is_in_use_stays(
    engine: EngineProcess, in_runtime: Callable[..., str]
) -> None:
    name = in_runtime()
    refused = engine.call("DELETE", f"{ROUTE}/{name}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert f"model <{name}> is started in it" in refused.json()["message"]
    told(engine, name)


def test_a_name_of_wmlas_can_be_given_a_python_of_its_own(
    engine: EngineProcess, tmp_path: Path
) -> None:
    interpreter = pythons.make_venv(tmp_path / "dlipy3")
    deploy(engine, "was-wmlas", "dlipy3")
    assert "is WMLA's" in engine.status("was-wmlas")["log_tail"][0]
    document = {"type": "dlipy3", **named(str(interpreter))}
    assert engine.call("POST", ROUTE, json=document).status_code == 200
    engine.start_model("was-wmlas")
    assert told(engine, "was-wmlas")["executable"] == str(interpreter)
    engine.stop_model("was-wmlas")
    engine.wait_for("was-wmlas", "stopped")
    assert engine.call("DELETE", f"{ROUTE}/dlipy3").status_code == 200
    engine.start_model("was-wmlas")
    assert told(engine, "was-wmlas")["executable"] == sys.executable
    engine.stop_model("was-wmlas")


def test_an_image_is_kept_and_said_to_be_without_effect(
    engine: EngineProcess, in_runtime: Callable[..., str]
) -> None:
    name = in_runtime(docker_img="registry.example.com/ml:1")
    assert any("docker_img" in line for line in engine.status(name)["log_tail"])
    assert told(engine, name)["executable"] == sys.executable


def test_kernels_in_cpp_are_refused_before_anything_is_kept(engine: EngineProcess) -> None:
    description = json.dumps({"name": "native", "kernel_path": "kernel.py", "runtime": "cpp"})
    refused = engine.deploy("native", TELLS, **{"model.json": description})
    assert (refused.status_code, refused.json()["code"]) == (400, "unsupported_runtime")
    assert refused.json()["field"] == "runtime"
    assert engine.call("GET", "model/native").status_code == 404
    assert list((engine.store / "staging").iterdir()) == []


def test_deployments_come_back_in_their_runtime(own_engine: EngineProcess, tmp_path: Path) -> None:
    engine = own_engine
    interpreter = pythons.make_venv(tmp_path / "ml")
    engine.call("POST", ROUTE, json={"type": "ml", **named(str(interpreter))})
    deploy(engine, "back", "ml")
    engine.start_model("back")
    assert told(engine, "back")["executable"] == str(interpreter)
    engine.kill()
    engine.start()
    assert told(engine, "back")["executable"] == str(interpreter)
