"""Which EDIs there are, and how to reach them."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..errors import EdiError, NotConfigured, NotFound, echo
from .addresses import SERVER_VARIABLE, host_of, parse_server
from .edi_client import EdiClient
from .environment_changes import LOCAL, WMLA, EnvironmentChanges, checked_network
from .environment_settings import EnvironmentSettings, VariableSecret
from .environment_store import EnvironmentStore, default_settings_file
from .local_engine import EngineAddress, LocalEngine
from .pasted_tokens import PastedTokens
from .retries import NEVER, RetryPolicy
from .token_sources import token_source
from .token_words import IN_JUPYTERLAB, TokenWords
from .tokens import TOKEN_VARIABLE, FileToken, TokenSource, token_expiry
from .transport import Network

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Environment:
    """An EDI endpoint as people see it.

    Attributes
    ----------
    id:
        Lower-case identifier: ``local``, ``wmla``, or that of a stored one.
    title:
        For people.
    kind:
        ``local`` is this machine's engine.
    host:
        Host and port of a remote one, ``None`` when the address is unusable or local.
    source:
        ``variable`` is the one of ``EDI_REST_SERVER``, ``stored`` one of the settings file.
    address, inference_address:
        Normalised base URLs, ``None`` like ``host``.
    insecure:
        Whether the check of certificates is switched off.
    production:
        Whether confirmations are to be stricter.
    """

    id: str
    title: str
    kind: Literal["local", "remote"]
    host: str | None
    source: Literal["built-in", "variable", "stored"] = "built-in"
    address: str | None = None
    inference_address: str | None = None
    insecure: bool = False
    production: bool = False


@dataclass(frozen=True, slots=True)
class TokenState:
    """What may be known of an environment's token, which is not the token.

    Attributes
    ----------
    kind:
        Where it comes from: ``variable``, ``file``, ``command``, ``login``, ``session``, or
        ``engine`` for Local; ``None`` when none was chosen.
    pasted:
        Whether a pasted one goes before that.
    expires:
        Unix seconds at which it ends, by its own words; ``None`` when it has none or is not there.
    advice:
        What a person can do once it is refused; ``""`` when there is no token.
    variable:
        The name of the environment variable that it is read from, if it is read from one.
    """

    kind: str | None
    pasted: bool = False
    expires: float | None = None
    advice: str = ""
    variable: str | None = None


class EnvironmentSet:
    """Local, the one that ``EDI_REST_SERVER`` names, and those of the settings file.

    Parameters
    ----------
    env:
        Where the variables are read, anew at every use; ``os.environ`` in production.
    engine:
        Local's.
    settings:
        The settings file, by default the one in the Jupyter configuration directory.
    retry:
        When clients of remote ones ask again.
    warn:
        Told once of each environment whose certificates are not checked.
    words:
        What to say of tokens that are missing or refused.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        engine: LocalEngine,
        *,
        settings: EnvironmentStore | None = None,
        retry: RetryPolicy | None = None,
        warn: Callable[[str], None] = _LOG.warning,
        words: TokenWords = IN_JUPYTERLAB,
    ) -> None:
        self._env = env
        self._words = words
        self._engine = engine
        self.settings = settings or EnvironmentStore(default_settings_file(env))
        self._retry = retry or RetryPolicy()
        self._warn = warn
        self._warned: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, ...], tuple[EdiClient, TokenSource]] = {}
        self.pasted = PastedTokens()

    def __repr__(self) -> str:
        return f"EnvironmentSet({', '.join(item.id for item in self.list())})"

    @property
    def engine(self) -> LocalEngine:
        """Local's engine."""
        return self._engine

    @property
    def changes(self) -> EnvironmentChanges:
        """What can be changed of the stored ones, and of tokens."""
        return EnvironmentChanges(self._env, self.settings, self.pasted, self.describe)

    @property
    def problem(self) -> EdiError | None:
        """Why the settings file cannot be used; its environments are missing then."""
        try:
            self.settings.load()
        except EdiError as error:
            return error
        return None

    @property
    def has_variable_token(self) -> bool:
        """Whether ``USER_ACCESS_TOKEN`` is set, as it is in Watson Studio."""
        return bool(self._env.get(TOKEN_VARIABLE, "").strip())

    @property
    def default(self) -> str:
        """Identifier of the one that is meant when none is named.

        That of ``EDI_REST_SERVER`` where it is set, as a variable is nearer than a file; else the
        one chosen by ``edi env use``; else Local.
        """
        if self._variable_is_set:
            return WMLA
        try:
            kept = self.settings.load()
        except EdiError:
            return LOCAL
        current = kept.current
        return current if current is not None and current in kept.environments else LOCAL

    def list(self) -> list[Environment]:
        """Return all environments, Local first. Neither connects nor raises."""
        found = [Environment(LOCAL, "Local (this machine)", "local", None)]
        if self._variable_is_set:
            found.append(_described(WMLA, self._of_variable(), "variable"))
        try:
            kept = self.settings.load().environments
        except EdiError:
            return found
        return found + [_described(name, kept[name], "stored") for name in sorted(kept)]

    def connect(self, environment: str) -> EdiClient:
        """Return a client of the environment with that ``id``, ready to use.

        For Local this finds the engine or starts it, which may take up to 20 s. Clients are
        shared: do not close them.

        Raises
        ------
        NotFound
            ``environment_not_found``
        NotConfigured
            The address, token or a certificate file is missing or unusable.
        Unavailable
            Local's engine does not start.
        """
        if environment == LOCAL:
            return self._local(self._engine.ensure())
        client, token = self._remote(environment, self.describe(environment))
        token.known()  # Missing or unusable is better said now than by the first request.
        return client

    def describe(self, environment: str) -> EnvironmentSettings:
        """Return the settings of a remote environment.

        Raises
        ------
        NotFound
            ``environment_not_found``
        NotConfigured
            ``bad_environments_file``, when it can only be there.
        """
        if environment == WMLA and self._variable_is_set:
            return self._of_variable()
        if environment not in (LOCAL, WMLA):
            kept = self.settings.load().environments
            if environment in kept:
                return kept[environment]
        raise NotFound(
            f"There is no environment {echo(environment)}.",
            code="environment_not_found",
            hint=f"Set {SERVER_VARIABLE} to the address of WMLA's EDI to have one besides Local."
            if environment == WMLA
            else None,
        )

    def network(self, environment: str) -> Network:
        """Return how requests reach a remote environment.

        Raises
        ------
        NotFound, NotConfigured
            As :meth:`connect`.
        """
        return self._network(environment, self.describe(environment))

    def token(self, environment: str) -> TokenSource:
        """Return where a remote environment's token is read; raises as :meth:`connect`."""
        return self._remote(environment, self.describe(environment))[1]

    def token_state(self, environment: str) -> TokenState:
        """Return what may be told of a token; asks and runs nothing, raises nothing."""
        if environment == LOCAL:
            return TokenState("engine")
        try:
            settings = self.describe(environment)
            chosen = settings.token if settings.is_token_bound else None
            pasted = self.pasted.get(environment, settings) is not None
        except EdiError:
            return TokenState(None)
        state = TokenState(
            None if chosen is None else chosen.kind,
            pasted,
            variable=chosen.variable if isinstance(chosen, VariableSecret) else None,
        )
        try:
            source = self._remote(environment, settings)[1]
            state = replace(state, advice=source.advice)
            token = source.known()
        except EdiError:
            return state
        return state if token is None else replace(state, expires=token_expiry(token))

    def token_expiry(self, environment: str) -> float | None:
        """Return the Unix second at which a remote one's token ends; ``None`` when unknown."""
        return self.token_state(environment).expires

    def close(self) -> None:
        """Close all connections, and the engine if its :class:`LocalEngine` started it."""
        with self._lock:
            clients = [client for client, _ in self._clients.values()]
            self._clients.clear()
        for client in clients:
            client.close()
        self._engine.close()

    # --- parts ------------------------------------------------------------------------------

    @property
    def _variable_is_set(self) -> bool:
        return bool(self._env.get(SERVER_VARIABLE, "").strip())

    def _of_variable(self) -> EnvironmentSettings:
        """Return the environment of the variables, whose token is bound to their address."""
        raw = self._env[SERVER_VARIABLE]
        made = EnvironmentSettings.model_construct(
            title="WMLA", address=raw, token=VariableSecret(variable=TOKEN_VARIABLE)
        )
        try:
            base_url = parse_server(raw)
        except NotConfigured:
            return made
        title = f"WMLA ({host_of(base_url)})"
        made = made.model_copy(update={"title": title, "address": base_url})
        return made.model_copy(update={"token_origins": made.origins})

    def _local(self, address: EngineAddress) -> EdiClient:
        token = FileToken(address.token_file)
        key = (LOCAL, address.rest_server, str(address.token_file), str(address.pid))
        return self._shared(
            key,
            lambda: (
                # Its port is another one at every start.
                EdiClient(address.rest_server, token, retry=NEVER, keep=self._keep(LOCAL)),
                token,
            ),
        )[0]

    def _remote(
        self, environment: str, settings: EnvironmentSettings
    ) -> tuple[EdiClient, TokenSource]:
        if environment == WMLA:
            parse_server(settings.address)  # In the words of the variable.
        network = self._network(environment, settings)
        base_url, inference_url = settings.base_url, settings.inference_url
        has_pasted = self.pasted.get(environment, settings) is not None

        def make() -> tuple[EdiClient, TokenSource]:
            source = token_source(
                settings,
                env=self._env,
                network=network,
                pasted=lambda: self.pasted.get(environment, settings),
                words=self._words,
            )
            client = EdiClient(
                base_url,
                source,
                network=network,
                inference_url=inference_url,
                upload=settings.upload,
                retry=self._retry,
                keep=self._keep(base_url),
            )
            return client, source

        key = (environment, settings.model_dump_json(), repr(network), str(has_pasted))
        return self._shared(key, make)

    def _network(self, environment: str, settings: EnvironmentSettings) -> Network:
        network = checked_network(settings, self._env)
        if network.verify is False and (environment, settings.address) not in self._warned:
            self._warned.add((environment, settings.address))
            self._warn(
                f"The certificate of {settings.hosts[0]} (environment {environment}) is NOT "
                "checked: whoever is on the way can read your token and what you send."
            )
        return network

    def _keep(self, address: str) -> Path:
        """Return the folder beside Local's store for what is kept about one EDI."""
        digest = hashlib.sha256(address.encode()).hexdigest()[:16]
        return self._engine.store / "kept" / digest

    def _shared(
        self, key: tuple[str, ...], make: Callable[[], tuple[EdiClient, TokenSource]]
    ) -> tuple[EdiClient, TokenSource]:
        """Return the client of an address; one of an older address of the same id is closed."""
        with self._lock:
            found = self._clients.get(key)
            if found is None:
                for old in [other for other in self._clients if other[0] == key[0]]:
                    self._clients.pop(old)[0].close()
                found = self._clients[key] = make()
            return found


def _described(
    name: str, settings: EnvironmentSettings, source: Literal["variable", "stored"]
) -> Environment:
    try:
        address, inference = settings.base_url, settings.inference_url
    except NotConfigured:
        return Environment(name, settings.title, "remote", None, source)
    return Environment(
        name,
        settings.title,
        "remote",
        host_of(address),
        source,
        address,
        inference,
        insecure=not settings.verify,
        production=settings.production,
    )


__all__ = [
    "LOCAL",
    "SERVER_VARIABLE",
    "TOKEN_VARIABLE",
    "WMLA",
    "Environment",
    "EnvironmentSet",
    "TokenState",
    "parse_server",
]
