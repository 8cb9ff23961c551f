"""``edi logs``: what the kernels of a service wrote."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

import click

from . import output
from .connection import connected
from .endings import Refused, about
from .options import Once, connection_options, deployment_argument

if TYPE_CHECKING:
    from ..models import LogLine, LogPage

#: Lines that are asked for at once, and seconds between two looks.
_PAGE, _PAUSE = 1_000, 0.5


@click.command(short_help="Show what the kernels of a service wrote.")
@deployment_argument
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    "count",
    cls=Once,
    type=click.IntRange(1, 2_000),
    help="How many lines, at most 2000. Default: 100.",
)
@click.option("-t", "--times", is_flag=True, help="With the time and the kernel of each line.")
@connection_options
def logs(name: str, *, follow: bool, count: int | None, times: bool) -> None:
    """Show the last lines that the kernels of a service wrote on stdout and stderr.

    Lines that begin with [engine] are the engine's own. WMLA keeps logs for its console alone.
    """
    with connected() as client, about(name):

        def ask(after: int | None, limit: int) -> LogPage:
            page = client.logs(name, after=after, limit=limit)
            if page is None:
                client.get_model(name)
                raise Refused(
                    f"{client.host} gives no logs: WMLA has no route for them. Look into its "
                    f'console, or at the kernels with "model view {name} -s -a".'
                )
            return page

        page = ask(None, count or 100)
        while True:
            for line in page.lines:
                output.say(_text(line, times=times))
            if not follow or not output.is_read():
                return
            # A restarted engine counts from 1 again.
            after = page.lines[-1].number if page.lines else page.last
            if not page.lines:
                threading.Event().wait(_PAUSE)
            page = ask(after, _PAGE)
            if page.last < after:
                page = ask(0, _PAGE)


def _text(line: LogLine, *, times: bool) -> str:
    text = f"[engine] {line.text}" if line.stream == "engine" else line.text
    if not times:
        return text
    moment = datetime.fromtimestamp(line.time).astimezone()
    return f"{moment.isoformat(timespec='milliseconds')} {line.kernel} {text}"
