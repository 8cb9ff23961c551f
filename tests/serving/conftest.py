"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine_process import EngineProcess


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One engine for the tests of a module; they use names of their own."""
    process = EngineProcess(tmp_path_factory.mktemp("engine") / "store")
    yield process
    assert process.stop() == 0


@pytest.fixture
def own_engine(tmp_path: Path) -> Iterator[EngineProcess]:
    """An engine that a test may kill."""
    process = EngineProcess(tmp_path / "store")
    yield process
    process.stop()
