"""Fixtures for every test."""

from __future__ import annotations

import pytest

pytest_plugins = ("pytest_jupyter.jupyter_server",)


@pytest.fixture
def jp_server_config(jp_server_config: dict) -> dict:
    """Load our server half, and refuse anonymous requests everywhere."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"edi_labext": True},
            "allow_unauthenticated_access": False,
        }
    }
