"""``edi model viewprofile`` and ``updateprofile``: the profile as JSON, or to read."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import click

from . import output
from .connection import connected
from .endings import about, wrong_use
from .given import describe, read_given
from .options import Once, connection_options, deployment_argument, form_option


@click.command(short_help="Show how a service is to run.")
@deployment_argument
@click.option("-j", "--json", "as_json", is_flag=True, help="The profile alone, as JSON.")
@form_option("json", "yaml")
@connection_options
def viewprofile(name: str, *, as_json: bool, form: str | None) -> None:
    """Show how a service is to run: kernels, GPU, resources, timeouts.

    The keys are those of the JSON document, so what is read here can be written there.
    """
    if as_json and form == "yaml":
        raise click.UsageError('-j and "-o yaml" contradict each other.')
    with connected() as client, about(name):
        document = client.app_profile(name)
        if as_json or form is not None:
            output.emit(form or "json", document)
            return
        capabilities = client.capabilities()
    honoured = None if capabilities is None else capabilities.honoured_profile_fields
    for line in profile_lines(document, honoured):
        output.say(line)


@click.command(short_help="Replace the profile of a stopped service.")
@deployment_argument
@click.option(
    "-f",
    "--file",
    cls=Once,
    type=click.Path(dir_okay=False, allow_dash=True),
    required=True,
    metavar="FILE",
    help='The whole profile as JSON, as "viewprofile -j" writes it; "-" is stdin.',
)
@connection_options
def updateprofile(name: str, *, file: str) -> None:
    """Replace the profile of a stopped service; it is used at the next start."""
    from ..models.strict_json import MAX_JSON_BYTES, parse_object
    from ..operations import NextProfiles, save_profile

    data = read_given(file, limit=MAX_JSON_BYTES)
    with wrong_use():
        document = parse_object(data, what=describe(file))
    with connected() as client, about(name):
        # Read before, so that it can be told whether a lost answer was a yes.
        save_profile(client, name, document, before=client.app_profile(name))
        # What waited for the next start was older than this.
        NextProfiles.of(client).remove(name)
    output.say("Model is updated successfully")


def profile_lines(document: dict[str, Any], honoured: Sequence[str] | None = None) -> Iterator[str]:
    """Yield a profile to read: plain values first, then each section under its dotted path.

    Parameters
    ----------
    honoured:
        The fields that the EDI acts on, if it tells; the others are named at the end.
    """
    from ..operations import is_only_kept, parts_acted_on

    kept = []
    for section, values in _sections(document, ""):
        if section:
            yield ""
            yield section
        indent = "  " if section else ""
        width = max((len(key) for key in values), default=0) + 2
        for key, value in values.items():
            yield f"{indent}{key:<{width}}{value}"
            path = f"{section}.{key}" if section else key
            if is_only_kept(path, honoured):
                kept.append(path)
            elif parts := parts_acted_on(path, honoured):
                kept.append(f"{path} (but for {', '.join(parts)})")
    if kept:
        yield ""
        yield "Kept, and not acted on here:"
        yield from textwrap.wrap(
            ", ".join(kept),
            100,
            initial_indent="  ",
            subsequent_indent="  ",
            break_on_hyphens=False,
        )


def _sections(value: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, str]]]:
    plain = {key: _text(item) for key, item in value.items() if not isinstance(item, dict)}
    if plain:
        yield path, plain
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _sections(item, f"{path}.{key}" if path else key)


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(_text(item) for item in value) or "-"
        case {"name": name, "value": text}:
            return f"{name}={text}"
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case None | "":
            return "-"
    return str(value)
