"""``edi env add``: an environment in one line, and where its token comes from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Conflict, InvalidInput, echo
from . import output
from .endings import wrong_use
from .env import open_environments
from .options import Once, force_option

if TYPE_CHECKING:
    from ..client import EnvironmentSet
    from ..client.environment_settings import TokenSettings

_SOURCES = "variable:NAME, file:PATH, command:PROGRAM…, login:USER, session"


@click.command(short_help="Add an environment, or change one.")
@click.argument("name", metavar="ID")
@click.option(
    "--address",
    cls=Once,
    metavar="URL",
    required=True,
    help="In any form: console, route of Cloud Pak for Data, with or without /dlim/v1/.",
)
@click.option(
    "--inference-address",
    cls=Once,
    metavar="URL",
    help="Of the inference host, if it is not the one that belongs to the console.",
)
@click.option("--title", cls=Once, metavar="TEXT", help="For people; the ID by default.")
@click.option(
    "--token",
    cls=Once,
    metavar="SOURCE",
    help=f"Where its token comes from: {_SOURCES}. By default variable:USER_ACCESS_TOKEN.",
)
@click.option(
    "--login-at",
    cls=Once,
    metavar="URL",
    help='With login: Cloud Pak for Data, if it is another host; "edi" for EDI\'s own log-in.',
)
@click.option(
    "--login-with",
    cls=Once,
    type=click.Choice(["password", "api_key"]),
    help="With login: what the secret is. By default password.",
)
@click.option(
    "--secret",
    cls=Once,
    metavar="SOURCE",
    help="With login: keyring (the default), variable:NAME or file:PATH.",
)
@click.option("--ca-bundle", cls=Once, metavar="FILE", help="Certificate authorities, PEM.")
@click.option("--client-certificate", cls=Once, metavar="FILE", help="PEM.")
@click.option("--client-key", cls=Once, metavar="FILE", help="PEM, without a password.")
@click.option("--proxy", cls=Once, metavar="URL", help='Instead of HTTPS_PROXY; "none" for none.')
@click.option(
    "--no-verify",
    is_flag=True,
    help="Do NOT check certificates; whoever is on the way can read your token.",
)
@click.option(
    "--upload",
    cls=Once,
    type=click.Choice(["auto", "raw", "multipart"]),
    help="How packages are sent; multipart is for WMLA 2.3.0.",
)
@click.option("--production", is_flag=True, help="Ask more strictly before anything is removed.")
@force_option("Change the one that has this ID already.")
def add(name: str, *, force: bool, **given: Any) -> None:
    """Add an environment to the settings of Jupyter; its token is not kept there.

    The token goes to the hosts of these addresses and nowhere else.
    """
    from ..client.environment_changes import make_settings

    with wrong_use():
        token = _token(given)
        made = make_settings(
            title=given["title"] or name,
            address=given["address"],
            inference_address=given["inference_address"],
            ca_bundle=_absolute(given["ca_bundle"]),
            client_certificate=_absolute(given["client_certificate"]),
            client_key=_absolute(given["client_key"]),
            proxy=given["proxy"],
            verify=not given["no_verify"],
            upload=given["upload"] or "auto",
            production=given["production"],
        )
    with open_environments() as environments:
        if given["token"] is None:
            _require_free_variable(environments, made.origins[0])
        if not force and any(item.id == name for item in environments.list()):
            with wrong_use():
                raise Conflict(
                    f"There is already an environment {echo(name)}.",
                    code="exists",
                    hint="Give -f to change it.",
                )
        with wrong_use():
            # Whoever writes the address on this line has named its hosts.
            environments.changes.save(name, made, made.hosts)
            login = made.model_copy(update={"token": token}).login_origin
            hosts = [*made.hosts, *([login.partition("://")[2]] if login else [])]
            environments.changes.choose_token(name, token, hosts)
    output.say(f"Environment <{name}> is kept.")
    output.note(f"Its token goes to {' and '.join(dict.fromkeys(hosts))}, and nowhere else.")
    if given["no_verify"]:
        output.note(f"edi: warning: the certificate of {made.hosts[0]} is NOT checked.")


def _require_free_variable(environments: EnvironmentSet, origin: str) -> None:
    """Refuse to take the token of ``EDI_REST_SERVER`` for another server unasked."""
    described = next((item for item in environments.list() if item.source == "variable"), None)
    if described is None or (described.address or "").startswith(f"{origin}/"):
        return
    raise click.UsageError(
        "USER_ACCESS_TOKEN belongs to EDI_REST_SERVER, which is another address. Give --token."
    )


def _token(given: dict[str, Any]) -> TokenSettings | None:
    from pydantic import ValidationError

    from ..client.environment_settings import (
        CommandToken,
        FileSecret,
        KeyringSecret,
        LoginToken,
        SessionToken,
        VariableSecret,
    )
    from ..client.environment_store import invalid_settings

    kind, _, value = (given["token"] or "variable:USER_ACCESS_TOKEN").partition(":")
    if kind != "login" and (given["login_at"] or given["login_with"] or given["secret"]):
        raise click.UsageError("--login-at, --login-with and --secret go with --token login:USER.")
    try:
        if kind == "variable":
            return VariableSecret(variable=value)
        if kind == "file":
            return FileSecret(path=str(_absolute(value)))
        if kind == "command":
            return CommandToken(command=shlex.split(value))
        if kind == "session":
            return SessionToken()
        if kind == "login":
            keeper, _, where = (given["secret"] or "keyring").partition(":")
            kept: KeyringSecret | VariableSecret | FileSecret = KeyringSecret()
            if keeper == "variable":
                kept = VariableSecret(variable=where)
            elif keeper == "file":
                kept = FileSecret(path=str(_absolute(where)))
            elif keeper != "keyring":
                raise click.UsageError("--secret is keyring, variable:NAME or file:PATH.")
            at_edi = given["login_at"] == "edi"
            return LoginToken(
                service="edi" if at_edi else "cpd",
                address=None if at_edi else given["login_at"],
                username=value,
                credential=given["login_with"] or "password",
                secret=kept,
            )
    except ValidationError as error:
        raise invalid_settings(error) from None
    except ValueError:
        raise InvalidInput("The command of --token has an unmatched quote.") from None
    raise click.UsageError(f"--token is one of {_SOURCES}. A token itself is not kept.")


def _absolute(path: str | None) -> str | None:
    if not path:
        return None
    return str(Path(path).expanduser().absolute())
