"""From the settings of a token to where it is read: pasted, printed by a program, logged in."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import EdiError, NotConfigured, UpstreamBadResponse, UpstreamUnauthorized, echo
from .addresses import host_of, origin_of
from .answers import read_object, refusal
from .environment_settings import (
    CommandToken,
    EnvironmentSettings,
    FileSecret,
    KeyringSecret,
    LoginToken,
    VariableSecret,
)
from .token_words import IN_JUPYTERLAB, TokenWords
from .tokens import (
    TOKEN_VARIABLE,
    FetchedToken,
    FileToken,
    TokenSource,
    VariableToken,
    clean_token,
    read_private,
)
from .transport import Network, Transport

#: Seconds that a program may take to print a token.
COMMAND_TIMEOUT = 30.0

_MAX_OUTPUT = 64 << 10
_MAX_SECRET = 4 << 10
#: Route of Cloud Pak for Data that gives tokens (``reference/rest-api.md`` section 2).
_AUTHORIZE = "/icp4d-api/v1/authorize"


class PastedToken:
    """The token that a person has pasted for one environment, while the process lives.

    Parameters
    ----------
    lookup:
        Returns the token, or ``None`` while there is none for the hosts it was pasted for.
    words:
        What to say of it.
    """

    def __init__(self, lookup: Callable[[], str | None], words: TokenWords = IN_JUPYTERLAB) -> None:
        self._lookup = lookup
        self._words = words

    @property
    def advice(self) -> str:
        """What to do once its token is refused."""
        return self._words.paste_again

    def __call__(self) -> str:
        """Return the token; raises :class:`~edi_labext.errors.NotConfigured`."""
        token = self._lookup()
        if token is None:
            raise NotConfigured(
                "No token has been pasted yet.", code="no_token", hint=self._words.paste
            )
        return token

    def __repr__(self) -> str:
        return "PastedToken()"

    def renew(self, rejected: str) -> str:
        """Return what is pasted now."""
        return self()

    def known(self) -> str | None:
        """Return it."""
        return self()


class PastedOr:
    """A pasted token while there is one, else that of another source; parameters as above."""

    def __init__(
        self,
        lookup: Callable[[], str | None],
        otherwise: TokenSource,
        words: TokenWords = IN_JUPYTERLAB,
    ) -> None:
        self._lookup = lookup
        self._otherwise = otherwise
        self._words = words

    def __repr__(self) -> str:
        return f"PastedOr({self._otherwise!r})"

    @property
    def advice(self) -> str:
        """What to do once its token is refused."""
        return self._now().advice

    def __call__(self) -> str:
        """Return the token; raises what the sources raise."""
        return self._now()()

    def renew(self, rejected: str) -> str:
        """Return another token, if there is one."""
        return self._now().renew(rejected)

    def known(self) -> str | None:
        """Return the token at hand."""
        return self._now().known()

    def _now(self) -> TokenSource:
        if self._lookup() is None:
            return self._otherwise
        return PastedToken(self._lookup, self._words)


def token_source(
    settings: EnvironmentSettings,
    *,
    env: Mapping[str, str],
    network: Network,
    pasted: Callable[[], str | None],
    words: TokenWords = IN_JUPYTERLAB,
) -> TokenSource:
    """Return where the token of an environment is read.

    Parameters
    ----------
    env:
        The variables.
    network:
        How a log-in reaches its host.
    pasted:
        The pasted token, if any; it goes before all others.
    words:
        What to say of a token that is missing or refused.

    Raises
    ------
    NotConfigured
        ``no_token``: none has been chosen for these hosts.
    """
    token = settings.token
    if token is None or not settings.is_token_bound:
        if pasted() is not None:
            return PastedToken(pasted, words)
        raise NotConfigured(
            f"No token has been chosen for {' and '.join(settings.hosts)}.",
            code="no_token",
            hint=f"{words.choose} A token is only sent to the hosts that it was confirmed for.",
        )
    if isinstance(token, VariableSecret):
        return PastedOr(pasted, VariableToken(env, token.variable, words), words)
    if isinstance(token, FileSecret):
        return PastedOr(pasted, FileToken(Path(token.path).expanduser()), words)
    if isinstance(token, CommandToken):
        program = Path(token.command[0]).name
        fetched = FetchedToken(
            lambda: run_command(token.command, env),
            advice=f"The program {echo(program)} printed it: log in there again.",
            name=program,
        )
        return PastedOr(pasted, fetched, words)
    if isinstance(token, LoginToken):
        return PastedOr(pasted, _login_source(settings, token, env, network), words)
    return PastedToken(pasted, words)


def run_command(command: list[str], env: Mapping[str, str]) -> str:
    """Return the token that a program prints; it gets no input, and no shell sees it.

    Raises
    ------
    NotConfigured
        ``token_command_failed``; what it printed is not repeated, since it may be a secret.
    """
    program = Path(command[0]).name
    said = f"The program {echo(program)} that is to print a token"
    try:
        done = subprocess.run(
            [str(Path(command[0]).expanduser()), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT,
            check=False,
            env={**env},
        )
    except subprocess.TimeoutExpired:
        what = f"took longer than {COMMAND_TIMEOUT:.0f} s"
    except (OSError, ValueError) as error:
        what = f"cannot be run: {getattr(error, 'strerror', None) or 'no reason given'}"
    else:
        if done.returncode == 0:
            text = done.stdout[:_MAX_OUTPUT].decode("ascii", "replace").rstrip("\r\n")
            return clean_token(text, source=f"What {echo(program)} printed")
        what = f"ended with status {done.returncode}"
    raise NotConfigured(
        f"{said} {what}.",
        code="token_command_failed",
        hint="Run it in a terminal to see why; it must print the token alone, in one line.",
    )


def _login_source(
    settings: EnvironmentSettings, token: LoginToken, env: Mapping[str, str], network: Network
) -> FetchedToken:
    origin = settings.login_origin
    assert origin is not None
    base_path = settings.base_url.removeprefix(origin_of(settings.base_url)).rstrip("/")

    def fetch() -> str:
        secret = _secret(token, env, origin)
        transport = Transport(origin, network)
        try:
            if token.service == "cpd":
                return _authorize(transport, token, secret)
            return _log_in(transport, base_path, token.username, secret)
        finally:
            transport.close()

    kind = "API key" if token.credential == "api_key" else "password"
    return FetchedToken(
        fetch,
        advice=f"A fresh one from {host_of(origin)} was refused too: ask its administrator whether "
        f"{echo(token.username)} may use EDI.",
        name=f"{kind} of {token.username} at {origin}",
    )


def _secret(token: LoginToken, env: Mapping[str, str], origin: str) -> str:
    kind = "API key" if token.credential == "api_key" else "password"
    if isinstance(token.secret, KeyringSecret):
        found = _from_keyring(origin, token.username, kind)
        where = "The keyring"
    elif isinstance(token.secret, VariableSecret):
        found = env.get(token.secret.variable, "")
        where = token.secret.variable
    else:
        path = Path(token.secret.path).expanduser()
        where = f"The file {path.name}"
        try:
            found = read_private(path, _MAX_SECRET).decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            found = ""
    if not found or len(found) > _MAX_SECRET or not found.isprintable():
        raise NotConfigured(
            f"{where} has no {kind} of {echo(token.username)} that can be used.",
            code="no_password",
            hint=f"With a keyring: keyring set {keyring_service(origin)} USER. A file must be "
            "yours alone.",
        )
    return found


def keyring_service(origin: str) -> str:
    """Return under which name the keyring has the passwords of a host."""
    return f"edi_labext:{origin}"


def _from_keyring(origin: str, username: str, kind: str) -> str:
    try:
        import keyring
    except ImportError:
        raise NotConfigured(
            f"The {kind} is to come from a keyring, which is not installed.",
            code="no_keyring",
            hint='pip install "edi_labext[keyring]", or keep it in a file or variable.',
        ) from None
    try:
        return keyring.get_password(keyring_service(origin), username) or ""
    except Exception as error:
        # Each of its backends has errors of its own.
        raise NotConfigured(
            f"The keyring cannot be used: {type(error).__name__}.",
            code="no_keyring",
            hint="Unlock it, or keep the secret in a file or variable.",
        ) from None


def _authorize(transport: Transport, token: LoginToken, secret: str) -> str:
    key = "api_key" if token.credential == "api_key" else "password"
    answer = transport.exchange(
        "POST",
        _AUTHORIZE,
        {"Content-Type": "application/json"},
        body=json.dumps({"username": token.username, key: secret}).encode(),
        secret=secret,
    )
    if answer.status >= 400:
        raise _login_refused(transport, answer.status) or refusal(
            answer, host=transport.host, permission=None
        )
    return _token_of(read_object(answer, host=transport.host), ("token",), transport.host)


def _log_in(transport: Transport, base_path: str, username: str, secret: str) -> str:
    basic = base64.b64encode(f"{username}:{secret}".encode()).decode()
    answer = transport.exchange(
        "POST",
        f"{base_path}/auth/token",
        {"Authorization": f"Basic {basic}", "Content-Type": "application/json"},
        secret=basic,
    )
    if answer.status >= 400:
        raise _login_refused(transport, answer.status) or refusal(
            answer, host=transport.host, permission=None
        )
    body = read_object(answer, host=transport.host)
    return _token_of(body, ("user_token", "access_token"), transport.host)


def _login_refused(transport: Transport, status: int) -> EdiError | None:
    if status not in (400, 401, 403):
        return None
    return UpstreamUnauthorized(
        f"{transport.host} did not accept user name and password or API key.",
        code="login_refused",
        hint="Correct them where they are kept. Several wrong tries may lock the account.",
    )


def _token_of(body: Mapping[str, object], keys: tuple[str, ...], host: str) -> str:
    token = next((body[key] for key in keys if isinstance(body.get(key), str)), None)
    if not isinstance(token, str):
        raise UpstreamBadResponse(f"The answer of {host} to the log-in has no token.")
    return clean_token(token, source=f"The answer of {host}")


__all__ = [
    "TOKEN_VARIABLE",
    "PastedOr",
    "PastedToken",
    "keyring_service",
    "run_command",
    "token_source",
]
