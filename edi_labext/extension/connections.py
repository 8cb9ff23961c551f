"""The environments in the browser: what there is, changes with agreement by host, and the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..client.connection_check import check_connection
from ..client.environment_changes import make_settings
from ..client.environment_settings import EnvironmentSettings, FileSecret, VariableSecret
from ..client.environments import EnvironmentSet
from ..errors import InvalidInput, NotFound
from .about import info
from .api import (
    ConnectionReport,
    ConnectionStep,
    EnvironmentRequest,
    FileToken,
    Info,
    PastedToken,
    TokenRequest,
)
from .workers import WorkerPool

#: What stays as it is where a request does not mention it.
_KEPT = ("ca_bundle", "client_certificate", "client_key", "proxy")


class Connections:
    """What can be known and changed of the environments; coroutines raise ``EdiError``.

    Parameters
    ----------
    environments:
        The EDIs.
    pool:
        Threads: files are read and hosts are asked.
    on_change:
        Takes an environment whose address or token is another one now.
    """

    def __init__(
        self,
        environments: EnvironmentSet,
        pool: WorkerPool,
        *,
        on_change: Callable[[str], None],
    ) -> None:
        self._environments = environments
        self._pool = pool
        self._on_change = on_change

    async def info(self) -> Info:
        """Return version, environments and limits; starts and asks nothing."""
        return await self._pool.run(info, self._environments)

    async def save(self, environment: str, request: EnvironmentRequest) -> Info:
        """Add or change a stored environment; another host clears its token.

        Raises
        ------
        Conflict
            ``confirmation_needed``, with the hosts to agree to in ``detail``.
        """

        def act() -> None:
            made = self._settings(environment, request)
            self._environments.changes.save(environment, made, request.confirmed_hosts)

        return await self._change(environment, act)

    async def remove(self, environment: str) -> Info:
        """Forget a stored environment and its token."""
        return await self._change(
            environment, lambda: self._environments.changes.remove(environment)
        )

    async def choose_token(self, environment: str, request: TokenRequest) -> Info:
        """Say where the token comes from, or take one that was pasted."""
        changes, hosts = self._environments.changes, request.confirmed_hosts
        source = request.source

        def act() -> None:
            if isinstance(source, PastedToken):
                changes.paste_token(environment, source.token, hosts)
            elif isinstance(source, FileToken):
                if not Path(source.path).is_absolute():
                    raise InvalidInput(
                        "The path of the token file must be absolute.",
                        code="invalid_field",
                        field="source.path",
                    )
                changes.choose_token(environment, FileSecret(path=source.path), hosts)
            else:
                changes.choose_token(environment, VariableSecret(), hosts)

        return await self._change(environment, act)

    async def forget_token(self, environment: str) -> Info:
        """Forget a pasted token."""
        return await self._change(
            environment, lambda: self._environments.pasted.forget(environment)
        )

    async def test(self, environment: str) -> ConnectionReport:
        """Test the way to an environment."""

        def act() -> ConnectionReport:
            steps = [
                ConnectionStep(
                    name=step.name,
                    ok=step.ok,
                    text=step.text,
                    hint=step.hint,
                    seconds=round(step.seconds, 3),
                )
                for step in check_connection(self._environments, environment)
            ]
            return ConnectionReport(ok=all(step.ok is not False for step in steps), steps=steps)

        return await self._pool.run(act)

    async def _change(self, environment: str, act: Callable[[], None]) -> Info:
        await self._pool.run(act)
        self._on_change(environment)
        return await self.info()

    def _settings(self, environment: str, request: EnvironmentRequest) -> EnvironmentSettings:
        given = request.model_dump(exclude={"confirmed_hosts"})
        try:
            old = self._environments.settings.get(environment)
        except NotFound:
            pass
        else:
            kept = [name for name in _KEPT if name not in request.model_fields_set]
            given |= old.model_dump(include=set(kept))
        return make_settings(**given)
