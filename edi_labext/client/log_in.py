"""Log in once and get tokens, as ``dlim config`` does (``reference/dlim-cli.md`` section 3)."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import (
    EdiError,
    NotFound,
    UpstreamBadResponse,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from .answers import read_object
from .environment_changes import LOCAL
from .environment_settings import EnvironmentSettings, KeyringSecret, LoginToken
from .environments import EnvironmentSet
from .exchange import Exchange
from .token_sources import keyring_service, token_source
from .tokens import FileToken, clean_token
from .transport import Network

_VARIABLE = "SECRET"


class LogIn:
    """The way to the tokens of one EDI.

    Parameters
    ----------
    environments, environment:
        The EDI. For Local its engine is started if none runs.

    Raises
    ------
    NotFound, NotConfigured, Unavailable
        As :meth:`.EnvironmentSet.connect`, but for a missing token.
    """

    def __init__(self, environments: EnvironmentSet, environment: str) -> None:
        if environment == LOCAL:
            address = environments.engine.ensure()
            self._settings = EnvironmentSettings(title="Local", address=address.rest_server)
            self._network = Network(trust_proxies=False)
            self._token: Callable[[], str] = FileToken(address.token_file)
        else:
            self._settings = environments.describe(environment)
            self._network = environments.network(environment)

            def own() -> str:
                return environments.token(environment)()

            self._token = own

    def own_token(self) -> str:
        """Return the token that requests are sent with; raises ``no_token`` if there is none."""
        return self._token()

    def user_token(self, username: str, secret: str, *, api_key: bool) -> tuple[str, LoginToken]:
        """Return a token, and the log-in that gave it, set to find its secret in the keyring.

        An API key is Cloud Pak for Data's. With a password EDI's own log-in is asked first, then
        that of Cloud Pak for Data, which may stand in front of it.

        Raises
        ------
        EdiError
            What the first of them said.
        """
        failure: EdiError | None = None
        for service in ("cpd",) if api_key else ("edi", "cpd"):
            token = LoginToken.model_validate(
                {
                    "service": service,
                    "username": username,
                    "credential": "api_key" if api_key else "password",
                    "secret": {"kind": "variable", "variable": _VARIABLE},
                }
            )
            settings = self._settings.model_copy(update={"token": token})
            settings = settings.model_copy(
                update={"token_origins": [*settings.origins, settings.login_origin]}
            )
            source = token_source(
                settings, env={_VARIABLE: secret}, network=self._network, pasted=lambda: None
            )
            try:
                return source(), token.model_copy(update={"secret": KeyringSecret()})
            except (UpstreamUnreachable, UpstreamTimeout):
                raise
            except EdiError as error:
                failure = failure or error
        assert failure is not None
        raise failure

    def service_token(self, token: str) -> str:
        """Return a token for inference.

        An EDI behind Cloud Pak for Data takes the user's own for that and may lack the route; then
        it is ``token`` itself, as IBM's SDK does.

        Raises
        ------
        UpstreamUnauthorized
            The token was not accepted.
        """
        exchange = Exchange(self._settings.base_url, lambda: token, self._network)
        try:
            answer = exchange.call("POST", exchange.path("auth", "token", "inference"), None)
            body = read_object(answer, host=exchange.host)
        except (NotFound, UpstreamBadResponse):
            return token
        finally:
            exchange.transport.close()
        found = body.get("service_token")
        return clean_token(found, source="The answer") if isinstance(found, str) else token


def keep_secret(origin: str, username: str, secret: str) -> bool:
    """Put a password into the keyring of the operating system; tell whether there is one."""
    try:
        import keyring
    except ImportError:
        return False
    try:
        keyring.set_password(keyring_service(origin), username, secret)
    except Exception:
        # Each of its backends has errors of its own; a null backend keeps nothing.
        return False
    return True


__all__ = ["LogIn", "keep_secret"]
