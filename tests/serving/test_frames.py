"""The codec of a kernel's link: any bytes give frames or one error."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_labext.serving.kernel.path._edi_host import frames

Frame = tuple[int, int, bytes]

some_frames = st.lists(
    st.tuples(
        st.sampled_from(sorted(frames.FROM_KERNEL)),
        st.integers(0, 2**64 - 1),
        st.binary(max_size=200),
    ),
    max_size=8,
)


def encode(items: list[Frame]) -> bytes:
    return b"".join(frames.pack(kind, number, body) + body for kind, number, body in items)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(edges)]


@given(some_frames, st.lists(st.integers(0, 10**6), max_size=20))
def test_frames_come_back_however_they_are_cut(items: list[Frame], places: list[int]) -> None:
    reader = frames.FrameReader(frames.FROM_KERNEL)
    got = [frame for piece in cut(encode(items), places) for frame in reader.feed(piece)]
    assert got == items


@given(some_frames, st.binary(max_size=60), st.lists(st.integers(0, 10**6), max_size=20))
def test_any_bytes_give_frames_or_one_error_for_good(
    items: list[Frame], noise: bytes, places: list[int]
) -> None:
    reader = frames.FrameReader(frames.FROM_KERNEL, max_payload=1000)
    got: list[Frame] = []
    failed = False
    for piece in cut(encode(items) + noise, places):
        try:
            got += reader.feed(piece)
            assert not failed, "a stream came back after an error"
        except frames.FrameError:
            failed = True
    assert got[: len(items)] == items[: len(got)]


def test_a_header_is_sixteen_bytes_in_network_order() -> None:
    header = frames.pack(frames.ANSWER, 0x0102030405060708, b"abc")
    assert header == bytes.fromhex("ed1e 01 13 00000003 0102030405060708")


@pytest.mark.parametrize(
    ("position", "byte", "words"),
    [
        (0, 0x00, "starts with 0x001E"),
        (1, 0x1F, "starts with 0xED1F"),
        (2, 0x02, "version 2"),
        (3, frames.TASK, "kind 1"),  # the other direction's
        (3, 0xFF, "kind 255"),
        (4, 0x7F, "is larger than"),
    ],
)
def test_each_field_of_the_header_is_checked(position: int, byte: int, words: str) -> None:
    header = bytearray(frames.pack(frames.ANSWER, 1))
    header[position] = byte
    reader = frames.FrameReader(frames.FROM_KERNEL)
    with pytest.raises(frames.FrameError, match=words):
        reader.feed(bytes(header))
    with pytest.raises(frames.FrameError, match=words):
        reader.feed(frames.pack(frames.ANSWER, 1))


def test_the_limit_is_inclusive_and_checked_before_the_payload_comes() -> None:
    reader = frames.FrameReader(frames.FROM_KERNEL, max_payload=4)
    assert reader.feed(frames.pack(frames.ANSWER, 1, b"four") + b"four") == [
        (frames.ANSWER, 1, b"four")
    ]
    with pytest.raises(frames.FrameError, match="5 bytes is larger than 4"):
        reader.feed(frames.pack(frames.ANSWER, 1, b"fives"))


def test_a_large_payload_in_small_pieces_is_one_frame() -> None:
    body = bytes(range(256)) * 4096
    stream = frames.pack(frames.ANSWER, 7, body) + body + frames.pack(frames.READY)
    reader = frames.FrameReader(frames.FROM_KERNEL)
    got = [
        frame
        for start in range(0, len(stream), 1000)
        for frame in reader.feed(stream[start : start + 1000])
    ]
    assert got == [(frames.ANSWER, 7, body), (frames.READY, 0, b"")]


def test_payloads_are_plain_bytes_also_out_of_held_pieces() -> None:
    reader = frames.FrameReader(frames.FROM_KERNEL)
    data = encode([(frames.ANSWER, 1, b"x" * 10)])
    reader.feed(data[:20])
    ((_, _, payload),) = reader.feed(data[20:])
    assert type(payload) is bytes
