"""What one deployment has, or waits for, of the machine: memory for a kernel, and GPUs."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from .ledger import Demand, Grant, Ledger, Shortage

if TYPE_CHECKING:
    from .inventory import Inventory


class Claim:
    """One deployment's account with the ledger.

    Memory is not shared out: what one kernel asks for only has to be there at all.

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

    async def reserve(self, demand: Demand | None, memory: int | None) -> bool:
        """Get what is asked for, or begin to wait for it; tell which.

        Nothing may be reserved yet.

        Parameters
        ----------
        demand:
            The GPUs, ``None`` for none.
        memory:
            MB for each kernel, ``None`` if it does not matter.
        """
        present = self._inventory.memory
        if memory is not None and present is not None and memory > present:
            # Nobody can give it back, so there is nothing to wait for but another profile.
            self._shortage = Shortage(
                f"This machine has {present} MB of memory; the profile asks for {memory} MB for "
                f"each kernel (mem of resource_allocation.kernel.resources). Set mem to {present} "
                "or less, or run it on a larger machine."
            )
            return False
        if demand is None:
            self._shortage = None
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
