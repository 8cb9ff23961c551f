"""The API that a kernel file derives from: ``Kernel`` and its two contexts.

Names and arguments are those of IBM's module of the same name; what was observed of it is in
``reference/kernel-api.md`` section 3. Where IBM's behaviour is not known, the docstring says
what this one does.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # typing is not imported: a kernel process should start fast
if TYPE_CHECKING:
    from ._edi_host.loop import Host

__all__ = ["Kernel", "KernelContext", "TaskContext"]

# Bound now: kernel code may patch these modules later.
_write = os.write
_now = time.time
_localtime = time.localtime
_strftime = time.strftime

_STDERR = 2
_LETTERS = "DIWE"  # level -1, 0, 1, 2
_LEVELS = {"DEBUG": -1, "INFO": 0, "WARN": 1, "WARNING": 1, "ERROR": 2}

#: Messages below this level are not written.
_threshold = _LEVELS.get(os.environ.get("DLIM_MK_LOG_LEVEL", "").strip().upper(), 0)

#: Set by the kernel host; ``None`` in any other process.
_host: Host | None = None


class KernelContext:
    """What a kernel may know of its deployment, given to ``on_kernel_start``."""

    def __init__(self, description: str, kernel_id: str, instance_id: str) -> None:
        self._description = description
        self._kernel_id = kernel_id
        self._instance_id = instance_id

    def get_model_description(self) -> str:
        """Return the model description as JSON text, with ``model_path`` filled in."""
        return self._description

    def get_id(self) -> str:
        """Return the id of this kernel."""
        return self._kernel_id

    def get_instance_id(self) -> str:
        """Return the id of the model instance that this kernel belongs to."""
        return self._instance_id


class TaskContext:
    """One request of a batch; valid until ``on_task_invoke`` returns.

    The object has no equality of its own, so ``!= None`` and ``== None`` mean identity.
    """

    # "__dict__": kernels may hang their own values on a context; it costs nothing until then.
    __slots__ = ("__dict__", "_body", "_host", "_next", "_number", "_open", "_output", "_previous")

    def __init__(self, host: Host, number: int, body: bytes) -> None:
        self._host = host
        self._number = number
        self._body = body
        self._output: str | bytes | None = None
        self._open = True
        self._next: TaskContext | None = None
        self._previous: TaskContext | None = None

    def get_id(self) -> str:
        """Return the number of the task, unique within this kernel."""
        return str(self._number)

    def get_uuid(self) -> str:
        """Return an id in the form of a UUID, unique among all tasks of all kernels."""
        return f"{self._host.uuid_prefix}{self._number & 0xFFFFFFFFFFFF:012x}"

    def get_session_id(self) -> str:
        """Return the client's session: requests carry none, so each is a session of its own."""
        return self.get_uuid()

    def get_job_id(self) -> str:
        """Return the id of the job that runs this kernel, the same for all of its tasks."""
        return self._host.instance_id

    def get_version(self) -> str:
        """Return ``"1"``; what IBM's version counts is not known."""
        return "1"

    def get_model_name(self) -> str:
        """Return the name of the deployment."""
        return self._host.model_name

    def get_input_data(self) -> str:
        """Return the request's body as text.

        Bytes that are not UTF-8 become lone surrogates (``surrogateescape``), which
        :meth:`set_output_data` turns back into the same bytes.
        """
        return self._body.decode("utf-8", "surrogateescape")

    def get_input_data_extend(self) -> str:
        """Return the same as :meth:`get_input_data`; there is no second channel."""
        return self.get_input_data()

    def set_output_data(self, data: str | bytes) -> bool:
        """Set the answer; when called again for the same task, the last call counts.

        Parameters
        ----------
        data:
            Text, for example of ``json.dumps``; bytes are sent as they are.

        Returns
        -------
        bool
            True, or False (with a warning in the log) after ``on_task_invoke`` has returned.

        Raises
        ------
        TypeError
            ``data`` is neither text nor bytes.
        """
        if not isinstance(data, (str, bytes)):
            raise TypeError(
                f"set_output_data takes text, not {type(data).__name__}; "
                "turn the value into text first, for example with json.dumps(value)"
            )
        if not self._open:
            Kernel.log_warn(
                f"task {self._number}: set_output_data was called after on_task_invoke had "
                "returned, so the output is dropped"
            )
            return False
        self._output = data
        return True

    def set_output_data_extend(self, data: object) -> bool:
        """Drop ``data`` with a warning in the log: there is no second channel. Return True."""
        Kernel.log_warn(
            f"task {self._number}: set_output_data_extend has no effect here; use set_output_data"
        )
        return True

    def report_ready(self, data: object = None) -> bool:
        """Do nothing and return True; IBM does not document the meaning."""
        return True

    def next(self) -> TaskContext | None:
        """Return the next task of the batch, or None after the last."""
        return self._next

    def prev(self) -> TaskContext | None:
        """Return the task before this one in the batch, or None at the first."""
        return self._previous


class Kernel:
    """Base of a kernel. Override the callbacks that are needed, then call :meth:`run`.

    It keeps nothing on the instance, so a subclass need not call its ``__init__``.
    """

    def on_kernel_start(self, kernel_context: KernelContext) -> None:
        """Load the model. Called once; the kernel is ready when this returns."""

    def on_task_invoke(self, task_context: TaskContext) -> None:
        """Answer a batch: set the output of ``task_context`` and of all its ``next()``."""

    def on_kernel_shutdown(self) -> None:
        """Clean up. Called once, before the kernel ends."""

    def run(self) -> None:
        """Serve until the kernel is told to end, then return.

        Raises
        ------
        RuntimeError
            In a process that no EDI engine has started, or in a fork of one.
        """
        if _host is None:
            raise RuntimeError(
                "Kernel.run() works only in a process that an EDI engine has started; "
                "deploy the folder instead of running the file"
            )
        _host.serve(self)

    @staticmethod
    def log(level: int, msg: object) -> None:
        """Write one message to stderr, or nothing when ``DLIM_MK_LOG_LEVEL`` is above it.

        Parameters
        ----------
        level:
            -1 debug, 0 info, 1 warning, 2 error.
        msg:
            The text; anything else is passed through ``str``.
        """
        level = min(max(level, -1), 2)
        if level < _threshold:
            return
        now = _now()
        stamp = _strftime("%Y-%m-%d %H:%M:%S", _localtime(now))
        letter = _LETTERS[level + 1]
        line = f"{stamp}.{int(now % 1 * 1_000_000):06d}: {letter} {msg}\n"
        rest = line.encode("utf-8", "backslashreplace")
        try:
            # Past sys.stderr, which a kernel may have replaced or closed.
            while rest:
                rest = rest[_write(_STDERR, rest) :]
        except OSError:
            pass  # a log that nobody can read must not fail a task

    @staticmethod
    def log_debug(msg: object) -> None:
        """Log for the developer; hidden unless ``DLIM_MK_LOG_LEVEL`` is ``DEBUG``."""
        Kernel.log(-1, msg)

    @staticmethod
    def log_info(msg: object) -> None:
        """Log what is normal."""
        Kernel.log(0, msg)

    @staticmethod
    def log_warn(msg: object) -> None:
        """Log what is odd."""
        Kernel.log(1, msg)

    @staticmethod
    def log_error(msg: object) -> None:
        """Log what went wrong."""
        Kernel.log(2, msg)
