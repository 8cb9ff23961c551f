"""The file of a form: ``multipart/form-data`` (RFC 7578), taken apart while it arrives.

Older releases of EDI take a package as the file field ``userfile``, still older ones as ``file``
(``reference/rest-api.md`` section 5). Only that field is handed on, in pieces as they come; nothing
else is kept, so memory is bounded by one piece and the limits below.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Final

from ...errors import InvalidInput, TooLarge, UnsupportedMedia, echo

#: The media type of a form with files.
MEDIA_TYPE: Final = "multipart/form-data"
#: Fields that may hold the package.
FILE_FIELDS: Final = ("userfile", "file")
#: Most bytes of what stands before the first part, and of the headers of one part.
HEAD_LIMIT: Final = 16 * 1024
#: Most parts of one form.
PART_LIMIT: Final = 64

#: RFC 2046 section 5.1.1.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_PARAMETER = re.compile(r';\s*([\w!#$%&*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))')
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_PLAIN_ENCODINGS: Final = frozenset((b"", b"binary", b"8bit", b"7bit"))


def parameter(text: str, name: str) -> str | None:
    """Return one parameter of a header's value, such as ``boundary``; ``None`` without it.

    Parameters
    ----------
    text:
        The value from its first ``;`` on, or all that follows that.
    """
    for match in _PARAMETER.finditer(";" + text):
        if match[1].lower() == name:
            return match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
    return None


async def form_file(chunks: AsyncIterator[bytes], parameters: str) -> AsyncIterator[bytes]:
    """Yield the bytes of the form's one file field.

    Parameters
    ----------
    chunks:
        The body.
    parameters:
        Of its ``Content-Type``, all that follows ``multipart/form-data;``.

    Raises
    ------
    InvalidInput
        ``malformed_form``; ``missing_field``, ``duplicate_field`` with ``field`` ``userfile``.
    TooLarge
        ``too_many_parts``, ``part_headers_too_large``
    UnsupportedMedia
        The part is encoded for mail.
    """
    form = Form(parameters)
    async for chunk in chunks:
        for piece in form.feed(chunk):
            yield piece
    form.end()


class Form:
    """The parser: bytes in, bytes of the file field out. It knows no sockets and no loop.

    Parameters
    ----------
    parameters:
        See :func:`form_file`.
    """

    def __init__(self, parameters: str) -> None:
        boundary = (parameter(parameters, "boundary") or "").encode("utf-8", "replace")
        if not _BOUNDARY.fullmatch(boundary):
            raise _malformed("its Content-Type names no proper boundary")
        self._mark = b"\r\n--" + boundary
        # The first boundary may stand at the very beginning, without the line break before it.
        self._buffer = b"\r\n"
        self._step = self._preamble
        self._parts = 0
        self._wanted = False
        self._found = False
        self._closed = False
        self._fields: list[str] = []

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes of the body; yield those of the file that are certain by now."""
        self._buffer += data
        going = True
        while going:
            going, piece = self._step()
            if piece:
                yield piece

    def end(self) -> None:
        """Say that the body is over; raises if the form is not."""
        if not self._closed:
            raise _malformed("it ends before its last boundary")
        if not self._found:
            names = ", ".join(echo(name) for name in self._fields) or "none"
            raise InvalidInput(
                f"The form has no field 'userfile' or 'file' with the package; it has: {names}.",
                code="missing_field",
                field=FILE_FIELDS[0],
                hint="Send it with curl -F userfile=@package.tar.gz, or as the plain body.",
            )

    # --- steps: each says whether there is more to do with what is there, and a piece ---------

    def _preamble(self) -> tuple[bool, bytes]:
        at = self._buffer.find(self._mark)
        if at < 0:
            if len(self._buffer) > HEAD_LIMIT:
                raise _malformed("it does not begin with its boundary")
            return False, b""
        return self._pass_mark(at), b""

    def _behind_mark(self) -> tuple[bool, bytes]:
        """Decide between a further part and the end: ``--`` ends the form."""
        if self._buffer.startswith(b"--"):
            self._closed = True
            self._step = self._epilogue
            return True, b""
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            if len(self._buffer) > HEAD_LIMIT:
                raise _malformed("a boundary has no end of line")
            return False, b""
        if line.strip(b" \t"):
            raise _malformed("a boundary is followed by something else")
        self._parts += 1
        if self._parts > PART_LIMIT:
            raise TooLarge(f"The form has more than {PART_LIMIT} parts.", code="too_many_parts")
        # The line break stays: without headers, the empty line follows at once.
        self._buffer = b"\r\n" + rest
        self._step = self._headers
        return True, b""

    def _headers(self) -> tuple[bool, bytes]:
        at = self._buffer.find(b"\r\n\r\n")
        if (len(self._buffer) if at < 0 else at) > HEAD_LIMIT:
            raise TooLarge(
                f"The headers of a part have more than {HEAD_LIMIT} bytes.",
                code="part_headers_too_large",
            )
        if at < 0:
            return False, b""
        self._wanted = self._is_file(self._buffer[2:at])
        # An empty part has its boundary right behind the empty line.
        self._buffer = self._buffer[at + 2 :]
        self._step = self._break_before_content
        return True, b""

    def _break_before_content(self) -> tuple[bool, bytes]:
        if len(self._buffer) < len(self._mark):
            return False, b""
        if self._buffer.startswith(self._mark):
            return self._pass_mark(0), b""
        self._buffer = self._buffer[2:]
        self._step = self._content
        return True, b""

    def _content(self) -> tuple[bool, bytes]:
        at = self._buffer.find(self._mark)
        if at >= 0:
            piece = self._buffer[:at]
            self._pass_mark(at)
            return True, piece if self._wanted else b""
        # What could be the beginning of the boundary stays.
        certain = len(self._buffer) - len(self._mark) + 1
        if certain <= 0:
            return False, b""
        piece = self._buffer[:certain]
        self._buffer = self._buffer[certain:]
        return False, piece if self._wanted else b""

    def _epilogue(self) -> tuple[bool, bytes]:
        self._buffer = b""
        return False, b""

    def _pass_mark(self, at: int) -> bool:
        self._buffer = self._buffer[at + len(self._mark) :]
        self._step = self._behind_mark
        return True

    def _is_file(self, head: bytes) -> bool:
        """Read the headers of a part; tell whether it is the package."""
        headers: dict[bytes, bytes] = {}
        for line in head.split(b"\r\n") if head else ():
            match = _HEADER.fullmatch(line)
            if match is None or match[1].lower() in headers:
                raise _malformed("the headers of a part cannot be read")
            headers[match[1].lower()] = match[2]
        disposition = headers.get(b"content-disposition", b"").decode("utf-8", "replace")
        kind, _, parameters = disposition.partition(";")
        name = parameter(parameters, "name")
        if kind.strip().lower() != "form-data" or name is None:
            raise _malformed("a part does not name its field")
        self._fields.append(name)
        if name not in FILE_FIELDS:
            return False
        if self._found:
            raise InvalidInput(
                "The form has more than one package.",
                code="duplicate_field",
                field=FILE_FIELDS[0],
                hint="Send each package in a request of its own.",
            )
        self._found = True
        encoding = headers.get(b"content-transfer-encoding", b"").lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise UnsupportedMedia(
                "The package is encoded for mail.", hint="Send the bytes of the file themselves."
            )
        return True


def _malformed(what: str) -> InvalidInput:
    return InvalidInput(
        f"The form (multipart/form-data) cannot be read: {what}.",
        code="malformed_form",
        hint="Let the client write it, as curl -F userfile=@package.tar.gz does.",
    )
