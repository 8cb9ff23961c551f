"""What users install: a wheel that needs no Node."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

#: What the package needs besides Python code.
DATA = (
    "edi_labext/extension/events/deployments.yaml",
    "edi_labext/operations/samples/pingpong/kernel.py",
    "edi_labext/operations/samples/pingpong/model.json",
    "edi_labext/serving/kernel/path/redhareapi.py",
)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this tree, with the front end that is built in it."""
    if not (REPOSITORY / "edi_labext" / "labextension" / "package.json").is_file():
        pytest.skip("the front end is not built; run `make setup`")
    target = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [
            *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
            *("--outdir", str(target), str(REPOSITORY)),
        ],
        check=True,
        timeout=300,
    )
    [wheel] = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a command of a fresh environment, in which there is the wheel and no Node."""
    home = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True, timeout=120)
    programs = home / "venv" / "bin"
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))},
        "PATH": str(programs),
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }
    assert shutil.which("node", path=environment["PATH"]) is None

    def run(*command: str) -> str:
        done = subprocess.run(
            [str(programs / command[0]), *command[1:]],
            env=environment,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)

    constraints = REPOSITORY / "constraints.txt"
    run("pip", "install", "--quiet", "-c", str(constraints), str(wheel), "jupyterlab")
    return run


def test_the_wheel_holds_what_it_needs_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for path in DATA:
        assert path in names
    shared = [name.partition(".data/data/")[2] for name in names if ".data/data/" in name]
    assert "share/jupyter/labextensions/edi_labext/package.json" in shared
    assert "share/jupyter/labextensions/edi_labext/install.json" in shared
    assert "etc/jupyter/jupyter_server_config.d/edi_labext.json" in shared
    assert any(name.endswith(".js") and "/static/remoteEntry." in name for name in shared)
    # The front end once, the tests never.
    assert not [name for name in names if name.startswith(("tests/", "src/", "ui-tests/"))]
    assert not [name for name in names if name.startswith("edi_labext/labextension/")]


def test_jupyter_finds_both_halves_enabled_and_fit(installed):
    front = installed("jupyter", "labextension", "list")
    assert re.search(r"edi_labext v[0-9.]+ enabled OK", front), front
    server = installed("jupyter", "server", "extension", "list")
    assert re.search(r"edi_labext enabled$", server, re.MULTILINE), server
    assert re.search(r"edi_labext [0-9.]+ OK$", server, re.MULTILINE), server


def test_the_command_and_the_magics_are_there(installed):
    assert "Usage" in installed("edi", "--help")
    assert "Error" not in installed("ipython", "-c", "%load_ext edi_labext")
