"""The magics in a real notebook kernel: the example notebook, progress, Ctrl-C."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from edi_labext.client import EdiClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOK = EXAMPLES / "notebooks" / "magics.ipynb"

SLOW = """
import pathlib
import time

import redhareapiversion
from redhareapi import Kernel


class Slow(Kernel):
    def on_kernel_start(self, kernel_context):
        while pathlib.Path({wait!r}).exists():
            time.sleep(0.01)


if __name__ == "__main__":
    Slow().run()
"""


@pytest.fixture
def environment(
    engine: tuple[Path, EdiClient],
    client: EdiClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What a notebook kernel inherits: the store of the tests and no EDI of anybody's."""
    for variable in ("EDI_REST_SERVER", "USER_ACCESS_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("EDI_STORE", str(engine[0]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    # The frontend of a desktop would be asked for its own settings.
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")


def outputs(cell: Any, kind: str) -> str:
    """All that a cell shows as ``text/plain`` or ``text/html``, or prints (``stream``)."""
    if kind == "stream":
        return "".join(item.text for item in cell.outputs if item.output_type == "stream")
    return "\n".join(item.data.get(kind, "") for item in cell.outputs if "data" in item)


@pytest.mark.usefixtures("environment")
def test_the_example_notebook() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not [
        cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")
    ]
    NotebookClient(
        notebook,
        timeout=25,
        kernel_name="python3",
        resources={"metadata": {"path": NOTEBOOK.parent}},
    ).execute()
    shown = {
        cell.source.splitlines()[0]: cell for cell in notebook.cells if cell.cell_type == "code"
    }

    assert "Local (this machine)" in outputs(shown["%edi env"], "text/html")
    assert "can be deployed" in outputs(shown["%edi check ../digits"], "text/plain")
    deployed = shown["%edi deploy ../digits --no-start"]
    # Progress is one display that ended as a line, and not one line per step.
    assert [item.output_type for item in deployed.outputs] == ["display_data", "execute_result"]
    assert re.fullmatch(
        rf"Done: deploying {re.escape(str(EXAMPLES / 'digits'))} \(\d+\.\d s\)",
        deployed.outputs[0].data["text/plain"],
    )
    assert "Stopped" in outputs(deployed, "text/html")
    changed = outputs(shown["%%edi profile digits"], "text/html")
    assert "policy.task_execution_timeout" in changed
    assert "ncpus=1,ncpus_limit=2,mem=512,mem_limit=1024" in changed
    assert "Ready" in outputs(shown["%edi start digits"], "text/html")
    assert "Ready" in outputs(shown["%edi list"], "text/html")
    assert '"class": 3' in outputs(shown["%%edi infer digits -o answer"], "text/plain")
    assert outputs(shown['answer["class"]'], "text/plain").strip() == "3"
    assert '"class": 8' in outputs(
        shown["%edi infer digits -f ../digits/payloads/eight.json"], "text/plain"
    )
    assert '"class": 3' in outputs(shown["%edi infer digits"], "text/plain")
    assert "weights loaded" in outputs(shown["%edi logs digits -n 5"], "text/plain")
    assert "digits is gone" in outputs(shown["%edi undeploy digits"], "text/html")
    for cell in shown.values():
        assert outputs(cell, "stream") == ""


@pytest.fixture
def notebook_kernel(environment: None, tmp_path: Path) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path), env=dict(os.environ))
    kernel = manager.blocking_client()
    kernel.start_channels()
    try:
        kernel.wait_for_ready(timeout=20)
        kernel.manager = manager
        yield kernel
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)


def run(kernel: BlockingKernelClient, code: str, *, interrupt_at: str = "") -> tuple[Any, str]:
    """Execute a cell; the reply, and all that it shows. SIGINT comes when that text is shown."""
    message = kernel.execute(code)
    shown = ""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            got = kernel.get_iopub_msg(timeout=1)
        except Empty:
            continue
        if got["parent_header"].get("msg_id") != message:
            continue
        content = got["content"]
        news = content.get("text", "") + content.get("data", {}).get("text/plain", "")
        news += "\n".join(content.get("traceback", []))
        shown += news + "\n"
        if interrupt_at and interrupt_at in news:
            interrupt_at = ""
            kernel.manager.interrupt_kernel()
        if content.get("execution_state") == "idle":
            return answer_to(message, kernel), shown
    raise AssertionError(shown)


def answer_to(message: str, kernel: BlockingKernelClient) -> Any:
    """Return the reply to a message; others may come first, asked while the kernel got ready."""
    while True:
        got = kernel.get_shell_msg(timeout=20)
        if got["parent_header"].get("msg_id") == message:
            return got["content"]


def test_ctrl_c_in_a_notebook(
    notebook_kernel: BlockingKernelClient, tmp_path: Path, client: EdiClient
) -> None:
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "model.json").write_text('{"name": "slow", "kernel_path": "kernel.py"}')
    (folder / "README.md").write_text("# Slow\n")
    (folder / "kernel.py").write_text(SLOW.format(wait=str(tmp_path / "wait")))
    (tmp_path / "wait").write_text("")

    assert run(notebook_kernel, "%load_ext edi_labext")[0]["status"] == "ok"
    reply, shown = run(notebook_kernel, "%edi deploy slow", interrupt_at="The kernel is starting")
    assert (reply["status"], reply["ename"]) == ("error", "Cancelled")
    assert "Cancelled: deploying" in shown
    assert "Cancelled: slow is deployed. You stopped waiting; slow goes on starting." in shown
    assert "Traceback" not in shown
    # The kernel is as usable as before, and what was said holds.
    (tmp_path / "wait").unlink()
    reply, shown = run(notebook_kernel, "%edi start slow")
    assert reply["status"] == "ok"
    assert "Ready" in shown
    reply, shown = run(notebook_kernel, "%edi strat slow")
    assert (reply["status"], reply["ename"]) == ("error", "UsageError")
    assert shown.strip() == "UsageError: %edi has no verb 'strat': did you mean start?"
    reply, shown = run(notebook_kernel, '%%edi infer slow\n{"a": {nothing}}')
    assert shown.strip() == "UsageError: {nothing}: there is no variable nothing."
    assert run(notebook_kernel, "1 + 1")[1].strip() == "2"
    completion = notebook_kernel.complete("%edi stop s", reply=True, timeout=20)["content"]
    assert completion["matches"] == ["slow"]
    assert (completion["cursor_start"], completion["cursor_end"]) == (10, 11)
