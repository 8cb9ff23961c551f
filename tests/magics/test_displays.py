"""What is shown: escaped, no scripts, no colours of its own, and plain text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from IPython.lib.pretty import pretty

from edi_labext.client import Environment
from edi_labext.magics.display.answers import Answer, layout
from edi_labext.magics.display.deployments import DeploymentCard, DeploymentTable, Gone, LogLines
from edi_labext.magics.display.environments import EnvironmentTable
from edi_labext.magics.display.findings import CheckCard
from edi_labext.magics.display.profiles import ProfileCard, ProfileChanges
from edi_labext.magics.display.progress import _Line
from edi_labext.magics.display.tables import moment, size, text_facts, text_table
from edi_labext.operations import Deployment, ProfileChange, check_folder

EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<button data-commandlinker-command=x>",
    "</td></table><iframe src=//evil>",
    "</pre><style>*{display:none}</style>",
    "\x1b[2J\x1b]0;evil\x07",
    "\u202eevil",
    "&lt;script&gt;",
)
TAGS = {
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "br", "p", "pre", "small", "span"),
    *("details", "summary", "progress"),
}
ATTRIBUTES = {"class", "style", "scope", "open", "value", "max", "role", "aria-label"}


class Reader(HTMLParser):
    """Reads HTML and refuses what none of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, name
            # Themes set the colours.
            assert name != "style" or value == "text-align: left; vertical-align: top"
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(shown: Any) -> str:
    reader = Reader()
    reader.feed(shown._repr_html_())
    reader.close()
    assert reader.open == []
    return reader.text


def everything(text: str, folder: Path) -> list[Any]:
    """One of each thing that is shown, with ``text`` wherever somebody else's text may be."""
    row = Deployment(
        name=text,
        state="failed",
        reason=text,
        runtime=text,
        kernel_path=text,
        creator=text,
        service_uri=text,
        create_time=1,
        log_tail=[text],
    )
    return [
        DeploymentTable([row], text),
        DeploymentTable([], text),
        DeploymentCard(row, text),
        Gone(text, text),
        LogLines(text, (text,)),
        LogLines(text, ()),
        EnvironmentTable((Environment("wmla", text, "remote", text),), "wmla"),
        Answer(text, 200, text.encode(), text, 0.1, text),
        Answer(text, 200, json.dumps({text: [text]}).encode(), text, 0.1, text),
        Answer(text, 200, b"\0" + text.encode(), text, 0.1, text),
        CheckCard(check_folder(folder), (text,)),
        ProfileCard(text, {text: {text: text}}, frozenset()),
        ProfileChanges(text, (ProfileChange(path=text, old=text, new=text),), text, frozenset()),
        ProfileChanges(text, (), text),
        _Line(text, 0.5),
        _Line(text, None, 3.0),
        _Line(text, 1.0, is_end=True),
    ]


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    (tmp_path / "model.json").write_text('{"name": "<b>", "kernel_path": "<i>.py"}')
    (tmp_path / "<script>").write_text("")
    return tmp_path


@pytest.mark.parametrize("text", EVIL)
def test_text_of_others_stays_text(text: str, faulty: Path) -> None:
    for shown in everything(text, faulty):
        read(shown)
        for plain in (repr(shown), pretty(shown)):
            assert "\x1b" not in plain
            assert "\u202e" not in plain


def test_the_table_of_deployments() -> None:
    rows = [
        Deployment(name="digits", state="ready", kernels_ready=1, kernels_wanted=2),
        Deployment(name="b", state="failed", reason="No module\nnamed x."),
    ]
    table = DeploymentTable(rows, "Local")
    assert [row.name for row in table] == ["digits", "b"]
    assert (len(table), table[1].name) == (2, "b")
    lines = repr(table).splitlines()
    assert lines[0].split() == ["Name", "State", "Kernels", "Waiting", "GPU", "Why"]
    assert lines[1].startswith("digits  Ready")
    assert lines[1].split() == ["digits", "Ready", "1/2"]
    assert "1 of 2 kernels ready" in repr(DeploymentCard(rows[0], "Local"))
    assert lines[2].endswith("No module named x.")
    text = read(table)
    assert "Deployments on Local" in text
    assert "Ready" in text


