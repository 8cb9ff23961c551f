"""Which EDI a command talks to, and the way there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from ..errors import NotConfigured, echo
from . import output
from .endings import wrong_use

if TYPE_CHECKING:
    from ..client import EdiClient, EnvironmentSet

_MAX_TOKEN_FILE = 64 << 10


@dataclass
class Target:
    """What the global flags said, wherever they stood; ``None`` = not given."""

    environment: str | None = None
    rest_server: str | None = None
    jwt_token: str | None = None


@contextlib.contextmanager
def connected() -> Iterator[EdiClient]:
    """Give a client of the EDI that the flags and the environment ask for; see :func:`connect`."""
    with opened() as (environments, environment):
        yield connect(environments, environment)


@contextlib.contextmanager
def opened() -> Iterator[tuple[EnvironmentSet, str]]:
    """Give the environments, and the id of the one that the flags and the environment ask for.

    Raises
    ------
    click.UsageError, WrongUse
        The flags contradict each other, or an address or token cannot be used.
    NotConfigured
        The settings file cannot be used.
    """
    from ..client import EnvironmentSet, LocalEngine, default_store
    from ..client.environments import TOKEN_VARIABLE
    from ..client.token_words import IN_TERMINAL

    environment, variables = resolve(_target(), os.environ)
    environments = EnvironmentSet(
        variables,
        LocalEngine(default_store(), "background"),
        warn=lambda text: output.note(f"edi: warning: {text}"),
        words=IN_TERMINAL,
    )
    try:
        require_known(environments, environment)
        if _target().jwt_token is not None:
            hosts = environments.describe(environment).hosts
            environments.changes.paste_token(environment, variables[TOKEN_VARIABLE], hosts)
        yield environments, environment
    finally:
        # A background engine lives on; only connections are closed.
        environments.close()


def connect(environments: EnvironmentSet, environment: str) -> EdiClient:
    """Return a client of an environment.

    For Local that is a running engine, or one started in the background, which is said on stderr.

    Raises
    ------
    click.UsageError
        There is no such environment.
    NotConfigured
        The address or the token is missing or unusable.
    Unavailable
        Local's engine does not start.
    """
    from ..client import LOCAL

    require_known(environments, environment)
    starting = environment == LOCAL and environments.engine.find() is None
    client = environments.connect(environment)
    if starting:
        output.note(
            "edi: started the serving engine of this machine in the background. "
            '"edi serve --stop" ends it, or half an hour with nothing started.'
        )
    return client


def require_known(environments: EnvironmentSet, environment: str) -> None:
    """Raise :class:`click.UsageError` if there is no such environment, naming those there are."""
    known = [item.id for item in environments.list()]
    if environment in known:
        return
    if environments.problem is not None:
        raise environments.problem
    raise click.UsageError(
        f"There is no environment {echo(environment)}; there is {' and '.join(known)}."
        + ("" if len(known) > 1 else " EDI_REST_SERVER is not set.")
    )


def resolve(target: Target, env: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the environment's id, and the variables that say where it is.

    ``--rest-server``, else ``--environment``, else ``EDI_REST_SERVER``, else the one chosen with
    ``edi env use``, else Local. The token of ``USER_ACCESS_TOKEN`` belongs to
    ``EDI_REST_SERVER``: another server needs its own.

    Raises
    ------
    click.UsageError
        The flags contradict each other.
    WrongUse
        The address or the token cannot be used.
    """
    from ..client import LOCAL
    from ..client.environments import SERVER_VARIABLE, TOKEN_VARIABLE, WMLA, parse_server

    variables = dict(env)
    configured = env.get(SERVER_VARIABLE, "").strip()
    chosen = target.environment
    if chosen not in (None, WMLA) and target.rest_server is not None:
        raise click.UsageError(f'--rest-server and "--environment {chosen}" contradict each other.')
    if target.rest_server is not None:
        with wrong_use():
            address = parse_server(target.rest_server, source="--rest-server")
        if target.jwt_token is None and configured and not _same_origin(address, configured):
            raise click.UsageError(
                f"{TOKEN_VARIABLE} belongs to {SERVER_VARIABLE}, which is another address than "
                "--rest-server. Give --jwt-token @FILE as well."
            )
        variables[SERVER_VARIABLE] = address
        chosen = WMLA if chosen is None else chosen
    if chosen is None:
        chosen = WMLA if configured else _kept_default(env) or LOCAL
    if target.jwt_token is not None:
        if chosen == LOCAL:
            raise click.UsageError(
                "--jwt-token is for a server; give --rest-server too. This machine's engine "
                "needs none."
            )
        variables[TOKEN_VARIABLE] = _token(target.jwt_token)
    return chosen, variables


def _kept_default(env: Mapping[str, str]) -> str | None:
    from ..client.environment_store import EnvironmentStore, default_settings_file

    return EnvironmentStore(default_settings_file(env)).load().current


def _target() -> Target:
    return click.get_current_context().ensure_object(Target)


def _same_origin(address: str, configured: str) -> bool:
    """Tell whether both name one host and port; a configured address that is unusable does not."""
    from ..client.environments import parse_server

    try:
        ours = urlsplit(parse_server(configured))
    except NotConfigured:
        return False
    theirs = urlsplit(address)
    return (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())


def _token(given: str) -> str:
    """Return the token of ``--jwt-token``: of a file after ``@``, else the text, with a warning."""
    from ..client.tokens import clean_token

    with wrong_use():
        if given in ("-", "@-"):
            text = "" if sys.stdin is None else sys.stdin.readline(_MAX_TOKEN_FILE)
            return clean_token(text.rstrip("\r\n"), source="stdin")
        if given.startswith("@"):
            return clean_token(_read(Path(given[1:])), source="The file of --jwt-token")
        output.note(
            "edi: warning: --jwt-token shows the token to everybody who can run ps on this "
            "machine. Set USER_ACCESS_TOKEN, or give --jwt-token @FILE."
        )
        return clean_token(given, source="--jwt-token")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            # The last line break of a file is none of the token's.
            return file.read(_MAX_TOKEN_FILE).decode("ascii").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise NotConfigured(
            "The file of --jwt-token cannot be read as a token.",
            code="bad_token",
            hint="Write the token into it, alone and in one line.",
        ) from None
