"""Profiles on the wire (``rest-api.md`` section 8)."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from contract.facts import Ledger
from contract.service import Service

#: As returned after a deploy (MNIST notebook), without the fields that differ by deployment.
DEFAULT: dict[str, Any] = {
    "schema_version": "1.2", "type": "inference", "replica": 1,
    "policy": {
        "name": "capacity", "schedule_interval": 3, "kernel_min": 1, "kernel_max": 100,
        "kernel_delay_release_time": 60, "task_execution_timeout": 60, "task_batch_size": 1,
        "task_pipe_size": 1, "task_parallel_size": 1, "stream_number_per_group": 0,
        "stream_discard_slow_tasks": True,
    },
    "security": {"ssl": {
        "enable": True, "server_crt": "${REDHARE_TOP}/security/tls.crt",
        "server_key": "${REDHARE_TOP}/security/tls.key",
    }},
    "resource_allocation": {
        "service": {"type": "k8s", "namespace": "", "image_name": "", "node_selector": ""},
        "kernel": {
            "type": "msd", "namespace": "", "image_name": "",
            "resource_plan": "sample-project/inference",
            "resources": "ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=4096",
            "accelerator_resources": "", "gpu_pack_id": "", "node_selector": "", "scheduler": "",
        },
    },
    "kernel": {
        "working_directory": "${REDHARE_TOP}/work", "connection_timeout": 90,
        "log_directory": "${REDHARE_TOP}/logs", "run_as": "", "umask": "022", "gpu": "no",
        "envs": [{"name": "DLIM_MK_LOG_LEVEL", "value": "INFO"}],
    },
}  # fmt: skip
TIME = re.compile(
    "(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4} GMT"
)


def leaves(value: Any, way: str = "") -> dict[str, Any]:
    """Return values by dotted path."""
    if not isinstance(value, dict) or not value:
        return {way[1:]: value}
    return {
        path: item for key in value for path, item in leaves(value[key], f"{way}.{key}").items()
    }


def test_the_profile_after_a_deploy(edi: Service, fact: Ledger) -> None:
    name = edi.deploy("echo")
    answer = edi.wire.ask("GET", f"model/{name}/appprofile")
    fact.equal("GET appprofile", "rest-api 3", "observed", answer.status, 200)
    profile = answer.json()
    fact.equal("profile.name", "rest-api 8", "observed", profile["name"], name)
    seen = leaves(profile)
    for path, expected in leaves(DEFAULT).items():
        fact.equal(
            f"profile.{path} after a deploy",
            "rest-api 8",
            "observed",
            seen.get(path, "absent"),
            expected,
        )
    for key in ("create_time", "last_update_time"):
        fact.holds(
            f"profile.{key}",
            "rest-api 8",
            "observed",
            TIME.fullmatch(str(profile.get(key))) is not None,
            expected="Www Mmm dd HH:MM:SS YYYY GMT",
            seen=profile.get(key),
        )
    fact.choice(
        "fields of a profile beside those of 2.3.7",
        "rest-api 8",
        sorted(seen.keys() - leaves(DEFAULT).keys()),
    )


def test_a_profile_is_replaced_as_a_whole(edi: Service, fact: Ledger) -> None:
    name = edi.deploy("echo")
    before = edi.profile(name)
    wanted = copy.deepcopy(before)
    wanted["policy"].update(kernel_min=2, kernel_max=-1, task_execution_timeout=-1)
    wanted["kernel"]["envs"] = [{"name": "A", "value": ""}]
    answer = edi.put_profile(name, wanted)
    fact.equal("PUT appprofile", "rest-api 3", "observed", answer.status, 200)
    after = edi.profile(name)
    fact.equal(
        "… is what GET returns then",
        "rest-api 8",
        "observed",
        {**after, "last_update_time": ""},
        {**wanted, "last_update_time": ""},
    )
    fact.equal(
        "create_time stays", "rest-api 8", "observed", after["create_time"], before["create_time"]
    )
    edi.until(
        lambda: (
            edi.put_profile(name, edi.profile(name)).ok
            and edi.profile(name)["last_update_time"] != before["last_update_time"]
        ),
        "another last_update_time",
    )
    newer = {**after, "new_in_2_4": {"a": [1, None, "ü"]}}
    answer = edi.put_profile(name, newer)
    assert answer.status < 500
    kept = edi.profile(name).get("new_in_2_4") == newer["new_in_2_4"]
    fact.choice(
        "unknown fields of a profile",
        "rest-api 8",
        f"{answer.status}, {'kept' if kept else 'dropped'}",
    )


BAD: list[tuple[str, Any]] = [
    ("policy.kernel_min", -1), ("policy.kernel_min", 1.5), ("policy.kernel_min", "2"),
    ("policy.kernel_min", True), ("policy.kernel_max", 0), ("policy.task_execution_timeout", 0),
    ("policy.task_execution_timeout", None), ("policy.kernel_delay_release_time", "soon"),
    ("kernel.gpu", "all"), ("kernel.gpu", ["no"]), ("kernel.envs", {}), ("kernel", []),
    ("resource_allocation.kernel.resources", "ncpus=-1"),
    ("resource_allocation.kernel.resources", "ncpus=1;rm -rf /"), ("name", "other"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), BAD)
def test_bad_values(edi: Service, fact: Ledger, path: str, value: Any) -> None:
    name = edi.deploy("echo")
    before = edi.profile(name)
    document = copy.deepcopy(before)
    *way, last = path.split(".")
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    answer = edi.put_profile(name, document)
    assert answer.status < 500, answer
    fact.choice(f"profile with {path} {value!r}", "rest-api 8", answer.status)
    if not answer.ok:
        assert answer.message
        assert edi.profile(name) == before


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 20_000, b"{}"]
)
def test_what_is_no_profile(edi: Service, fact: Ledger, body: bytes) -> None:
    name = edi.deploy("echo")
    before = edi.profile(name)
    headers = {"Content-Type": "application/json"}
    answer = edi.wire.ask("PUT", f"model/{name}/appprofile", body=body, headers=headers)
    assert 400 <= answer.status < 500, answer
    assert answer.message
    assert json.loads(json.dumps(edi.profile(name))) == before