def test_a_failed_deployment_shows_its_log() -> None:
    card = DeploymentCard(Deployment(name="b", state="failed", log_tail=["one", "two"]), "Local")
    assert repr(card).endswith("\n\none\ntwo")
    assert "one\ntwo" in read(card)


def test_nothing_deployed_says_what_to_do() -> None:
    assert "%edi deploy FOLDER" in repr(DeploymentTable([], "Local"))


def answer(body: bytes, kind: str = "text/html") -> Answer:
    return Answer("digits", 200, body, kind, 0.0123, "the cell")


def test_an_answer() -> None:
    shown = answer(b'{"class": 3}')
    assert shown.value == {"class": 3}
    assert repr(shown) == '{"class": 3}\ndigits answered the cell in 12.3 ms'
    assert '{"class": 3}' in read(shown)


def test_answers_that_are_no_json() -> None:
    assert answer(b"pong").value == "pong"
    assert repr(answer(b"pong")).startswith("pong\n")
    assert answer(b'"pong"').value == "pong"
    assert answer(b"\xff").value == "�"
    assert "6 B that are no text" in repr(answer(b"\x89PNG\0\0", "image/png"))
    assert answer(b"[" * 100_000).text
    assert "[[[" in repr(answer(b"[" * 100_000))
    assert repr(answer(b"")) == "\ndigits answered the cell in 12.3 ms"


def test_a_long_answer_is_cut_and_kept() -> None:
    shown = answer(json.dumps(list(range(100_000))).encode())
    assert len(repr(shown)) < 11_000
    assert "in all)" in repr(shown)
    assert len(shown.value) == 100_000


def test_what_fits_on_a_line_stays_there() -> None:
    value = {"class": 3, "rows": [[0] * 8] * 8, "empty": {}, "é": [{}]}
    text = layout(value)
    assert json.loads(text) == value
    assert "    [0, 0, 0, 0, 0, 0, 0, 0],\n" in text
    assert max(map(len, text.splitlines())) <= 88


def test_a_profile_and_its_changes() -> None:
    document = {"name": "x", "kernel": {"gpu": "no", "envs": [{"name": "A", "value": "b"}]}}
    card = ProfileCard("x", document, frozenset({"kernel.envs"}))
    used, title, kept = repr(card).split("\n\n")
    assert [line.split(maxsplit=1) for line in used.splitlines()[1:]] == [
        ["name", "x"],
        ["kernel.envs", '[{"name": "A", "value": "b"}]'],
    ]
    assert "stores and does not act on" in title
    assert kept.splitlines()[1].split() == ["kernel.gpu", "no"]
    assert "kernel.gpu" in read(card)
    # One that does not tell is not said to ignore anything.
    assert "stores" not in repr(ProfileCard("x", document, None))
    changes = ProfileChanges(
        "x", (ProfileChange(path="kernel.gpu", old="no", new="exclusive"),), "Saved.", None
    )
    assert repr(changes) == "  kernel.gpu\n- no\n+ exclusive\nSaved."
    change = ProfileChange(path="kernel.envs.B", old=None, new="")
    told = [
        repr(ProfileChanges("x", (change,), "", frozenset({path}))) for path in ("kernel.envs", "y")
    ]
    assert told == ["  kernel.envs.B\n+ ", "  kernel.envs.B  (stored, not acted on here)\n+ "]
    change = ProfileChange(path="kernel.size", old="a=1", new="a=2")
    told = repr(ProfileChanges("x", (change,), "", frozenset({"kernel.size.b", "kernel.size.a"})))
    assert told.startswith("  kernel.size  (stored; acted on here: only a, b)\n")
    assert "exclusive" in read(changes)


def test_small_things() -> None:
    assert text_table(("A", "B"), [("1", ""), ("long", "x")]) == "A     B\n1\nlong  x"
    assert text_facts([]) == ""
    assert text_facts([("Name", "x"), ("Why", "y")]) == "Name:  x\nWhy:   y"
    assert [size(n) for n in (0, 999, 1000, 2_500_000, 3e9)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "2.5 MB",
        "3.00 GB",
    ]
    assert moment(0) == ""
