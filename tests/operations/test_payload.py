from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.operations import sample_folder, sample_payload


@pytest.mark.parametrize(
    ("readme", "payload"),
    [
        ("", None),
        ("# No block\n\n    indented", None),
        ("```\n{}\n```", None),
        ("```python\n{}\n```", None),
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('~~~ JSON title="x"\n[1]\n~~~', "[1]"),
        ("```python\n```json\n```\n```json\n2\n```", "2"),
        ("````md\n```json\n1\n```\n````\n```json\n2\n```\n", "2"),
        ("```json\n1\n```\n```json\n2\n```", "1"),
        ('  ```json\n  {\n    "a": 1\n  }\n  ```', '{\n  "a": 1\n}'),
        ('```json\n{"a": 1}\n→ {"b": 2}\n```', '{"a": 1}'),
        ('```json\n{"a": 1}\n\n{"b": 2}\n```', '{"a": 1}'),
        ('```json\n{"image": ...}\n```', '{"image": ...}'),
        ("```json\n```", None),
        ('```json\n{"open": "end"}', '{"open": "end"}'),
        ("```json5\n1\n```", None),
        ('text\r\n```json\r\n{"a": 1}\r\n```\r\n', '{"a": 1}'),
    ],
)
def test_the_first_json_block(readme: str, payload: str | None) -> None:
    assert sample_payload(readme) == payload


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=examples(100), deadline=None)
@given(value=_JSON, before=st.text(st.characters(exclude_characters="`~"), max_size=50))
def test_whatever_stands_in_the_block_comes_out(value: object, before: str) -> None:
    text = json.dumps(value, indent=2)
    assert sample_payload(f"{before}\n\n```json\n{text}\n```\nmore") == text


@settings(max_examples=examples(100), deadline=None)
@given(st.text())
def test_any_text_will_do(readme: str) -> None:
    found = sample_payload(readme)
    assert found is None or found in readme.replace("\r\n", "\n") or "\n" in found


def test_the_sample_shows_its_payload() -> None:
    folder = sample_folder("pingpong")
    shown = sample_payload((folder / "README.md").read_text())
    assert shown == '{"data": "hello", "seq": 1}'
    assert json.loads(shown) == json.loads((folder / "payloads" / "sample.json").read_text())
