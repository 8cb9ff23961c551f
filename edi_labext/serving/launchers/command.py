"""The command line of a kernel, behind a piece of shell where its runtime has one.

This is the one place where a shell runs what somebody wrote: ``pre_exec`` is for that, as the lines
of a launcher script are, and runs as the same user as the kernel itself.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence

#: What the log says when ``pre_exec`` has ended before the interpreter ran.
PRE_EXEC_FAILED = "edi: pre_exec ended with exit code "

#: Where shells are looked for; the kernel's own PATH is the user's to set.
_SHELL_PATH = "/bin:/usr/bin:/usr/local/bin"


def kernel_command(interpreter: str, arguments: Sequence[str], pre_exec: str = "") -> list[str]:
    """Return what to execute.

    Parameters
    ----------
    interpreter:
        Path or name of the Python.
    arguments:
        Of the Python.
    pre_exec:
        Runs first, in the same process, so that it can set variables and limits for the kernel. Its
        first command that fails ends it, and the kernel does not start (``set -e``). It is run by
        bash where there is one, since ``source`` and ``module`` need it, else by ``/bin/sh``.
    """
    command = [interpreter, *arguments]
    if not pre_exec.strip():
        return command
    # "eval" of a quoted text: nothing in it can swallow the line after it, and it sees no
    # arguments, which a sourced "activate" would take for its own.
    script = (
        f"trap 'echo \"{PRE_EXEC_FAILED}$?\" >&2' EXIT\n"
        f"set -e\neval {shlex.quote(pre_exec)}\nset +e\n"
        f"trap - EXIT\nexec {shlex.join(command)}"
    )
    shell = shutil.which("bash", path=_SHELL_PATH) or "/bin/sh"
    return [shell, "-c", script, "pre_exec"]
