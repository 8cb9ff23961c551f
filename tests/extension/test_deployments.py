"""One look serves all tabs."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from edi_labext.errors import UpstreamUnreachable
from edi_labext.extension.deployments import (
    FRESH_SECONDS,
    DeploymentBoard,
    View,
    deployment_list,
)
from edi_labext.extension.workers import WorkerPool
from edi_labext.operations import Deployment


class Edi:
    """An EDI that counts its callers and can be held up."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 0.0
        self.names = ["digits"]
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def __call__(self) -> View:
        self.asked += 1
        names = list(self.names)
        self.entered.set()
        assert self.open.wait(5)
        if self.error:
            raise self.error
        return View("running", [Deployment(name=name, state="ready") for name in names])


@pytest.fixture
def edi():
    edi = Edi()
    yield edi
    edi.open.set()


@pytest.fixture
def board(edi):
    return DeploymentBoard(
        edi,
        WorkerPool(2, name="board"),
        name="local",
        log=logging.getLogger("test-board"),
        clock=lambda: edi.now,
    )


def names(result):
    return [row.name for row in result[1]]


def test_many_tabs_cost_one_question(edi, board):
    async def main():
        edi.open.clear()
        tabs = [asyncio.create_task(board.look()) for _ in range(30)]
        await asyncio.to_thread(edi.entered.wait, 5)
        edi.open.set()
        for result in await asyncio.gather(*tabs):
            assert names(result) == ["digits"]

    asyncio.run(main())
    assert edi.asked == 1


def test_an_answer_is_good_for_a_second(edi, board):
    async def main():
        await board.look()
        edi.now = FRESH_SECONDS * 0.99
        await board.look()
        assert edi.asked == 1
        edi.now = FRESH_SECONDS
        await board.look()
        assert edi.asked == 2

    asyncio.run(main())


def test_a_change_is_seen_by_the_next_look_even_while_an_older_one_is_under_way(edi, board):
    async def main():
        await board.look()
        board.expire()
        edi.names = ["digits", "pingpong"]
        assert names(await board.look()) == ["digits", "pingpong"]
        assert edi.asked == 2

        edi.now += 10
        edi.open.clear()
        edi.entered.clear()
        before = asyncio.create_task(board.look())
        await asyncio.to_thread(edi.entered.wait, 5)
        edi.names = ["third"]
        board.expire()
        after = asyncio.create_task(board.look())
        await asyncio.sleep(0)
        edi.open.set()
        assert names(await after) == ["third"]
        await before
        assert edi.asked == 4

    asyncio.run(main())


def test_a_tab_that_leaves_does_not_end_the_look_of_the_others(edi, board):
    async def main():
        edi.open.clear()
        leaving = asyncio.create_task(board.look())
        staying = asyncio.create_task(board.look())
        await asyncio.to_thread(edi.entered.wait, 5)
        leaving.cancel()
        await asyncio.wait([leaving])
        edi.open.set()
        assert names(await staying) == ["digits"]
        assert edi.asked == 1

    asyncio.run(main())


def test_a_failing_look_keeps_the_last_rows_and_says_why(edi, board):
    async def main():
        edi.error = UpstreamUnreachable("No connection.")
        view, known = await board.look()
        assert known is None
        with pytest.raises(UpstreamUnreachable):
            deployment_list("local", view, known, [])

        edi.now += 2
        edi.error = None
        await board.look()
        edi.now += 2
        edi.error = UpstreamUnreachable("No connection.", hint="Check the network.")
        stale = deployment_list("local", *await board.look(), [])
        assert stale.stale
        assert stale.error.code == "upstream_unreachable"
        assert stale.error.hint == "Check the network."
        assert [row.name for row in stale.deployments] == ["digits"]
        # A dead EDI is asked once a second too, not once a tab.
        asked = edi.asked
        await board.look()
        assert edi.asked == asked

        edi.now += 2
        edi.error = None
        fresh = deployment_list("local", *await board.look(), [])
        assert not fresh.stale
        assert fresh.error is None
        assert fresh.revision != stale.revision

    asyncio.run(main())


def test_no_deployments_is_an_answer_and_not_a_failure(edi, board):
    async def main():
        edi.names = []
        empty = deployment_list("local", *await board.look(), [])
        assert (empty.deployments, empty.stale, empty.error) == ([], False, None)
        edi.now += 2
        edi.error = UpstreamUnreachable("No connection.")
        stale = deployment_list("local", *await board.look(), [])
        assert (stale.deployments, stale.stale) == ([], True)

    asyncio.run(main())


def test_what_is_unforeseen_reaches_every_tab_and_the_next_look_is_a_new_one(edi, board):
    async def main():
        edi.error = RuntimeError("a bug")
        results = await asyncio.gather(board.look(), board.look(), return_exceptions=True)
        assert [type(result) for result in results] == [RuntimeError, RuntimeError]
        edi.error = None
        assert names(await board.look()) == ["digits"]

    asyncio.run(main())
