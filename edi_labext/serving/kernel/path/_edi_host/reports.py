"""What went wrong in kernel code, in one line for the engine and in full for the log.

``traceback`` is not used: importing it costs a kernel process time and memory, and importing it
late would find a file of that name beside the kernel file.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from ..redhareapi import Kernel
else:
    from redhareapi import Kernel

#: Longest reason, in characters.
LIMIT = 500

_HOST_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_print_exception = sys.__excepthook__


def one_line(error: BaseException) -> str:
    """Return ``Type: message`` on one line of at most :data:`LIMIT` characters."""
    try:
        message = " ".join(str(error).split())
    except Exception:
        message = "(its message cannot be shown)"
    name = type(error).__name__
    text = f"{name}: {message}" if message else name
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def describe(error: BaseException, folder: str) -> str:
    """Return :func:`one_line` with the innermost place of the submission ``folder``."""
    text = one_line(error)
    if isinstance(error, SyntaxError):
        return text  # its message names file and line
    place = ""
    trace = _without_host(error.__traceback__)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(folder + os.sep):
            place = f" ({file[len(folder) + 1 :]}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return text + place


def print_traceback(error: BaseException, where: str) -> None:
    """Write ``error`` and its traceback, without frames of the host, to the log (stderr)."""
    Kernel.log_error(f"{where} raised {type(error).__name__}; traceback follows")
    error.__traceback__ = _without_host(error.__traceback__)
    redirected, sys.stderr = sys.stderr, sys.__stderr__  # it belongs into the log in any case
    try:
        _print_exception(type(error), error, error.__traceback__)
    finally:
        sys.stderr = redirected


def _without_host(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None:
        frame = trace.tb_frame
        ours = frame.f_code.co_filename.startswith(_HOST_FOLDER)
        if not ours and frame.f_globals.get("__name__") != "runpy":
            break
        trace = trace.tb_next
    return trace
