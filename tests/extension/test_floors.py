"""An unsafe Jupyter is spoken of: once in the log, quietly in the panel."""

from __future__ import annotations

import sys
import types

import pytest

from edi_labext.extension.floors import FLOORS, old_packages


@pytest.fixture
def versions(monkeypatch):
    """Have the process run other versions of Jupyter than it does."""

    def fake(**wanted):
        for name, version in wanted.items():
            module = types.ModuleType(name)
            if version is not None:
                module.__version__ = version
            monkeypatch.setitem(sys.modules, name, module)

    return fake


@pytest.mark.parametrize(
    ("version", "is_old"),
    [
        ("2.20.9", True),
        ("2.9.0", True),
        ("1.99", True),
        ("2.21.0rc1", True),
        ("2.21.0.dev0", True),
        ("2.21.0", False),
        ("2.21", False),
        ("2.21.0.post1", False),
        ("2.21.1", False),
        ("2.100.0", False),
        ("3", False),
        ("unknown", False),
        (None, False),
    ],
)
def test_which_versions_are_too_old(versions, version, is_old):
    versions(jupyter_server=version, jupyterlab=FLOORS["jupyterlab"])
    assert [old.name for old in old_packages()] == (["jupyter_server"] if is_old else [])


def test_a_server_without_jupyterlab_is_not_held_against_anybody(versions, monkeypatch):
    versions(jupyter_server=FLOORS["jupyter_server"])
    monkeypatch.delitem(sys.modules, "jupyterlab", raising=False)
    assert old_packages() == []


def test_it_says_package_version_floor_and_what_to_run(versions):
    versions(jupyter_server="2.20.0", jupyterlab="4.6.1")
    server, lab = old_packages()
    assert server.message == (
        "jupyter_server 2.20.0 has known security faults; 2.21.0 is the first version without "
        "them. Upgrade it and restart the server: "
        'pip install --upgrade "jupyter_server>=2.21.0"'
    )
    assert "jupyterlab 4.6.1" in lab.message
    assert "4.6.2" in lab.message


async def test_it_is_logged_once_and_told_to_the_page(jp_serverapp, call, versions, monkeypatch):
    [app] = jp_serverapp.extension_manager.extension_apps["edi_labext"]
    assert (await call("GET", "edi/info")).json["unsafe_packages"] == []
    versions(jupyter_server="2.20.0", jupyterlab="4.6.6")
    jp_serverapp.event_logger = None
    warned = []
    monkeypatch.setattr(app.log, "warning", lambda text, *args: warned.append(text % args))
    app.initialize_settings()
    [line] = warned
    assert line.startswith("EDI: jupyter_server 2.20.0 has known security faults")
    assert (await call("GET", "edi/info")).json["unsafe_packages"] == [
        {
            "name": "jupyter_server",
            "version": "2.20.0",
            "floor": "2.21.0",
            "command": 'pip install --upgrade "jupyter_server>=2.21.0"',
        }
    ]
