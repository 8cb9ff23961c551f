"""Starting and ending an engine, with small programs in the engine's place."""

from __future__ import annotations

import json
import os
import stat
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from edi_labext.client import LocalEngine, default_store
from edi_labext.client import engine_process as process_module
from edi_labext.client.engine_process import engine_environment
from edi_labext.errors import EdiError, StorageFailure, Unavailable

#: A small engine: ready line, runtime file, proof, end at the end of stdin.
ENGINE = """
import hashlib, hmac, http.server, json, os, pathlib, sys, threading
from urllib.parse import parse_qs, urlsplit

store = pathlib.Path(sys.argv[sys.argv.index("--store") + 1])
owner = sys.argv[sys.argv.index("--owner") + 1]
print("started for", owner, file=sys.stderr, flush=True)
(store / "starts").open("a").write("x")
(store / "environment.json").write_text(json.dumps(dict(os.environ)))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        nonce = parse_qs(urlsplit(self.path).query)["nonce"][0]
        proof = hmac.new(b"ab" * 32, b"edi-hello:" + nonce.encode(), hashlib.sha256).hexdigest()
        body = json.dumps({"hmac": proof}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.umask(0o077)
(store / "token").write_text("ab" * 32)
facts = {"rest_server": f"http://127.0.0.1:{server.server_port}/dlim/v1/",
         "token_file": str(store / "token"), "pid": os.getpid()}
(store / "engine.json").write_text(json.dumps(facts))
print(json.dumps(facts), flush=True)
if owner == "jupyter":
    sys.stdin.buffer.read()
else:
    threading.Event().wait(20)
print("ended by the end of stdin", file=sys.stderr, flush=True)
"""


def interpreter(tmp_path: Path, program: str) -> str:
    """Return an executable that runs ``program`` instead of the engine."""
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -S {tmp_path}/program.py "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def small(tmp_path: Path) -> str:
    return interpreter(tmp_path, ENGINE)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_engine_is_started_once_and_ended_by_its_stdin(tmp_path: Path, small: str) -> None:
    engine = LocalEngine(tmp_path / "new" / "store", "jupyter", small)
    assert engine.state == "stopped"
    address = engine.ensure()
    assert engine.state == "running"
    assert engine.ensure() == address
    assert (engine.store / "starts").read_text() == "x"
    assert mode(engine.store) == 0o700
    assert mode(engine.log_file) == 0o600
    engine.close()
    assert engine.state == "stopped"
    assert engine.find() is None
    assert engine.log_file.read_text().splitlines() == [
        "started for jupyter",
        "ended by the end of stdin",
    ]


def test_the_store_is_private_under_any_umask(tmp_path: Path, small: str) -> None:
    before = os.umask(0)
    try:
        engine = LocalEngine(tmp_path / "store", "jupyter", small)
        engine.ensure()
        engine.close()
    finally:
        os.umask(before)
    assert mode(engine.store) == 0o700
    assert mode(engine.log_file) == 0o600


