"""``edi new``: every template passes the checks, runs, and answers the request of its README."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.command_line import CommandLine

from edi_labext.cli.new import TEMPLATES as OFFERED
from edi_labext.client import EdiClient
from edi_labext.submission.templates import TEMPLATES

ANSWERS = {
    "echo": {"service": "made-echo", "echo": {"text": "hello"}},
    "batch": {"value": 4.75, "batch": 1},
    "sklearn": {"classes": ["setosa"]},
    "weights": {"weights": 3000},
}


@pytest.fixture
def weights(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and SHA-256 of a file on a web server."""
    served = tmp_path / "served"
    served.mkdir()
    content = b"abc" * 1000
    (served / "weights.bin").write_bytes(content)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield (
        f"http://127.0.0.1:{server.server_port}/weights.bin",
        hashlib.sha256(content).hexdigest(),
    )
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_command_offers_what_there_is(alone: CommandLine) -> None:
    assert tuple(TEMPLATES) == OFFERED == tuple(ANSWERS)
    shown = alone("new", "--help").stdout
    for name, sentence in TEMPLATES.items():
        assert name in shown
        assert sentence in shown


@pytest.mark.parametrize("template", ANSWERS)
def test_a_template_passes_the_checks_and_runs(
    edi: CommandLine,
    client: EdiClient,
    tmp_path: Path,
    weights: tuple[str, str],
    template: str,
) -> None:
    made = tmp_path / f"Made_{template}"
    result = edi("new", template, str(made))
    assert result.exit_code == 0, result.output
    written = sorted(str(path) for path in made.rglob("*") if path.is_file())
    assert sorted(result.stdout.splitlines()) == written
    assert {"kernel.py", "model.json", "README.md", ".ediignore"} <= {
        path.name for path in made.iterdir()
    }
    if template == "weights":
        path = made / "model.json"
        url, sha256 = weights
        text = path.read_text().replace("https://example.com/weights.bin", url)
        path.write_text(text.replace("0" * 64, sha256))

    checked = edi.lines("check", str(made))
    assert checked[0].startswith("Nothing found in"), checked
    name = f"made-{template}"
    edi.lines("model", "deploy", "-p", str(made), "--wait")
    asked = edi("infer", name)
    assert asked.exit_code == 0, asked.output
    answer = json.loads(asked.stdout)
    assert ANSWERS[template].items() <= answer.items()
    sample = (made / "payloads" / "sample.json").read_text()
    assert json.loads(edi.lines("infer", name, "--payload", sample)[0]) == answer
    wrong = json.loads(edi.lines("infer", name, "--payload", '{"x": 1, "rows": 2}')[0])
    assert template in ("echo", "weights") or "error" in wrong
    assert edi("model", "undeploy", "-f", name, "--wait").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing", "x"], "'nothing' is not one of"),
        (["echo"], "Missing argument"),
        (["echo", "x", "--name", "Not A Name"], "is not a deployment name"),
        (["echo", "..."], "Give one with --name"),
        (["echo", "taken"], "there already and not empty"),
        (["echo", "taken/file"], "there already and not empty"),
        (["echo", "taken/file/below"], "cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_made(
    alone: CommandLine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    monkeypatch.chdir(tmp_path)
    result = alone("new", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "taken"]
