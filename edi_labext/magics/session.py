"""Which EDI the magics of one notebook kernel talk to, and the way there.

A notebook kernel is not the Jupyter server: it has a client of its own, made of the kernel's own
environment (``design.md`` section 5, "Engine lifetime").
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from ..errors import EdiError
from .line import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from ..client import EdiClient, Environment, EnvironmentSet

#: Seconds that names for completion are remembered, and that a look for them may take.
NAMES_FRESH, NAMES_PATIENCE = 3.0, 1.0


class Session:
    """The environments of a notebook kernel, connected to at first use.

    Parameters
    ----------
    env:
        Where the variables are read, anew at every use.
    """

    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        self.env = env
        self._chosen: str | None = None
        self._environments: EnvironmentSet | None = None
        self._names: dict[str, tuple[float, list[str]]] = {}
        self._looking = threading.Lock()

    @property
    def current(self) -> str:
        """Identifier of the environment in use: the chosen one, else the usual default."""
        known = [item.id for item in self.environments()]
        return self._chosen if self._chosen in known else self._set().default

    def environments(self) -> list[Environment]:
        """Return all environments, Local first. Connects to none."""
        return self._set().list()

    def choose(self, environment: str) -> None:
        """Use that environment from now on.

        Raises
        ------
        UsageError
            There is none of that name.
        NotConfigured
            The settings file cannot be used.
        """
        self._chosen = self._known(environment)

    def title(self, environment: str | None = None) -> str:
        """Return what to call an environment, by default the current one."""
        wanted = environment or self.current
        return next((item.title for item in self.environments() if item.id == wanted), wanted)

    def connect(self, environment: str | None, tell: Callable[[str], None]) -> EdiClient:
        """Return a client of an environment, by default the current one.

        For Local that is a running engine of the store, whoever started it, or one that is started
        in the background, which ``tell`` is told.

        Raises
        ------
        UsageError
            There is no such environment.
        NotConfigured, Unavailable
            As :meth:`~edi_labext.client.EnvironmentSet.connect` says.
        """
        from ..client import LOCAL

        wanted = self._known(environment) if environment else self.current
        environments = self._set()
        starting = wanted == LOCAL and environments.engine.find() is None
        client = environments.connect(wanted)
        if starting:
            tell(
                "edi: started the serving engine of this machine in the background. "
                '"edi serve --stop" ends it, or half an hour with nothing started.'
            )
        return client

    def names(self, environment: str | None = None) -> list[str]:
        """Return the deployments' names for completion: soon, or none, and starting nothing."""
        wanted = environment or self.current
        at, names = self._names.get(wanted, (float("-inf"), []))
        if time.monotonic() - at < NAMES_FRESH or not self._looking.acquire(blocking=False):
            return names

        def look() -> None:
            try:
                with contextlib.suppress(EdiError):
                    self._names[wanted] = (time.monotonic(), self._ask_names(wanted))
            finally:
                self._looking.release()

        # A thread, since an EDI may take its time and a person who types has none.
        thread = threading.Thread(target=look, name="edi-names", daemon=True)
        thread.start()
        thread.join(NAMES_PATIENCE)
        return self._names.get(wanted, (0.0, []))[1]

    def close(self) -> None:
        """Close all connections. An engine in the background goes on running."""
        environments, self._environments = self._environments, None
        if environments is not None:
            environments.close()
        atexit.unregister(self.close)

    def _ask_names(self, environment: str) -> list[str]:
        from ..client import LOCAL

        environments = self._set()
        if environment == LOCAL and environments.engine.find() is None:
            return []
        return [model.name for model in environments.connect(environment).list_models()]

    def _known(self, environment: str) -> str:
        known = [item.id for item in self.environments()]
        if environment in known:
            return environment
        problem = self._set().problem
        if problem is not None:
            raise problem
        hint = "" if len(known) > 1 else " EDI_REST_SERVER is not set."
        raise UsageError(
            f"%edi: there is no environment {ascii(environment)[:40]}"
            f"{did_you_mean(environment, known)} There is {' and '.join(known)}.{hint}"
        )

    def _set(self) -> EnvironmentSet:
        from ..client import EnvironmentSet, LocalEngine, default_store
        from ..client.token_words import IN_NOTEBOOK

        store: Path = default_store(self.env).absolute()
        if self._environments is None or self._environments.engine.store != store:
            self.close()
            self._environments = EnvironmentSet(
                self.env, LocalEngine(store, "background"), words=IN_NOTEBOOK
            )
            atexit.register(self.close)
        return self._environments
