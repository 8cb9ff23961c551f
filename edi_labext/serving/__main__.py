"""``python -m edi_labext.serving``: run the engine (``edi serve`` comes here too)."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .._version import __version__
from ..errors import EdiError

if TYPE_CHECKING:
    from .store import Disk

#: Exit statuses: 0 ended as told, 1 failed, 2 wrong use, 3 another engine has the store.
FAILED, WRONG_USE, STORE_IN_USE = 1, 2, 3


def main(arguments: list[str] | None = None, *, disk: Disk | None = None) -> int:
    """Run the engine with command line ``arguments`` and return the exit status.

    ``disk`` stands in for the real one below the store.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.debug else logging.INFO,
        format="%(asctime)s %(levelname).1s %(name)s: %(message)s",
    )
    # asyncio's and uvicorn's own talk concerns developers.
    for name in ("asyncio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    os.umask(0o077)
    from .process import run
    from .settings import Settings, parse_limits

    try:
        values = {
            "task_execution_timeout": options.task_execution_timeout,
            "connection_timeout": options.connection_timeout,
            **parse_limits(options.limit),
        }
        settings = Settings(
            store=options.store or _default_store(),
            host=options.host,
            port=options.port,
            owner=options.owner,
            **values,
        )
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run(settings, disk=disk))
    except* EdiError as group:
        error = next(item for item in _flatten(group) if isinstance(item, EdiError))
        print(f"edi serve: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"edi serve: {error.hint}", file=sys.stderr)
        status = {"store_in_use": STORE_IN_USE, "invalid_option": WRONG_USE}
        return_status = status.get(error.code, FAILED)
    else:
        return_status = 0
    return return_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edi serve",
        description="Run the EDI-compatible serving engine. Prints one JSON line when ready.",
    )
    parser.add_argument(
        "--store", type=Path, help="directory of deployments; default $EDI_STORE, else per user"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    parser.add_argument(
        "--task-execution-timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="default of new deployments, in seconds (%(default)s); a profile may say -1 for none",
    )
    parser.add_argument(
        "--connection-timeout",
        type=float,
        default=90.0,
        metavar="SECONDS",
        help="how long a kernel of a new deployment may take to start (%(default)s)",
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="change a limit that GET /edi/v1/capabilities lists, in its unit; several times",
    )
    parser.add_argument(
        "--owner",
        choices=("terminal", "jupyter", "background"),
        default="terminal",
        help=argparse.SUPPRESS,
    )
    parser.add_argument("--debug", action="store_true", help="log more")
    parser.add_argument("--version", action="version", version=f"edi_labext {__version__}")
    return parser


def _default_store() -> Path:
    if configured := os.environ.get("EDI_STORE"):
        return Path(configured)
    import platformdirs

    return platformdirs.user_state_path("edi_labext")


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


def _flatten(group: BaseExceptionGroup) -> list[BaseException]:
    return [
        leaf
        for item in group.exceptions
        for leaf in (_flatten(item) if isinstance(item, BaseExceptionGroup) else [item])
    ]


if __name__ == "__main__":
    sys.exit(main())
