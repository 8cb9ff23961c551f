"""Answers that are not EDI's, and networks that fail: a typed error in time, never more."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from support.scripted_edi import Reply, ScriptedEdi

from edi_labext.client import EdiClient
from edi_labext.client import transport as transport_module
from edi_labext.errors import (
    EdiError,
    TooLarge,
    UpstreamBadResponse,
    UpstreamTimeout,
    UpstreamUnreachable,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<html><body>Please log in</body></html>",
        b'{"name": "digits", "kernel',
        b'[{"name": "digits"',
        b"null",
        b"{}",
        b'"text"',
        b"3",
        b"true",
        b"[1, 2]",
        b"[[]]",
        b"[null]",
        b'[{"kernel_path": "k.py"}]',
        b'[{"name": 5, "kernel_path": "k.py"}]',
        b'[{"name": "a", "kernel_path": "k.py", "size": "much"}]',
        b"[" * 50_000,
        b'{"a":' * 50_000,
        b"\xff\xfe[\x00]\x00",
        b"\x00" * 100,
        b"[" + b"9" * 100_000 + b"]",
        gzip.compress(b"[]", mtime=0),
    ],
)
def test_a_body_that_is_no_list_of_models(edi: ScriptedEdi, client: EdiClient, body: bytes) -> None:
    edi.on("GET", "/model", Reply(200, body))
    with pytest.raises(UpstreamBadResponse) as raised:
        client.list_models()
    message = raised.value.message
    assert "127.0.0.1" in message
    assert "text/html" in message
    assert len(message) < 500
    assert message.isprintable()


def test_a_page_is_quoted(edi: ScriptedEdi, client: EdiClient) -> None:
    page = b"<html>\n<title>Sign in</title>" + b"x" * 5000
    edi.on("GET", "/model", Reply(200, page))
    with pytest.raises(UpstreamBadResponse) as raised:
        client.list_models()
    assert "<title>Sign in</title>" in raised.value.message


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf[]",
        b" [] \n",
        json.dumps([{"name": "a", "kernel_path": "k", "tag": "Zürich"}]).encode(),
        '[{"name": "a", "kernel_path": "k", "tag": "Zürich"}]'.encode("latin-1"),
    ],
)
def test_json_is_read_whatever_it_is_called(
    edi: ScriptedEdi, client: EdiClient, body: bytes
) -> None:
    edi.on("GET", "/model", Reply(200, body))
    assert [model.tag for model in client.list_models()] in ([], ["Zürich"])


def test_a_truncated_answer(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("GET", "/model", Reply(200, b"[]", length=100))
    with pytest.raises(UpstreamBadResponse) as raised:
        client.list_models()
    assert "broke off" in raised.value.message


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_without_end_is_refused_on_the_way(
    edi: ScriptedEdi, client: EdiClient, compressed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edi_labext.client.edi_client.MAX_INFERENCE_ANSWER", 1 << 20)
    body = bytes(8 << 20)
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    edi.on(
        "POST",
        "/inference/a",
        Reply(200, gzip.compress(body, mtime=0) if compressed else body, headers=headers),
    )
    with pytest.raises(TooLarge) as raised:
        client.infer("a", b"{}")
    assert raised.value.code == "answer_too_large"


def test_a_trickling_answer_meets_the_deadline(edi: ScriptedEdi, client: EdiClient) -> None:
    stop = threading.Event()
    edi.on("POST", "/inference/a", Reply(200, b"x" * 1000, trickle=stop))
    started = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        client.infer("a", b"{}", timeout=0.3)
    stop.set()
    assert time.monotonic() - started < 2


def test_no_answer_in_time(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.gate.clear()
    with pytest.raises(UpstreamTimeout) as raised:
        client.infer("a", b"{}", timeout=0.2)
    edi.gate.set()
    assert raised.value.http_status == 504
    assert "127.0.0.1" in raised.value.message


def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    client = EdiClient(f"http://127.0.0.1:{port}/dlim/v1/", lambda: "t", trust_proxies=False)
    with pytest.raises(UpstreamUnreachable) as raised:
        client.list_models()
    assert raised.value.code == "upstream_refused"
    assert str(port) in raised.value.message


def test_no_such_host() -> None:
    client = EdiClient("https://wmla.invalid/dlim/v1/", lambda: "t", trust_proxies=False)
    with pytest.raises(UpstreamUnreachable) as raised:
        client.list_models()
    assert raised.value.code == "upstream_no_host"


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"garbage",
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n[]x",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_http(edi: ScriptedEdi, client: EdiClient, raw: bytes) -> None:
    edi.on("GET", "/model", Reply(raw=raw))
    with pytest.raises(EdiError) as raised:
        client.list_models()
    assert raised.value.http_status == 502


@pytest.fixture
def tls_server() -> Iterator[str]:
    """Something that speaks no TLS behind https."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/dlim/v1/"
        thread.join(5)


def test_https_to_a_plain_server(tls_server: str) -> None:
    client = EdiClient(tls_server, lambda: "t", trust_proxies=False)
    with pytest.raises(UpstreamUnreachable) as raised:
        client.list_models()
    assert raised.value.code == "upstream_tls"


def test_a_missing_file_of_authorities(edi: ScriptedEdi) -> None:
    client = EdiClient("https://127.0.0.1:9/", lambda: "t", trust_proxies=False, verify="/no/ca")
    with pytest.raises(UpstreamUnreachable) as raised:
        client.list_models()
    assert raised.value.code == "bad_ca_bundle"


def test_limits_are_those_of_the_design() -> None:
    assert (transport_module.CONNECT_TIMEOUT, transport_module.READ_TIMEOUT) == (5, 30)
    assert transport_module.MAX_ANSWER == 16 << 20
