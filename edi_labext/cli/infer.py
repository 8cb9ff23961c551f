"""``edi infer``: one request to a service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import EdiError, InvalidInput, NotFound
from . import output
from .connection import connected
from .endings import WrongUse, about
from .given import read_given
from .options import Once, connection_options, deployment_argument, seconds

if TYPE_CHECKING:
    from ..client import EdiClient

_JSON_BEGINS = ("{", "[", '"')


@click.command(short_help="Send one request and print the answer.")
@deployment_argument
@click.option(
    "--payload",
    cls=Once,
    metavar="FILE|-|JSON",
    help="File with the request, - for stdin, or the JSON itself. "
    "Default: the sample request of the service's README.",
)
@click.option(
    "--timeout",
    cls=Once,
    callback=seconds,
    metavar="SECONDS",
    help="How long to wait for the answer. Default: 70.",
)
@connection_options
def infer(name: str, *, payload: str | None, timeout: float | None) -> None:
    """Send one request and print the answer on stdout as the kernel gave it.

    \b
      edi infer digits --payload eight.json
      edi infer digits --payload '{"pixels": [0, 16]}'
      curl -s https://example.com/eight.json | edi infer digits --payload -
    """  # noqa: D301 - \b is click's mark for lines that are kept
    from ..operations import infer as ask
    from ..operations.inference import MAX_PAYLOAD, TIMEOUT

    body = None if payload is None else _body(payload, limit=MAX_PAYLOAD)
    with connected() as client, about(name):
        if body is None:
            body = _sample(client, name)
        answer = ask(client, name, body, timeout=timeout or TIMEOUT)
        failure = answer.error()
        if failure is not None:
            raise failure
    output.emit_bytes(answer.body)


def _body(payload: str, *, limit: int) -> bytes:
    """Return the request: of stdin, the text itself where it looks like JSON, else of a file."""
    from ..models.strict_json import parse_json

    if payload.lstrip().startswith(_JSON_BEGINS) and not _is_file(payload):
        text = payload.encode("utf-8", "surrogateescape")
        try:
            parse_json(text, what="--payload", limit=limit)
        except EdiError as error:
            raise WrongUse(error) from None
        return text
    return read_given(payload, limit=limit)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _sample(client: EdiClient, name: str) -> bytes:
    from ..operations import sample_payload

    client.get_model(name)
    try:
        text = sample_payload(client.readme(name))
    except NotFound:
        text = None
    if text is None:
        raise WrongUse(
            InvalidInput(
                f"The README of {name} shows no sample request.",
                hint="Give one with --payload FILE.",
                field="payload",
            )
        )
    output.note(f"edi: sending the sample request of the README of {name}.")
    return text.encode()
