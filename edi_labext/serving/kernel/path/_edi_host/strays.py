"""Finding processes by what ``/proc`` tells of them; where there is none, nothing is found."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def descendants(ancestor: int) -> list[int]:
    """Return all processes below ``ancestor``, zombies left out, parents before children."""
    below: dict[int, list[int]] = {}
    for pid in _numbers():
        # "pid (name) state ppid ...", and the name may hold anything.
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        if len(fields) > 1 and fields[0] not in (b"Z", b"X"):
            below.setdefault(int(fields[1]), []).append(pid)
    found: list[int] = []
    nearest = below.get(ancestor, [])
    while nearest:
        found += nearest
        nearest = [child for pid in nearest for child in below.get(pid, [])]
    return found


def marked(name: str, value: str) -> list[int]:
    """Return all processes that were started with the environment variable ``name=value``."""
    entry = b"\0" + os.fsencode(f"{name}={value}") + b"\0"
    own = os.getpid()
    return [
        pid
        for pid in _numbers()
        if pid != own and entry in b"\0" + _read(f"/proc/{pid}/environ") + b"\0"
    ]


def kill(pids: Iterable[int]) -> None:
    """Send SIGKILL to each; who is gone already is no error."""
    for pid in pids:
        try:  # noqa: SIM105 - contextlib is not imported: start fast
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def _numbers() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        data = b""
        while True:
            more = os.read(fd, 1 << 16)
            if not more:
                return data
            data += more
    except OSError:
        return b""
    finally:
        os.close(fd)
