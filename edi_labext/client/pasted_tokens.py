"""Tokens that a person has pasted: in memory only, each for the hosts it was pasted for."""

from __future__ import annotations

from .environment_settings import EnvironmentSettings


class PastedTokens:
    """At most one for each environment, until the process ends or its hosts change."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[frozenset[str], str]] = {}

    def __repr__(self) -> str:
        return f"PastedTokens({', '.join(sorted(self._tokens))})"

    def keep(self, environment: str, settings: EnvironmentSettings, token: str) -> None:
        """Keep a clean token for the hosts of ``settings``."""
        self._tokens[environment] = (frozenset(settings.origins), token)

    def get(self, environment: str, settings: EnvironmentSettings) -> str | None:
        """Return the token, if there is one for all hosts of ``settings``."""
        found = self._tokens.get(environment)
        if found is None or not found[0] >= frozenset(settings.origins):
            return None
        return found[1]

    def forget(self, environment: str) -> None:
        """Forget it, if there is one."""
        self._tokens.pop(environment, None)
