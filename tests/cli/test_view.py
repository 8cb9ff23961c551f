"""The layouts, against the sample of reference/dlim-cli.md section 6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from edi_labext.cli.profile import profile_lines
from edi_labext.cli.view import description_lines, status_lines
from edi_labext.models import DeploymentStatus, ModelDescription, ModelInstance

STARTED = """\
Name:             ping-pong-test
State:            Started
Serving replica:  1
============================================================
Serving service ID:   2df9c9bb-5a1c-48a2-b9de-37dcc63ef846
Service JobID:        edi-ping-pong-test-6546dff6f8-gvnj5
GPU Mode:             exclusive
Served clients:       0
Pending requests:     0
Requests per second:  0.00
Data per second:      0.00
Kernel started:       1
"""

KERNEL = {
    "container_uid": "k1",
    "container_host": "h",
    "container_status": "IDLE",
    "finished_task": 3,
    "total_task": 3,
}


def instance(state: str = "enabled", **service: Any) -> ModelInstance:
    document: dict[str, Any] = {"name": "ping-pong-test", "state": state}
    if state == "enabled":
        sample: Mapping[str, Any] = {
            "isd_uid": "2df9c9bb-5a1c-48a2-b9de-37dcc63ef846",
            "pj_jobid": "edi-ping-pong-test-6546dff6f8-gvnj5",
            "gpu_mode": "exclusive",
            "client_number": 0,
            "pending_tasks": 0,
            "request_per_sec": 0.0,
            "data_size_per_sec": 0.0,
            "isd_container": [KERNEL],
        }
        document["instances"] = [{**sample, **service}]
    return ModelInstance.model_validate(document)


def text(found: ModelInstance, seen: DeploymentStatus | None = None, *, everything: bool = False):
    return "\n".join(status_lines(found, seen, everything=everything)) + "\n"


def status(state: str, **rest: Any) -> DeploymentStatus:
    return DeploymentStatus.model_validate({"name": "ping-pong-test", "state": state, **rest})


@pytest.mark.parametrize("seen", [None, status("ready")], ids=["wmla", "engine"])
def test_a_started_model_is_shown_as_observed(seen: DeploymentStatus | None) -> None:
    assert text(instance(), seen) == STARTED


def test_rates_have_two_decimals() -> None:
    shown = text(instance(request_per_sec=12.345, data_size_per_sec=1e6))
    assert "Requests per second:  12.35\n" in shown or "Requests per second:  12.34\n" in shown
    assert "Data per second:      1000000.00\n" in shown


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("disabled", "Stopped"),
        ("not-available", "Starting"),
        ("enabled", "Started"),
        ("hibernating", "hibernating"),
    ],
)
def test_states_of_an_edi_that_tells_no_more(state: str, word: str) -> None:
    assert text(instance(state)).splitlines()[1] == f"State:            {word}"


def test_without_a_service_there_is_no_second_block() -> None:
    assert text(instance("disabled")).splitlines() == [
        "Name:             ping-pong-test",
        "State:            Stopped",
        "Serving replica:  0",
    ]


def test_our_engine_says_why() -> None:
    shown = text(instance(isd_container=[]), status("failed", reason="The kernel ended with 3."))
    assert shown.splitlines()[1:4] == [
        "State:            Failed",
        "Reason:           The kernel ended with 3.",
        "Serving replica:  1",
    ]


def test_what_this_machine_lacks_is_said_in_the_engines_words() -> None:
    shown = text(instance("not-available"), status("pending", reason="This machine has no GPU."))
    assert shown.splitlines()[1:3] == [
        "State:            Pending",
        "Reason:           This machine has no GPU.",
    ]


def test_each_replica_has_its_block() -> None:
    found = instance()
    assert found.instances is not None
    found.instances = found.instances * 2
    lines = text(found).splitlines()
    assert lines.count("=" * 60) == 2
    assert "Serving replica:  2" in lines


def test_the_first_status_line_says_whether_it_is_ready() -> None:
    """The way edi utils reads it (section 6, ``view -s -a``)."""
    lines = text(instance(), everything=True).splitlines()
    found = next(line for line in lines if line.startswith("Status"))
    assert found.split(":")[1].strip() == "IDLE"


def test_the_log_of_a_failed_one_is_at_hand() -> None:
    seen = status("failed", reason="r", log_tail=[f"line {number}" for number in range(30)])
    lines = text(instance(isd_container=[]), seen, everything=True).splitlines()
    assert lines[-20:] == [f"  line {number}" for number in range(10, 30)]
    assert not any("line 2" in line for line in text(instance(), seen).splitlines())


def test_a_description_shows_no_value_of_a_variable() -> None:
    model = ModelDescription.model_validate(
        {
            "name": "m",
            "kernel_path": "kernel.py",
            "size": 1251075,
            "attributes": [{"key": "k", "value": "v"}],
            "mk_environments": [{"name": "API_KEY", "value": "hush"}],
        }
    )
    lines = list(description_lines(model))
    assert "REST URI:         -" in lines
    assert "Size:             1,251,075 bytes" in lines
    assert "Last started:     -" in lines
    assert "Attribute:        k=v" in lines
    assert "Variable:         API_KEY" in lines
    assert "hush" not in "".join(lines)


@pytest.mark.parametrize("seconds", [-1, 0, 10**18])
def test_any_time_can_be_shown(seconds: int) -> None:
    model = ModelDescription(name="m", kernel_path="k", create_time=seconds)
    assert any(line.startswith("Created:") for line in description_lines(model))


def test_a_profile_to_read_has_the_keys_of_the_document() -> None:
    document = {
        "name": "m",
        "policy": {"kernel_min": 1, "stream_discard_slow_tasks": True},
        "security": {"ssl": {"enable": False}},
        "kernel": {"run_as": "", "envs": [{"name": "A", "value": "1"}, {"name": "B", "value": ""}]},
        "of_a_newer_wmla": [1, None],
        "empty": {},
    }
    assert list(profile_lines(document)) == [
        "name             m",
        "of_a_newer_wmla  1, -",
        "",
        "policy",
        "  kernel_min                 1",
        "  stream_discard_slow_tasks  true",
        "",
        "security.ssl",
        "  enable  false",
        "",
        "kernel",
        "  run_as  -",
        "  envs    A=1, B=",
    ]
