"""One kernel's real things: process, link, log pipes, and when all of them are gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass

from ..errors import EdiError
from .clock import Clock, Handle
from .launchers.base import KernelExit, KernelProcess, Launcher, LaunchSpec
from .launchers.command import PRE_EXEC_FAILED
from .lifecycle import (
    Ending,
    Event,
    Exited,
    KernelState,
    LinkLost,
    Ready,
    Spawned,
    StartFailed,
    Swept,
)
from .link import KernelLink
from .logs.book import LogBook, Stream
from .logs.pump import LogPump, Sink

log = logging.getLogger(__name__)

#: Seconds that link and log pipes have to end once the process has and its group was killed. Only
#: a child that left the group keeps them open longer.
SWEEP_GRACE = 1.0
#: Lines of what an interpreter said that did not come to the kernel file, and most characters.
COMPLAINT_LINES, COMPLAINT_LIMIT = 3, 600
#: How the reason of a kernel begins that lacks a module.
_IMPORT_FAILURES = ("ModuleNotFoundError", "ImportError")


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """One kernel as others see it; tasks ever sent are ``total``, those it owes ``running``."""

    kernel_id: str
    state: KernelState
    running: int
    finished: int
    failed: int
    total: int

    @property
    def ready(self) -> bool:
        """Whether it takes tasks."""
        return self.state is KernelState.READY


class KernelRun:
    """One kernel from launch to sweep; its end is reported exactly once, as ``Swept``.

    Parameters
    ----------
    kernel_id:
        Its name.
    clock, launcher, pump, book:
        Parts of the engine.
    report:
        Takes what happens, on the loop.
    """

    def __init__(
        self,
        kernel_id: str,
        *,
        clock: Clock,
        launcher: Launcher,
        pump: LogPump,
        book: LogBook,
        report: Callable[[Event], None],
    ) -> None:
        self.id = kernel_id
        self.launched = clock.now()
        self.attached = False
        #: Outcomes up to the last task that timed out, ``None`` while none has.
        self.overdue_after: int | None = None
        self.link = KernelLink(
            kernel_id,
            # Not before: writing to a kernel that failed at once would lose what it has said.
            on_hello=lambda link: link.send_context(self._context),
            on_ready=lambda _: report(Ready(kernel_id)),
            on_start_failed=self._on_start_failed,
            on_ending=lambda _: report(Ending(kernel_id)),
            on_closed=self._on_link_closed,
        )
        self._clock = clock
        self._launcher = launcher
        self._pump = pump
        self._book = book
        self._report = report
        self._context = ""
        self._spec: LaunchSpec | None = None
        self._process: KernelProcess | None = None
        self._pipes: list[Future[None]] = []
        self._link_closed = False
        self._exited = False
        self._gone = False
        self._patience: Handle | None = None

    async def launch(
        self,
        make_spec: Callable[[str], LaunchSpec],
        context_text: Callable[[], str],
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Make the process and connect to it; what goes wrong is reported, not raised."""
        try:
            if prepare is not None:
                await prepare()
            self._context = context_text()
            self._spec = spec = make_spec(self.id)
            process = await self._launcher.launch(spec)
        except EdiError as error:
            text = f"{error.message} {error.hint}" if error.hint else error.message
            self._never_was(text[:1].lower() + text[1:].removesuffix("."))
        except OSError as error:
            self._never_was(f"the kernel could not be launched: {error}")
        except Exception as error:
            # One deployment's fault must not end the engine.
            log.exception("%s: fault while launching", self.id)
            self._never_was(f"the kernel could not be launched: {type(error).__name__}: {error}")
        else:
            await self._connect(process)

    def shutdown(self) -> None:
        """Tell the kernel to end."""
        self.link.shutdown()

    def terminate(self) -> None:
        """Send SIGTERM to the kernel and its children."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL to the kernel and its children."""
        if self._process is not None:
            self._process.kill()

    @property
    def outcomes(self) -> int:
        """How many tasks the kernel has ended."""
        return self.link.finished + self.link.failed

    def facts(self, state: KernelState) -> KernelFacts:
        """Return what others see of the kernel, which the pool says is in ``state``."""
        link = self.link
        return KernelFacts(self.id, state, link.outstanding, link.finished, link.failed, link.total)

    def _never_was(self, reason: str) -> None:
        self._report(StartFailed(self.id, reason))
        self._finish()

    async def _connect(self, process: KernelProcess) -> None:
        loop = asyncio.get_running_loop()
        self._process = process
        process.exited.add_done_callback(lambda exited: self._on_exit(exited.result()))
        self._read(process.stdout, "stdout", loop)
        self._read(process.stderr, "stderr", loop)
        self._report(Spawned(self.id))
        try:
            self.link.keep(process.socket.dup())
            await loop.create_connection(lambda: self.link, sock=process.socket)
        except OSError as error:
            process.socket.close()
            self.link.close()
            self._on_link_closed(self.link, f"the link to the kernel could not be used: {error}")
        except BaseException:
            # The engine is being torn down around us.
            process.kill()
            raise

    def _read(self, fd: int, stream: Stream, loop: asyncio.AbstractEventLoop) -> None:
        def look_again(_: Future[None]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._look)

        drained = self._pump.add(fd, self._sink(stream))
        self._pipes.append(drained)
        drained.add_done_callback(look_again)

    def _sink(self, stream: Stream) -> Sink:
        def take(lines: list[str]) -> None:
            self._book.append(self.id, stream, *lines)
            self._book.flush()

        return take

    def _on_start_failed(self, link: KernelLink, why: str) -> None:
        # What is missing is missing in one of several Pythons.
        runtime = self._spec.runtime if self._spec is not None else ""
        if runtime and why.startswith(_IMPORT_FAILURES):
            version = ".".join(link.python_version.split(".")[:2])
            why = f"{why}; runtime {runtime} {version}".rstrip()
        self._report(StartFailed(self.id, f"the kernel did not start: {why}"))

    def _on_link_closed(self, _: KernelLink, reason: str) -> None:
        self._link_closed = True
        self._report(LinkLost(self.id, reason))
        self._look()

    def _on_exit(self, exit_: KernelExit) -> None:
        assert self._process is not None
        self._exited = True
        self._report(Exited(self.id, exit_))
        self._process.sweep()
        self._patience = self._clock.call_at(self._clock.now() + SWEEP_GRACE, self._finish)
        self._look()

    def _look(self) -> None:
        """Finish when exit, end of the link and end of both log pipes have been seen."""
        if self._exited and self._link_closed and all(pipe.done() for pipe in self._pipes):
            self._finish()

    def _finish(self) -> None:
        if self._gone:
            return
        self._gone = True
        if self._patience is not None:
            self._patience.cancel()
        self.link.close()
        for pipe in self._pipes:
            if not pipe.done():
                self._pump.discard(pipe)
        if why := self._why_never_ran():
            self._report(StartFailed(self.id, why))
        self._report(Swept(self.id, worked=self.outcomes > 0))

    def _why_never_ran(self) -> str:
        """Return why the interpreter did not come to the kernel file, ``""`` if it did.

        Only at the end is all there that pre_exec or the interpreter have said about it.
        """
        spec, process = self._spec, self._process
        if spec is None or not spec.runtime_name or self.link.python_version:
            return ""
        if process is None or not process.exited.done() or not process.exited.result().code:
            return ""
        tail = self._book.tail(20, self.id)
        said = [line for line in tail if not line.startswith(("[engine]", PRE_EXEC_FAILED))]
        failed = any(line.startswith(PRE_EXEC_FAILED) for line in tail)
        who = f"{'pre_exec' if failed else 'the Python'} of runtime {spec.runtime_name}"
        words = ": " + " / ".join(said[-COMPLAINT_LINES:]) if said else ""
        text = f"the kernel did not start: {who} {process.exited.result().describe()}{words}"
        return text if len(text) <= COMPLAINT_LIMIT else f"{text[: COMPLAINT_LIMIT - 1]}…"
