"""`{variable}` in a cell (bad inputs 103 and 104)."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from edi_labext.magics.template import fill


def filled(text: str, **variables: Any) -> Any:
    return json.loads(fill(text, variables, what="The cell", first_line=2))


def refusal(text: str, **variables: Any) -> str:
    with pytest.raises(UsageError) as raised:
        fill(text, variables, what="The cell", first_line=2)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_values_are_put_in_as_json() -> None:
    assert filled('{"a": {x}, "b": [{y}, {y}]}', x={"k": None}, y="é\n") == {
        "a": {"k": None},
        "b": ["é\n", "é\n"],
    }
    assert filled("{x}", x=[1, 2.5, True]) == [1, 2.5, True]
    assert filled('{"a":{"b":{x}}}', x=1) == {"a": {"b": 1}}
    assert filled("{größe}", größe=1) == 1


def test_inside_quotes_a_text_is_put_in_as_it_is() -> None:
    assert filled('"Hello {who}, {n} times {l}"', who='"Bob"\\', n=2, l=["a"]) == (
        'Hello "Bob"\\, 2 times ["a"]'
    )
    # An escaped quotation mark does not end the quotes.
    assert filled(r'"\"{x}\""', x="a") == '"a"'


def test_braces_are_kept_when_doubled() -> None:
    assert filled('"{{x}} {{{x}}}"', x=1) == "{x} {{x}}"
    assert filled('{"a": {}, "b": "{}", "c": "{ x }", "d": "{1}", "e": "{a b}"}', x=1) == {
        "a": {},
        "b": "{}",
        "c": "{ x }",
        "d": "{1}",
        "e": "{a b}",
    }
    assert filled('"{{x}"', x=1) == "{1"


def test_numpy_is_taken_as_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    assert filled("{x}", x=numpy.arange(4).reshape(2, 2)) == [[0, 1], [2, 3]]
    assert filled("{x}", x={"n": numpy.float32(0.5), "b": numpy.bool_(True)}) == {
        "n": 0.5,
        "b": True,
    }
    assert "NaN" in refusal("{x}", x=numpy.array([math.nan]))
    assert "ndarray that holds a" in refusal("{x}", x=numpy.array([1j]))


class DataFrame:
    """Named as pandas names it."""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (DataFrame(), '{x} is a DataFrame, which JSON cannot express. Try x.to_dict("records").'),
        (b"ab", "{x} is a bytes, which JSON cannot express. Try base64"),
        ({1}, "{x} is a set"),
        ([DataFrame()], "{x} is a list that holds a DataFrame"),
        ({"a": [b""]}, "{x} is a dict that holds a bytes"),
        ({(1, 2): 3}, "{x} is a dict with a key that is no text"),
        (math.nan, "{x} is a float with NaN or infinity"),
        ([math.inf], "{x} is a list with NaN or infinity"),
        (object(), "{x} is a object"),
    ],
)
def test_what_has_no_json_is_named_with_its_type(value: object, said: str) -> None:
    assert said in refusal('{"a": {x}}', x=value)


def test_a_cycle_and_a_deep_nest_are_named() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    assert "{x} is a list that holds itself" in refusal("{x}", x=cycle)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert "{x} is a list" in refusal("{x}", x=deep)


def test_what_is_not_there_is_named() -> None:
    assert refusal("{imge}", image=1).startswith(
        "{imge}: there is no variable imge: did you mean image?"
    )
    assert "write {{name}}" in refusal('"Dear {name}"')
    assert "{image[0]} in the cell is neither JSON nor the name" in refusal(
        "[{image[0]}]", image=[]
    )
    assert "{a: 1}" in refusal("{a: 1}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,}', "line 2, column"),
        ('{"image": {x},\n "b": tru}', "line 3, column 7"),
        ('{"aaaaaaaa": {x} 1}', "line 2, column 18"),
        ("{'a': 1}", "line 2, column 2"),
        ('"{x}" 1', "line 2, column 7"),
    ],
)
def test_broken_json_is_named_by_its_place_in_the_cell(text: str, place: str) -> None:
    # The value is longer than its name, and must not move the place.
    assert place in refusal(text, x=list(range(100)))


@pytest.mark.parametrize("text", ["", "NaN", '{"a": 1, "a": 2}', '"\ud800"', "[" * 100 + "]" * 100])
def test_other_bad_json_is_refused(text: str) -> None:
    assert refusal(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_value_arrives_as_it_was(value: Any) -> None:
    assert filled('{"before": "}{", "x": {x}, "after": {x}}', x=value) == {
        "before": "}{",
        "x": value,
        "after": value,
    }


@given(st.text())
def test_any_text_arrives_inside_quotes(text: str) -> None:
    assert filled('["<{x}>"]', x=text) == [f"<{text}>"]


@given(st.text(alphabet='{}"\\x:,[] \n1', max_size=30))
def test_any_cell_is_filled_or_refused(text: str) -> None:
    try:
        json.loads(fill(text, {"x": 1}, what="The cell"))
    except UsageError as error:
        assert "\n" not in str(error)
