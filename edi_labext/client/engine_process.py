"""One engine process, from the side that starts it."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import edi_labext

from ..errors import StorageFailure, Unavailable, echo, echo_path

#: A log longer than this many bytes is emptied when an engine is started (5 MB).
MAX_LOG = 5_000_000
#: Seconds that an engine may take to end by itself: it lets requests finish and kernels end.
PATIENCE = 10.0

_TERM_PATIENCE = 5.0
_READY_LIMIT = 64 << 10
_TAIL_BYTES = 64 << 10
#: Ours alone: tokens and addresses that no engine, and so no kernel, has any business with.
_WITHHELD = frozenset({"USER_ACCESS_TOKEN", "EDI_REST_SERVER", "JUPYTER_TOKEN"})
_WITHHELD_PREFIXES = ("JPY_", "JUPYTERHUB_")


class EngineProcess:
    """A started engine and our ends of its stdin and stdout."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @classmethod
    def start(
        cls,
        python: str,
        store: Path,
        owner: str,
        log: BinaryIO,
        *,
        keep_stdin: bool,
    ) -> EngineProcess:
        """Start ``python -m edi_labext.serving`` in a session of its own.

        Not in ours, since Ctrl-C in JupyterLab's terminal, which it may survive, would end it.

        Raises
        ------
        Unavailable
            ``engine_failed`` when the interpreter cannot be run.
        """
        command = [python, "-m", "edi_labext.serving", "--store", str(store), "--owner", owner]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if keep_stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=_working_directory(store),
                env=engine_environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(
                f"The serving engine could not be started: {echo(python)} cannot be run "
                f"({error.strerror}).",
                code="engine_failed",
            ) from None
        return cls(process)

    def exit_status(self) -> int | None:
        """Return the exit status (negative: killed by that signal), ``None`` while it runs."""
        return self._process.poll()

    def wait_for_ready_line(self, timeout: float) -> bool:
        """Wait for the one line on stdout; ``False`` when it ended or time is up."""
        stdout = self._process.stdout
        assert stdout is not None
        deadline = time.monotonic() + timeout
        received = b""
        with selectors.DefaultSelector() as selector, stdout:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in received and len(received) < _READY_LIMIT:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return False
                piece = os.read(stdout.fileno(), 4096)
                if not piece:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(max(0.1, deadline - time.monotonic()))
                    return False
                received += piece
        return b"\n" in received

    def end(self, patience: float = PATIENCE) -> None:
        """End the process: by the end of its stdin, then by SIGTERM, then by SIGKILL.

        Parameters
        ----------
        patience:
            Seconds it has to end by itself once its stdin is closed.
        """
        self._close_pipes()
        for wait, escalate in (
            (patience, self._process.terminate),
            (_TERM_PATIENCE, self._process.kill),
        ):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait)
                return
            escalate()
        self._process.wait()

    def release(self) -> None:
        """Let it live on; it is no longer ours to end."""
        self._close_pipes()
        if self._process.poll() is None:
            # Known to the interpreter as a running child, it would be complained about.
            self._process.returncode = 0

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(OSError):
                    pipe.close()


def engine_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return ``inherited`` without our tokens and Jupyter's."""
    return {
        name: value
        for name, value in inherited.items()
        if name not in _WITHHELD and not name.startswith(_WITHHELD_PREFIXES)
    }


def _working_directory(store: Path) -> Path:
    """Return where to start the engine so that it imports the very package that starts it.

    ``python -m`` looks into the working directory first. For a checkout that is not installed the
    checkout has to be it; an installed package is found anyway, and nothing else should be.
    """
    top = Path(edi_labext.__file__).resolve().parent.parent
    return store if top.name in ("site-packages", "dist-packages") else top


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[BinaryIO]:
    """Open the log for appending with mode 0600, emptied first when it has grown too long."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.fdopen(os.open(path, flags, 0o600), "ab")
    except OSError as error:
        raise StorageFailure(
            f"The engine's log {echo_path(str(path))} cannot be written: {error.strerror}."
        ) from None
    with file:
        os.fchmod(file.fileno(), 0o600)
        if os.fstat(file.fileno()).st_size > MAX_LOG:
            file.truncate(0)
        yield file


def read_tail(path: Path, count: int) -> list[str]:
    """Return the last ``count`` lines of a log, oldest first, without control characters."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            text = file.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    return [
        "".join(char if char.isprintable() or char == "\t" else "�" for char in line)
        for line in text.splitlines()[-count:]
    ]
