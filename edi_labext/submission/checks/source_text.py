"""From the bytes of a Python file to its syntax tree, or to the reason why there is none."""

from __future__ import annotations

import ast
import io
import threading
import tokenize
import warnings

from .text import line_and_column

# warnings.catch_warnings changes a global, so only one thread may be inside.
_quiet = threading.Lock()


class UnreadableSource(Exception):
    """Python cannot read the file.

    Attributes
    ----------
    code:
        Of the finding: ``kernel-syntax`` or ``kernel-not-utf8``.
    message:
        What Python says.
    position:
        Line and column from 1, if known.
    """

    def __init__(self, code: str, message: str, position: tuple[int, int] | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position


def decoded(data: bytes) -> str:
    """Return the text of a Python source; a ``coding:`` line is obeyed as Python does.

    Raises
    ------
    UnreadableSource
        ``kernel-not-utf8``; ``kernel-syntax`` for an encoding that Python does not know.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_utf8(data, error) from None
    except (SyntaxError, LookupError) as error:
        try:
            data.decode()
        except UnicodeDecodeError as wrong:
            # What looked like a strange encoding is no text at all.
            raise _not_utf8(data, wrong) from None
        message = error.msg if isinstance(error, SyntaxError) else "unknown encoding"
        raise UnreadableSource("kernel-syntax", message, (1, 1)) from None


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> UnreadableSource:
    line = data.count(b"\n", 0, error.start) + 1
    before = data[data.rfind(b"\n", 0, error.start) + 1 : error.start]
    column = len(before.decode("utf-8", "replace")) + 1
    return UnreadableSource(
        "kernel-not-utf8", f"byte {error.start} is not {error.encoding}", (line, column)
    )


def parsed(text: str, version: tuple[int, int] | None = None) -> ast.Module:
    """Return the syntax tree of a source.

    Parameters
    ----------
    text:
        The source.
    version:
        A Python version whose grammar it shall fit; ``None`` takes that of this Python. Python
        calls its own check of older grammars a best effort.

    Raises
    ------
    UnreadableSource
        ``kernel-syntax``
    """
    nul = text.find("\0")
    if nul >= 0:
        raise UnreadableSource(
            "kernel-syntax", "it holds a NUL character", line_and_column(text, nul)
        )
    try:
        with _quiet, warnings.catch_warnings():
            # Such as invalid escapes, which only newer Pythons complain about.
            warnings.simplefilter("ignore")
            return ast.parse(text, feature_version=version)
    except SyntaxError as error:
        position = None if error.lineno is None else (error.lineno, max(error.offset or 1, 1))
        raise UnreadableSource("kernel-syntax", error.msg, position) from None
    except (RecursionError, MemoryError):
        raise UnreadableSource("kernel-syntax", "it is nested too deeply", None) from None
