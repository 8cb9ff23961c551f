"""Threads for blocking calls: few of them, and none that holds up the end of the process."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from ..errors import Overloaded, Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class WorkerPool:
    """At most ``size`` daemon threads that work off one bounded queue.

    ``concurrent.futures.ThreadPoolExecutor`` is not used since the interpreter joins its threads
    at exit: Ctrl-C in Jupyter would then wait for an EDI that does not answer.

    Parameters
    ----------
    size:
        Most calls that run at the same time.
    name:
        Prefix of the threads' names.
    waiting:
        Most calls that wait for a thread.
    """

    def __init__(self, size: int, *, name: str, waiting: int = 64) -> None:
        self._size = size
        self._name = name
        self._waiting = waiting
        self._queue: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Queue ``call`` and return its future, which can be cancelled until it runs.

        Raises
        ------
        Overloaded
            ``busy_server`` when too many calls wait already.
        Unavailable
            ``shutting_down`` after :meth:`close`.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise Unavailable("The Jupyter server is shutting down.", code="shutting_down")
            if len(self._queue) >= self._waiting:
                raise Overloaded(
                    "The Jupyter server is busy with too many EDI requests.",
                    code="busy_server",
                    hint="Try again in a moment.",
                    retry_after=1,
                )
            self._queue.append((future, call))
            if self._idle < len(self._queue) and self._threads < self._size:
                self._threads += 1
                threading.Thread(
                    target=self._work, name=f"{self._name}-{self._threads}", daemon=True
                ).start()
            self._changed.notify()
        return future

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``call`` in a thread and return what it returns; raises like :meth:`submit`."""
        return await asyncio.wrap_future(self.submit(lambda: call(*args, **kwargs)))

    def close(self) -> None:
        """Take no more calls, drop those that wait and let the threads end by themselves."""
        with self._changed:
            self._closed = True
            dropped = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        for future, _ in dropped:
            future.cancel()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._queue and not self._closed:
                    self._changed.wait()
                self._idle -= 1
                if not self._queue:
                    return
                future, call = self._queue.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            # A waiting thread must not keep the last call's objects alive.
            del future, call
