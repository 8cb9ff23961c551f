"""The real engine in a temporary store, for the tests of whoever talks to it."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from edi_labext.client import EdiClient, EnvironmentSet, LocalEngine

#: Marks tests that need :mod:`edi_labext.serving`.
needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("edi_labext.serving") is None
    or importlib.util.find_spec("edi_labext.serving.__main__") is None,
    reason="edi_labext.serving is not there",
)


@contextlib.contextmanager
def running_engine(store: Path) -> Iterator[tuple[LocalEngine, EdiClient]]:
    """Start an engine that ends with the block (or, were it killed, with this process)."""
    engine = LocalEngine(store, "jupyter")
    environments = EnvironmentSet({}, engine)
    try:
        yield engine, environments.connect("local")
    finally:
        environments.close()
