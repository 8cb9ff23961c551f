"""What loading the extension costs every Jupyter server that has it installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

LOAD = """
import json, sys, time
import jupyter_server.serverapp, jupyter_server.extension.application
before = set(sys.modules)
begin = time.process_time()
import edi_labext
[point] = edi_labext._jupyter_server_extension_points()
cost = time.process_time() - begin
assert point["app"].name == "edi_labext"
print(json.dumps({"cost": cost, "modules": sorted(set(sys.modules) - before)}))
"""

#: Of ours, what may be loaded before the first request.
LIGHT = {"edi_labext", "edi_labext._version", "edi_labext.errors"}


def load():
    output = subprocess.check_output([sys.executable, "-c", LOAD], cwd=REPOSITORY, timeout=25)
    return json.loads(output.splitlines()[-1])


def test_loading_is_light():
    loaded = load()
    ours = {name for name in loaded["modules"] if name.split(".")[0] == "edi_labext"}
    light = {
        name
        for name in ours
        if name in LIGHT
        or name in ("edi_labext.extension", "edi_labext.extension.app", "edi_labext.extension.urls")
        or name.startswith("edi_labext.extension.handlers")
    }
    assert ours == light
    heavy = {"pydantic", "pydantic_core", "requests", "urllib3", "platformdirs", "pathspec"}
    assert not heavy & set(loaded["modules"])
    # CPU time, so that a busy machine does not matter; a second look for a cold disk.
    assert min(loaded["cost"], load()["cost"] if loaded["cost"] > 0.06 else 1) < 0.06


def test_the_packaged_configuration_enables_the_extension():
    path = REPOSITORY / "jupyter-config" / "server-config" / "edi_labext.json"
    assert json.loads(path.read_text()) == {
        "ServerApp": {"jpserver_extensions": {"edi_labext": True}}
    }


async def test_the_server_has_loaded_it(jp_serverapp):
    manager = jp_serverapp.extension_manager
    assert "edi_labext" in manager.extension_apps
    assert "store" in type(next(iter(manager.extension_apps["edi_labext"]))).class_trait_names(
        config=True
    )
