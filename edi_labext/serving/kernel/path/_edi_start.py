"""Start of a kernel: ``python -u _edi_start.py <fd of the link> <kernel file> [<lifeline>]``.

With the descriptor of a lifeline the process becomes the kernel's guard, and its child the kernel.

Started by file, not with ``-m``, which would put the working directory ahead of the standard
library.
"""

from __future__ import annotations

import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    """Take over the link, then run the kernel file as a program."""
    fd = int(sys.argv[1])
    kernel_file = os.path.abspath(sys.argv[2])
    # Public submissions hold a stand-in redhareapi.py beside kernel.py; ours is loaded first.
    if sys.path[:1] != [_FOLDER]:
        sys.path.insert(0, _FOLDER)  # with PYTHONSAFEPATH the script's folder is not on the path
    waiting = None
    if len(sys.argv) > 3:
        from _edi_host.guard import (  # type: ignore[import-not-found, unused-ignore]
            stand_guard,
            wait_for_guard,
        )

        waiting = stand_guard(fd, int(sys.argv[3]))
    import atexit
    import faulthandler
    import runpy
    import signal

    import redhareapi  # type: ignore[import-not-found, unused-ignore]
    import redhareapiversion  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    from _edi_host.loop import Host  # type: ignore[import-not-found, unused-ignore]

    # Ctrl-C in the terminal of the engine is the engine's: it drains, then ends its kernels.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable(2)
    host = redhareapi._host = Host(fd, kernel_file)
    atexit.register(host.at_exit)
    host.greet()

    if waiting is not None:
        wait_for_guard(waiting)
    sys.argv[:] = [kernel_file]
    others = [entry for entry in sys.path if entry != _FOLDER]
    sys.path[:] = [os.path.dirname(kernel_file), _FOLDER, *others]
    try:
        runpy.run_path(kernel_file, run_name="__main__")
    except SystemExit as error:
        host.script_raised(error)
        raise
    except BaseException as error:
        host.script_raised(error)
        sys.exit(1)


main()
