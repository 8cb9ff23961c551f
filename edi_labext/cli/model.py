"""``edi model``: dlim's verbs. Their lines are dlim's to the letter (section 6 of its facts)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from . import output
from .connection import connected
from .endings import Refused, about
from .interrupt import cancel_on_ctrl_c
from .options import (
    Waiting,
    connection_options,
    deployment_argument,
    force_option,
    wait_option,
)
from .program import Verbs
from .progress import Bar
from .questions import require_yes

if TYPE_CHECKING:
    from ..client import EdiClient

#: Seconds that ``--wait`` allows: a little more than EDI's own limits.
START_WAIT, STOP_WAIT = 120.0, 60.0


_ORDER = """\b
From a folder to an answer and back:
  edi model deploy -p digits --wait     # upload, start, wait until it is ready
  edi infer digits --payload eight.json
  edi model undeploy -f digits --wait   # stop, wait until it is stopped, remove
"""


@click.command(
    cls=Verbs,
    epilog=_ORDER,
    verbs={
        "list": "listing:list_",
        "view": "view:view",
        "deploy": "deploy:deploy",
        "start": "model:start",
        "stop": "model:stop",
        "undeploy": "model:undeploy",
        "viewprofile": "profile:viewprofile",
        "updateprofile": "profile:updateprofile",
    },
)
@connection_options
def model() -> None:
    """Deploy, start, stop, view and remove services."""


@click.command(cls=Waiting)
@deployment_argument
@force_option("Accepted for dlim's sake; a start asks nothing.")
@wait_option("Wait until a kernel is ready; exit code 1 if none gets there.", START_WAIT)
@connection_options
def start(name: str, *, force: bool, wait: float | None) -> None:
    """Start a service. Returns at once; "edi model view NAME -s" shows how far it is."""
    from ..operations import NextProfiles, apply_next_profile, get_deployment

    with connected() as client, about(name):
        waits = name in NextProfiles.of(client).names()
        if waits and get_deployment(client, name).state == "stopped":
            apply_next_profile(client, name)
            output.note(f"edi: {name} takes the profile that was saved for its next start.")
        start_and_tell(client, name, wait=wait)


def start_and_tell(client: EdiClient, name: str, *, wait: float | None) -> None:
    """Start a service and say so in dlim's line; with ``wait``, in seconds, also when it is ready.

    Raises
    ------
    NotFound, Unavailable, Cancelled
        See :func:`~edi_labext.operations.start_and_wait`.
    """
    from ..operations import start as start_once

    start_once(client, name)
    output.say(f'Starting model "{name}", run "dlim model view {name} -s" to ensure startup.')
    if wait is None:
        point_to(f'"{{}} model view {name} -s", or start it with --wait')
        return
    from ..operations import wait_until_ready

    with cancel_on_ctrl_c() as cancellation, Bar() as bar:
        wait_until_ready(client, name, report=bar.show, cancellation=cancellation, timeout=wait)
    output.say(f"Model <{name}> is ready.")


@click.command(cls=Waiting)
@deployment_argument
@force_option("Do not ask.")
@wait_option("Wait until its kernels are gone.", STOP_WAIT)
@connection_options
def stop(name: str, *, force: bool, wait: float | None) -> None:
    """Stop a service. Returns at once; requests it has taken are answered before it ends."""
    if not force:
        require_yes(
            f"Do you want to stop model <{name}>?",
            unasked=f"Model <{name}> was not stopped: nobody can be asked here. Use -f.",
        )
    with connected() as client, about(name):
        from ..operations import stop as stop_once

        stop_once(client, name)
        output.say(f'Stopping model "{name}", run "dlim model view {name} -s" to ensure stop.')
        if wait is None:
            point_to(f'"{{}} model view {name} -s", or stop it with --wait')
            return
        from ..operations import wait_until_stopped

        with cancel_on_ctrl_c() as cancellation, Bar() as bar:
            wait_until_stopped(
                client, name, report=bar.show, cancellation=cancellation, timeout=wait
            )
    output.say(f"Model <{name}> is stopped.")


@click.command(cls=Waiting)
@deployment_argument
@force_option("Do not ask.")
@wait_option("Stop it first if it is started, and wait for that.", STOP_WAIT)
@connection_options
def undeploy(name: str, *, force: bool, wait: float | None) -> None:
    """Remove a stopped service and its files for good; with --wait, a started one too."""
    if not force:
        require_yes(
            f"Do you want to remove model <{name}> and its files for good?",
            unasked=f"Model <{name}> was not removed: nobody can be asked here. Use -f.",
        )
    with connected() as client, about(name):
        if wait is None:
            _delete(client, name)
        else:
            from ..operations import undeploy as stop_and_remove

            client.get_model(name)
            with cancel_on_ctrl_c() as cancellation, Bar() as bar:
                stop_and_remove(
                    client, name, report=bar.show, cancellation=cancellation, timeout=wait
                )
    output.say(f'Undeployed model "{name}", run "dlim model list" to ensure deletion.')


def _delete(client: EdiClient, name: str) -> None:
    from ..errors import Conflict
    from ..operations import NextProfiles, delete

    try:
        delete(client, name)
        NextProfiles.of(client).remove(name)
    except Conflict as error:
        if error.code != "started":
            raise
        point_to(f'"{{}} model undeploy -f {name} --wait" stops it first', does=True)
        raise Refused("The model cannot be removed if it's started.") from None


def point_to(what: str, *, does: bool = False) -> None:
    """Tell a person, on stderr of a terminal, what to type here.

    dlim's lines name ``dlim`` to the letter, and scripts compare them.

    Parameters
    ----------
    what:
        The command, with ``{}`` for the name of the program.
    does:
        Whether ``what`` is a sentence rather than another name for what a line said.
    """
    called = click.get_current_context().find_root().info_name or "edi"
    if sys.stderr is None or not sys.stderr.isatty() or (called == "dlim" and not does):
        return
    told = what.format(called)
    output.note(f"{called}: {told}." if does else f"{called}: here that is {told}.")
