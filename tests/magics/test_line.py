"""The line behind %edi: words, variables, verbs, flags (bad inputs 102, 104, 106, 107)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from edi_labext.magics.line import parse
from edi_labext.magics.verbs import VERBS, overview


def read(text: str, *, in_cell: bool = False, **variables: Any) -> Any:
    return parse(text, variables, in_cell=in_cell)


def test_flags_may_stand_on_either_side_of_the_name() -> None:
    for text in ("stop -f digits", "stop digits -f", "stop digits --force"):
        line = read(text)
        assert (line.verb.name, line.arguments.name, line.arguments.force) == (
            "stop",
            "digits",
            True,
        )


def test_values_of_flags() -> None:
    arguments = read("infer digits -o answer --timeout=2.5 --env wmla").arguments
    assert (arguments.output, arguments.timeout, arguments.env) == ("answer", 2.5, "wmla")
    assert read("deploy 'my folder/ä'").arguments.folder == "my folder/ä"


def test_nothing_at_all_is_help() -> None:
    assert read("").verb.name == "help"
    assert read("--help").verb.name == "help"
    assert read("deploy --help").wants_help


def test_variables_fill_words_after_the_split() -> None:
    folder = Path("/data/my models")
    assert read("deploy {folder}", folder=folder).arguments.folder == "/data/my models"
    assert read("deploy $folder/x", folder=folder).arguments.folder == "/data/my models/x"
    assert read("deploy {{folder}}", folder=folder).arguments.folder == "{folder}"
    # A value is one word, whatever is in it.
    assert read("view {name}", name="a --env b").arguments.name == "a --env b"


def test_a_payload_is_left_for_the_template() -> None:
    assert read("infer digits {image}").arguments.payload == "{image}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depoy x", "did you mean deploy?"),
        ("fly x", "There are list, view"),
        ("start", "needs NAME. Usage: %edi start NAME"),
        ("start a b", "takes no further 'b'"),
        ("start a --tiemout 3", "did you mean --timeout?"),
        ("start a --time 3", "has no flag '--time'"),
        ("start a -x", "has no flag '-x'"),
        ("infer a -o", "-o/--output needs a value"),
        ("infer a -o b -o c", "given more than once"),
        ("start a --timeout 0", "is no number of seconds"),
        ("start a --timeout nan", "is no number of seconds"),
        ("start a --timeout -1", "seconds"),
        ("start a --timeout 1e9", "is no number of seconds"),
        ("logs a -n 0", "is no whole number from 1 to 100"),
        ("logs a -n ten", "is no whole number from 1 to 100"),
        ("stop 'digits", "a quotation mark is not closed"),
        ("stop digits\\", "a quotation mark is not closed"),
        ("list --force=1", "has no flag '--force'"),
        ("view --force", "has no flag"),
        ("stop a --force=yes", "--force"),
        ("view {nam}", "there is no variable nam"),
        ("view $nam", "there is no variable nam"),
        ("view {frame}", "{frame} is a dict"),
    ],
)
def test_a_mistake_is_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(text, frame={})
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_undefined_variable_suggests_a_known_one() -> None:
    with pytest.raises(UsageError, match="did you mean folder"):
        read("deploy {foldr}", folder="x")


def test_only_verbs_with_a_cell_take_one() -> None:
    assert read("infer digits", in_cell=True).verb.cell
    with pytest.raises(UsageError, match="takes no cell"):
        read("deploy digits", in_cell=True)


@given(st.text(max_size=60))
def test_any_line_is_read_or_refused_in_one_line(text: str) -> None:
    for line in (text, f"infer {text}", f"deploy x {text}"):
        with contextlib.suppress(UsageError):
            try:
                read(line)
            except UsageError as error:
                assert "\n" not in str(error)
                raise


def test_every_verb_has_help() -> None:
    for verb in VERBS.values():
        assert verb.usage in verb.help
        assert f"%edi {verb.name}" in overview()
