"""Whether an interpreter can run a kernel, asked of the interpreter itself, once."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from ...errors import Unavailable, echo, echo_path
from .base import LaunchSpec

#: The oldest Python that runs what is put on a kernel's path.
OLDEST = (3, 8)
#: Seconds that an interpreter has to tell its version; one on a network home may be slow. A stop of
#: the engine waits for as long.
PATIENCE = 8.0

# Understood by Python 2 too, so that it can say that it is one. Neither site-packages nor variables
# are looked at: it takes a few milliseconds, and a broken environment is still a Python.
_OPTIONS = ("-E", "-s", "-S", "-c")
_QUESTION = "import sys; sys.stdout.write('\\nedi-python %d %d %d' % tuple(sys.version_info[:3]))"
_QUOTED = 300

_Key = tuple[str, int, int, int, int]


class Interpreters:
    """Remembers which interpreters have answered; one that has changed since is asked again.

    Its methods block, and may be called from several threads.
    """

    def __init__(self) -> None:
        self._known: dict[_Key, tuple[int, ...]] = {}

    def check(self, spec: LaunchSpec) -> None:
        """Return if the interpreter of ``spec`` can run a kernel, as far as can be told before.

        Raises
        ------
        Unavailable
            ``launch_failed``: it is not there, cannot be executed, is no Python or too old a one.
        """
        path = self._find(spec)
        if path is None:  # to be found by the shell, after pre_exec
            return
        version = self._version(path, spec)
        if version is not None and version < OLDEST:
            told = ".".join(str(part) for part in version)
            raise _failure(
                spec, f"{echo_path(path)} is Python {told}; kernels need Python 3.8 or newer"
            )

    def _find(self, spec: LaunchSpec) -> str | None:
        name = spec.interpreter
        if os.sep not in name:
            found = shutil.which(name, path=spec.environment.get("PATH", os.defpath))
            if found is None and not spec.pre_exec:
                raise _failure(spec, f"there is no command {echo(name)} on the kernel's PATH")
            return None if spec.pre_exec else found
        path = Path(name)
        if not path.is_file():
            raise _failure(spec, _what_is_missing(path))
        if not os.access(path, os.X_OK):
            raise _failure(spec, f"{echo_path(name)} cannot be executed")
        return name

    def _version(self, path: str, spec: LaunchSpec) -> tuple[int, ...] | None:
        facts = Path(path).stat()
        key = (path, facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_size)
        if key not in self._known:
            said = _ask(path, spec)
            if said is None:
                return None
            self._known[key] = said
        return self._known[key]


def _ask(path: str, spec: LaunchSpec) -> tuple[int, ...] | None:
    """Return the version that the interpreter tells, ``None`` when ``pre_exec`` may mend it."""
    try:
        process = subprocess.Popen(
            [path, *_OPTIONS, _QUESTION],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=dict(spec.environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _failure(spec, f"{echo_path(path)} cannot be executed ({reason})") from None
    with process:
        try:
            said, complaint = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            said, complaint = b"", f"no answer within {PATIENCE:g} s".encode()
        finally:
            # A wrapper script may have started others, who hold the pipes.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    words = said.decode("ascii", "replace").rpartition("\n")[2].split()
    if words[:1] == ["edi-python"] and len(words) == 4 and process.returncode == 0:
        return tuple(int(word) for word in words[1:])
    if spec.pre_exec:
        return None
    lines = complaint.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    shown = "".join(char if char.isprintable() else " " for char in last)[:_QUOTED]
    raise _failure(
        spec, f"{echo_path(path)} does not run as a Python" + (f": {shown}" if shown else "")
    )


def _what_is_missing(path: Path) -> str:
    """Name the interpreter and, if more than that is missing, the first folder that is."""
    if path.is_symlink():
        return f"{echo_path(str(path))} is a link to what is not there"
    missing = path
    while missing.parent != missing and not missing.parent.exists():
        missing = missing.parent
    rest = "" if missing == path else f" (there is no {echo_path(str(missing))})"
    return f"{echo_path(str(path))} does not exist{rest}"


def _failure(spec: LaunchSpec, reason: str) -> Unavailable:
    return Unavailable(
        f"The kernel could not be launched in runtime {spec.runtime_name}: {reason}.",
        code="launch_failed",
        hint="Install it, or let the runtime name another Python: "
        f'"edi runtime update {spec.runtime_name} --python PATH".',
    )
