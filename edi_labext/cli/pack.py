"""``edi pack``: the package that a deploy would send, as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from . import output
from .endings import wrong_use
from .options import Once, force_option
from .written import refuse_unwritable, write_file

if TYPE_CHECKING:
    from ..submission import PackageSummary


@click.command(short_help="Write the package of a folder to a file.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "file",
    cls=Once,
    metavar="FILE",
    help="Where to write it, - for stdout. Default: NAME.tgz in this folder.",
)
@force_option("Replace the file if it is there.")
def pack(folder: Path, file: str | None, *, force: bool) -> None:
    """Write the package that a deploy of the folder would send.

    The same folder always gives the same bytes.
    """
    from ..operations import check_folder
    from ..submission import pack as write_package

    with wrong_use():
        found = check_folder(folder)
        name = found.require_deployable().name
    if file == "-":
        if sys.stdout is None or sys.stdout.isatty():
            raise click.UsageError("A package is not for a terminal; redirect stdout.")
        write_package(found.submission, sys.stdout.buffer)
        return
    path = Path(f"{name}.tgz" if file is None else file)
    refuse_unwritable(path, force=force)

    def write(out: BinaryIO) -> PackageSummary:
        return write_package(found.submission, out)

    summary = write_file(path, write, force=force)
    for warning in found.warnings:
        output.note(f"edi: warning: {warning.place}: {warning.message}")
    output.say(f"{summary.sha256}  {path}")
    output.note(f"{summary.files} files, {summary.content_size:,} bytes, packed {summary.size:,}.")
