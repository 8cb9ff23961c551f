"""Long actions: progress, Ctrl-C (bad input 108), threads (bad input 110)."""

from __future__ import annotations

import threading

import pytest

from edi_labext.errors import Cancelled, NotFound
from edi_labext.magics import running
from edi_labext.magics.display.progress import TerminalBoard
from edi_labext.operations import Cancellation, Progress, Report


class Board:
    """Remembers what was shown; ``interrupts`` Ctrl-Cs come with the first ones shown."""

    def __init__(self, interrupts: int = 0) -> None:
        self.shown: list[str] = []
        self.ending = ""
        self._interrupts = interrupts

    def show(self, message: str, fraction: float | None, *, phase: str = "") -> None:
        self.shown.append(message)
        if self._interrupts:
            self._interrupts -= 1
            raise KeyboardInterrupt

    def tick(self) -> None:
        self.shown.append("tick")

    def finish(self, what: str, ending: str) -> None:
        self.ending = f"{ending}: {what}"


def test_a_result_and_its_progress() -> None:
    def action(report: Report, cancellation: Cancellation) -> int:
        assert threading.current_thread() is not threading.main_thread()
        for number in range(3):
            report(Progress("pack", number / 3, str(number)))
        return 7

    board = Board()
    assert running.run(action, board, what="packing") == 7
    assert board.shown == ["0", "1", "2"]
    assert board.ending == "Done: packing"


def test_none_is_a_result_too() -> None:
    assert running.run(lambda report, cancellation: None, Board(), what="x") is None


@pytest.mark.parametrize("error", [NotFound("no"), ZeroDivisionError(), SystemExit(3)])
def test_an_error_is_raised_where_it_was_asked_for(error: BaseException) -> None:
    def action(report: Report, cancellation: Cancellation) -> None:
        raise error

    board = Board()
    with pytest.raises(type(error)) as raised:
        running.run(action, board, what="x")
    assert raised.value is error
    assert board.ending == "Failed: x"


def test_ctrl_c_lets_the_action_say_what_is_left() -> None:
    def action(report: Report, cancellation: Cancellation) -> None:
        report(Progress("start", None, "Starting"))
        try:
            cancellation.wait(20)
        except Cancelled:
            raise Cancelled("You stopped waiting; x goes on starting.") from None

    board = Board(interrupts=1)
    with pytest.raises(Cancelled, match="x goes on starting"):
        running.run(action, board, what="starting x")
    assert board.ending == "Cancelled: starting x"


def test_ctrl_c_that_comes_too_late_changes_nothing() -> None:
    def action(report: Report, cancellation: Cancellation) -> str:
        report(Progress("start", None, "Starting"))
        with pytest.raises(Cancelled):
            cancellation.wait(20)
        return "there"

    assert running.run(action, Board(interrupts=1), what="x") == "there"


@pytest.mark.parametrize("interrupts", [1, 2, 3])
def test_an_action_that_does_not_end_gives_the_prompt_back(
    monkeypatch: pytest.MonkeyPatch, interrupts: int
) -> None:
    # A second and third Ctrl-C come while it is told to end.
    monkeypatch.setattr(running, "PATIENCE", 0.05)
    monkeypatch.setattr(running, "TICK", 0.01)
    release = threading.Event()

    def action(report: Report, cancellation: Cancellation) -> None:
        report(Progress("upload", None, "Sending"))
        release.wait(20)

    board = Board(interrupts)
    try:
        with pytest.raises((Cancelled, KeyboardInterrupt)) as raised:
            running.run(action, board, what="deploying x")
        assert interrupts > 1 or "Deploying x was told to end" in str(raised.value)
    finally:
        release.set()
    assert board.ending


def test_time_is_told_while_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TICK", 0.001)
    ticked = threading.Event()
    board = Board()
    board.tick = ticked.set
    running.run(lambda report, cancellation: ticked.wait(20), board, what="x")
    assert ticked.is_set()


def test_from_a_thread() -> None:
    results: list[int] = []
    thread = threading.Thread(
        target=lambda: results.append(running.run(lambda r, c: 5, Board(), what="x"))
    )
    thread.start()
    thread.join()
    assert results == [5]


def test_a_terminal_gets_a_line_for_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    board = TerminalBoard()
    board.show("Checking x", None, phase="check")
    for percent in range(100):
        board.show(f"Sending {percent} of 100 B", percent / 100, phase="upload")
    board.show("Sent; registering", None, phase="upload")
    board.show("Sent; registering", None, phase="upload")
    board.show("Evil \x1b[2J", None, phase="start")
    board.finish("deploying x", "Done")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == [
        "Checking x",
        "Sending 0 of 100 B",
        "Sent; registering",
        "Evil �[2J",
    ]
    assert lines[-1].startswith("Done: deploying x (")
