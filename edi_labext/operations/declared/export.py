"""Write services that run as an ``edi.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ...client import EdiClient
from ..overview import observe

#: Of a profile, what an EDI sets and nobody else.
_NOT_OURS = ("name", "schema_version", "type", "create_time", "last_update_time")

_HEAD = """\
# Services as they are to be. "edi plan" shows what would change, "edi apply" changes it.
"""
_NO_FOLDER = """\
# A service without the line "folder:" (its source, relative to this file) keeps the package that it
# has, and cannot be made where it is not.
"""


def export_manifest(
    client: EdiClient, names: Sequence[str], folders: Mapping[str, str] | None = None
) -> str:
    """Return the text of an ``edi.yaml`` that says how services are.

    Parameters
    ----------
    folders:
        Name → source folder, as the file is to name it.

    Raises
    ------
    NotFound
    """
    folders = folders or {}
    services: dict[str, Any] = {}
    for name in names:
        client.get_model(name)
        profile = client.app_profile(name)
        running = observe(client, name).state not in ("stopped", "stopping")
        entry: dict[str, Any] = {"folder": folders[name]} if name in folders else {}
        entry["profile"] = {key: value for key, value in profile.items() if key not in _NOT_OURS}
        entry["state"] = "started" if running else "stopped"
        services[name] = entry
    return write_manifest(services)


def write_manifest(services: Mapping[str, Mapping[str, Any]], *, head: str = _HEAD) -> str:
    """Return the text of an ``edi.yaml``; what is no plain word is quoted, for every reader."""
    told = head + ("" if all("folder" in entry for entry in services.values()) else _NO_FOLDER)
    document = {"version": 1, "services": dict(services)}
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return told + text
