from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command_line import CommandLine
from support.engine import running_engine
from support.engine_process import ECHO

from edi_labext.client import EdiClient, stop_engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, EdiClient]]:
    """One engine for all tests of the room that do not end it."""
    store = tmp_path_factory.mktemp("engine") / "store"
    with running_engine(store) as (_, client):
        yield store, client


@pytest.fixture
def client(engine: tuple[Path, EdiClient]) -> EdiClient:
    return engine[1]


@pytest.fixture
def edi(engine: tuple[Path, EdiClient]) -> CommandLine:
    """The command, with the engine that runs."""
    return CommandLine(engine[0])


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[CommandLine]:
    """The command, with a store that has no engine; one that it starts ends with the test."""
    command = CommandLine(tmp_path / "alone")
    yield command
    stop_engine(command.store)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    """Make a submission folder for a deployment."""

    def make(name: str, kernel: str = ECHO) -> Path:
        made = tmp_path / name
        made.mkdir()
        description = {"name": name, "kernel_path": "kernel.py", "schema_version": "1"}
        (made / "model.json").write_text(json.dumps(description))
        (made / "README.md").write_text('# Echo\n\n```json\n{"say": "hello"}\n```\n')
        (made / "kernel.py").write_text(kernel)
        return made

    return make