def test_many_callers_start_one_engine(tmp_path: Path, small: str) -> None:
    engine = LocalEngine(tmp_path / "store", "jupyter", small)
    found = []
    threads = [threading.Thread(target=lambda: found.append(engine.ensure())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert (engine.store / "starts").read_text() == "x"
    engine.close()


def test_an_engine_of_another_is_used_and_not_ended(tmp_path: Path, small: str) -> None:
    first = LocalEngine(tmp_path / "store", "jupyter", small)
    second = LocalEngine(tmp_path / "store", "jupyter", small)
    address = first.ensure()
    assert second.ensure() == address
    second.close()
    assert first.find() == address
    first.close()


def test_a_killed_engine_is_started_again_by_the_next_use(tmp_path: Path, small: str) -> None:
    engine = LocalEngine(tmp_path / "store", "jupyter", small)
    address = engine.ensure()
    os.kill(address.pid, 9)
    os.waitid(os.P_PID, address.pid, os.WEXITED | os.WNOWAIT)
    assert engine.state == "stopped"
    again = engine.ensure()
    assert again.pid != address.pid
    assert engine.state == "running"
    engine.close()


def test_a_background_engine_is_left_alone(tmp_path: Path, small: str) -> None:
    engine = LocalEngine(tmp_path / "store", "background", small)
    address = engine.ensure()
    engine.close()
    try:
        assert LocalEngine(tmp_path / "store", "jupyter", small).find() == address
    finally:
        os.kill(address.pid, 9)
        os.waitpid(address.pid, 0)


def test_a_stubborn_engine_is_killed_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "_TERM_PATIENCE", 0.1)
    monkeypatch.setattr(process_module.EngineProcess.end, "__defaults__", (0.1,))
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ENGINE.replace(
        "sys.stdin.buffer.read()", "threading.Event().wait(20)"
    )
    engine = LocalEngine(tmp_path / "store", "jupyter", interpreter(tmp_path, stubborn))
    address = engine.ensure()
    engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(address.pid, 0)


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("import sys\nprint('no disk', file=sys.stderr)\nsys.exit(1)", "ended with status 1"),
        ("import os\nprint('{}', flush=True)", "did not prove"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "ended with signal 11"),
        ("import threading\nthreading.Event().wait(20)", "was not ready within 0 s"),
        ("import sys\nsys.exit(3)", "does not answer"),
    ],
)
def test_an_engine_that_does_not_start(tmp_path: Path, program: str, what: str) -> None:
    timeout = 0.3 if "20" in program or "3)" in program else 10
    python = interpreter(tmp_path, program)
    engine = LocalEngine(tmp_path / "store", "jupyter", python, start_timeout=timeout)
    with pytest.raises(Unavailable) as raised:
        engine.ensure()
    assert raised.value.code == "engine_failed"
    assert what in raised.value.message
    assert str(engine.log_file) in str(raised.value.hint)
    if "no disk" in program:
        assert raised.value.detail == "no disk"
    assert engine.state == "stopped"


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as raised:
        LocalEngine(tmp_path / "store", "jupyter", "/no/such/python").ensure()
    assert "/no/such/python" in raised.value.message


def test_a_store_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StorageFailure):
            LocalEngine(path, "jupyter").ensure()


def test_the_log_is_no_link_and_does_not_grow_for_ever(
    tmp_path: Path, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "MAX_LOG", 100)
    engine = LocalEngine(tmp_path / "store", "jupyter", small)
    engine.store.mkdir(mode=0o700)
    engine.log_file.write_text("old\n" * 100)
    engine.ensure()
    engine.close()
    assert "old" not in engine.log_file.read_text()
    (tmp_path / "victim").write_text("precious")
    engine.log_file.unlink()
    engine.log_file.symlink_to(tmp_path / "victim")
    with pytest.raises(EdiError):
        engine.ensure()
    assert (tmp_path / "victim").read_text() == "precious"


def test_what_an_engine_does_not_inherit(
    tmp_path: Path, small: str, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    withheld = (
        "USER_ACCESS_TOKEN",
        "EDI_REST_SERVER",
        "JUPYTER_TOKEN",
        "JPY_API_TOKEN",
        "JUPYTERHUB_API_TOKEN",
    )
    for name in withheld:
        monkeypatch.setenv(name, canary)
    monkeypatch.setenv("KEPT", "yes")
    engine = LocalEngine(tmp_path / "store", "jupyter", small)
    address = engine.ensure()
    command_line = Path(f"/proc/{address.pid}/cmdline").read_bytes()
    engine.close()
    inherited = json.loads((engine.store / "environment.json").read_text())
    assert inherited["KEPT"] == "yes"
    assert canary not in json.dumps(inherited)
    assert canary.encode() not in command_line
    assert not set(withheld) & set(engine_environment(os.environ))


def test_where_the_store_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default_store({"EDI_STORE": "/some/where"}) == Path("/some/where")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_store({}).name == "edi_labext"
