"""The words: names, strict JSON, model.json."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_labext.errors import EdiError, InvalidInput, TooLarge, echo, echo_path
from edi_labext.models import check_name, is_valid_name, parse_submission, suggest_name
from edi_labext.models.description import describe_deployment
from edi_labext.models.strict_json import MAX_JSON_BYTES, parse_json, parse_object


@pytest.mark.parametrize("name", ["a", "0", "digits", "a-b", "a" * 63, "healthz", "con"])
def test_names_that_are_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a" * 64, ".", "..", "a/b", "a\\b", "%2e%2e", "-rf", "--help", "A", "é", "ﬁ",
        "a\u200b", "\u202ea", "🙂", "а", "a\n", "a\0", "a\tb", "<img onerror=1>", "${x}", "a-",
        None, 5, ["a"], True,
    ],
)  # fmt: skip
def test_names_that_are_not(name: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name)
    assert caught.value.code == "invalid_name"
    assert caught.value.field == "name"
    assert "lower-case" in (caught.value.hint or "")
    assert len(caught.value.message) < 150


@given(st.text(max_size=100))
def test_a_suggested_name_is_a_name(text: str) -> None:
    proposal = suggest_name(text)
    assert proposal is None or is_valid_name(proposal)


def test_a_suggestion_keeps_what_it_can() -> None:
    assert suggest_name("My Model_v2!") == "my-model-v2"
    assert suggest_name("Café") == "cafe"
    assert suggest_name("___") is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "invalid_json"),
        (b"  \n", "invalid_json"),
        (b'{"a": 1,}', "invalid_json"),
        (b"{'a': 1}", "invalid_json"),
        (b'{"a": 1} // x', "invalid_json"),
        ('{"a": 1}'.encode("utf-16"), "not_utf8"),
        ('{"a": "\u00e9"}'.encode("latin-1"), "not_utf8"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": NaN}', "invalid_number"),
        (b'{"a": Infinity}', "invalid_number"),
        (b'{"a": 1e999}', "invalid_number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "invalid_number"),
        (b'{"a": 9223372036854775808}', "invalid_number"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a": "\\ud800"}', "invalid_text"),
    ],
)
def test_json_that_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_json(data)
    assert caught.value.code == code


def test_json_says_line_and_column() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_json(b'{\n  "a": 1,\n}', what="model.json")
    assert "line 3, column 1" in caught.value.message
    assert caught.value.hint == "Remove the comma before the closing bracket."


@pytest.mark.parametrize("data", [b"[]", b'"x"', b"null", b"5", b"true"])
def test_only_objects_are_objects(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_object(data)
    assert caught.value.code == "expected_object"


def test_a_byte_order_mark_is_ignored_and_size_is_limited() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a": "[[{"}') == {"a": "[[{"}
    with pytest.raises(TooLarge):
        parse_json(b" " * (MAX_JSON_BYTES + 1))


@given(st.binary(max_size=200))
def test_any_bytes_give_json_or_a_clear_error(data: bytes) -> None:
    try:
        value = parse_json(data)
    except InvalidInput as error:
        assert error.message
    else:
        json.dumps(value, allow_nan=False).encode()


MODEL = {"name": "digits", "kernel_path": "kernel.py", "runtime": "python"}


def model_json(**changes: object) -> bytes:
    return json.dumps({**MODEL, **changes}).encode()


def test_a_description_gets_the_usual_values() -> None:
    submission = parse_submission(model_json(readme="README.md", schema_version=1))
    assert submission.schema_version == "1"
    assert submission.tag == ""
    deployed = describe_deployment(submission, uid="u", size=5)
    assert deployed.to_wire()["attributes"] == []
    assert "readme" not in deployed.to_wire()
    assert deployed.size == 5


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"name": None}, "missing_field", "name"),
        ({"name": 5}, "invalid_field", "name"),
        ({"name": ["a"]}, "invalid_field", "name"),
        ({"name": "A b"}, "invalid_name", "name"),
        ({"kernel_path": None}, "missing_field", "kernel_path"),
        ({"kernel_path": ""}, "path_outside", "kernel_path"),
        ({"kernel_path": "../k.py"}, "path_outside", "kernel_path"),
        ({"kernel_path": "/etc/k.py"}, "path_outside", "kernel_path"),
        ({"kernel_path": "a\\k.py"}, "path_outside", "kernel_path"),
        ({"schema_version": "2"}, "invalid_field", "schema_version"),
        ({"runtime": 3}, "invalid_field", "runtime"),
        (
            {"mk_environments": [{"name": "A=B", "value": "1"}]},
            "invalid_field",
            "mk_environments.0.name",
        ),
    ],
)
def test_model_json_that_is_refused(changes: dict, code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_submission(model_json(**changes))
    assert (caught.value.code, caught.value.field) == (code, field)


def test_an_error_tells_all_and_echoes_little() -> None:
    error = InvalidInput("No.", hint="Try.", field="f", detail="d")
    assert error.to_wire() == {
        "code": "invalid_input", "message": "No.", "hint": "Try.", "field": "f", "detail": "d",
        "fields": None,
    }  # fmt: skip
    assert EdiError("x", code="special").to_wire()["code"] == "special"
    assert len(echo("x" * 1000)) == 80
    path = echo_path("/" + "x" * 1000 + "/profile.json")
    assert (len(path), path.endswith("x/profile.json'")) == (80, True)
    assert echo("а") == "'\\u0430'"
