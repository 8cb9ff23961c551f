"""``edi infer``: what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Received, Reply, ScriptedEdi, scripted_edi

MIB = 1 << 20


@pytest.fixture
def server() -> Iterator[ScriptedEdi]:
    """Echoes."""
    with scripted_edi() as running:
        running.on("POST", "/inference/m", lambda request: Reply(200, request.body))
        running.on("GET", "/model/m", Reply.json({"name": "m", "kernel_path": "kernel.py"}))
        yield running


@pytest.fixture
def infer(alone: CommandLine, server: ScriptedEdi) -> Callable[..., object]:
    command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)

    def run(*arguments: str, stdin: bytes | None = None):  # type: ignore[no-untyped-def]
        return command("infer", "m", *arguments, stdin=stdin)

    return run


def sent(server: ScriptedEdi) -> Received:
    return next(request for request in server.received if request.method == "POST")


@pytest.mark.parametrize("text", ['{"a": [1, 2]}', " [1]", '"text"'])
def test_json_text(infer, server: ScriptedEdi, text: str) -> None:
    result = infer("--payload", text)
    assert (result.exit_code, result.stdout, result.stderr) == (0, text, "")
    assert sent(server).headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["eight.json", "with space.json", "größe.json", "{odd}.json"])
def test_a_file(infer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    data = bytes(range(256))
    (tmp_path / name).write_bytes(data)
    for path in (name, str(tmp_path / name)):
        result = infer("--payload", path)
        assert (result.exit_code, result.stdout_bytes) == (0, data)


def test_stdin(infer) -> None:
    result = infer("--payload", "-", stdin=b'{"from": "stdin"}')
    assert (result.exit_code, result.stdout) == (0, '{"from": "stdin"}')


def test_an_empty_answer(infer, server: ScriptedEdi) -> None:
    server.on("POST", "/inference/m", Reply(200, b""))
    assert infer("--payload", "{}").stdout_bytes == b""


def test_without_a_payload_the_sample_of_the_readme_is_sent(infer, server: ScriptedEdi) -> None:
    server.on("GET", "/model/m/readme", Reply.json({"readme": '# M\n```json\n{"s": 1}\n```\n'}))
    result = infer()
    assert (result.exit_code, result.stdout) == (0, '{"s": 1}')
    assert "README" in result.stderr


@pytest.mark.parametrize(
    "readme", [Reply.json({"readme": "# M"}), Reply(404, b"no such route")], ids=["none", "404"]
)
def test_without_a_sample_a_payload_is_asked_for(infer, server: ScriptedEdi, readme: Reply) -> None:
    server.on("GET", "/model/m/readme", readme)
    result = infer()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--payload FILE" in result.stderr


def test_an_unknown_name_is_not_mistaken_for_a_missing_readme(infer, server: ScriptedEdi) -> None:
    server.on("GET", "/model/m", Reply(404, b"no"))
    result = infer()
    assert (result.exit_code, result.stderr) == (1, "Model <m> doesn't exist.\n")


def test_bad_json_text_is_named_with_its_place(infer, server: ScriptedEdi) -> None:
    result = infer("--payload", '{"a": 1,}')
    assert result.exit_code == 2
    assert "--payload" in result.stderr
    assert "line 1, column 9" in result.stderr
    assert server.received == []


def test_a_payload_that_is_too_large(infer, server: ScriptedEdi, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 * MIB + 1)
    result = infer("--payload", str(tmp_path / "large"))
    assert result.exit_code == 2
    assert server.received == []


def test_a_failure_of_the_kernel(infer, server: ScriptedEdi) -> None:
    body = {"code": "exception", "message": "ValueError: no pixels", "detail": "line of the log"}
    server.on("POST", "/inference/m", Reply.json(body, 502))
    result = infer("--payload", "{}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ValueError: no pixels\n  line of the log\n")


def test_an_answer_that_does_not_come(infer, server: ScriptedEdi) -> None:
    server.gate.clear()
    result = infer("--payload", "{}", "--timeout", "0.1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did not answer in time" in result.stderr
