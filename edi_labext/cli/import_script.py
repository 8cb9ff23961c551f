"""``edi import``: a script that drives dlim, as an ``edi.yaml``."""

from __future__ import annotations

from pathlib import Path

import click

from . import output
from .endings import FAILED, wrong_use
from .options import Once, force_option
from .written import refuse_unwritable, write_file


@click.command(name="import", short_help="Make an edi.yaml of a script that drives dlim.")
@click.argument("script", metavar="SCRIPT", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "file", cls=Once, metavar="FILE", help="Where to write it. Default: edi.yaml."
)
@force_option("Replace the file if it is there.")
@click.pass_context
def import_(context: click.Context, script: Path, file: str | None, *, force: bool) -> None:
    """Make an edi.yaml of a shell script, a Python script or a notebook that drives dlim.

    Nothing of it is run. What was understood is listed, and what goes wrong in the script. With
    "-o -" the file goes to stdout and the list to stderr.

    Exit code: 0 if there is something to write, else 1.
    """
    from ..operations.declared.importing import import_script

    target = Path(file or "edi.yaml")
    tell = output.note if file == "-" else output.say
    if file != "-":
        refuse_unwritable(target, force=force)
    with wrong_use():
        found = import_script(script, beside=None if file == "-" else target.parent)
    for place, meaning in found.recognised:
        tell(f"{place}: {meaning}")
    for place, question in found.unclear:
        tell(f"{place}: look here: {question}")
    for trap in found.traps:
        tell(f"{trap.place}: trap: {trap.message}")
        tell(f"    {trap.hint}")
    steps = len(found.recognised) + len(found.unclear)
    tell(
        f"{len(found.recognised)} of {steps} steps understood, {len(found.unclear)} to look at, "
        f"{len(found.traps)} traps."
    )
    if not found.services:
        output.note("No service is deployed, started or stopped in it; nothing was written.")
        context.exit(FAILED)
    text = found.manifest(script.name)
    if file == "-":
        output.say_all(text)
        return
    write_file(target, lambda out: out.write(text.encode()), force=force)
    tell(f"Wrote {target}: {', '.join(found.services)}.")
