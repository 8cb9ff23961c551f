"""What waits for its turn while a deployment is deleted must not touch the next of that name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.engine_process import package
from support.fake_launcher import FakeLauncher

from edi_labext.errors import NotFound
from edi_labext.serving.clock import LoopClock
from edi_labext.serving.engine import Engine
from edi_labext.serving.http.credentials import Credentials
from edi_labext.serving.inventory import Inventory
from edi_labext.serving.ledger import Ledger
from edi_labext.serving.logs.pump import LogPump
from edi_labext.serving.runtimes import Runtimes
from edi_labext.serving.settings import Settings
from edi_labext.serving.store import Store
from edi_labext.serving.surroundings import Surroundings


async def body(name: str):
    yield package(name)


@pytest.mark.parametrize("action", ["start", "stop", "delete"])
def test_a_name_that_was_taken_again(tmp_path: Path, action: str) -> None:
    async def walk() -> None:
        settings = Settings(store=tmp_path)
        clock = LoopClock(asyncio.get_running_loop())
        store = await Store.open(settings.store, clock)
        launcher = FakeLauncher()
        try:
            with LogPump(line_limit=settings.log_line_bytes) as pump:
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
                            spawn=group.create_task,
                            rest_server=lambda: "http://127.0.0.1:1/dlim/v1/",
                        ),
                        Credentials("ab" * 32),
                    )
                    await engine.deploy(body("twice"), creator="ada")
                    # A request has found the deployment, and waits behind the one that deletes it.
                    found = engine.deployment("twice")
                    await engine.delete("twice")
                    second = await engine.deploy(body("twice"), creator="bob")
                    with pytest.raises(NotFound):
                        await getattr(found, action)()
                    assert engine.deployment("twice").description() == second
                    assert not engine.deployment("twice").started
                    assert launcher.kernels == []
                    await engine.shut_down()
        finally:
            await store.close()

    asyncio.run(walk())
