"""Fixtures for every test."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from support.examples import examples

# No property measures time. What the gate looks at is the same at every run; elsewhere Hypothesis
# goes on looking.
settings.register_profile("here", deadline=None, max_examples=examples())
settings.register_profile("gate", deadline=None, max_examples=examples(), derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "here")

pytest_plugins = ("pytest_jupyter.jupyter_server", "contract.plugin")


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test may meet the environments of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path_factory.mktemp("jupyter-config")))
        yield


@pytest.fixture
def jp_server_config(jp_server_config: dict) -> dict:
    """Load our server half, and refuse anonymous requests everywhere."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"edi_labext": True},
            "allow_unauthenticated_access": False,
        }
    }


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A directory for tests that write thousands of small files, in memory where possible."""
    shared = "/dev/shm"  # noqa: S108 - a directory of random name in it
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="edi-test-", dir=shared) as path:
        yield Path(path)


def pytest_collection_finish() -> None:
    """Spare the collector what lives as long as the tests: thousands of items and modules."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
