"""``edi model deploy``: a folder becomes a service, or replaces one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import output
from .connection import connected
from .endings import wrong_use
from .interrupt import cancel_on_ctrl_c
from .model import START_WAIT, start_and_tell
from .options import Once, Waiting, connection_options, force_option, wait_option
from .progress import Bar
from .questions import require_yes

if TYPE_CHECKING:
    from ..client import EdiClient
    from ..operations import Progress
    from ..submission import Submission


@click.command(cls=Waiting, short_help="Upload a folder and register it.")
@click.option(
    "-p",
    "--path",
    "folder",
    cls=Once,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder with kernel file, model.json and README.md.",
)
@force_option("Replace a service of that name without asking.")
@wait_option("Start it too, and wait until a kernel is ready.", START_WAIT)
@connection_options
def deploy(folder: Path, *, force: bool, wait: float | None) -> None:
    """Upload a folder and register it under the name in its model.json, not started.

    A service of that name is replaced after a yes, or with -f: it is stopped, and the new files
    take the place of the old ones; its profile stays. It is left stopped, whatever it was, unless
    there is --wait.
    """
    from ..operations import check_folder

    with wrong_use():
        found = check_folder(folder)
        name = found.require_deployable().name
    with connected() as client:
        replace = _exists(client, name)
        if replace and not force:
            question = (
                f"Model <{name}> already exists on inference service, do you want to update it?"
            )
            require_yes(question, unasked=f"{question} (y|n):EOF")
        for warning in found.warnings:
            output.note(f"edi: warning: {warning.place}: {warning.message}")
        _deploy(client, folder, found.submission, replace=replace)
        output.say(f"Model <{name}> is deployed successfully")
        if wait is not None:
            start_and_tell(client, name, wait=wait)


def _exists(client: EdiClient, name: str) -> bool:
    from ..errors import NotFound

    try:
        client.get_model(name)
    except NotFound:
        return False
    return True


def _deploy(client: EdiClient, folder: Path, submission: Submission, *, replace: bool) -> None:
    from ..operations import deploy_folder, replace_folder

    files = [file.path for file in submission.files]
    with cancel_on_ctrl_c() as cancellation, Bar() as bar:
        report = _narrate(folder, files, bar)
        if replace:
            replace_folder(client, folder, report=report, cancellation=cancellation)
        else:
            deploy_folder(client, folder, start=False, report=report, cancellation=cancellation)


def _narrate(folder: Path, files: list[str], bar: Bar) -> Callable[[Progress], None]:
    """Return what turns progress into dlim's lines.

    dlim names each file as uploaded. Here all of them go in one package, so their lines come
    together, once the last byte is on its way; they name the files that were really sent.
    """
    top = os.path.abspath(folder)  # noqa: PTH100 - as typed: symbolic links are kept
    told: set[str] = set()

    def once(*lines: str) -> None:
        if lines[0] not in told:
            told.add(lines[0])
            bar.pause()
            for line in lines:
                output.say(line)

    def report(progress: Progress) -> None:
        if progress.phase == "check":
            # Done before, and its warnings are told.
            return
        if progress.phase in ("pack", "upload"):
            once("Uploading...")
        if progress.phase == "upload" and progress.fraction is None:
            once(*(f"<{top}/{path}> uploaded to server." for path in files), "Registering...")
        bar.show(progress)

    return report
