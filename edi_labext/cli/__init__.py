"""The ``edi`` command."""

from __future__ import annotations

import click

from .. import __version__
from .serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edi", message="%(prog)s %(version)s")
def main() -> None:
    """Deploy, run and look after EDI inference services."""


main.add_command(serve)
