"""Forms taken apart: whatever the pieces, the same file; whatever is wrong, a typed answer."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests import Request

from edi_labext.errors import EdiError
from edi_labext.serving.http.multipart import HEAD_LIMIT, PART_LIMIT, Form, parameter

HEAD = b'Content-Disposition: form-data; name="userfile"; filename="p.tgz"\r\n'


def read(body: bytes, parameters: str = "boundary=X", size: int = 1 << 16) -> bytes:
    form = Form(parameters)
    got = [piece for at in range(0, len(body), size) for piece in form.feed(body[at : at + size])]
    form.end()
    return b"".join(got)


def part(content: bytes, head: bytes = HEAD) -> bytes:
    return b"--X\r\n" + head + b"\r\n" + content + b"\r\n"


def code(body: bytes, parameters: str = "boundary=X", size: int = 1 << 16) -> tuple[int, str]:
    with pytest.raises(EdiError) as caught:
        read(body, parameters, size)
    return caught.value.http_status, caught.value.code


#: Contents full of what could be taken for a boundary.
CONTENT = st.lists(
    st.sampled_from([b"\r\n", b"--", b"X", b"\r", b"\n", b"-", b"\r\n--", b"\r\n--Y", b"a", b"\0"])
).map(b"".join)


@given(CONTENT.filter(lambda data: b"\r\n--X" not in b"\r\n" + data), st.integers(1, 40))
@example(b"", 1)
@example(b"\r\n", 1)
@example(b"\r\n--", 3)
def test_the_file_comes_out_in_whatever_pieces_the_form_comes(content, size):
    before = part(b"x\r\n--Y", b'content-disposition: form-data; name="note"\r\n')
    for body in (part(content), before + part(content) + before):
        for start, end in ((b"", b"--X--"), (b"hello\r\n", b"--X--\r\nbye"), (b"\r\n", b"--X--\n")):
            assert read(start + body + end, size=size) == content


@given(
    st.binary(max_size=300), st.text(min_size=1, max_size=30), st.sampled_from(["userfile", "file"])
)
def test_what_a_client_library_writes_is_read(content, filename, field):
    wire = Request(
        "POST",
        "http://x",
        files={field: (filename, io.BytesIO(content), "application/octet-stream")},
        data={"comment": "ünïcode"},
    ).prepare()
    kind, _, parameters = wire.headers["Content-Type"].partition(";")
    assert kind == "multipart/form-data"
    assert read(wire.body, parameters, 7) == content


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Disposition: form-data; name=userfile\r\n",
        b'content-disposition:form-data;filename="a\\"b;name=x";name="file"\r\n',
        HEAD + b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: Binary\r\n",
        HEAD.replace(b"p.tgz", "ü\\..;x".encode()),
        HEAD.replace(b"filename", b"filename*").replace(b'"p.tgz"', b"utf-8''p.tgz"),
    ],
)
def test_heads_that_are_understood(head):
    assert read(part(b"data", head) + b"--X--\r\n") == b"data"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "malformed_form")),
        (b"no boundary at all", (400, "malformed_form")),
        (b"x" * (HEAD_LIMIT + 1), (400, "malformed_form")),
        (part(b"cut off"), (400, "malformed_form")),
        (b"--X\r\n" + HEAD, (400, "malformed_form")),
        (b"--Xjunk\r\n", (400, "malformed_form")),
        (b"--X" + b" " * (HEAD_LIMIT + 1), (400, "malformed_form")),
        (b"--X--", (400, "missing_field")),
        (
            part(b"data", b'Content-Disposition: form-data; name="package"\r\n') + b"--X--",
            (400, "missing_field"),
        ),
        (part(b"data", b""), (400, "malformed_form")),
        (part(b"data", b"no header\r\n"), (400, "malformed_form")),
        (part(b"data", HEAD + HEAD), (400, "malformed_form")),
        (part(b"data", b"Content-Disposition: form-data\r\n"), (400, "malformed_form")),
        (part(b"data", HEAD.replace(b"form-data", b"attachment")), (400, "malformed_form")),
        (part(b"one") + part(b"two") + b"--X--", (400, "duplicate_field")),
        (
            part(b"ZGF0YQ==", HEAD + b"Content-Transfer-Encoding: base64\r\n") + b"--X--",
            (415, "unsupported_media_type"),
        ),
        (part(b"x", b"X: " + b"y" * HEAD_LIMIT + b"\r\n" + HEAD), (413, "part_headers_too_large")),
        (b"--X\r\n" + b"X: " + b"y" * (2 * HEAD_LIMIT), (413, "part_headers_too_large")),
        (part(b"", HEAD.replace(b"userfile", b"a")) * (PART_LIMIT + 1), (413, "too_many_parts")),
    ],
)
def test_what_is_wrong_has_a_name(body, expected):
    for size in (1 << 16, 11):
        assert code(body, size=size) == expected


def test_the_missing_field_is_named():
    form = Form("boundary=X")
    list(form.feed(part(b"data", HEAD.replace(b"userfile", b"package")) + b"--X--"))
    with pytest.raises(EdiError) as caught:
        form.end()
    assert "'userfile' or 'file'" in caught.value.message
    assert "'package'" in caught.value.message


@pytest.mark.parametrize(
    "parameters", ["", "boundary", "boundary=", 'boundary="a b "', "boundary=" + "x" * 71, "x=y"]
)
def test_without_a_boundary_nothing_is_read(parameters):
    assert code(b"--X--", parameters) == (400, "malformed_form")


def test_parameters_are_read():
    assert parameter(' charset=utf-8; BOUNDARY="a b"', "boundary") == "a b"
    assert parameter(r'name="a\"b"', "name") == 'a"b'
    assert parameter("name=a", "other") is None


@given(st.binary(max_size=200) | CONTENT, st.integers(1, 20))
def test_any_bytes_have_a_defined_end(data, size):
    for body in (data, part(b"x") + data, b"--X\r\n" + data):
        try:
            read(body, size=size)
        except EdiError as error:
            assert 400 <= error.http_status < 500


def test_memory_does_not_grow_with_the_file():
    form = Form("boundary=X")
    list(form.feed(b"--X\r\n" + HEAD + b"\r\n"))
    block = b"\r\n--" * (1 << 14)
    tracemalloc.start()
    got = 0
    for _ in range(200):
        for piece in form.feed(block):
            got += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert got > 199 * len(block)
    assert peak < 10 * len(block)
