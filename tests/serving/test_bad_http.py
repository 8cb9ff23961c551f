"""Broken, hostile and odd requests: each has a defined answer, none a 500, none hangs."""

from __future__ import annotations

import random

import pytest
from support.door_server import TOKEN, running

from edi_labext.serving.http.credentials import Credentials


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with running(tmp_path_factory.mktemp("store"), header_wait=1.0, body_idle=1.0) as server:
        yield server


def say(door, data: bytes, *, alive: bool = False):
    """Send bytes, check that the answer is a proper error and that the server goes on."""
    calls, bodies = len(door.engine.app_calls), len(door.engine.bodies)
    with door.connect() as wire:
        wire.send(data)
        reply = wire.reply()
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert TOKEN.encode() not in reply.body
        assert reply.code
        assert (len(door.engine.app_calls), len(door.engine.bodies)) == (calls, bodies)
        if alive:
            assert wire.ask(body=b"alive").body == b"alive"
        else:
            assert reply.closes
            assert wire.at_end()
    with door.connect() as wire:
        assert wire.ask(body=b"alive").body == b"alive"
    return reply


def request(door, *args, **kwargs) -> bytes:
    with door.connect() as wire:
        return wire.request(*args, **kwargs)


USER = Credentials(TOKEN).user_token("ada")
SERVICE = Credentials(TOKEN).service_token("ada")


# Row 77
@pytest.mark.parametrize(
    "token",
    [
        None,
        "X-Auth-Token: ",
        "X-Auth-Token: " + "0" * 64,
        "X-Auth-Token: " + TOKEN.upper(),
        f"X-Auth-Token: {TOKEN}\r\nX-Auth-Token: {TOKEN}",
        f"X-Auth-Token: {TOKEN}\r\nAuthorization: Bearer {TOKEN}",
        "Authorization: " + TOKEN,
        "Authorization: Basic YTpi",
        f"Authorization: Bearer {TOKEN} x",
        f"Authorization: Bearer{TOKEN}",
        "Authorization: Bearer u.YWRh." + "0" * 64,
        f"Authorization: Bearer {USER[:-1]}",
        "X-Auth-Token: s" + USER[1:],
        "X-Auth-Token: \xe9" + TOKEN,
        f"Cookie: token={TOKEN}",
    ],
)
@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/dlim/v1/model"])
def test_token_is_refused(door, token, path):
    reply = say(door, request(door, "GET", path, token=token), alive=True)
    assert (reply.status, reply.code) == (401, "unauthenticated")
    assert reply.headers["www-authenticate"] == "Bearer"
    reply = say(door, request(door, "POST", path, token=token, body=b"1"))
    assert reply.status == 401


@pytest.mark.parametrize(
    "token",
    [
        f"X-Auth-Token: {TOKEN}",
        f"x-user-token:  {TOKEN}  ",
        f"Authorization: bEaReR {TOKEN}",
        f"Authorization: Bearer   {USER}",
        f"X-User-Token: {SERVICE}",
    ],
)
def test_token_is_taken(door, token):
    with door.connect() as wire:
        assert wire.ask(token=token, body=b"1").status == 200


# Row 78
def test_token_in_the_address_is_never_read(door):
    path = f"/dlim/v1/model?token={TOKEN}"
    assert say(door, request(door, "GET", path, token=None), alive=True).status == 401


def test_service_token_permits_inference_only(door):
    for method, path in (("GET", "/dlim/v1/model"), ("GET", "/dlim/v1/inference/echo")):
        head = request(door, method, path, token=f"X-Auth-Token: {SERVICE}")
        reply = say(door, head, alive=True)
        assert (reply.status, reply.code) == (403, "permission_denied")


# Row 79
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil", 403),
        ("evil:{port}", 403),
        ("127.0.0.1.evil:{port}", 403),
        ("127.0.0.1:1", 403),
        ("127.0.0.1", 403),
        ("localhost.:{port}", 403),
        ("x.localhost:{port}", 403),
        ("0.0.0.0:{port}", 403),
        ("0:{port}", 403),
        ("2130706433:{port}", 403),
        ("127.1:{port}", 403),
        ("[::1]x:{port}", 403),
        ("[::]:{port}", 403),
        ("[::ffff:127.0.0.1]:{port}", 403),
        ("a/healthz?", 403),
        ("user@127.0.0.1:{port}", 403),
        ("127.0.0.1:{port}/x", 403),
        ("127.0.0.1:{port}, evil", 403),
        ("\xff", 403),
        ("", 400),
        (None, 400),
    ],
)
def test_host_is_refused(door, host, status):
    data = request(door, "GET", "/dlim/v1/model", host=host)
    assert say(door, data, alive=status == 403).status == status


