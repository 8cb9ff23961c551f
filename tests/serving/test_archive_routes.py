"""Packages over HTTP: every bad one gets its answer, costs little, and leaves nothing behind."""

from __future__ import annotations

import base64
import concurrent.futures
import functools
import gzip
import hashlib
import io
import os
import random
import socket
import stat
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import archives
from support.engine_process import EngineProcess
from support.examples import examples
from support.forked_engine import ForkedEngine, Nursery
from support.hostile_archives import HOSTILE, REALPATH_OVERFLOW, Hostile
from support.waiting import until

from edi_labext.submission import build

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def engine(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    place = tmp_path_factory.mktemp("archives")
    (place / "sentinel").write_text("unchanged")
    process = ForkedEngine(
        nursery,
        place / "store",
        *("--limit", f"expanded_limit={96 << 20}"),
        *("--limit", "entry_limit=2000"),
    )
    yield process
    assert process.stop() == 0


@pytest.fixture(autouse=True)
def nothing_deployed(engine: EngineProcess) -> None:
    """Whatever an earlier test left."""
    for name in names(engine):
        assert engine.call("DELETE", f"model/{name}").status_code == 200


def raw(engine: EngineProcess, data: bytes, **headers: str) -> requests.Response:
    return engine.call("POST", "deployment/model", data=data, headers={**OCTETS, **headers})


def form(engine: EngineProcess, data: bytes) -> requests.Response:
    return engine.call("POST", "deployment/model", files={"userfile": ("package.tgz", data)})


def names(engine: EngineProcess) -> list[str]:
    return [model["name"] for model in engine.call("GET", "model").json()]


def outside(engine: EngineProcess) -> list[str]:
    """What lies around the store, and in what was to be emptied."""
    around = engine.store.parent
    assert (around / "sentinel").read_text() == "unchanged"
    beside = [path.name for path in around.iterdir()]
    inside = [*engine.store.glob("staging/*"), *engine.store.glob("repo/*")]
    return sorted(beside) + sorted(map(str, inside))


def told(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["message"] == body["errors"][0]["message"] == body["error"]
    assert "Traceback" not in answer.text
    assert len(body["message"]) < 400
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return answer.status_code, body["code"]


def test_the_corpus_is_large_enough() -> None:
    assert len(HOSTILE) >= 60
    assert {bad.row for bad in HOSTILE} >= {57, 58, 59, 60, 61, 62, 63, 64, 65, 67, 69, 70, 71}


@pytest.mark.parametrize("send", [raw, form])
@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: f"row{bad.row}-{bad.code}")
def test_what_must_be_refused(engine: EngineProcess, send: Any, bad: Hostile) -> None:
    before = outside(engine)
    assert told(send(engine, bad.data)) == (bad.status, bad.code)
    assert outside(engine) == before


@pytest.mark.parametrize("send", [raw, form])
def test_row_66_modes_owners_and_times_are_made_ours(engine: EngineProcess, send: Any) -> None:
    odd = b"".join(
        archives.member(name, b"x", mode=mode, mtime=mtime)
        for name, mode, mtime in (
            (b"setuid", b"0006755\0", b"00000000000\0"),
            (b"for-all", b"0000666\0", b"77777777777\0"),
            (b"before-1970", b"0000644\0", b"\xff" * 12),
        )
    )
    data = archives.zipped(archives.with_entry(odd))
    answer = send(engine, data)
    assert answer.status_code == 200, answer.text
    [manifest] = (engine.store / "repo" / "digits").glob("*.json")
    for path in manifest.with_suffix("").iterdir():
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == (0o700 if path.name == "setuid" else 0o600)
        assert status.st_uid == os.getuid()
        assert abs(status.st_mtime - time.time()) < 60
    assert engine.call("DELETE", "model/digits").status_code == 200


# --- what must cost little --------------------------------------------------------------------


def zeros(count: int, piece: int = 1 << 20) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    out = [packer.compress(bytes(piece)) for _ in range(count // piece)]
    return b"".join([*out, packer.flush()])


def bomb(size: int) -> bytes:
    """A gzip of one file of zeros, about a thousand times smaller."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(archives.header(b"zeros", size=size))
    body = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([head, *body, packer.compress(archives.END), packer.flush()])


def flood() -> bytes:
    """100,000 empty files."""
    entries = b"".join(archives.header(b"f%d" % number) for number in range(100_000))
    return gzip.compress(entries + archives.END, 1)


def pax_bomb() -> bytes:
    """A metadata record of 400 MB, which is 400 KB to send."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(archives.header(b"P", kind=b"x", size=400 << 20))
    body = [packer.compress(b"9" * (1 << 20)) for _ in range(100)]
    return b"".join([head, *body, packer.flush()])


@functools.cache
def built(make: Callable[[], bytes]) -> bytes:
    """A bomb is sent in two ways, and takes its time to build."""
    return make()


def peak(engine: EngineProcess) -> int:
    """The most memory that the engine has held since it was last reset, in KiB."""
    status = Path(f"/proc/{engine.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


@pytest.mark.parametrize(
    ("row", "make", "status", "code"),
    [
        (60, lambda: zeros(80 << 20), 400, "empty_archive"),
        (67, lambda: bomb(90 << 20), 413, "expands_too_large"),
        (67, lambda: bomb(200 << 20), 413, "expands_too_large"),
        (68, flood, 413, "too_many_entries"),
        (69, pax_bomb, 400, "metadata_too_large"),
        (71, lambda: REALPATH_OVERFLOW, 400, "links_not_allowed"),
    ],
    ids=["zeros", "ratio", "expanded", "flood", "pax", "realpath"],
)
@pytest.mark.parametrize("send", [raw, form])
def test_a_bomb_costs_no_memory(
    engine: EngineProcess, send: Any, row: int, make: Any, status: int, code: str
) -> None:
    """At most 16 MiB above what the engine holds anyway, and nothing stays on the disk."""
    data = built(make)
    before = outside(engine)
    Path(f"/proc/{engine.process.pid}/clear_refs").write_text("5")
    held = peak(engine)
    assert told(send(engine, data)) == (status, code), row
    assert peak(engine) - held < 16 << 10
    assert outside(engine) == before


# --- rows 72 to 75 ----------------------------------------------------------------------------


def connect(engine: EngineProcess) -> tuple[socket.socket, str]:
    host, port = engine.base.split("/")[2].split(":")
    return socket.create_connection((host, int(port)), timeout=10), f"{host}:{port}"


def head(engine: EngineProcess, host: str, length: int) -> bytes:
    return (
        f"POST /dlim/v1/deployment/model HTTP/1.1\r\nHost: {host}\r\n"
        f"X-Auth-Token: {engine.token}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def until_empty(folder: Path) -> None:
    """Wait until a directory is empty: what a client leaves behind is removed by a thread."""
    until(lambda: not list(folder.iterdir()))


@pytest.fixture
def impatient_engine(nursery: Nursery, tmp_path: Path) -> Iterator[EngineProcess]:
    limits = ("--limit", "body_idle=0.3", "--limit", "sweep_interval=0.05")
    process = ForkedEngine(nursery, tmp_path / "store", *limits)
    yield process
    assert process.stop() == 0


def test_row_72_silence_in_the_middle_of_a_body_is_408(impatient_engine: EngineProcess) -> None:
    engine = impatient_engine
    data = archives.package({**archives.FILES, "w": random.Random(1).randbytes(3 << 20)}, mode="w:")
    client, host = connect(engine)
    with client:
        client.sendall(head(engine, host, 10 << 20) + data[: 1 << 20])
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in answer
    until_empty(engine.store / "staging")
    assert names(engine) == []


def content_digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def test_row_73_a_package_that_is_not_the_declared_one(engine: EngineProcess) -> None:
    data = archives.package()
    before = outside(engine)
    wrong = {"Content-Digest": content_digest(b"another")}
    assert told(raw(engine, data, **wrong)) == (422, "digest_mismatch")
    assert outside(engine) == before
    for text in ("sha-256=:AAAA:", "sha-256=::", "sha-256=:***:", "sha-256=x"):
        assert told(raw(engine, data, **{"Content-Digest": text})) == (400, "invalid_digest")
    for text in (content_digest(data), f"md5=:AA==:, {content_digest(data)}", "sha-512=:AA==:"):
        assert raw(engine, data, **{"Content-Digest": text}).status_code == 200
        digest = {**OCTETS, "Content-Digest": content_digest(b"another")}
        again = engine.call("POST", "deployment/model/digits", data=data, headers=digest)
        assert told(again) == (422, "digest_mismatch")
        assert engine.call("DELETE", "model/digits").status_code == 200


def test_row_75_of_two_uploads_of_one_name_one_wins(engine: EngineProcess) -> None:
    """The second comes and goes while the first is on its way."""
    data = archives.package()
    client, host = connect(engine)
    with client:
        client.sendall(head(engine, host, len(data)) + data[:100])
        assert raw(engine, data).status_code == 200
        client.sendall(data[100:])
        answer = b""
        while b"exists" not in answer and (piece := client.recv(65536)):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b'"exists"' in answer
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        engine.call("DELETE", "model/digits")
        answers = list(threads.map(lambda _: _alone(engine, data), range(8)))
    assert sorted(answers) == [200] + [409] * 7
    assert engine.call("DELETE", "model/digits").status_code == 200
    assert [*engine.store.glob("staging/*"), *engine.store.glob("repo/*")] == []


def _alone(engine: EngineProcess, data: bytes) -> int:
    headers = {**OCTETS, "X-Auth-Token": engine.token}
    return requests.post(f"{engine.base}deployment/model", data=data, headers=headers).status_code


@pytest.mark.parametrize("as_form", [False, True])
def test_a_client_that_leaves_at_any_of_20_places_leaves_nothing(
    engine: EngineProcess, as_form: bool
) -> None:
    data = archives.package({**archives.FILES, "w": random.Random(2).randbytes(50_000)})
    prepared = requests.Request(
        "POST",
        f"{engine.base}deployment/model",
        headers={"X-Auth-Token": engine.token, **({} if as_form else OCTETS)},
        **({"files": {"file": ("p.tgz", data)}} if as_form else {"data": data}),
    ).prepare()
    assert isinstance(prepared.body, bytes)
    lines = [f"POST {prepared.path_url} HTTP/1.1", f"Host: {engine.base.split('/')[2]}"]
    lines += [f"{name}: {value}" for name, value in prepared.headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + prepared.body
    for number in range(20):
        client, _ = connect(engine)
        with client:
            client.sendall(whole[: len(whole) * number // 20])
            if number % 2:
                # Without a word: the connection is reset.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until_empty(engine.store / "staging")
    assert names(engine) == []
    assert list((engine.store / "repo").iterdir()) == []


# --- what is packed is what is deployed -------------------------------------------------------

PART = st.text("abcxyz0189._- äß", min_size=1, max_size=12).filter(
    lambda part: part.strip(". ") != "" and not part.startswith(".")
)


@given(
    files=st.dictionaries(
        st.lists(PART, min_size=1, max_size=4).map("/".join), st.binary(max_size=2000), max_size=6
    )
)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_folder_comes_out_as_it_went_in(
    engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("folder") / "digits"
    folder.mkdir()
    for name, data in {**files, **archives.FILES}.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue  # a file where a folder of another one is
    out = io.BytesIO()
    build(folder, out)
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        packed = {member.name.partition("/")[2] for member in tar if member.isfile()}
    answer = raw(engine, out.getvalue())
    if answer.status_code == 400:
        # Two names that some disk could not tell apart.
        assert answer.json()["code"] == "duplicate_path"
        return
    assert answer.status_code == 200, answer.text
    [manifest] = (engine.store / "repo" / "digits").glob("*.json")
    target = manifest.with_suffix("")
    found = {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }
    assert found.keys() == packed
    assert found == {name: (folder / name).read_bytes() for name in packed}
    assert engine.call("DELETE", "model/digits").status_code == 200
