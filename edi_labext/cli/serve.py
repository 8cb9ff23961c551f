"""``edi serve``: run the serving engine in this terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of deployments. Default: $EDI_STORE, else the user's state directory.",
)
@click.option("--host", help="Address of this machine to listen on. Default: 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; 0, the default, takes a free one."
)
def serve(store: Path | None, host: str | None, port: int | None) -> None:
    """Run the EDI-compatible serving engine until Ctrl-C.

    Prints one JSON line with its address and token file when it is ready, and its log on stderr.
    """
    # -P: a file of the current directory must not stand in for a module of the engine.
    command = [sys.executable, "-P", "-m", "edi_labext.serving", "--owner", "terminal"]
    for option, value in (("--store", store), ("--host", host), ("--port", port)):
        if value is not None:
            command += [option, str(value)]
    sys.stdout.flush()
    sys.stderr.flush()
    # The engine takes this process's place, so that signals and exit status are its own.
    os.execv(sys.executable, command)  # noqa: S606 - no shell
