"""``edi runtime``: the Pythons that kernels run in. dlim has the verbs; its lines are unknown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from . import output
from .connection import connected
from .endings import Refused
from .listing import table
from .options import connection_options, force_option, form_option
from .program import Verbs
from .questions import require_yes
from .view import label_line, time_text

if TYPE_CHECKING:
    from ..models import Runtime

_WIDTH = 18
_json_option = click.option("-j", "--json", "as_json", is_flag=True, help="All of it as JSON.")


@click.command(
    cls=Verbs,
    verbs={
        "list": "runtime:list_",
        "view": "runtime:view",
        "create": "runtime_change:create",
        "update": "runtime_change:update",
        "delete": "runtime:delete",
    },
)
@connection_options
def runtime() -> None:
    """List, create, change and remove the Python environments that services run in."""


@click.command(name="list", short_help="List all runtimes.")
@_json_option
@form_option("table", "json", "yaml")
@connection_options
def list_(*, as_json: bool, form: str | None) -> None:
    """List all runtimes: their names are what "runtime" in model.json may be."""
    with connected() as client:
        found = client.runtimes()
    if as_json or form in ("json", "yaml"):
        documents = [item.to_wire() for item in found]
        output.emit("json" if as_json else form or "json", documents)
        return
    rows = [(item.type, item.place or "-", item.description or "-") for item in found]
    for line in table(("NAME", "PYTHON", "DESCRIPTION"), rows):
        output.say(line)


@click.command(short_help="Show one runtime.")
@click.argument("name", metavar="NAME")
@_json_option
@connection_options
def view(name: str, *, as_json: bool) -> None:
    """Show one runtime. Values of its variables are only in the JSON: some are secrets."""
    with connected() as client, about_runtime(name):
        found = client.runtime(name)
    if as_json:
        output.emit_json(found.to_wire())
        return
    for line in _lines(found):
        output.say(line)


@click.command(short_help="Remove a runtime.")
@click.argument("name", metavar="NAME")
@force_option("Do not ask.")
@connection_options
def delete(name: str, *, force: bool) -> None:
    """Remove a runtime that no started service uses. The Python itself stays where it is."""
    if not force:
        require_yes(
            f"Do you want to remove runtime <{name}>?",
            unasked=f"Runtime <{name}> was not removed: nobody can be asked here. Use -f.",
        )
    from ..operations import delete_runtime

    with connected() as client, about_runtime(name):
        delete_runtime(client, name)
    output.say(f"Runtime <{name}> is deleted successfully")


@contextlib.contextmanager
def about_runtime(name: str) -> Iterator[None]:
    """Say in the words of the other verbs that there is no runtime ``name``."""
    from ..errors import NotFound

    try:
        yield
    except NotFound:
        raise Refused(f"Runtime <{name}> doesn't exist.") from None


def _lines(item: Runtime) -> Iterator[str]:
    from ..models import KERNELSPEC_ATTRIBUTE, PYTHON_ATTRIBUTE

    rows: list[tuple[str, str]] = [
        ("Name", item.type),
        ("Description", item.description or "-"),
        ("Python", item.place or "-"),
        ("Notebook kernel", item.attribute(KERNELSPEC_ATTRIBUTE)),
        ("Launcher", item.launcher),
        ("Image", item.docker_img),
        ("Machines", item.machine_type),
        ("Created", time_text(item.epoch_created)),
        ("Last updated", time_text(item.epoch_updated)),
    ]
    ours = (PYTHON_ATTRIBUTE, KERNELSPEC_ATTRIBUTE)
    rows += [("Variable", variable.name) for variable in item.envs]
    rows += [
        ("Attribute", f"{one.key}={one.value}") for one in item.attributes if one.key not in ours
    ]
    for label, value in rows:
        if value:
            yield label_line(label, value, _WIDTH)
    if item.pre_exec:
        yield "Before the kernel (pre_exec):"
        yield from (f"  {line}" for line in item.pre_exec.splitlines())
