"""Settings: defaults, ranges, and what is said about a wrong one."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest

from edi_labext.errors import InvalidInput
from edi_labext.serving.settings import Settings, parse_limits

STORE = Path("store")


def test_limits_are_told_by_name():
    limits = Settings(store=STORE, queue_limit=7).limits()
    assert limits["queue_limit"] == 7
    assert limits["inference_body_limit"] == 64 << 20
    assert limits["control_body_limit"] == 1 << 20
    assert limits["upload_limit"] == 2 << 30
    assert limits["header_bytes_limit"] == 64 << 10
    assert limits["header_count_limit"] == 200
    assert limits["chunk_limit"] == 65_536
    assert (limits["header_wait"], limits["body_idle"]) == (10, 30)
    assert (limits["keep_alive_idle"], limits["stop_grace"]) == (75, 30)
    assert (limits["task_execution_timeout"], limits["connection_timeout"]) == (60, 90)
    assert limits["in_flight_limit"] == 1000
    assert {"store", "host", "port", "owner"}.isdisjoint(limits)
    json.dumps(limits, allow_nan=False)


@pytest.mark.parametrize("name", sorted(Settings(store=STORE).limits()))
@pytest.mark.parametrize("value", [-1, 10**18, math.nan, math.inf, "5", None, True])
def test_every_limit_has_a_range(name, value):
    with pytest.raises(InvalidInput) as error:
        Settings(store=STORE, **{name: value})
    assert (error.value.code, error.value.field) == ("invalid_option", name)
    assert name in error.value.message


def test_whole_numbers_stay_whole():
    with pytest.raises(InvalidInput):
        Settings(store=STORE, queue_limit=1.5)
    assert Settings(store=STORE, body_idle=1).body_idle == 1


@pytest.mark.parametrize("port", [-1, 65_536, "80", True, 1.0])
def test_port(port):
    with pytest.raises(InvalidInput) as error:
        Settings(store=STORE, port=port)
    assert error.value.field == "port"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_host_of_this_machine(host):
    assert Settings(store=STORE, host=host).host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "example.org", "Localhost.", "127.1", None, 1]
)
def test_host_that_others_reach(host):
    with pytest.raises(InvalidInput) as error:
        Settings(store=STORE, host=host)
    assert error.value.field == "host"
    assert error.value.hint


def test_owner():
    for owner in ("jupyter", "background", "terminal"):
        assert Settings(store=STORE, owner=owner).owner == owner
    with pytest.raises(InvalidInput) as error:
        Settings(store=STORE, owner="me")
    assert error.value.field == "owner"


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings(store=STORE).port = 1


def test_limits_are_parsed_from_the_command_line(tmp_path: Path) -> None:
    limits = parse_limits(["body_idle=0.5", "entry_limit=10"])
    assert limits == {"body_idle": 0.5, "entry_limit": 10}
    assert Settings(store=tmp_path, **limits).limits()["entry_limit"] == 10
    # Every limit that is told can be set to what is told.
    told = Settings(store=tmp_path).limits()
    assert parse_limits([f"{name}={value}" for name, value in told.items()]) == told


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["body_idel=1"], "body_idel"),
        (["body_idle"], "body_idle must be a number"),
        (["entry_limit=1.5"], "entry_limit must be a number"),
        (["entry_limit=1", "entry_limit=2"], "twice"),
        (["store=1"], "store"),
    ],
)
def test_wrong_limits_are_named(texts: list[str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        parse_limits(texts)
    assert caught.value.code == "invalid_option"


def test_a_limit_that_is_spelt_wrongly_is_guessed() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_limits(["body_idel=1"])
    assert caught.value.hint == "Did you mean body_idle?"
