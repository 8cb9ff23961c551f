"""The suite itself: it finds what deviates, and judges an EDI that it is pointed at."""

from __future__ import annotations

import contextlib
import http.server
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import make_certificates
from support.engine_process import EngineProcess

from contract.facts import DECISIONS, Ledger, decisions
from contract.wire import Wire, given_token

REPOSITORY = Path(__file__).parents[2]
#: A server that lies, as far as the report is concerned.
LIES = """
def test_what_binds(fact):
    fact.equal("stop answers 200", "rest-api 6", "observed", 404, 200)
    fact.equal("delete answers 200", "rest-api 6", "docs", 500, 200)
    fact.choice("a bad token", "rest-api 4", "418 teapot")

def test_what_does_not(fact):
    fact.equal("CORS headers", "rest-api 3", "transport", None, "*")
    fact.equal("pods are named", "rest-api 8", "inferred", "x", "edi-x")

def test_what_holds(fact):
    fact.equal("start answers 200", "rest-api 6", "observed", 200, 200)
"""


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "EDI_CONTRACT")) and name != "USER_ACCESS_TOKEN"
    }
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "contract.plugin",
            "-c",
            os.devnull,
            "--import-mode=importlib",
            "--rootdir=.",
            *arguments,
        ],
        cwd=cwd,
        # Whatever else is installed for pytest takes longer to load than the tests take.
        env={
            **environment,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **variables,
            "PYTHONPATH": str(REPOSITORY / "tests"),
        },
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_deviations_are_told_and_what_binds_fails(tmp_path: Path) -> None:
    (tmp_path / "test_lies.py").write_text(LIES)
    done = run("-q", cwd=tmp_path, EDI_CONTRACT_SERVER="http://somebody")
    assert done.returncode == 1, done.stdout + done.stderr
    report = done.stdout.partition("= EDI contract =")[2]
    assert "6 looks at facts; deviations: 4" in report
    for row in ("stop answers 200", "delete answers 200", "CORS headers", "pods are named"):
        assert row in report
    assert "start answers 200" not in report
    assert "1 failed, 2 passed" in report
    # Both broken facts of one test are told, not only the first.
    assert "expected: 200\n  seen:     404" in done.stdout.replace("E   ", "")


def test_our_own_engine_deviates_only_where_it_is_told() -> None:
    ledger = Ledger()
    [decided] = DECISIONS
    for fact, source in ((decided, "transport"), ("pods are named", "inferred"), ("stop", "docs")):
        ledger.equal(fact, "rest-api 3", source, None, "*")
    assert [entry.fact for entry in ledger.broken(ours=False)] == ["stop"]
    assert [entry.fact for entry in ledger.broken(ours=True)] == ["pods are named", "stop"]
    [line] = decisions([entry.as_dict() for entry in ledger.deviations])
    assert line.startswith(f"on purpose: {decided} (")
    told = (REPOSITORY / "docs" / "compatibility.md").read_text()
    assert "Access-Control-Allow" in told
    assert "on purpose" in told


def test_it_judges_the_server_that_it_is_given(
    engine: EngineProcess | None, tmp_path: Path
) -> None:
    target = EngineProcess(tmp_path / "store") if engine is None else engine
    before = target.call("GET", "model").json()
    done = run(
        "test_life.py",
        "-q",
        "-k",
        "steps_of_a_life",
        "--confcutdir=.",
        cwd=REPOSITORY / "tests" / "contract",
        EDI_CONTRACT_SERVER=target.base.removesuffix("/dlim/v1/"),
        USER_ACCESS_TOKEN=target.token,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Without a second way in there is one way only, and what it chooses is told.
    assert "1 passed" in done.stdout
    assert "started_at after a stop" in done.stdout
    assert target.token not in done.stdout + done.stderr
    assert target.call("GET", "model").json() == before
    if engine is None:
        target.stop()


@pytest.mark.parametrize("token", ["", "  ", "two words", "a\nb", "ü"])
def test_a_server_is_not_judged_without_its_token(token: str) -> None:
    with pytest.raises(ValueError, match="USER_ACCESS_TOKEN"):
        given_token(token)


def test_addresses_and_tokens_as_people_paste_them() -> None:
    assert given_token(" Bearer ey.J.x\n") == "ey.J.x"
    for server in ("https://edi:9000", "https://edi:9000/", "https://edi:9000/dlim/v1/"):
        assert Wire(server, "t").root == "/"
    assert Wire("https://cpd/proxy/dlim/v1", "t").root == "/proxy/"
    for server in ("edi:9000", "ftp://edi", "https://"):
        with pytest.raises(ValueError, match="address"):
            Wire(server, "t")


class _Empty(http.server.BaseHTTPRequestHandler):
    """An EDI without models."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def tls_server(certificate: Path) -> Iterator[str]:
    """Serve :class:`_Empty` over TLS; the value is its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with http.server.HTTPServer(("127.0.0.1", 0), _Empty) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        # A caller that does not trust us ends the handshake, which is no fault of the server.
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_whom_it_trusts(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    authority = str(made.authority)
    with tls_server(made.server) as address:
        for wire in (Wire(address, "t", ca=authority), Wire(address, "t", insecure=True)):
            assert wire.ask("GET", "model").json() == []
        with pytest.raises(ssl.SSLCertVerificationError):
            Wire(address, "t").ask("GET", "model")
    with tls_server(made.other) as address, pytest.raises(ssl.SSLCertVerificationError):
        Wire(address, "t", ca=authority).ask("GET", "model")
