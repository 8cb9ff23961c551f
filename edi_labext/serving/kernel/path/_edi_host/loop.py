"""The service loop of a kernel process: blocking read, invoke, one write, on one thread.

Kernel code may patch modules, move the working directory, fork and start threads, so whatever
is needed here is bound at import, before any of that code runs.
"""

from __future__ import annotations

import os
import sys

from .frames import (
    ANSWER,
    CONTEXT,
    ENDING,
    FAILED,
    FROM_ENGINE,
    HELLO,
    MAX_PAYLOAD,
    READY,
    SHUTDOWN,
    START_FAILED,
    TASK,
    FrameError,
    FrameReader,
    pack,
)
from .reports import describe, one_line, print_traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..redhareapi import Kernel, KernelContext, TaskContext
else:
    from redhareapi import Kernel, KernelContext, TaskContext

_read = os.read
_write = os.write
_close = os.close
_exit = os._exit

#: Bytes asked for per read: several small tasks, a part of a large one.
_READ_SIZE = 64 * 1024


class Host:
    """One kernel process, seen from inside.

    Parameters
    ----------
    fd:
        Our end of the link to the engine; it is not passed on to children.
    kernel_file:
        Absolute path of the script.

    Attributes
    ----------
    uuid_prefix, kernel_id, instance_id, model_name:
        Facts that the contexts tell, taken from the environment before kernel code can change it.
    """

    def __init__(self, fd: int, kernel_file: str) -> None:
        self._fd = fd  # -1 in a fork of the process
        self._folder = os.path.dirname(kernel_file)
        self._reader = FrameReader(FROM_ENGINE)
        self._frames: Iterator[tuple[int, int, bytes]] = iter(())
        self._served = False
        self._refused = False  # START_FAILED was sent
        environment = os.environ
        self.model_name = environment.get("REDHARE_MODEL_NAME", "")
        self.instance_id = environment.get("TASK_JOB_ID", "local")
        self.kernel_id = environment.get("MSD_POD_NAME", "local")
        random = os.urandom(8).hex()
        # The form of a version 4 UUID; its last 12 digits are the task's number.
        self.uuid_prefix = f"{random[:8]}-{random[8:12]}-4{random[12:15]}-8{random[13:16]}-"
        os.set_inheritable(fd, False)
        os.set_blocking(fd, True)
        os.register_at_fork(after_in_child=self._after_fork)

    def greet(self) -> None:
        """Tell the engine that the interpreter runs, and which version it is."""
        self._send(HELLO, "{}.{}.{}".format(*sys.version_info[:3]).encode())

    def serve(self, kernel: Kernel) -> None:
        """Run ``kernel`` until the engine sends SHUTDOWN or is gone; later calls do nothing."""
        if self._fd < 0:
            raise RuntimeError("Kernel.run() does not work in a fork of the kernel process")
        if self._served:
            return
        self._served = True
        description = self._await_context()
        if description is None:
            return
        try:
            kernel.on_kernel_start(KernelContext(description, self.kernel_id, self.instance_id))
        except BaseException as error:
            if self._fd < 0:
                self._end_fork(error)
            self._fail_start(error, "on_kernel_start")
            # Raised past the script's own code, whose `finally` blocks should run.
            raise (error if isinstance(error, SystemExit) else SystemExit(1)) from None
        if self._fd < 0:
            self._end_fork(None)
        self._send(READY)
        try:
            self._serve_tasks(kernel)
        finally:
            # Also when kernel code ends the process in order, by SystemExit for example.
            try:
                kernel.on_kernel_shutdown()
            except Exception as error:
                print_traceback(error, "on_kernel_shutdown")

    def script_raised(self, error: BaseException) -> None:
        """Take note of an exception that left the script itself."""
        if not self._served:
            self._fail_start(error, "the script")
        elif not isinstance(error, SystemExit):
            print_traceback(error, "the script")

    def _fail_start(self, error: BaseException, where: str) -> None:
        """Log ``error``, which kept the kernel from getting ready, and tell the engine."""
        if not isinstance(error, SystemExit):
            print_traceback(error, where)
        self._refuse(describe(error, self._folder))

    def at_exit(self) -> None:
        """Tell the engine when the script has ended and nothing of it called ``run()``.

        Runs after the script's threads have ended, since one of them might have called it.
        """
        if not self._served and not self._refused and self._fd >= 0:
            self._refuse("the script ended without calling run()")

    def _refuse(self, reason: str) -> None:
        if self._refused:
            return
        self._refused = True
        self._send(START_FAILED, reason.encode("utf-8", "backslashreplace"))

    def _await_context(self) -> str | None:
        frame = self._next_frame()
        if frame is None or frame[0] != CONTEXT:
            return None
        return frame[2].decode("utf-8", "surrogateescape")

    def _serve_tasks(self, kernel: Kernel) -> None:
        batch: list[TaskContext] = []
        while True:
            frame = self._next_frame()
            if frame is None or frame[0] == SHUTDOWN:
                return
            kind, number, body = frame
            context = TaskContext(self, number, body)
            if batch:
                context._previous = batch[-1]
                batch[-1]._next = context
            batch.append(context)
            # Freed with the batch, not when the next request comes.
            del frame, body, context
            if kind == TASK:
                self._invoke(kernel, batch)
                batch = []

    def _invoke(self, kernel: Kernel, batch: list[TaskContext]) -> None:
        """Run one batch and send one outcome per task, all in one write.

        What has an output is answered, even when an exception came later; the rest fails.
        """
        reason = "no_output\nThe kernel set no output for this task."
        ending: SystemExit | None = None
        try:
            kernel.on_task_invoke(batch[0])
        except BaseException as error:
            if self._fd < 0:
                self._end_fork(error)
            if isinstance(error, SystemExit):
                ending = error
            else:
                print_traceback(error, "on_task_invoke")
                if not isinstance(error, Exception):
                    ending = SystemExit(1)
            reason = "exception\n" + one_line(error)
        if self._fd < 0:
            self._end_fork(None)
        # Said first, so that nothing more is sent here: it would fail for no fault of its own.
        pieces: list[bytes] = [] if ending is None else [pack(ENDING)]
        for context in batch:
            context._open = False
            context._next = context._previous = None  # no cycle: freed at once
            kind, body = _outcome(context, reason)
            pieces.append(pack(kind, context._number, body))
            pieces.append(body)
        self._write(b"".join(pieces))
        if ending is not None:
            raise ending

    def _next_frame(self) -> tuple[int, int, bytes] | None:
        """Return the next frame, or None when the engine is gone or talks nonsense."""
        for frame in self._frames:
            return frame
        while True:
            try:
                data = _read(self._fd, _READ_SIZE)
                frames = self._reader.feed(data)
            except FrameError as error:
                Kernel.log_error(f"the engine sent no frame: {error}")
                return None
            except OSError:
                return None
            if frames:
                self._frames = iter(frames)
                return next(self._frames)
            if not data:
                return None

    def _send(self, kind: int, payload: bytes = b"") -> None:
        self._write(pack(kind, 0, payload) + payload)

    def _write(self, data: bytes) -> None:
        """Write all of ``data``; an engine that is gone shows at the next read."""
        try:
            sent = _write(self._fd, data)
            if sent < len(data):
                rest = memoryview(data)[sent:]
                while rest:
                    rest = rest[_write(self._fd, rest) :]
        except OSError:
            pass

    def _after_fork(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:  # noqa: SIM105 - contextlib is not imported: start fast
                _close(fd)
            except OSError:
                pass  # kernel code has closed it

    def _end_fork(self, error: BaseException | None) -> None:
        """End a fork that came back from kernel code: the tasks belong to its parent."""
        code = 0
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif error is not None:
            print_traceback(error, "a fork of the kernel process")
            code = 1
        _exit(code & 0xFF)


def _outcome(context: TaskContext, reason: str) -> tuple[int, bytes]:
    """Return kind and payload of the frame that ends the task."""
    output = context._output
    if output is None:
        return FAILED, reason.encode("utf-8", "backslashreplace")
    try:
        body = output if isinstance(output, bytes) else output.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        return FAILED, (
            f"not_text\nThe output cannot be written as UTF-8: character {error.start} "
            "is a lone surrogate."
        ).encode()
    if len(body) > MAX_PAYLOAD:
        return FAILED, (
            f"too_large\nThe output has {len(body)} bytes; the limit is {MAX_PAYLOAD}."
        ).encode()
    return ANSWER, body
