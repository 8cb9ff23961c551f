"""What this machine has for kernels: GPUs and memory.

GPUs are asked of NVIDIA's own binding (``nvidia-ml-py``, the extra ``gpu``). Without it, without a
driver, or when the driver does not answer, there is no GPU.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

#: Seconds that the driver has to answer. A sick one may take for ever.
DEADLINE: Final = 10.0
#: Variable by which whoever started the engine may have narrowed what it sees.
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: the name that CUDA knows it by (``GPU-…``), its model, its memory in bytes."""

    uuid: str
    model: str = ""
    memory: int = 0


class Inventory:
    """What this machine has; GPUs are looked at when somebody first asks.

    Parameters
    ----------
    look:
        Returns all GPUs, in the driver's order; blocks, may raise anything and may hang.
    environment:
        The engine's own.
    deadline:
        In seconds.
    find_memory:
        Returns the machine's memory in MB.

    Attributes
    ----------
    memory:
        MB (1024 × 1024 bytes), ``None`` where it cannot be told.
    """

    def __init__(
        self,
        look: Callable[[], Sequence[Gpu]] | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        deadline: float = DEADLINE,
        find_memory: Callable[[], int | None] | None = None,
    ) -> None:
        self.memory = (find_memory or machine_memory)()
        self._look = look or ask_driver
        self._environment = environment
        self._deadline = deadline
        self._known: tuple[Gpu, ...] = ()
        self._asking: asyncio.Future[Sequence[Gpu]] | None = None

    async def gpus(self) -> tuple[Gpu, ...]:
        """Return the GPUs that kernels may use; never raises.

        What was found is not looked for again; nothing is, since a driver may come up late.
        """
        if self._known:
            return self._known
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        self._known = visible(await asyncio.shield(self._asking), self._environment.get(VISIBLE))
        return self._known

    async def _ask(self) -> Sequence[Gpu]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Gpu]] = loop.create_future()

        def settle(found: Sequence[Gpu]) -> None:
            if not answer.done():
                answer.set_result(found)

        def work() -> None:
            found: Sequence[Gpu] = ()
            try:
                found = self._look()
            except Exception as error:
                log.warning("the GPUs could not be looked at: %s", error)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, found)

        # A thread of its own that nobody waits for at the end: it may hang in the driver.
        threading.Thread(target=work, name="edi-inventory", daemon=True).start()
        try:
            gpus = await asyncio.wait_for(answer, self._deadline)
            log.info("GPUs: %s", ", ".join(f"{gpu.model} {gpu.uuid}" for gpu in gpus) or "none")
            return gpus
        except TimeoutError:
            log.warning("the GPU driver did not answer within %g s", self._deadline)
            return ()


def machine_memory(root: Path = Path("/")) -> int | None:
    """Return the memory of this machine, or of the container around us, in MB.

    Parameters
    ----------
    root:
        Where ``proc`` and ``sys`` are.
    """
    try:
        sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (ValueError, OSError):
        return None
    for folder in _control_groups(root):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):  # not there, or "max"
                sizes.append(int((folder / name).read_text()))
    return min(sizes) >> 20


def _control_groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that bound our memory, inner ones first."""
    with contextlib.suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, way = line.split(":", 2)
            if controllers in ("", "memory"):
                mount = root / "sys/fs/cgroup" / controllers
                group = mount / way.lstrip("/")
                # Inside a container the way may be that of the host; its own group is the mount.
                yield from (group, *(up for up in group.parents if up.is_relative_to(mount)))


def ask_driver() -> Sequence[Gpu]:
    """Return all GPUs that NVML knows, in the order of their PCI addresses."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return ()
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        log.info("no GPU: %s", error)
        return ()
    try:
        gpus = []
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            uuid = _text(nvml.nvmlDeviceGetUUID(handle))
            memory = nvml.nvmlDeviceGetMemoryInfo(handle).total
            gpus.append(Gpu(uuid, _text(nvml.nvmlDeviceGetName(handle)), int(memory)))
        return gpus
    finally:
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


def visible(gpus: Sequence[Gpu], narrowed: str | None) -> tuple[Gpu, ...]:
    """Return those of ``gpus`` that an inherited ``CUDA_VISIBLE_DEVICES`` leaves.

    Its entries are numbers or the beginnings of names; as for CUDA, what follows one that fits no
    GPU does not count. Numbers are taken in the driver's order, which for GPUs of several models
    is CUDA's only with ``CUDA_DEVICE_ORDER=PCI_BUS_ID``.
    """
    if narrowed is None:
        return tuple(gpus)
    chosen: dict[Gpu, None] = {}
    for entry in narrowed.split(","):
        gpu = _named(gpus, entry.strip())
        if gpu is None:
            break
        chosen[gpu] = None
    return tuple(chosen)


def _named(gpus: Sequence[Gpu], entry: str) -> Gpu | None:
    if entry.isascii() and entry.isdigit():
        return gpus[int(entry)] if len(entry) < 6 and int(entry) < len(gpus) else None
    fitting = [gpu for gpu in gpus if entry.startswith("GPU-") and gpu.uuid.startswith(entry)]
    return fitting[0] if len(fitting) == 1 else None


def _text(value: str | bytes) -> str:
    # Releases of the binding before 11.5 answer bytes.
    return value.decode() if isinstance(value, bytes) else value
