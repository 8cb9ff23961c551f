"""``edi export``: services that are there, as an ``edi.yaml``."""

from __future__ import annotations

from pathlib import Path

import click

from . import output
from .connection import connected
from .endings import Refused
from .options import Once, connection_options, force_option
from .suggestions import suggest_services
from .written import refuse_unwritable, write_file


@click.command(short_help="Write services that are there as an edi.yaml.")
@click.argument(
    "names", metavar="NAME...", nargs=-1, required=True, shell_complete=suggest_services
)
@click.option(
    "-p",
    "--path",
    "folder",
    cls=Once,
    metavar="DIR",
    help="The source folder of the (one) service, as the file is to name it.",
)
@click.option(
    "-o", "--output", "file", cls=Once, metavar="FILE", help="Where to write it. Default: stdout."
)
@force_option("Replace the file if it is there.")
@connection_options
def export(names: tuple[str, ...], *, folder: str | None, file: str | None, force: bool) -> None:
    """Write services that are there as an edi.yaml: their profiles and whether they are started.

    An EDI gives no package back, so the source folder has to be named (-p).
    """
    from ..errors import InvalidInput, NotFound
    from ..models import check_name

    for name in names:
        try:
            check_name(name)
        except InvalidInput as error:
            raise click.BadParameter(f"{error.message} {error.hint or ''}".strip()) from None
    if folder is not None and len(names) > 1:
        raise click.UsageError("-p is for one service; name the others' folders in the file.")
    if file not in (None, "-"):
        refuse_unwritable(Path(file), force=force)
    with connected() as client:
        from ..operations.declared import export_manifest

        for name in names:
            try:
                client.get_model(name)
            except NotFound:
                raise Refused(f"Model <{name}> doesn't exist.") from None
        folders = {} if folder is None else {names[0]: folder}
        text = export_manifest(client, names, folders)
    if file in (None, "-"):
        output.say_all(text)
        return
    write_file(Path(file), lambda out: out.write(text.encode()), force=force)
    output.note(f"Wrote {file}.")
