"""What one deployment has, or waits for, of the machine's GPUs."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from .ledger import Demand, Grant, Ledger, Shortage

if TYPE_CHECKING:
    from .inventory import Inventory


class GpuClaim:
    """One deployment's account with the ledger.

    Parameters
    ----------
    name:
        The deployment.
    inventory, ledger:
        Of the engine.
    retry:
        Called when it is worth to :meth:`reserve` again.
    """

    def __init__(
        self, name: str, inventory: Inventory, ledger: Ledger, retry: Callable[[], None]
    ) -> None:
        self._name = name
        self._inventory = inventory
        self._ledger = ledger
        self._retry = retry
        self._grant: Grant | None = None
        self._shortage: Shortage | None = None

    @property
    def shortage(self) -> str:
        """Why it has to wait, a sentence or two for people; ``""`` while it does not."""
        return self._shortage.reason if self._shortage else ""

    async def reserve(self, demand: Demand | None) -> bool:
        """Get what is asked for, or begin to wait for it; tell which.

        ``None`` asks for no GPU. Nothing may be reserved yet.
        """
        if demand is None:
            return True
        self._ledger.stock([gpu.uuid for gpu in await self._inventory.gpus()])
        outcome = self._ledger.reserve(demand)
        if isinstance(outcome, Grant):
            self._grant, self._shortage = outcome, None
            return True
        self._shortage = outcome
        self._ledger.wait(self._name, self._retry)
        return False

    def place(self, kernel: str, alive: Container[str]) -> str | None:
        """Return the GPU of a new kernel, ``None`` for no GPU; see :meth:`.ledger.Grant.place`."""
        return self._grant.place(kernel, alive) if self._grant else None

    def forget(self) -> None:
        """Wait no longer; harmless when it does not wait."""
        self._shortage = None
        self._ledger.forget(self._name)

    def give_back(self) -> None:
        """Let others have what it has, once its kernels are gone."""
        grant, self._grant = self._grant, None
        if grant is not None:
            self._ledger.release(grant)
