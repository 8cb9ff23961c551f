"""Changes of environments and their tokens, with what a person has to agree to.

The rule: a token goes only where somebody has said, by name of the host, that it may go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from ..errors import Conflict, InvalidInput, NotConfigured, NotFound, echo
from .addresses import SERVER_VARIABLE, derive, host_of, parse_server
from .environment_settings import EnvironmentSettings, TokenSettings, check_environment_id
from .environment_store import EnvironmentStore, invalid_settings
from .pasted_tokens import PastedTokens
from .tokens import clean_token
from .transport import Network
from .trust import authorities, check_certificate

#: Identifier of the environment that is always there.
LOCAL = "local"
#: Identifier of the environment that the variables describe.
WMLA = "wmla"


class EnvironmentChanges:
    """Changes the settings file and the pasted tokens.

    Parameters
    ----------
    env:
        The variables.
    store, pasted:
        What is changed.
    describe:
        Returns the settings of a remote environment, also of the one of the variables.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        store: EnvironmentStore,
        pasted: PastedTokens,
        describe: Callable[[str], EnvironmentSettings],
    ) -> None:
        self._env = env
        self._store = store
        self._pasted = pasted
        self._describe = describe

    def save(
        self, environment: str, wanted: EnvironmentSettings, confirmed_hosts: Sequence[str]
    ) -> EnvironmentSettings:
        """Add or change a stored environment, and return what is kept.

        Its token stays only where it goes to the same hosts as before; otherwise it is cleared,
        the pasted one too, and has to be chosen again.

        Parameters
        ----------
        wanted:
            Its ``token`` and ``token_origins`` are not looked at. Addresses in any form; they are
            kept normalised.
        confirmed_hosts:
            What a person has agreed to: all hosts of ``wanted``, unless only title, upload form or
            production mark change.

        Raises
        ------
        InvalidInput
            ``invalid_name``
        NotConfigured
            ``bad_address``, ``bad_ca_bundle``, ``bad_client_certificate``
        Conflict
            ``confirmation_needed``, with the hosts in ``detail``, one a line.
        StorageFailure
        """
        check_environment_id(environment)
        wanted = _normalised(wanted)
        checked_network(wanted, self._env)

        def change(old: EnvironmentSettings | None) -> EnvironmentSettings:
            if old is None or _way(old) != _way(wanted):
                _require_confirmed(wanted.hosts, confirmed_hosts)
            same = old is not None and _origins(old) == wanted.origins
            keep = {"token": old.token, "token_origins": old.token_origins} if old and same else {}
            if not same:
                self._pasted.forget(environment)
            return wanted.model_copy(update={"token": None, "token_origins": [], **keep})

        return self._store.put(environment, change)

    def choose_token(
        self, environment: str, token: TokenSettings | None, confirmed_hosts: Sequence[str]
    ) -> EnvironmentSettings:
        """Say where the token of a stored environment comes from, and bind it to its hosts.

        Parameters
        ----------
        confirmed_hosts:
            All hosts that it, or the password of a log-in, will be sent to.

        Raises
        ------
        NotFound
            There is no such stored environment.
        Conflict
            ``confirmation_needed``, as :meth:`save`; ``not_stored`` for one of a variable.
        """
        self._require_stored(environment)

        def change(old: EnvironmentSettings | None) -> EnvironmentSettings:
            if old is None:
                raise self._no_stored(environment)
            made = old.model_copy(update={"token": token, "token_origins": []})
            if token is None:
                return made
            origins = [*made.origins, *filter(None, [made.login_origin])]
            _require_confirmed([host_of(origin) for origin in origins], confirmed_hosts)
            return made.model_copy(update={"token_origins": list(dict.fromkeys(origins))})

        kept = self._store.put(environment, change)
        self._pasted.forget(environment)
        return kept

    def paste_token(self, environment: str, token: str, confirmed_hosts: Sequence[str]) -> None:
        """Use a token that a person pasted, until the process ends or the hosts change.

        Raises
        ------
        NotFound, NotConfigured
            There is no such remote environment, or that is no token.
        Conflict
            ``confirmation_needed``, as :meth:`save`.
        """
        settings = self._describe(environment)
        clean = clean_token(token.strip(), source="What was pasted")
        _require_confirmed(settings.hosts, confirmed_hosts)
        self._pasted.keep(environment, settings, clean)

    def remove(self, environment: str) -> None:
        """Forget a stored environment and its token.

        Raises
        ------
        NotFound
        Conflict
            ``not_stored``
        """
        self._require_stored(environment)
        self._store.remove(environment)
        self._pasted.forget(environment)

    def use(self, environment: str) -> None:
        """Make that one the default; raises as :meth:`~.EnvironmentSet.describe`."""
        if environment != LOCAL:
            self._describe(environment)
        self._store.choose(None if environment in (LOCAL, WMLA) else environment)

    def _require_stored(self, environment: str) -> None:
        if environment in (LOCAL, WMLA):
            what = f"by {SERVER_VARIABLE}" if environment == WMLA else "with this package"
            raise Conflict(
                f"The environment {echo(environment)} is given {what} and cannot be changed.",
                code="not_stored",
                hint="Add one of another name.",
            )
        if environment not in self._store.load().environments:
            raise self._no_stored(environment)

    @staticmethod
    def _no_stored(environment: str) -> NotFound:
        return NotFound(
            f"There is no environment {echo(environment)}.", code="environment_not_found"
        )


