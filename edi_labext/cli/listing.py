"""``edi model list``: dlim's table, and other forms of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from . import output
from .connection import connected
from .options import connection_options, form_option

#: States asked for at once; a list is looked at once, not polled.
_FAN_OUT = 16


@click.command(name="list", short_help="List all services with their addresses.")
@form_option("table", "json", "yaml")
@connection_options
def list_(*, form: str | None) -> None:
    """List all services with the address for inference; "-" where a service is not started.

    With -o each one's state is asked for too: a table to read, or JSON or YAML for programs.
    """
    with connected() as client:
        if form is None:
            # One call, as dlim: the addresses are all that its table has.
            models = sorted(client.list_models(), key=lambda model: model.name)
            rows = [(model.name, model.service_uri or "-") for model in models]
            for line in table(("NAME", "REST URI"), rows):
                output.say(line)
            return
        from ..operations import list_deployments

        found = sorted(list_deployments(client, fan_out=_FAN_OUT), key=lambda item: item.name)
    if form != "table":
        output.emit(form, [item.model_dump(mode="json") for item in found])
        return
    header = ("NAME", "STATE", "KERNELS", "PENDING", "RUNTIME", "REST URI")
    told = [
        (
            item.name,
            item.state,
            f"{item.kernels_ready}/{item.kernels_wanted}",
            str(item.pending_tasks),
            item.runtime or "-",
            item.service_uri or "-",
        )
        for item in found
    ]
    for line in table(header, told):
        output.say(line)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table: each column as wide as its longest cell and two blanks."""
    cells = [tuple(output.plain(cell) for cell in row) for row in rows]
    widths = [
        max(len(row[column]) for row in (header, *cells)) + 2 for column in range(len(header) - 1)
    ]
    for row in (header, *cells):
        padded = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        yield "".join([*padded, row[-1]])
