"""``edi promote``: a service from one EDI to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import output
from .connection import connect, opened
from .endings import about
from .interrupt import cancel_on_ctrl_c
from .model import START_WAIT
from .options import (
    Once,
    Waiting,
    connection_options,
    deployment_argument,
    force_option,
    wait_option,
)
from .progress import Bar
from .questions import require_yes
from .suggestions import suggest_environments

if TYPE_CHECKING:
    from ..operations import Promotion


@click.command(cls=Waiting, short_help="Bring a service to another EDI.")
@deployment_argument
@click.option(
    "--to",
    "to",
    cls=Once,
    required=True,
    metavar="ID",
    shell_complete=suggest_environments,
    help="The environment to go to.",
)
@click.option(
    "-p",
    "--path",
    "folder",
    cls=Once,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that the service was deployed from; an EDI gives no package back.",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="FIELD",
    help="A field of the profile that stays as it is there, such as "
    "resource_allocation.kernel.resource_plan; may be given several times.",
)
@force_option("Do not ask.")
@wait_option("Start it there, and wait until a kernel is ready.", START_WAIT)
@connection_options
def promote(
    name: str, *, to: str, folder: Path, keep: tuple[str, ...], force: bool, wait: float | None
) -> None:
    """Bring a service to another EDI: the same package, the same profile.

    First shows what differs there, and asks. It is left stopped where it was not started before,
    unless there is --wait.
    """
    with opened() as (environments, environment):
        if to == environment:
            raise click.UsageError(f"The service is in {to} already; -e says where it comes from.")
        source = connect(environments, environment)
        destination = connect(environments, to)
        from ..operations import compare_for_promotion, start, start_and_wait
        from ..operations import promote as bring

        with about(name):
            found = compare_for_promotion(source, destination, name, folder, keep=keep)
        _tell(found, to)
        if not found.differs and (wait is None or found.running):
            output.say(f"Model <{name}> is the same in {to}; nothing was changed.")
            return
        if not force:
            require_yes(
                f"Do you want to bring model <{name}> to {to}?",
                unasked=f"Model <{name}> was not promoted: nobody can be asked here. Use -f.",
            )
        with cancel_on_ctrl_c() as cancellation, Bar() as bar:
            if found.differs:
                bring(destination, found, report=bar.show, cancellation=cancellation)
                bar.pause()
                output.say(f"Model <{name}> is promoted to {to} successfully")
            if wait is not None:
                start_and_wait(
                    destination, name, report=bar.show, cancellation=cancellation, timeout=wait
                )
                bar.pause()
                output.say(f"Model <{name}> is ready.")
            elif found.running and found.package is not None:
                start(destination, name)


def _tell(found: Promotion, to: str) -> None:
    from ..operations.declared import change_line

    if found.package == "create":
        output.say(f"package: {to} has none of that name")
    elif found.package == "replace":
        output.say(f"package: {to} has another one, or one that cannot be compared")
    else:
        output.say("package: the same")
    for change in found.description:
        output.say(f"description {change_line(change)}")
    for change in found.changes:
        output.say(f"profile {change_line(change)}")
    if not found.changes:
        output.say("profile: the same")
    if found.running and found.differs:
        output.say(f"it is started in {to}: it would be stopped and started again")
    for note in found.notes:
        output.say(f"note: {note}")
