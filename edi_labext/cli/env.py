"""``edi env``: the named EDIs of this person, without their tokens."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from . import output
from .connection import Target
from .endings import FAILED
from .listing import table
from .options import force_option, form_option
from .program import Verbs
from .questions import require_yes
from .suggestions import suggest_environments

if TYPE_CHECKING:
    from ..client import EnvironmentSet

_WORDS = {True: "ok", False: "failed", None: "unknown"}


@click.command(
    cls=Verbs,
    verbs={
        "list": "env:list_",
        "add": "env_add:add",
        "use": "env:use",
        "test": "env:test",
        "remove": "env:remove",
    },
)
@click.pass_context
def env(ctx: click.Context) -> None:
    """Name the EDIs that you work with, and test the way to them."""
    given = ctx.ensure_object(Target)
    if given != Target():
        raise click.UsageError(
            "--environment, --rest-server and --jwt-token have no meaning for edi env."
        )


@click.command(name="list", short_help="List the environments; * marks the one in use.")
@form_option("table", "json", "yaml")
def list_(*, form: str | None) -> None:
    """List the environments; "*" marks the one that is used when none is named."""
    with open_environments() as environments:
        items, default = environments.list(), environments.default
        tokens = {item.id: environments.token_state(item.id) for item in items}
        problem = environments.problem
    if form in (None, "table"):
        rows = [
            (
                "*" if item.id == default else "",
                item.id,
                item.address or "-",
                tokens[item.id].kind or "none",
                item.title + (" (certificate NOT checked)" if item.insecure else ""),
            )
            for item in items
        ]
        for line in table(("", "ID", "ADDRESS", "TOKEN", "TITLE"), rows):
            output.say(line)
    else:
        told = [
            {
                "id": item.id,
                "title": item.title,
                "address": item.address,
                "inference_address": item.inference_address,
                "source": item.source,
                "in_use": item.id == default,
                "insecure": item.insecure,
                "production": item.production,
                "token": tokens[item.id].kind,
                "token_expires": tokens[item.id].expires,
            }
            for item in items
        ]
        output.emit(str(form), told)
    if problem is not None:
        raise problem


@click.command(short_help="Use an environment where none is named.")
@click.argument("name", metavar="ID", shell_complete=suggest_environments)
def use(name: str) -> None:
    """Use this environment from now on where none is named."""
    with open_environments() as environments:
        environments.changes.use(name)
        default = environments.default
    output.say(f"Environment <{name}> is used where none is named.")
    if default != name:
        output.note("edi: warning: EDI_REST_SERVER is set in this shell and goes before it.")


@click.command(short_help="Test the way to an environment, step by step.")
@click.argument("name", metavar="ID", required=False, shell_complete=suggest_environments)
@form_option("json", "yaml")
def test(name: str | None, *, form: str | None) -> None:
    """Look up, connect, log in and say what is permitted. Changes nothing.

    Exit code 1 when a step fails.
    """
    from ..client.connection_check import check_connection

    failed = False
    told = []
    with open_environments() as environments:
        for step in check_connection(environments, name or environments.default):
            failed = failed or step.ok is False
            if form is not None:
                told.append(
                    {
                        "step": step.name,
                        "ok": step.ok,
                        "text": step.text,
                        "hint": step.hint,
                        "seconds": round(step.seconds, 3),
                    }
                )
                continue
            output.say(f"{step.name:<13} {_WORDS[step.ok]:<8} {step.text}")
            if step.hint and step.ok is not True:
                output.say(f"{'':<22} {step.hint}")
    if form is not None:
        output.emit(form, told)
    if failed:
        click.get_current_context().exit(FAILED)


@click.command(short_help="Forget an environment.")
@click.argument("name", metavar="ID", shell_complete=suggest_environments)
@force_option("Do not ask.")
def remove(name: str, *, force: bool) -> None:
    """Forget an environment; nothing happens to its services."""
    with open_environments() as environments:
        environments.describe(name)
        if not force:
            require_yes(
                f"Forget the environment {name}?",
                unasked=f"The environment {name} is not forgotten without -f.",
            )
        environments.changes.remove(name)
    output.say(f"Environment <{name}> is forgotten.")


@contextlib.contextmanager
def open_environments() -> Iterator[EnvironmentSet]:
    """Give the environments; connections made meanwhile are closed."""
    from ..client import EnvironmentSet, LocalEngine, default_store
    from ..client.token_words import IN_TERMINAL

    environments = EnvironmentSet(
        os.environ,
        LocalEngine(default_store(), "background"),
        warn=lambda text: output.note(f"edi: warning: {text}"),
        words=IN_TERMINAL,
    )
    try:
        yield environments
    finally:
        environments.close()
