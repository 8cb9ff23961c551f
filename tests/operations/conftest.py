from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.scripted_edi import ScriptedEdi, scripted_edi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient

#: The smallest kernel that the checks have nothing to say about.
ECHO = """
import redhareapiversion
from redhareapi import Kernel

class Echo(Kernel):
    def on_task_invoke(self, task_context):
        while task_context is not None:
            task_context.set_output_data(task_context.get_input_data())
            task_context = task_context.next()

if __name__ == "__main__":
    Echo().run()
"""


@pytest.fixture
def server() -> Iterator[ScriptedEdi]:
    with scripted_edi() as running:
        yield running


@pytest.fixture
def client(server: ScriptedEdi) -> Iterator[EdiClient]:
    made = EdiClient(server.url, lambda: "t0ken-of-the-tests", trust_proxies=False)
    yield made
    made.close()


@pytest.fixture(params=[True, False], ids=["engine", "wmla"])
def small(request: pytest.FixtureRequest, server: ScriptedEdi) -> SmallEdi:
    """Both kinds of EDI: nothing above the client may know which one it talks to."""
    return SmallEdi(server, engine=request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "echo"
    made.mkdir()
    (made / "model.json").write_text('{"name": "echo", "kernel_path": "kernel.py"}')
    (made / "README.md").write_text("# Echo\n")
    (made / "kernel.py").write_text(ECHO)
    return made
