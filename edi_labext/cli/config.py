"""``dlim config``: where the EDI is, logging in, and tokens for scripts (dlim's facts, section 3).

dlim keeps the address and the token of ``-t``. Here the address becomes the environment ``dlim``.
A token is never kept in plain: the password goes into the keyring of the operating system if there
is one, and brings a fresh token when one is needed; else the token is printed and that is all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..errors import InvalidInput
from . import output
from .connection import opened
from .endings import WrongUse, wrong_use
from .env import open_environments
from .options import Once, connection_options

if TYPE_CHECKING:
    from ..client import EnvironmentSet
    from ..client.environment_settings import LoginToken

#: Identifier of the environment that ``-c`` keeps.
KEPT = "dlim"
_MAX_SECRET = 4 << 10


@click.command(short_help="Say where the EDI is, log in, and get tokens, as dlim does.")
@click.option("-c", "--rest", "address", cls=Once, metavar="URL", help="Use the EDI at this URL.")
@click.option("-t", "--token", "log_in", is_flag=True, help="Log in and print the user token.")
@click.option("-s", "--service-token", "service", is_flag=True, help="Print an inference token.")
@click.option("-u", "--user", cls=Once, metavar="USER", help="User name to log in with.")
@click.option(
    "-x",
    "--password",
    cls=Once,
    metavar="PASSWORD",
    help="Password; - reads it from stdin. Without -x and -k a terminal is asked.",
)
@click.option("-k", "--api-key", cls=Once, metavar="APIKEY", help="API key instead; - as for -x.")
@connection_options
def config(
    *,
    address: str | None,
    log_in: bool,
    service: bool,
    user: str | None,
    password: str | None,
    api_key: str | None,
) -> None:
    """Say where the EDI is (-c), log in (-t -u USER), or get a token for inference (-s).

    -c keeps the address as the environment "dlim" and uses it from now on; USER_ACCESS_TOKEN goes
    there. -t and -s print a token alone on stdout. What else environments can do: edi env --help.
    """
    if not (address or log_in or service):
        raise click.UsageError("Give -c URL, -t or -s.")
    if log_in and service:
        raise click.UsageError("-t and -s print a token each; give one of them.")
    if password is not None and api_key is not None:
        raise click.UsageError("-x and -k contradict each other.")
    if (log_in and user is None) or (user is None and (password or api_key)):
        raise click.UsageError("A log-in needs -u USER.")
    if user is not None and not (log_in or service):
        raise click.UsageError("-u belongs to -t or -s.")
    if address is not None:
        _keep(address)
    if log_in or service:
        output.say(_token(user, password, api_key, service=service))


def _keep(address: str) -> None:
    from ..client.environment_changes import make_settings
    from ..client.environment_settings import VariableSecret

    with wrong_use():
        made = make_settings(title="dlim config", address=address)
    with open_environments() as environments, wrong_use():
        # Whoever writes the address on this line has named its hosts.
        kept = environments.changes.save(KEPT, made, made.hosts)
        named = next((item for item in environments.list() if item.source == "variable"), None)
        if named is not None:
            output.note("edi: warning: EDI_REST_SERVER is set in this shell and goes before it.")
        if kept.token is None and named is None:
            environments.changes.choose_token(KEPT, VariableSecret(), made.hosts)
            output.note(f"USER_ACCESS_TOKEN goes to {' and '.join(made.hosts)}, and nowhere else.")
        environments.changes.use(KEPT)
    output.say(f"REST server is set to {kept.address}")


def _token(user: str | None, password: str | None, api_key: str | None, *, service: bool) -> str:
    from ..client.log_in import LogIn

    secret = None if user is None else _secret(user, password, api_key)
    with opened() as (environments, environment):
        way = LogIn(environments, environment)
        if user is None or secret is None:
            return way.service_token(way.own_token())
        token, login = way.user_token(user, secret, api_key=api_key is not None)
        if service:
            return way.service_token(token)
        _remember(environments, environment, login, secret)
    return token


def _remember(
    environments: EnvironmentSet, environment: str, login: LoginToken, secret: str
) -> None:
    """Have the environment log in like that by itself, if there is a keyring for the secret."""
    from ..client.addresses import host_of
    from ..client.log_in import keep_secret

    stored = any(item.id == environment and item.source == "stored" for item in environments.list())
    if stored:
        settings = environments.describe(environment)
        origin = settings.model_copy(update={"token": login}).login_origin or settings.origins[0]
        if keep_secret(origin, login.username, secret):
            hosts = [*settings.hosts, host_of(origin)]
            environments.changes.choose_token(environment, login, hosts)
            output.note(f"The keyring keeps it: environment <{environment}> logs in by itself.")
            return
    called = click.get_current_context().find_root().info_name or "edi"
    output.note(
        f"{called}: the token is printed and not kept"
        + ("" if not stored else ', as there is no keyring (pip install "edi_labext[keyring]")')
        + f'. Use it: export USER_ACCESS_TOKEN="$({called} config -t ...)".'
    )


def _secret(user: str, password: str | None, api_key: str | None) -> str:
    given = password if password is not None else api_key
    flag = "-x" if password is not None else "-k"
    if given == "-":
        text = "" if sys.stdin is None else sys.stdin.readline(_MAX_SECRET)
        given = text.rstrip("\r\n")
    elif given is not None:
        output.note(
            f"edi: warning: {flag} shows it to everybody who can run ps on this machine. Give "
            f'"{flag} -" and write it to stdin, or leave the flag out to be asked.'
        )
    elif sys.stdin is not None and sys.stdin.isatty():
        given = click.prompt(f"Password of {user}", hide_input=True, err=True)
    if not given:
        raise click.UsageError("A log-in needs -x PASSWORD or -k APIKEY.")
    if not given.isprintable():
        raise WrongUse(InvalidInput("A password or API key is one line of text."))
    return given