def test_two_hosts(door):
    data = request(door, "GET", "/x", f"Host: 127.0.0.1:{door.port}")
    assert say(door, data).status == 400


@pytest.mark.parametrize("host", ["LocalHost:{port}", "[::1]:{port}", " 127.0.0.1:{port}  "])
def test_host_is_taken(door, host):
    with door.connect() as wire:
        assert wire.ask(host=host, body=b"1").status == 200


# Row 80
@pytest.mark.parametrize(
    "header",
    [
        "Origin: http://evil",
        "Origin: null",
        "Origin: ",
        "Origin: https://127.0.0.1:{port}",
        "Origin: http://127.0.0.1:8888",
        "Origin: http://127.0.0.1:{port}.evil",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: ",
    ],
)
def test_web_page_is_refused(door, header):
    data = request(door, "GET", "/dlim/v1/model", header.format(port=door.port))
    reply = say(door, data, alive=True)
    assert (reply.status, reply.code) == (403, "origin_refused")
    assert "access-control-allow-origin" not in reply.headers


# Rows 82 and 83
@pytest.mark.parametrize("kind", ["text/plain", "application/x-python-pickle", "", "\xff"])
def test_inference_takes_any_content_type(door, kind):
    with door.connect() as wire:
        path = "/dlim/v1/inference/echo"
        assert wire.ask("POST", path, f"Content-Type: {kind}", body=b"1").status == 200


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "identity, gzip", ""])
def test_compressed_body(door, coding):
    path = "/dlim/v1/inference/echo"
    data = request(door, "POST", path, f"Content-Encoding: {coding}", body=b"\x1f\x8b")
    assert say(door, data).status == 415


# Row 84
@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/dlim/v1/inference/echo", 99999999999, 413),
        ("/dlim/v1/inference/echo", (64 << 20) + 1, 413),
        ("/dlim/v1/model", (1 << 20) + 1, 413),
        ("/dlim/v1/deployment/model", (2 << 30) + 1, 413),
        ("/dlim/v1/auth/token", (1 << 20) + 1, 413),
        ("/dlim/v1/inference/echo", 10**19, 413),
        ("/dlim/v1/inference/echo", 10**30, 400),
    ],
)
def test_too_long_body(door, path, length, status):
    data = request(door, "POST", path, f"Content-Length: {length}")
    assert say(door, data).status == status


# Row 85
@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"Content-Length: 5, 5\r\n\r\nhello",
        b"Content-Length: +5\r\n\r\nhello",
        b"Content-Length: -5\r\n\r\nhello",
        b"Content-Length: 0x5\r\n\r\nhello",
        b"Content-Length: 5 5\r\n\r\nhello",
        b"Content-Length:\r\n\r\n",
        b"Content-Length : 5\r\n\r\nhello",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
        b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"X: a\r\n folded\r\n\r\n",
        b"X: bare\n\n",
        b"X: a\rb\r\n\r\n",
        b"X: nul\0\r\n\r\n",
        b"X\xc3: 1\r\n\r\n",
        b": empty\r\n\r\n",
        b"no colon\r\n\r\n",
    ],
)
@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/dlim/v1/auth/token"])
def test_ambiguous_message(door, lines, path):
    data = request(door, "POST", path)[: -len(b"\r\n")] + lines
    with door.connect() as wire:
        bodies = len(door.engine.bodies)
        wire.send(data)
        reply = wire.reply()
        assert reply.status == 400
        assert reply.closes
        assert wire.at_end()
        assert len(door.engine.bodies) == bodies


# Row 86
def test_too_many_or_too_long_headers(door):
    many = [f"X-{number}: y" for number in range(5000)]
    for headers in (many, ["X: " + "y" * 70_000], [f"X{n}: " + "y" * 1000 for n in range(70)]):
        reply = say(door, request(door, "GET", "/dlim/v1/model", *headers))
        assert (reply.status, reply.code) == (431, "headers_too_large")


def test_endless_header_name_or_target(door):
    for start in (b"GET / HTTP/1.1\r\nX", b"GET /", b"GET / HTTP/1.1\r\nX: "):
        with door.connect() as wire:
            wire.send(start)
            try:
                for _ in range(400):
                    wire.send(b"a" * 1000)
            except (BrokenPipeError, ConnectionResetError):
                pass
            else:
                assert wire.reply().status in (431, 414)


