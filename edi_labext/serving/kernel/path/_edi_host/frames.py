"""The one codec of both ends of a kernel's link. No I/O, standard library only.

A frame is a 16-byte header in network order and a payload::

     0      2        3      4               8                               16
    +------+--------+------+---------------+-------------------------------+----------
    | ED1E | version| kind | payload bytes | task number (0 where none)    | payload
    +------+--------+------+---------------+-------------------------------+----------

The stream of one direction is read by one :class:`FrameReader`. Payloads are opaque bytes.
"""

from __future__ import annotations

import struct

MAGIC = 0xED1E
VERSION = 1
HEADER_SIZE = 16

#: Largest payload unless the reader is told otherwise: 64 MiB, the limit of an inference body.
MAX_PAYLOAD = 64 * 1024 * 1024

# Engine to kernel.
TASK = 1  #: One task, the only or the last one of its batch.
TASK_MORE = 2  #: One task; its batch goes on with the next frame.
SHUTDOWN = 3  #: Finish what came before this frame, then end.
CONTEXT = 4  #: UTF-8 JSON text of the model description; the first frame of all.

# Kernel to engine.
HELLO = 16  #: The interpreter runs; the payload is its version in ASCII.
READY = 17  #: ``on_kernel_start`` has returned.
START_FAILED = 18  #: The kernel will never be ready; one line of UTF-8 says why.
ANSWER = 19  #: The output of one task.
FAILED = 20  #: A task without output: a code, a line feed, one line of UTF-8.
ENDING = 21  #: The kernel ends once it has written the outcomes of the batch that it is at.

FROM_ENGINE = frozenset((TASK, TASK_MORE, SHUTDOWN, CONTEXT))
FROM_KERNEL = frozenset((HELLO, READY, START_FAILED, ANSWER, FAILED, ENDING))

_header = struct.Struct("!HBBIQ")
_pack = _header.pack
_unpack_from = _header.unpack_from


class FrameError(Exception):
    """The bytes are no frames of this protocol; nothing more can be read from that stream."""


def pack(kind: int, number: int = 0, payload: bytes = b"") -> bytes:
    """Return the header for ``payload``, which the caller writes right behind it.

    Parameters
    ----------
    kind:
        One of the kinds of this module.
    number:
        Number of the task, 0 to 2**64 - 1.
    payload:
        Only its length is used.
    """
    return _pack(MAGIC, VERSION, kind, len(payload), number)


class FrameReader:
    """Turns the bytes of one direction into frames, however they are cut.

    Parameters
    ----------
    accept:
        Kinds that may come from the other end.
    max_payload:
        Largest payload in bytes, checked before anything is kept for it.
    """

    __slots__ = ("_accept", "_error", "_held", "_max_payload", "_needed")

    def __init__(self, accept: frozenset[int], max_payload: int = MAX_PAYLOAD) -> None:
        self._accept = accept
        self._max_payload = max_payload
        self._held = bytearray()
        self._needed = HEADER_SIZE
        self._error = ""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Take the next bytes and return the frames they complete: (kind, number, payload).

        Raises
        ------
        FrameError
            At the first header that is not of this protocol, and at every call after it.
            Frames that ended in the same bytes are dropped with it.
        """
        if self._error:
            raise FrameError(self._error)
        held = self._held
        if not held:
            frames, start = self._split(data)
            if start < len(data):
                held += data[start:]
            return frames
        held += data
        if len(held) < self._needed:
            return []
        with memoryview(held) as view:
            frames, start = self._split(view)
        del held[:start]
        return frames

    def _split(self, data: bytes | memoryview) -> tuple[list[tuple[int, int, bytes]], int]:
        """Return the complete frames in ``data`` and where the first incomplete one begins."""
        frames = []
        accept = self._accept
        size = len(data)
        start = 0
        self._needed = HEADER_SIZE
        while size - start >= HEADER_SIZE:
            magic, version, kind, length, number = _unpack_from(data, start)
            if (
                magic != MAGIC
                or version != VERSION
                or kind not in accept
                or length > self._max_payload
            ):
                self._error = self._explain(magic, version, kind, length)
                raise FrameError(self._error)
            body = start + HEADER_SIZE
            end = body + length
            if end > size:
                self._needed = HEADER_SIZE + length
                break
            frames.append((kind, number, bytes(data[body:end])))
            start = end
        return frames, start

    def _explain(self, magic: int, version: int, kind: int, length: int) -> str:
        if magic != MAGIC:
            return f"a frame starts with 0x{magic:04X} instead of 0x{MAGIC:04X}"
        if version != VERSION:
            return f"a frame has version {version} instead of {VERSION}"
        if kind not in self._accept:
            return f"a frame has kind {kind}, which is unknown here"
        return f"a frame of {length} bytes is larger than {self._max_payload}"
