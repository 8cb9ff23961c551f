"""Properties of deployment names and of their grammar in other places."""

from __future__ import annotations

import json
import string

from hypothesis import example, given
from hypothesis import strategies as st

from edi_labext.errors import InvalidInput
from edi_labext.models import (
    NAME_PATTERN,
    SubmissionDescription,
    check_name,
    is_valid_name,
    parse_submission,
    suggest_name,
)

_ENDS = string.ascii_lowercase + string.digits
names = st.from_regex(rf"\A{NAME_PATTERN}\Z")
near_names = st.text(st.sampled_from(_ENDS + "-A_./\n\0é٣ "), max_size=70)


def is_name(text: str) -> bool:
    """The rule in other words: Kubernetes' for labels."""
    return (
        1 <= len(text) <= 63
        and all(character in _ENDS + "-" for character in text)
        and text[0] in _ENDS
        and text[-1] in _ENDS
    )


@given(names | near_names | st.text(max_size=70))
@example("a" * 63)
@example("a" * 64)
@example("a\n")
@example("-")
def test_the_grammar_is_the_rule(text: str) -> None:
    assert is_valid_name(text) == is_name(text)
    if is_name(text):
        assert check_name(text) is text
        assert is_name(str(suggest_name(text)))
        return
    try:
        check_name(text)
    except InvalidInput as error:
        assert (error.code, error.field) == ("invalid_name", "name")
        assert error.message.replace("…", "").isascii()
        assert error.message.isprintable()
        proposal = suggest_name(text)
        assert proposal is None or (is_name(proposal) and repr(proposal) in str(error.hint))
    else:
        raise AssertionError(text)


@given(names | near_names)
def test_a_description_takes_names_and_nothing_else(text: str) -> None:
    document = json.dumps({"name": text, "kernel_path": "kernel.py"}).encode()
    try:
        submission = parse_submission(document)
    except InvalidInput as error:
        assert error.field == "name"
        assert not is_name(text)
    else:
        assert isinstance(submission, SubmissionDescription)
        assert submission.name == text
        assert is_name(text)