def test_trailers_are_counted_and_dropped(door):
    head = request(door, "POST", "/dlim/v1/inference/echo", "Transfer-Encoding: chunked")
    trailers = b"".join(b"X-%d: y\r\n" % number for number in range(10_000))
    with door.connect() as wire:
        wire.send(head + b"1\r\nx\r\n0\r\n" + trailers + b"\r\n")
        assert wire.reply().status == 431


# Row 87
def test_a_million_chunks(door):
    head = request(door, "POST", "/dlim/v1/inference/echo", "Transfer-Encoding: chunked")
    with door.connect() as wire:
        try:
            wire.send(head + b"1\r\nx\r\n" * 1_000_000)
        except (BrokenPipeError, ConnectionResetError):
            return
        assert wire.reply().status == 413


# Row 92
@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "OPTIONS", "PATCH", "get", "Post", "FOO"])
def test_method(door, method):
    reply = say(
        door,
        request(door, method, "/dlim/v1/model"),
        alive=method in ("TRACE", "PROPFIND", "OPTIONS", "PATCH"),
    )
    assert (reply.status, reply.headers["allow"]) == (405, "DELETE, GET, HEAD, POST, PUT")


def test_connect(door):
    assert say(door, request(door, "CONNECT", "example.org:80")).status == 405


# Row 93
@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("*", 400),
        ("http://127.0.0.1/dlim/v1/model", 400),
        ("http://evil/dlim/v1/model", 400),
        ("/dlim/v1/model#x", 400),
        ("/dlim/v1/%zz", 400),
        ("/dlim/v1/model/%", 400),
        ("/dlim/v1/model%2fx", 404),
        ("/dlim/v1/model%5Cx", 404),
        ("/dlim/v1/model/%00", 404),
        ("/dlim/v1/model/%0d%0aX:y", 404),
        ("/" + "a" * 16_384, 414),
        ("/dlim/v1/model?q=" + "a" * 16_384, 414),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_target(door, target, status, method):
    reply = say(door, request(door, method, target), alive=status == 404)
    assert reply.status == status


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("//x", "//x"),
        ("/./x", "/./x"),
        ("/a/../b", "/a/../b"),
        ("/%2e%2e/x", "/../x"),
        ("/%252e", "/%2e"),
        ("/a;b=c?d=%zz", "/a;b=c"),
        ("/dlim/v1/inference/../model", "/dlim/v1/inference/../model"),
        ("/dlim/v1/inference/echo/", "/dlim/v1/inference/echo/"),
        ("/dlim/v1/inference/ECHO", "/dlim/v1/inference/ECHO"),
        ("/dlim/v1/inference/", "/dlim/v1/inference/"),
        ("/dlim/v1/inference/ech%6f", "/dlim/v1/inference/echo"),
        ("/dlim/v1/inference/echo?x=1", "/dlim/v1/inference/echo"),
    ],
)
def test_paths_are_decoded_once_and_never_normalised(door, target, path):
    with door.connect() as wire:
        bodies = len(door.engine.bodies)
        assert wire.ask("POST", target, body=b"1").status == 200
        assert door.engine.app_calls[-1] == ("POST", path)
        assert len(door.engine.bodies) == bodies


# Row 95
@pytest.mark.parametrize(
    "header",
    [
        "Range: bytes=0-1",
        "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
        "Upgrade: h2c",
        "Connection: Upgrade",
        "Connection: keep-alive, foo",
        "TE: trailers",
        "Accept: image/png",
    ],
)
def test_headers_without_effect(door, header):
    with door.connect() as wire:
        assert wire.ask("POST", "/dlim/v1/inference/echo", header, body=b"1").body == b"1"
        assert wire.ask("POST", "/any", header, body=b"1").status == 200


@pytest.mark.parametrize("value", ["200-ok", "100-continue, x", ""])
def test_other_expectations(door, value):
    data = request(door, "POST", "/dlim/v1/inference/echo", f"Expect: {value}", body=b"1")
    assert say(door, data).status == 417


def test_nothing_follows_a_refusal_while_the_application_waits_for_the_body(door, caplog):
    """The application gets the request, and its body turns out to be broken before it has begun."""
    head = request(door, "POST", "/any", "Expect: 100-continue", "Transfer-Encoding: chunked")
    with door.connect() as wire:
        wire.send(head + b"zz\r\n")
        assert wire.reply().status == 400
        assert wire.at_end()
    with door.connect() as wire:
        assert wire.ask(body=b"alive").body == b"alive"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/0.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/11\r\n\r\n",
        b"GET \xc3\xa9 HTTP/1.1\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ],
)
def test_not_our_http(door, data):
    assert say(door, data).status == 400


