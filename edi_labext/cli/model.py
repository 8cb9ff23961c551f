"""``edi model``: dlim's verbs. Their lines are dlim's to the letter (section 6 of its facts)."""

from __future__ import annotations

import sys

import click

from . import output
from .connection import connected
from .endings import Refused, about
from .options import connection_options, deployment_argument, force_option
from .program import Verbs
from .questions import require_yes


@click.command(
    cls=Verbs,
    verbs={
        "list": "model:list_",
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


@click.command(name="list", short_help="List all services with their addresses.")
@connection_options
def list_() -> None:
    """List all services with the address for inference; "-" where a service is not started."""
    with connected() as client:
        models = sorted(client.list_models(), key=lambda model: model.name)
    width = max([len("NAME"), *(len(model.name) for model in models)]) + 2
    output.say(f"{'NAME':<{width}}REST URI")
    for model in models:
        output.say(f"{model.name:<{width}}{model.service_uri or '-'}")


@click.command()
@deployment_argument
@force_option("Accepted for dlim's sake; a start asks nothing.")
@connection_options
def start(name: str, *, force: bool) -> None:
    """Start a service. Returns at once; "edi model view NAME -s" shows how far it is."""
    with connected() as client, about(name):
        client.start(name)
    output.say(
        f'Starting model "{name}", run "{program()} model view {name} -s" to ensure startup.'
    )


@click.command()
@deployment_argument
@force_option("Do not ask.")
@connection_options
def stop(name: str, *, force: bool) -> None:
    """Stop a service. Returns at once; requests it has taken are answered before it ends."""
    if not force:
        require_yes(
            f"Do you want to stop model <{name}>?",
            unasked=f"Model <{name}> was not stopped: nobody can be asked here. Use -f.",
        )
    with connected() as client, about(name):
        client.stop(name)
    output.say(f'Stopping model "{name}", run "{program()} model view {name} -s" to ensure stop.')


@click.command()
@deployment_argument
@force_option("Do not ask.")
@connection_options
def undeploy(name: str, *, force: bool) -> None:
    """Remove a stopped service and its files for good."""
    from ..errors import Conflict

    if not force:
        require_yes(
            f"Do you want to remove model <{name}> and its files for good?",
            unasked=f"Model <{name}> was not removed: nobody can be asked here. Use -f.",
        )
    with connected() as client, about(name):
        try:
            client.delete_model(name)
        except Conflict as error:
            if error.code != "started":
                raise
            raise Refused("The model cannot be removed if it's started.") from None
    output.say(f'Undeployed model "{name}", run "{program()} model list" to ensure deletion.')


def program() -> str:
    """Return what to call this command in a line.

    Scripts compare dlim's lines to the letter, with ``dlim`` in them; a person at a terminal is
    told a command that is there.
    """
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    return click.get_current_context().find_root().info_name or "edi" if on_terminal else "dlim"
