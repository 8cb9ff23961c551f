"""Which Pythons of notebook kernels a deployment can run in."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest
from support.pythons import make_venv

from edi_labext.extension.runtimes import local_runtimes, remote_runtimes
from edi_labext.models import Attribute, Runtime
from edi_labext.operations import NotebookPython, notebook_pythons

LOCAL = "edi/environments/local"
LOG = logging.getLogger("test-runtimes")


class Specs:
    """A kernelspec manager with these specs."""

    def __init__(self, **specs) -> None:
        self.specs = specs

    def get_all_specs(self):
        return {name: {"resource_dir": "/x", "spec": spec} for name, spec in self.specs.items()}


def spec(argv, *, language="python", title="Python 3", **more):
    return {"argv": argv, "display_name": title, "language": language, **more}


@pytest.fixture
def python(tmp_path):
    """Make an interpreter of that name in an environment of its own."""

    def make(environment="env", name="python") -> Path:
        path = tmp_path / environment / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(sys.executable)
        return path

    return make


def found(**specs):
    return {item.name: item for item in notebook_pythons(Specs(**specs), log=LOG)}


def test_the_python_of_a_kernelspec_is_found_and_its_link_is_kept(python):
    path = python()
    item = found(ml=spec([str(path), "-m", "ipykernel_launcher"], title="Python 3 (ml-env)"))["ml"]
    assert item.python == path
    assert item.title == "Python 3 (ml-env)"


@pytest.mark.parametrize(
    "name", ["python", "python3", f"python3.{sys.version_info.minor}", sys.executable]
)
def test_a_bare_python_is_jupyters_own_as_it_is_for_notebooks(name):
    assert found(p=spec([name, "-m", "ipykernel"]))["p"].python == Path(sys.executable)


def test_a_command_is_looked_for_on_the_path_of_the_spec(python):
    path = python("other", "python3.99")
    env = {"PATH": str(path.parent)}
    assert found(p=spec(["python3.99", "-m", "x"], env=env))["p"].python == path
    assert found(p=spec(["python3.99", "-m", "x"])) == {}


def test_a_conda_environment_behind_a_runner_is_meant_itself(python):
    runner, own = python("base"), python("ml")
    metadata = {"conda_env_path": str(own.parent.parent)}
    argv = [str(runner), "-m", "nb_conda_kernels.runner", "..."]
    assert found(c=spec(argv, metadata=metadata))["c"].python == own


@pytest.mark.parametrize(
    "strange",
    [
        spec(["R", "--slave"], language="R"),
        spec(["/nowhere/bin/python"]),
        spec(["conda", "run", "python"]),
        spec(["/bin/sh", "-c", "python"]),
        spec(["xpython"]),
        spec([]),
        spec(None),
        spec([7]),
        spec("python"),
        spec(["python\0"]),
        spec(["/\0/python"]),
        spec(["python"], language=None),
        spec(["python"], metadata={"conda_env_path": "/nowhere"}),
        {},
        None,
        [],
    ],
)
def test_what_is_no_python_of_this_machine_is_left_out(strange):
    assert found(x=strange) == {}


@pytest.mark.parametrize("name", ["python", "a=b", "a b", "", "a\n", "x" * 101, "ü", ".a", "-a"])
def test_a_name_that_an_engine_cannot_take_is_left_out(name):
    assert found(**{name: spec([sys.executable])}) == {}


def test_odd_parts_of_a_good_spec_do_no_harm(python):
    odd = spec([str(python())], title=7, env=[], metadata=[])
    assert found(odd=odd)["odd"].title == "odd"


def test_a_manager_that_fails_only_means_that_there_are_none(caplog):
    class Broken:
        def get_all_specs(self):
            raise OSError("no such directory")

    assert notebook_pythons(Broken(), log=LOG) == []
    assert "kernels could not be listed" in caplog.text


def test_the_kernels_of_a_gateway_run_elsewhere():
    class Gateway:
        async def get_all_specs(self):
            raise AssertionError("asked")

    assert notebook_pythons(Gateway(), log=LOG) == []
    assert notebook_pythons(None, log=LOG) == []


def listed(**runtimes):
    return [Runtime(type=name, description=text) for name, text in runtimes.items()]


def kept(name: str, python: str, notebook: str = "") -> Runtime:
    """A runtime as the engine has it once it was created."""
    attributes = [Attribute(key="edi-python", value=python)]
    attributes += [Attribute(key="edi-kernelspec", value=notebook)] if notebook else []
    return Runtime(type=name, description=f"Of {name}.", attributes=attributes)


ML = NotebookPython("ml-env", "Python 3 (ml-env)", Path("/x/python"))


def shown(listed, pythons):
    answer = local_runtimes(listed, pythons)
    assert "/x/python" not in answer.model_dump_json()
    assert answer.default == "python"
    return [(info.type, info.title, info.source, info.note) for info in answer.runtimes]


def test_on_local_notebooks_are_offered_and_wmlas_names_get_a_note():
    engine = [Runtime(type="python"), Runtime(type="dlipy3", description="A name of WMLA's.")]
    assert shown([*engine, Runtime(type="mine", conda_home="/c")], [ML]) == [
        ("python", "Python", "engine", ""),
        ("dlipy3", "dlipy3", "engine", "A name of WMLA's."),
        ("mine", "mine", "engine", ""),
        ("ml-env", "Python 3 (ml-env)", "kernelspec", ""),
    ]


def test_a_notebook_that_the_engine_knows_is_there_once():
    known = [Runtime(type="python"), kept("ml-env", "/x/python", "ml-env")]
    assert shown(known, [ML])[1:] == [("ml-env", "Python 3 (ml-env)", "kernelspec", "")]
    # Its kernelspec is gone, the runtime is not.
    assert shown(known, [])[1:] == [("ml-env", "ml-env", "kernelspec", "")]


def test_what_somebody_made_keeps_its_name():
    known = [Runtime(type="python"), kept("ml-env", "/other/python")]
    assert shown(known, [ML])[1:] == [("ml-env", "ml-env", "engine", "")]


def test_a_notebook_kernel_may_have_a_name_of_wmlas():
    known = [Runtime(type="python"), Runtime(type="dlipy3", description="A name of WMLA's.")]
    own = NotebookPython("dlipy3", "Deep learning", Path("/x/python"))
    assert shown(known, [own])[1:] == [("dlipy3", "Deep learning", "kernelspec", "")]


def test_a_remote_edi_speaks_for_itself():
    answer = remote_runtimes(listed(dlipy3="Conda.", python="Basic."))
    assert [(info.type, info.description) for info in answer.runtimes] == [
        ("dlipy3", "Conda."),
        ("python", "Basic."),
    ]
    assert {(info.source, info.note) for info in answer.runtimes} == {("edi", "")}
    assert answer.default == "python"
    assert remote_runtimes(listed(cpp="")).default is None


@pytest.fixture
def notebook_kernel(jp_data_dir, tmp_path):
    """Give the Jupyter server a kernelspec of that name, in a fresh virtual environment."""

    def make(name: str, title: str, *, folder: str = "") -> Path:
        path = make_venv(tmp_path / (folder or name))
        specs = jp_data_dir / "kernels" / name
        specs.mkdir(parents=True, exist_ok=True)
        kernel = {"argv": [str(path), "-m", "x"], "display_name": title, "language": "python"}
        (specs / "kernel.json").write_text(json.dumps(kernel))
        return path

    return make


TELLS = """
import json, os, sys
from redhareapi import Kernel
class Tells(Kernel):
    def on_task_invoke(self, task):
        task.set_output_data(json.dumps([sys.prefix, sys.executable]))
