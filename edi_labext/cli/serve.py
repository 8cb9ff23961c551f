"""``edi serve``: run the serving engine in this terminal, or end the one that runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from . import output
from .options import Once


@click.command()
@click.option(
    "--store",
    cls=Once,
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of deployments. Default: $EDI_STORE, else the user's state directory.",
)
@click.option("--host", cls=Once, help="Address of this machine to listen on. Default: 127.0.0.1.")
@click.option(
    "--port",
    cls=Once,
    type=click.IntRange(0, 65535),
    help="Port; 0, the default, takes a free one.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Change a limit of the engine (docs/command-line.md); may be given several times.",
)
@click.option(
    "--stop",
    is_flag=True,
    help="End the engine of the store, in the background or in another terminal. "
    "Started services come back with the next one.",
)
def serve(
    store: Path | None, host: str | None, port: int | None, limits: tuple[str, ...], *, stop: bool
) -> None:
    """Run the EDI-compatible serving engine until Ctrl-C.

    Prints one JSON line with its address and token file when it is ready, and its log on stderr.
    """
    if stop:
        if host is not None or port is not None or limits:
            raise click.UsageError("--stop takes no --host, no --port and no --limit.")
        _stop(store)
        return
    # -P: a file of the current directory must not stand in for a module of the engine.
    command = [sys.executable, "-P", "-m", "edi_labext.serving", "--owner", "terminal"]
    for option, value in (("--store", store), ("--host", host), ("--port", port)):
        if value is not None:
            command += [option, str(value)]
    for limit in limits:
        command += ["--limit", limit]
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    # The engine takes this process's place, so that signals and exit status are its own.
    os.execv(sys.executable, command)  # noqa: S606 - no shell


def _stop(store: Path | None) -> None:
    from ..client import default_store, stop_engine

    ended = stop_engine(store or default_store())
    if ended is None:
        output.note("No serving engine is running.")
    else:
        output.say(f"Stopped the serving engine (process {ended}).")
