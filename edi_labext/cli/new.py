"""``edi new``: a submission folder to begin with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from . import output
from .endings import wrong_use
from .options import Once

# As in the templates' own list, so that help needs no import of it; a test compares them.
TEMPLATES = ("echo", "batch", "sklearn", "weights")

#: What has to be done with a template before it can run.
_FIRST = {"weights": "put the address and the SHA-256 of your weights into model.json."}


@click.command(
    short_help="Write a submission folder to begin with.",
    epilog="""\b
Templates:
  echo     the shape of a kernel and nothing else
  batch    several requests answered by one call of the model
  sklearn  a scikit-learn model, with the script that trains it
  weights  large weights, fetched and checked when a kernel starts
""",
)
@click.argument("template", type=click.Choice(TEMPLATES), metavar="TEMPLATE")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", cls=Once, help="Name of the service. Default: made of the folder's.")
@click.pass_context
def new(context: click.Context, template: str, folder: Path, name: str | None) -> None:
    """Write a new submission folder: kernel, model.json, README and a request to try."""
    from ..submission.templates import create_submission

    with wrong_use():
        files = create_submission(template, folder, name=name)
    for file in files:
        output.say(os.fspath(folder / file))
    called = context.find_root().info_name or "edi"
    first = _FIRST.get(template)
    if first is not None:
        output.note(f"First: {first}")
    output.note(f"Next: {called} model deploy -p {folder} --wait")
