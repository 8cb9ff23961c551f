"""``edi plan`` and ``edi apply``: services as ``edi.yaml`` says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import EdiError
from . import output
from .connection import connected
from .endings import wrong_use
from .interrupt import cancel_on_ctrl_c
from .options import Once, Waiting, connection_options, form_option, wait_option
from .progress import Bar

if TYPE_CHECKING:
    from ..client import EdiClient
    from ..operations.declared import Applied, Manifest, Plan, ServicePlan

#: Exit code of a plan that would change something.
CHANGES = 2
_READY_WAIT = 120.0

_file_option = click.option(
    "-f",
    "--file",
    cls=Once,
    metavar="FILE",
    help="The file. Default: edi.yaml in this folder.",
)


@click.command(short_help="Show what would change for services to be as edi.yaml says.")
@_file_option
@form_option("json", "yaml")
@connection_options
@click.pass_context
def plan(context: click.Context, file: str | None, form: str | None) -> None:
    """Show what would change for services to be as edi.yaml says; changes nothing.

    Exit code: 0 nothing to do, 2 something would change, 1 it could not be found out. Wrong use
    is 2 as well, with nothing on stdout.
    """
    with connected_to(file) as (client, manifest):
        from ..operations.declared import make_plan

        made = make_plan(client, manifest)
    if form is not None:
        output.emit(form, _document(made))
    else:
        _tell(made)
    if made.changes:
        context.exit(CHANGES)


@click.command(cls=Waiting, short_help="Make services what edi.yaml says.")
@_file_option
@wait_option("Wait until each started service is ready.", _READY_WAIT)
@form_option("json", "yaml")
@connection_options
def apply(*, file: str | None, wait: float | None, form: str | None) -> None:
    """Make services what edi.yaml says; where they are that already, nothing is called.

    Services that the file does not name are left alone. If one fails, those after it are left as
    they are; applying again goes on from there.
    """
    done: list[Applied] = []

    def tell(applied: Applied) -> None:
        bar.pause()
        done.append(applied)
        if form is None:
            output.say(f"{applied.name}: {', '.join(applied.done) or 'nothing to do'}")

    with connected_to(file) as (client, manifest):
        from ..operations.declared import apply_manifest, make_plan

        made = make_plan(client, manifest)
        with cancel_on_ctrl_c() as cancellation, Bar() as bar:
            try:
                apply_manifest(
                    client, made, wait=wait, tell=tell, report=bar.show, cancellation=cancellation
                )
            except EdiError as error:
                bar.pause()
                if form is not None:
                    output.emit(form, {**_report(done), "error": error.to_wire()})
                raise
    if form is not None:
        output.emit(form, _report(done))


def _report(done: list[Applied]) -> dict[str, Any]:
    return {
        "changed": any(item.done for item in done),
        "services": [{"name": item.name, "done": list(item.done)} for item in done],
    }


@contextlib.contextmanager
def connected_to(file: str | None) -> Iterator[tuple[EdiClient, Manifest]]:
    """Read the file, and only if it is good give a client with it."""
    from ..operations.declared import MANIFEST, read_manifest

    with wrong_use():
        manifest = read_manifest(Path(file or MANIFEST))
    with connected() as client:
        yield client, manifest


def _tell(plan: Plan) -> None:
    from ..operations.declared import describe

    for service in plan.services:
        steps = list(describe(service))
        output.say(f"{service.name}: {_headline(service)}")
        for step in steps:
            output.say(f"    {step}")
        for note in service.notes:
            output.say(f"    note: {note}")
    count = sum(service.changes for service in plan.services)
    rest = len(plan.services) - count
    if count:
        output.say(f"{_services(count)} would change, {rest} would not.")
    else:
        output.say(f"Nothing to do: {_services(rest)} as it should be.")


def _services(count: int) -> str:
    return f"{count} service{'' if count == 1 else 's'}"


def _headline(service: ServicePlan) -> str:
    if not service.changes:
        return "nothing to do"
    if service.remove:
        return "remove"
    if service.package is not None:
        return service.package
    if service.stop and service.start:
        return "change (needs a restart)"
    return "change" if service.profile else "stop" if service.stop else "start"


def _document(plan: Plan) -> dict[str, Any]:
    from ..operations.declared import describe

    return {
        "changes": plan.changes,
        "services": [
            {
                "name": service.name,
                "change": _headline(service) if service.changes else None,
                "steps": list(describe(service)),
                "profile": [
                    {"path": change.path, "old": change.old, "new": change.new}
                    for change in service.profile
                ],
                "notes": service.notes,
            }
            for service in plan.services
        ],
    }
