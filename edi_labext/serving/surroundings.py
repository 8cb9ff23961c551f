"""What every deployment of an engine shares."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import Clock
    from .inventory import Inventory
    from .launchers.base import Launcher
    from .ledger import Ledger
    from .logs.pump import LogPump
    from .runtimes import Runtimes
    from .settings import Settings
    from .store import Store


@dataclass(frozen=True)
class Surroundings:
    """Parts of the engine."""

    settings: Settings
    clock: Clock
    store: Store
    launcher: Launcher
    pump: LogPump
    inventory: Inventory
    ledger: Ledger
    runtimes: Runtimes
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    #: Address that ``service_uri`` starts with, such as ``http://127.0.0.1:9000/dlim/v1/``.
    rest_server: Callable[[], str]
