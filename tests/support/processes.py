"""What tests with real processes share."""

from __future__ import annotations

import os
import select
from pathlib import Path

from edi_labext.serving.kernel import KERNEL_PATH

#: Stands in for the kernel host: runs the kernel file with its end of the link as ``link``.
START = f"""
import runpy, sys, os
sys.path.append({str(KERNEL_PATH)!r})
from _edi_host.guard import stand_guard, wait_for_guard
wait_for_guard(stand_guard(int(sys.argv[1]), int(sys.argv[3])))
import socket
link = socket.socket(fileno=int(sys.argv[1]))
runpy.run_path(sys.argv[2], {{"link": link}}, run_name="__main__")
"""


def children() -> set[int]:
    """Return the processes that any thread of ours has made and that are not reaped."""
    numbers: set[int] = set()
    for file in Path("/proc/self/task").glob("*/children"):
        numbers.update(int(word) for word in file.read_text().split())
    return numbers


def gone_within(pids: list[int], seconds: float) -> bool:
    """Wait for the end of processes, which need not be our children."""
    poll = select.poll()
    waiting = set()
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        waiting.add(fd)
        poll.register(fd, select.POLLIN)
    try:
        while waiting:
            ended = poll.poll(seconds * 1000)
            if not ended:
                return False
            for fd, _ in ended:
                poll.unregister(fd)
                waiting.remove(fd)
                os.close(fd)
        return True
    finally:
        for fd in waiting:
            os.close(fd)
