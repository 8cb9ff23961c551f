"""Request bodies on their way from the loop into the archive reader, which works in a thread."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from ...errors import Cancelled
from ..clock import Clock
from ..store.disk import Disk
from .limits import ArchiveLimits, Deadline
from .package import StagedPackage, stage

#: Chunks of one body that may wait for its thread; the next one waits on the loop, and with it
#: the client.
_CHUNKS_AHEAD = 8
#: Archives that are read at the same time; further ones wait for a thread.
_WORKERS = 4
#: Longest time for one upload, in seconds.
UPLOAD_SECONDS = 3600.0


class Intake:
    """Turns uploaded bodies into staged packages, a bounded number at a time.

    A body is unpacked while it arrives, without a copy of it on the disk, so that what must be
    refused is refused at its first bad byte.

    Parameters
    ----------
    staging:
        The store's staging directory.
    seconds:
        Limit for one upload, from its first chunk to the end.
    """

    def __init__(
        self,
        staging: Path,
        clock: Clock,
        *,
        limits: ArchiveLimits | None = None,
        disk: Disk | None = None,
        seconds: float = UPLOAD_SECONDS,
    ) -> None:
        self._staging = staging
        self._clock = clock
        self._limits = limits or ArchiveLimits()
        self._disk = disk or Disk()
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="edi-archive")

    async def receive(
        self, chunks: AsyncIterable[bytes], *, digest: str | None = None
    ) -> StagedPackage:
        """Read one body to its end, which must have the SHA-256 ``digest`` if one is given.

        The chunks are taken only as fast as they can be unpacked. When iterating raises (the
        client left) or the caller is cancelled, everything is removed and that exception passes.

        Raises
        ------
        EdiError
            Whatever :func:`~.package.stage` raises, before the rest of the body is read.
        """
        loop = asyncio.get_running_loop()
        deadline = Deadline(self._clock, self._seconds)
        pipe = _Pipe(loop)
        work = loop.run_in_executor(self._threads, self._stage, pipe, deadline, digest)
        work.add_done_callback(pipe.open_wide)
        try:
            async for chunk in chunks:
                await pipe.put(chunk)
                if work.done():
                    break
            pipe.end()
            return await asyncio.shield(work)
        except BaseException:
            deadline.cancel()
            pipe.abort()
            work.add_done_callback(self._discard)
            raise

    def close(self) -> None:
        """Wait for the threads; call it when no body is being received."""
        self._threads.shutdown()

    def _stage(self, pipe: _Pipe, deadline: Deadline, digest: str | None) -> StagedPackage:
        return stage(
            pipe.blocks(),
            self._staging,
            limits=self._limits,
            deadline=deadline,
            disk=self._disk,
            digest=digest,
        )

    def _discard(self, work: asyncio.Future[StagedPackage]) -> None:
        """Remove a package for which nobody waits any more."""
        if not work.cancelled() and work.exception() is None:
            with suppress(RuntimeError):  # closed meanwhile: the next start sweeps staging
                self._threads.submit(work.result().discard, self._disk)


class _Pipe:
    """A bounded queue with an awaiting end and a blocking end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._room = asyncio.Semaphore(_CHUNKS_AHEAD)
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._aborted = False

    async def put(self, chunk: bytes) -> None:
        await self._room.acquire()
        self._chunks.put(chunk)

    def end(self) -> None:
        self._chunks.put(None)

    def abort(self) -> None:
        self._aborted = True
        self._chunks.put(None)

    def open_wide(self, _: object) -> None:
        """Let a writer that waits go on: the reader is gone."""
        self._room.release()

    def blocks(self) -> Iterator[bytes]:
        while (chunk := self._chunks.get()) is not None:
            yield chunk
            self._loop.call_soon_threadsafe(self._room.release)
        if self._aborted:
            raise Cancelled("The upload was given up.")