def test_chunked_http_10(door):
    head = request(
        door, "POST", "/dlim/v1/inference/echo", "Transfer-Encoding: chunked", version="1.0"
    )
    assert say(door, head + b"1\r\nx\r\n0\r\n\r\n").status == 400


# F33
def test_trickling_callers_do_not_hold_up_others(door):
    slow = [door.connect() for _ in range(100)]
    for wire in slow:
        wire.send(b"POST /dlim/v1/inference/echo HTTP/1.1\r\nX: ")
    with door.connect() as wire:
        for number in range(50):
            assert wire.ask(body=b"%d" % number).status == 200
    for wire in slow:
        assert wire.reply().status == 408
        wire.sock.close()


PIECES = [
    b"GET ", b"POST ", b"DELETE ", b"get ", b"HEAD ", b"CONNECT ", b"/", b"//", b"%2f", b"%zz",
    b"/dlim/v1/inference/echo", b"/dlim/v1/inference/none", b"/any", b"*", b"?a=b", b" HTTP/1.1",
    b" HTTP/1.0", b" HTTP/9.9", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"Host: 127.0.0.1:PORT",
    b"Host: evil", b"X-Auth-Token: " + TOKEN.encode(), b"Authorization: Bearer x",
    b"Content-Length: 3", b"Content-Length: 99999999999", b"Content-Length: -1",
    b"Transfer-Encoding: chunked", b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"\0", b"\xff",
    b"Connection: close", b"Connection: Upgrade", b"Upgrade: h2c", b"Expect: 100-continue",
    b"Content-Encoding: gzip", b"Origin: http://evil", b"X: " + b"y" * 300, b"{}",
]  # fmt: skip


def _fuzzed(random_: random.Random, port: int) -> bytes:
    whole = (
        b"POST /dlim/v1/inference/echo HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX-Auth-Token: "
        + TOKEN.encode()
        + b"\r\nContent-Length: 3\r\n\r\nabc"
    )
    shape = random_.randrange(3)
    if shape == 0:
        data = b"".join(random_.choices(PIECES, k=random_.randrange(1, 25)))
    elif shape == 1:
        lines = random_.choices(PIECES[22:], k=random_.randrange(0, 8))
        first = b"".join((random_.choice(PIECES[:6]), random_.choice(PIECES[6:15]), b" HTTP/1.1"))
        data = b"\r\n".join([first, *lines, b"", random_.choice(PIECES[26:])])
    else:
        mutable = bytearray(whole * random_.randrange(1, 4))
        for _ in range(random_.randrange(1, 6)):
            place = random_.randrange(len(mutable))
            action = random_.randrange(3)
            if action == 0:
                mutable[place] = random_.randrange(256)
            elif action == 1:
                del mutable[place : place + random_.randrange(1, 9)]
            else:
                mutable[place:place] = random_.choice(PIECES)
        data = bytes(mutable)
    return data.replace(b"PORT", str(port).encode())


#: Every status the door or the small application may answer to a request without its equal.
DEFINED = {100, 200, 400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 429, 431}


def test_two_thousand_fuzzed_requests(tmp_path):
    random_ = random.Random(20261122)
    seen = set()
    with running(tmp_path, linger=0.05) as server:
        for _ in range(2000):
            data = _fuzzed(random_, server.port)
            with server.connect() as wire:
                try:
                    wire.send(data)
                    wire.sock.shutdown(1)
                except OSError:
                    pass
                while True:
                    try:
                        reply = wire.reply(head_only=data.startswith(b"HEAD "))
                    except ConnectionError:
                        break
                    except (ValueError, AssertionError, IndexError):
                        # Bytes of an answer to HEAD behind another request; only the end counts.
                        wire.at_end()
                        break
                    seen.add(reply.status)
                    assert reply.status in DEFINED, data
        assert {200, 400, 401} <= seen
        with server.connect() as wire:
            assert wire.ask(body=b"alive").body == b"alive"
        connections = server.server._server.server_state.connections
        server.engine.wait(lambda: True)
        while server.call(lambda: len(connections)) > 0:
            pass
        assert server.call(lambda: server.server.door.in_flight) == 0
