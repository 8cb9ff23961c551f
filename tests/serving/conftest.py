"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine_process import EngineProcess
from support.forked_engine import ForkedEngine, Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where engines come from that need not be started as a command."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="module")
def engine(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One engine for the tests of a module; they use names of their own."""
    process = ForkedEngine(nursery, tmp_path_factory.mktemp("engine") / "store")
    yield process
    assert process.stop() == 0


@pytest.fixture
def own_engine(nursery: Nursery, tmp_path: Path) -> Iterator[EngineProcess]:
    """An engine that a test may kill."""
    process = ForkedEngine(nursery, tmp_path / "store")
    yield process
    process.stop()
