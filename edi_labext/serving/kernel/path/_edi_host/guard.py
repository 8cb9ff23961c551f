"""The guard of a kernel: the first process of its tree, which ends what the kernel leaves behind.

What a container's first process is to a container. The kernel is the guard's child, and whatever
leaves the kernel's process group or session, or is orphaned, becomes a child of the guard
(``PR_SET_CHILD_SUBREAPER`` of ``prctl(2)``). The guard ends as the kernel did, once nothing else
of the tree is left. It runs no code of the kernel's, so it can always do so.

It listens on the lifeline, a pipe whose other end only the engine has: any byte means "end all
now", and the end of the pipe means that the engine is gone, however it went.
"""

from __future__ import annotations

import os
import select
import signal
import time

from .strays import descendants, kill, marked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that a kernel has to end by itself once the engine is gone.
GRACE = 0.8

_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36  # of prctl(2)


def stand_guard(link: int, lifeline: int) -> int:
    """Fork. Return in the child, which becomes the kernel; the parent never returns.

    Parameters
    ----------
    link, lifeline:
        Descriptors: the kernel keeps the first, the guard the second.

    Returns
    -------
    int
        A descriptor for :func:`wait_for_guard`.
    """
    waiting, ready = os.pipe()
    kernel = os.fork()
    if kernel == 0:
        os.close(lifeline)
        os.close(ready)
        return waiting
    try:
        os.close(waiting)
        os.close(link)
        guard = _Guard(kernel, lifeline)
        os.close(ready)
        guard.stand()
    finally:
        os._exit(70)  # a fault of ours; the engine ends the group


def wait_for_guard(waiting: int) -> None:
    """Return once the guard stands: whoever was orphaned before would escape it."""
    try:
        os.read(waiting, 1)
    finally:
        os.close(waiting)


class _Guard:
    def __init__(self, kernel: int, lifeline: int) -> None:
        self._kernel = kernel
        self._lifeline: int | None = lifeline
        self._status: int | None = None
        self._ending = False
        self._deadline: float | None = None
        self._wake, waking = os.pipe()
        os.set_blocking(waking, False)
        # Signals to the kernel's group are not meant for its guard.
        for number in range(1, signal.NSIG):
            if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
                try:  # noqa: SIM105 - contextlib is not imported: start fast
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):  # the log ends with the kernel, not with us
            os.dup2(null, fd)
        self._prctl = _find_prctl()
        self._reaper = self._prctl is not None and self._prctl(_SET_CHILD_SUBREAPER, 1) == 0

    def stand(self) -> None:
        while self._reap():
            if self._ending:
                self._end_all()
            self._wait()
        self._leave()

    def _reap(self) -> bool:
        """Take note of who has ended; return whether anybody is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self._kernel:
                    self._status = status
                    self._ending = True
        except ChildProcessError:
            return False

    def _end_all(self) -> None:
        """Kill until nobody new is found: children of the killed become ours."""
        seen: set[int] = set()
        while True:
            fresh = [pid for pid in descendants(os.getpid()) if pid not in seen]
            if not fresh:
                return
            kill(fresh)
            seen.update(fresh)

    def _wait(self) -> None:
        now = time.monotonic()
        left = None if self._deadline is None else max(0.0, self._deadline - now)
        if self._ending:
            left = 0.05  # somebody may have been born while we looked
        listened = [self._wake] if self._lifeline is None else [self._wake, self._lifeline]
        ready, _, _ = select.select(listened, [], [], left)
        if self._wake in ready:
            os.read(self._wake, 4096)
        if self._lifeline in ready:
            if os.read(self._lifeline, 4096):
                self._ending = True
            else:
                self._lifeline = None
                self._deadline = now + GRACE
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._ending = True

    def _leave(self) -> None:
        """End as the kernel did."""
        if not self._reaper:
            # Who left the group was not given to us; its environment may tell that it is ours.
            kernel_id = os.environ.get("MSD_POD_NAME")
            if kernel_id:
                kill(marked("MSD_POD_NAME", kernel_id))
        status = self._status or 0
        if os.WIFSIGNALED(status):
            if self._prctl is not None:
                self._prctl(_SET_DUMPABLE, 0)  # the kernel's core file is enough
            number = os.WTERMSIG(status)
            if number != signal.SIGKILL:
                signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        os._exit(os.WEXITSTATUS(status))


def _find_prctl() -> Callable[[int, int], int] | None:
    """Return ``prctl(2)``, or None on another system or in a Python without ctypes."""
    try:
        import ctypes

        call = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None

    def prctl(option: int, value: int) -> int:
        return int(call(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))

    return prctl
