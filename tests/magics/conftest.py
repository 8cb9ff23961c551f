from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from support.engine import running_engine
from traitlets.config import Config

from edi_labext.client import EdiClient
from edi_labext.operations import undeploy

#: No magic may need any of these, and each could lead a test to somebody's EDI.
VARIABLES = ("EDI_REST_SERVER", "USER_ACCESS_TOKEN", "EDI_STORE")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A real IPython with the extension loaded, and a folder of its own."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("EDI_STORE", str(tmp_path / "store"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    hook = sys.displayhook
    made = InteractiveShell(
        ipython_dir=str(tmp_path / "ipython"),
        config=Config({"InteractiveShell": {"colors": "nocolor"}}),
    )
    made.run_line_magic("load_ext", "edi_labext")
    yield made
    made.run_line_magic("unload_ext", "edi_labext")
    # What its atexit_operations do, but for a long collection of garbage.
    atexit.unregister(made.atexit_operations)
    made.history_manager.end_session()
    made.history_manager.db.close()
    made.cleanup()
    sys.displayhook = hook


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, EdiClient]]:
    """The store of a running engine, and a client of it."""
    store = tmp_path_factory.mktemp("magics") / "store"
    with running_engine(store) as (_, client):
        yield store, client


@pytest.fixture
def client(engine: tuple[Path, EdiClient]) -> Iterator[EdiClient]:
    """A client of the engine, which is left without deployments."""
    yield engine[1]
    for model in engine[1].list_models():
        undeploy(engine[1], model.name)


@pytest.fixture
def connected(
    shell: InteractiveShell, engine: tuple[Path, EdiClient], monkeypatch: pytest.MonkeyPatch
) -> InteractiveShell:
    """The shell, with the engine's store as its own."""
    monkeypatch.setenv("EDI_STORE", str(engine[0]))
    return shell
