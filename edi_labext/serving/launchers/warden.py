"""The process that ends what a killed engine leaves behind.

A kernel notices the end of the engine on its own socket, and its guard on the lifeline. The warden
is for kernels whose guard is gone too. It is a shell that reads the numbers of live process groups
from a pipe. Its end of file means that the engine is gone, however it went.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

#: Seconds that kernels and their guards have to end by themselves once the engine is gone.
KERNEL_GRACE = 1.3

# Numbers come only from the engine and are checked there, so splitting on blanks is safe.
_SCRIPT = """\
trap '' INT TERM HUP
groups=' '
while read -r verb group; do
  case $verb in
    add) groups="$groups$group " ;;
    del) case $groups in
           *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;;
         esac ;;
  esac
done
[ "$groups" = ' ' ] && exit 0
sleep "$1"
for group in $groups; do kill -s KILL -- "-$group"; done
"""


class Warden:
    """One warden process, started when the first group is added.

    All methods are called on the engine's loop. A warden that was killed is replaced at the next
    call, with all groups that are live by then.
    """

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1

    @property
    def pid(self) -> int | None:
        """Number of the warden process, ``None`` while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def groups(self) -> frozenset[int]:
        """Groups that would be ended."""
        return frozenset(self._groups)

    def add(self, group: int) -> None:
        """Have ``group`` ended when the engine is gone."""
        if group <= 1:
            raise ValueError(f"{group} is no process group of a kernel")
        self._groups.add(group)
        self._tell("add", group)

    def discard(self, group: int) -> None:
        """Forget ``group``. To be called while its number is still taken."""
        if group in self._groups:
            self._groups.remove(group)
            self._tell("del", group)

    def close(self) -> None:
        """Let the warden go; groups that are still listed end with it."""
        self._groups.clear()
        self._bury()

    def _tell(self, verb: str, group: int) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                # Far below PIPE_BUF: written whole or not at all.
                os.write(self._pipe, f"{verb} {group}\n".encode("ascii"))
            except OSError:  # gone, or stopped so long that its pipe is full
                self._process.kill()
            else:
                return
        self._bury()
        if self._groups:
            self._start()

    def _start(self) -> None:
        reading, self._pipe = os.pipe()
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT, "edi-warden", str(KERNEL_GRACE)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/bin:/bin"},
                start_new_session=True,
            )
        finally:
            os.close(reading)
        lines = "".join(f"add {group}\n" for group in sorted(self._groups))
        with contextlib.suppress(OSError):
            os.write(self._pipe, lines.encode("ascii"))
        os.set_blocking(self._pipe, False)

    def _bury(self) -> None:
        if self._process is None:
            return
        os.close(self._pipe)
        self._process.wait()
        self._process = None
        self._pipe = -1
