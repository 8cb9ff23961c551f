"""What the command says: results on stdout, everything else on stderr.

Nothing here raises. A reader that went away, or a full disk behind stdout, must not end an action
half-way: the action goes on in silence, and :func:`finish` makes the exit code tell.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
from typing import Any, TextIO

import click

#: Reasons why stdout could not be written, since :func:`prepare`.
_trouble: list[str] = []
#: Holds an entry once nobody reads stdout any more.
_deaf: list[bool] = []


def prepare() -> None:
    """Make ready for one run of the command: no character can be one too many for a terminal."""
    _trouble.clear()
    _deaf.clear()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def finish(status: int) -> int:
    """Flush, and return the exit code: ``status``, or 1 when results could not be written."""
    _write(sys.stdout, "")
    if _trouble:
        note(f"Error: The output could not be written: {_trouble[0]}.")
        return status or 1
    return status


def is_read() -> bool:
    """Tell whether what goes to stdout still arrives somewhere; for what goes on without end."""
    return not (_deaf or _trouble or _has_no_reader(sys.stdout))


def _has_no_reader(stream: TextIO | None) -> bool:
    """Tell whether the reader of a pipe went away, which else only the next write would show."""
    if stream is None or not hasattr(select, "poll"):
        return False
    try:
        look = select.poll()
        look.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in look.poll(0))
    except (OSError, ValueError):
        # Not a file of the system, or closed.
        return False


def say(line: str) -> None:
    """Print one line of the result on stdout."""
    _write(sys.stdout, f"{plain(line)}\n")


def say_all(text: str) -> None:
    """Print ``text`` of ours as it is, on stdout."""
    _write(sys.stdout, text)


def note(text: str) -> None:
    """Print what is not the result, on stderr."""
    _write(sys.stderr, "".join(f"{plain(line)}\n" for line in text.splitlines()))


def prompt(question: str) -> None:
    """Print a question on stderr and stay in its line."""
    _write(sys.stderr, plain(question))


def emit_json(value: Any) -> None:
    """Print ``value`` alone as JSON, valid whatever the encoding of stdout is."""
    text = json.dumps(value, indent=2, ensure_ascii=not _holds_everything())
    _write(sys.stdout, f"{text}\n")


def emit(form: str, value: Any) -> None:
    """Print ``value`` alone in a ``form`` for programs: ``json`` or ``yaml``."""
    if form == "json":
        emit_json(value)
        return
    import yaml

    # Escaped beyond ASCII where stdout could not hold it, as for JSON.
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=_holds_everything())
    _write(sys.stdout, text)


def emit_bytes(data: bytes) -> None:
    """Print ``data`` as it is; on a terminal as plain text that ends its line."""
    stdout = sys.stdout
    if stdout is None:
        return
    if stdout.isatty():
        for line in data.decode("utf-8", "replace").splitlines():
            say(line)
        return
    _write(stdout, "", data)


def _holds_everything() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "") == "utf8"


def plain(text: str) -> str:
    """Return ``text`` without what a terminal would act on; names come from other people."""
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in text)


def _write(stream: TextIO | None, text: str, data: bytes = b"") -> None:
    # None: closed before we were started.
    if stream is None:
        return
    try:
        # Surrogates (file names that are no UTF-8) are written as escapes.
        click.echo(data or text, file=stream, nl=False)
    except BrokenPipeError:
        if stream is sys.stdout:
            _deaf.append(True)
        _abandon(stream)
    except (OSError, ValueError) as error:
        if stream is sys.stdout:
            _trouble.append(getattr(error, "strerror", None) or "it is closed")
        _abandon(stream)


def _abandon(stream: TextIO) -> None:
    """Send the rest nowhere, also what the interpreter flushes at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
