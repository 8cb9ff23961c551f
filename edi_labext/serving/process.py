"""The engine as a process: the order of starting and stopping, signals, the ready line.

Start: store → log pump → launcher → deployments → HTTP, last. Stop, in reverse: no new
connections → queues drain → kernels end → logs → store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from .._version import __version__
from .clock import LoopClock
from .engine import Engine
from .http.app import build_app
from .http.credentials import load_or_create
from .http.server import HttpServer
from .idle_end import IdleEnd
from .inventory import Inventory
from .launchers.process import ProcessLauncher
from .ledger import Ledger
from .logs.pump import LogPump
from .runtime_file import RuntimeFile
from .runtimes import Runtimes
from .settings import Settings
from .store import Disk, Store
from .surroundings import Surroundings

log = logging.getLogger(__name__)

#: Name of the token file in the store.
TOKEN_FILE = "token"  # noqa: S105


async def run(settings: Settings, *, disk: Disk | None = None) -> None:
    """Run the engine until it is told to end.

    Prints one JSON line on stdout when it is ready, and nothing else:
    ``{"rest_server": ..., "token_file": ..., "pid": ...}``.

    Parameters
    ----------
    disk:
        What the store is written through; the real disk if not given.

    Raises
    ------
    Conflict
        ``store_in_use`` when another engine has the store.
    StorageFailure
        The store cannot be used.
    InvalidInput
        The port cannot be bound.
    """
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop)
    ending = asyncio.Event()
    _on_signals(loop, ending)
    store = await Store.open(settings.store, clock, disk=disk)
    token_file = settings.store / TOKEN_FILE
    runtime_file = RuntimeFile(settings.store)
    try:
        credentials = load_or_create(token_file)
        with LogPump(line_limit=settings.log_line_bytes) as pump, ProcessLauncher(loop) as launcher:
            async with asyncio.TaskGroup() as group:
                engine = Engine(
                    Surroundings(
                        settings=settings,
                        clock=clock,
                        store=store,
                        launcher=launcher,
                        pump=pump,
                        inventory=Inventory(),
                        ledger=Ledger(),
                        runtimes=Runtimes(store, clock),
                        spawn=_spawner(group),
                        rest_server=lambda: server.rest_server,
                    ),
                    credentials,
                )
                server = HttpServer(
                    build_app(engine),
                    settings,
                    credentials,
                    clock,
                    submit=engine.submit,
                    cancel=engine.cancel,
                )
                serving = group.create_task(server.serve(), name="http")
                engine.resume()
                await server.listening.wait()
                facts = {
                    "rest_server": server.rest_server,
                    "token_file": str(token_file),
                    "pid": os.getpid(),
                }
                runtime_file.write(
                    {
                        **facts,
                        "started_at": clock.wall(),
                        "version": __version__,
                        "owner": settings.owner,
                    }
                )
                try:
                    if settings.owner == "jupyter":
                        _on_end_of_stdin(loop, ending)
                    if settings.owner == "background":
                        _end_when_idle(engine, settings, clock, ending)
                    print(json.dumps(facts), flush=True)
                    log.info("ready at %s, store %s", server.rest_server, settings.store)
                    await ending.wait()
                finally:
                    log.info("ending")
                    runtime_file.remove()
                    server.stop()
                    await engine.shut_down()
                await serving
    finally:
        await store.close()
    log.info("ended")


def _spawner(group: asyncio.TaskGroup) -> Callable[[Coroutine[Any, Any, None]], None]:
    def spawn(effect: Coroutine[Any, Any, None]) -> None:
        group.create_task(effect)

    return spawn


def _on_signals(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    def told() -> None:
        if ending.is_set():
            log.warning("told twice; ending at once")
            # Kernels see their link close, and the warden ends what does not go by itself.
            os._exit(130)
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    # A closed terminal must not end an engine that runs in the background.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _end_when_idle(
    engine: Engine, settings: Settings, clock: LoopClock, ending: asyncio.Event
) -> None:
    """End an engine that a command left behind once nothing of it has been started for long."""

    def end() -> None:
        log.info("nothing has been started for %g s", settings.background_idle)
        ending.set()

    IdleEnd(
        clock,
        settings.background_idle,
        in_use=lambda: any(deployment.started for deployment in engine.deployments()),
        end=end,
    ).begin()


def _on_end_of_stdin(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    """End when the process that started us is gone: its end of our stdin closes."""
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            ending.set()

    loop.add_reader(descriptor, readable)