def make_settings(**given: object) -> EnvironmentSettings:
    """Return settings of what a person gave; the inference host is derived unless it is given.

    Raises
    ------
    InvalidInput
        ``invalid_field``; unknown ones are named.
    NotConfigured
        ``bad_address``
    """
    address = given.get("address")
    if isinstance(address, str) and given.get("inference_address") is None:
        console, inference = derive(parse_server(address, source="The address"))
        given = {**given, "address": console}
        given["inference_address"] = None if inference == console else inference
    try:
        return EnvironmentSettings.model_validate(given)
    except ValidationError as error:
        raise invalid_settings(error) from None


def _normalised(settings: EnvironmentSettings) -> EnvironmentSettings:
    address, inference = settings.base_url, settings.inference_url
    return settings.model_copy(
        update={
            "address": address,
            "inference_address": None if inference == address else inference,
            "proxy": _checked_proxy(settings.proxy),
        }
    )


def _checked_proxy(proxy: str | None) -> str | None:
    if proxy is None or proxy == "none":
        return proxy
    if "@" in proxy:
        raise InvalidInput(
            "The address of a proxy that is kept holds no user name or password.",
            code="invalid_field",
            field="proxy",
            hint="Set HTTPS_PROXY where one is needed.",
        )
    scheme, found, rest = proxy.rpartition("://")
    if (found and scheme not in ("http", "https")) or not rest or "/" in rest.rstrip("/"):
        raise InvalidInput(
            "The proxy is no address such as http://proxy.example.com:3128.",
            code="invalid_field",
            field="proxy",
        )
    return proxy if found else f"http://{proxy}"


def checked_network(settings: EnvironmentSettings, env: Mapping[str, str]) -> Network:
    """Return how requests reach an environment; raises as :func:`~.trust.authorities`."""
    certificate = None
    if settings.client_certificate is not None:
        certificate = check_certificate(settings.client_certificate, settings.client_key)
    verify = authorities(env, settings.ca_bundle) if settings.verify else False
    return Network(trust_proxies=True, verify=verify, certificate=certificate, proxy=settings.proxy)


def _require_confirmed(hosts: Sequence[str], confirmed: Sequence[str]) -> None:
    missing = [host for host in dict.fromkeys(hosts) if host not in confirmed]
    if missing:
        raise Conflict(
            f"Confirm that requests and the token may go to {' and '.join(missing)}.",
            code="confirmation_needed",
            field="confirmed_hosts",
            hint="Look at the name closely: whoever has the token can do what you can do.",
            detail="\n".join(missing),
        )


def _way(settings: EnvironmentSettings) -> EnvironmentSettings:
    """Return what of the settings decides where a token goes, and who can see it on the way."""
    return settings.model_copy(
        update={
            "title": "",
            "token": None,
            "token_origins": [],
            "upload": "auto",
            "production": False,
        }
    )


def _origins(settings: EnvironmentSettings) -> Sequence[str]:
    try:
        return settings.origins
    except NotConfigured:
        return []
