from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_labext.errors import InvalidInput
from edi_labext.models import DEFAULT_RESOURCES, Resources, parse_resources


def test_the_default_there_and_back() -> None:
    resources = parse_resources(DEFAULT_RESOURCES)
    assert resources == Resources(0.5, 2, 1024, 4096)
    assert resources.to_text() == DEFAULT_RESOURCES


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("mem=1024,ncpus=1", "mem=1024,ncpus=1"),
        (" ncpus = 1 , mem = 5 \r\n", "ncpus=1,mem=5"),
        ("ncpus=1.0", "ncpus=1"),
        ("ncpus=0.001", "ncpus=0.001"),
        ("mem=4g,mem_limit=4G", "mem=4096,mem_limit=4096"),
    ],
)
def test_order_is_kept_and_blanks_are_not(text: str, canonical: str) -> None:
    assert parse_resources(text).to_text() == canonical


#: Rows 39-47 of the bad-input table.
BAD = [
    ("", "invalid_resources"),
    (",", "invalid_resources"),
    ("ncpus", "invalid_resources"),
    ("ncpus=", "invalid_resources"),
    ("ncpus=1,", "invalid_resources"),
    ("ncpus=1,ncpus=2", "duplicate"),
    ("cpus=1", "unknown_key"),
    ("NCPUS=1", "unknown_key"),
    *((f"ncpus={value}", "invalid_resources") for value in (
        "-1", "0", "0.0", "1e3", "0x10", "1_0", "NaN", "inf", "1.2345", ".5", "5.", "+1",
        "٣", "²", "1٣", "9" * 30,
    )),
    *((f"mem={value}", "invalid_resources") for value in (
        "0", "-1", "1.5", "4 g", "4gigs", "4m", "4gb", "4000000000000g", "٣", "1_0", "1e3",
    )),
    ("ncpus=4,ncpus_limit=2", "limit_below_request"),
    ("mem_limit=1,mem=2", "limit_below_request"),
    ("mem_limit=1g,mem=1025", "limit_below_request"),
    ("ncpus=1\n,mem=2", "invalid_resources"),
    ("ncpus=1\0", "invalid_resources"),
    ("ncpus=1;rm -rf /", "invalid_resources"),
    ("ncpus=1," * 20_000, "invalid_resources"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), BAD)
def test_texts_that_are_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_resources(text)
    error = caught.value
    assert error.code == code
    assert error.field == "resource_allocation.kernel.resources"
    assert DEFAULT_RESOURCES in (error.hint or "")
    assert len(error.message) < 200
    assert error.message.isascii()


def test_the_nearest_key_is_offered() -> None:
    with pytest.raises(InvalidInput, match="nearest key is ncpus"):
        parse_resources("cpus=1")
    with pytest.raises(InvalidInput, match="nearest key is mem_limit"):
        parse_resources("memlimit=1")


def test_what_the_text_does_not_say_is_not_printed() -> None:
    assert Resources(mem=5).to_text() == "mem=5"
    assert Resources(ncpus=1, mem=5, order=("mem",)).to_text() == "mem=5,ncpus=1"


_NCPUS = st.integers(1, 10**8).map(lambda thousandths: thousandths / 1000)
_MEM = st.integers(1, 1 << 30)


@given(st.none() | _NCPUS, st.none() | _NCPUS, st.none() | _MEM, st.none() | _MEM, st.randoms())
def test_printing_and_parsing_are_inverse(ncpus, ncpus_limit, mem, mem_limit, random) -> None:
    if None not in (ncpus, ncpus_limit):
        ncpus, ncpus_limit = sorted((ncpus, ncpus_limit))
    if None not in (mem, mem_limit):
        mem, mem_limit = sorted((mem, mem_limit))
    order = ["ncpus", "ncpus_limit", "mem", "mem_limit"]
    random.shuffle(order)
    resources = Resources(ncpus, ncpus_limit, mem, mem_limit, order=tuple(order))
    text = resources.to_text()
    if text:
        again = parse_resources(text)
        assert again == resources
        assert again.to_text() == text


@given(st.text(max_size=60) | st.text("ncpusmeli_t=,.0123456789gG ", max_size=60))
def test_any_text_is_read_or_clearly_refused(text: str) -> None:
    try:
        resources = parse_resources(text)
    except InvalidInput as error:
        assert error.hint
    else:
        assert parse_resources(resources.to_text()) == resources