Tells().run()
raise SystemExit
"""


async def runs_in(call, name: str) -> list[str]:
    """Where the deployment says that it runs."""
    answer = (await call("POST", f"{LOCAL}/deployments/{name}/infer", {"payload": "{}"})).json
    return json.loads(answer["body"])


async def test_a_deployment_runs_in_the_python_of_a_notebook_kernel(
    call, finished, spoilt, notebook_kernel, store
):
    interpreter = notebook_kernel("ml-env", "Python 3 (ml-env)")
    answer = (await call("GET", f"{LOCAL}/runtimes")).json
    assert answer["default"] == "python"
    by_type = {info["type"]: info for info in answer["runtimes"]}
    assert by_type["python"]["source"] == "engine"
    assert by_type["ml-env"]["title"] == "Python 3 (ml-env)"
    assert by_type["ml-env"]["source"] == "kernelspec"
    assert by_type["dlipy3"]["note"]
    assert str(interpreter) not in json.dumps(answer)

    source = {"kind": "folder", "path": spoilt("tells", TELLS)}
    request = {"source": source, "runtime": "ml-env"}
    job = await finished(await call("POST", f"{LOCAL}/deployments", request))
    assert job["state"] == "done", job
    prefix = str(interpreter.parent.parent)
    assert await runs_in(call, "tells") == [prefix, str(interpreter)]
    assert (await call("GET", f"{LOCAL}/deployments/tells")).json["runtime"] == "ml-env"
    again = (await call("GET", f"{LOCAL}/runtimes")).json
    infos = [info for info in again["runtimes"] if info["type"] == "ml-env"]
    assert [(info["title"], info["source"]) for info in infos] == [
        ("Python 3 (ml-env)", "kernelspec")
    ]

    # The notebook kernel moves; what is deployed from now on follows it.
    moved = notebook_kernel("ml-env", "Python 3 (ml-env)", folder="moved")
    source = {"kind": "folder", "path": spoilt("follows", TELLS)}
    description = {"source": source, "name": "follows", "runtime": "ml-env"}
    await finished(await call("POST", f"{LOCAL}/deployments", description))
    assert await runs_in(call, "follows") == [str(moved.parent.parent), str(moved)]
    assert await runs_in(call, "tells") == [prefix, str(interpreter)]


async def test_the_runtime_of_model_json_may_be_a_notebook_kernel(
    call, finished, spoilt, notebook_kernel, jp_root_dir, store
):
    interpreter = notebook_kernel("late", "Added while the server runs")
    folder = jp_root_dir / spoilt("named", TELLS)
    description = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**description, "runtime": "late"}))
    source = {"kind": "folder", "path": "named"}
    job = await finished(await call("POST", f"{LOCAL}/deployments", {"source": source}))
    assert job["state"] == "done", job
    assert (await runs_in(call, "named"))[1] == str(interpreter)


async def test_runtimes_are_of_an_environment_that_there_is(call):
    assert (await call("GET", "edi/environments/mars/runtimes")).status == 404


async def test_the_runtimes_of_an_edi_that_cannot_be_asked(call, monkeypatch):
    monkeypatch.setenv("EDI_REST_SERVER", "http://127.0.0.1:9")
    refused = await call("GET", "edi/environments/wmla/runtimes")
    assert (refused.status, refused.json["code"]) == (502, "upstream_refused")
