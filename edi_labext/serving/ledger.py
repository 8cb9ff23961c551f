"""Who may use which GPU. Pure: no driver, no process, no clock.

An ``exclusive`` kernel has one whole GPU. ``shared`` kernels of one pack are on one GPU, and packs
are put together on as few GPUs as possible, so that whole ones stay free. A deployment asks for
all its kernels at once and gets all or nothing; who got nothing hears of it when something is
given back, first come first served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..models import NO_GPU

#: GPU modes that need a GPU.
Mode = Literal["exclusive", "shared"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What a deployment asks for.

    Attributes
    ----------
    owner:
        The deployment.
    kernels:
        How many it is to have.
    pack:
        Kernels of the same pack share one GPU; only for ``shared``.
    """

    owner: str
    mode: Mode
    kernels: int
    pack: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a demand cannot be met now; ``reason`` is for people."""

    reason: str


@dataclass(eq=False, slots=True)
class Grant:
    """The GPUs of a deployment, by name: one for each kernel, or one for all that share it."""

    demand: Demand
    gpus: tuple[str, ...]
    _places: dict[str, str] = field(default_factory=dict)

    def place(self, kernel: str, alive: Container[str]) -> str:
        """Return the GPU for a new kernel.

        Parameters
        ----------
        alive:
            The kernels whose processes are not gone: what they have is not free.
        """
        if self.demand.mode == "shared":
            return self.gpus[0]
        self._places = {name: gpu for name, gpu in self._places.items() if name in alive}
        taken = set(self._places.values())
        free = next((gpu for gpu in self.gpus if gpu not in taken), None)
        if free is None:
            raise RuntimeError(f"{self.demand.owner} has more kernels than GPUs")
        self._places[kernel] = free
        return free


class Ledger:
    """The GPUs of the engine and who has them. Owned by the loop."""

    def __init__(self) -> None:
        self._gpus: dict[str, None] = {}
        self._grants: dict[str, Grant] = {}
        self._waiting: dict[str, Callable[[], None]] = {}

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What is given, oldest first."""
        return tuple(self._grants.values())

    def stock(self, gpus: Sequence[str]) -> None:
        """Take note of GPUs; those that are known already stay as they are."""
        self._gpus.update(dict.fromkeys(gpus))

    def reserve(self, demand: Demand) -> Grant | Shortage:
        """Give what is asked for, or say why not; then nothing has changed.

        A deployment has one grant at most; asking again is a mistake.
        """
        if demand.owner in self._grants:
            raise RuntimeError(f"{demand.owner} has GPUs already")
        if not self._gpus:
            return Shortage(NO_GPU[demand.mode])
        gpus = self._fitting(demand)
        if not gpus:
            return self._short(demand)
        grant = Grant(demand, gpus)
        self._grants[demand.owner] = grant
        self._waiting.pop(demand.owner, None)
        return grant

    def release(self, grant: Grant) -> None:
        """Take a grant back, once its kernels are gone, and tell who waits."""
        if self._grants.get(grant.demand.owner) is not grant:
            raise RuntimeError(f"{grant.demand.owner} does not have what it gives back")
        del self._grants[grant.demand.owner]
        for tell in tuple(self._waiting.values()):
            tell()

    def wait(self, owner: str, tell: Callable[[], None]) -> None:
        """Call ``tell`` each time something is given back, until it is granted or forgotten."""
        self._waiting.setdefault(owner, tell)

    def forget(self, owner: str) -> None:
        """Do not tell ``owner`` any more; harmless when it does not wait."""
        self._waiting.pop(owner, None)

    def _fitting(self, demand: Demand) -> tuple[str, ...]:
        """Return the GPUs that meet a demand, none if they do not suffice."""
        if demand.mode == "shared":
            shared = self._gpu_to_share(demand.pack)
            return () if shared is None else (shared,)
        taken = self._taken()
        free = tuple(gpu for gpu in self._gpus if gpu not in taken)
        return free[: demand.kernels] if len(free) >= demand.kernels else ()

    def _taken(self) -> set[str]:
        return {gpu for grant in self._grants.values() for gpu in grant.gpus}

    def _gpu_to_share(self, pack: str) -> str | None:
        exclusive: set[str] = set()
        kernels: Counter[str] = Counter()
        for grant in self._grants.values():
            if grant.demand.mode == "exclusive":
                exclusive.update(grant.gpus)
                continue
            if grant.demand.pack == pack:
                return grant.gpus[0]
            kernels[grant.gpus[0]] += grant.demand.kernels
        if kernels:
            return min(kernels, key=lambda gpu: kernels[gpu])
        return next((gpu for gpu in self._gpus if gpu not in exclusive), None)

    def _short(self, demand: Demand) -> Shortage:
        total, wanted = len(self._gpus), demand.kernels
        free = total - len(self._taken())
        if demand.mode == "exclusive" and wanted > total:
            return Shortage(
                f"This machine has {_count(total)}; the profile asks for {wanted}, one for each "
                f"kernel (kernel.gpu). Set policy.kernel_min to {total} or less."
            )
        match free, total:
            case 0, 1:
                has = "This machine's only GPU is in use"
            case 0, _:
                has = f"All {total} GPUs of this machine are in use"
            case _:
                has = f"{free} of this machine's {total} GPUs {'is' if free == 1 else 'are'} free"
        asks = "a shared GPU" if demand.mode == "shared" else f"{_count(wanted)} of its own"
        return Shortage(
            f"{has}; the profile asks for {asks} (kernel.gpu). "
            "It starts as soon as other deployments give back what it needs."
        )


def _count(number: int) -> str:
    return "one GPU" if number == 1 else f"{number} GPUs"
