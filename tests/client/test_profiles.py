"""Profiles, readmes and runtimes over the wire."""

from __future__ import annotations

import json

import pytest
from support.scripted_edi import Reply, ScriptedEdi

from edi_labext.client import EdiClient
from edi_labext.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    UpstreamBadResponse,
    UpstreamUnauthorized,
)


def test_a_profile_comes_and_goes_as_it_is(
    edi: ScriptedEdi, client: EdiClient, canary: str
) -> None:
    document = {"name": "digits", "policy": {"kernel_min": "odd"}, "nothing": None}
    edi.on("GET", "/model/digits/appprofile", Reply.json(document))
    edi.on("PUT", "/model/digits/appprofile", Reply(200, b"{}"))
    assert client.app_profile("digits") == document
    client.update_profile("digits", document)
    client.update_profile("digits", document, revision="abc")
    _, plain, careful = edi.received
    assert json.loads(plain.body) == json.loads(careful.body) == document
    assert plain.headers["content-type"] == "application/json"
    assert "if-match" not in plain.headers
    assert careful.headers["if-match"] == '"abc"'
    assert plain.headers["x-auth-token"] == canary


def test_the_answer_to_a_change_may_be_anything(edi: ScriptedEdi, client: EdiClient) -> None:
    """Its shape is not known (``reference/rest-api.md`` section 3)."""
    for body in (b"", b"{}", b"OK", b'{"status":"OK"}'):
        edi.on("PUT", "/model/digits/appprofile", Reply(200, body))
        client.update_profile("digits", {})


def test_refusals(edi: ScriptedEdi, client: EdiClient) -> None:
    path = "/model/digits/appprofile"
    fields = [{"field": "policy.kernel_min", "message": "Must be more."}]
    for reply, kind, code in (
        (Reply(400, b"Model <digits> does not exist."), NotFound, "not_found"),
        (Reply.json({"message": "No.", "code": "started"}, 409), Conflict, "started"),
        (Reply(403), UpstreamUnauthorized, "upstream_forbidden"),
    ):
        edi.on("PUT", path, reply)
        with pytest.raises(kind) as caught:
            client.update_profile("digits", {})
        assert caught.value.code == code
        assert caught.value.fields is None
    assert "Inference Update" in caught.value.message
    edi.on("PUT", path, Reply.json({"code": "invalid_profile", "fields": fields}, 400))
    with pytest.raises(InvalidInput) as wrong:
        client.update_profile("digits", {})
    assert wrong.value.fields == fields


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ("text", None),
        ({}, None),
        ([], []),
        ([3, {}, {"field": 1, "message": "m"}, {"field": "f"}, {"field": "f", "message": ""}], []),
        (
            [{"field": "f\n\x1b", "message": "m" * 900}],
            [{"field": "f", "message": "m" * 499 + "…"}],
        ),
    ],
)
def test_strange_fields(edi: ScriptedEdi, client: EdiClient, told: object, fields: object) -> None:
    edi.on("PUT", "/model/digits/readme", Reply.json({"message": "x", "fields": told}, 400))
    with pytest.raises(InvalidInput) as caught:
        client.update_readme("digits", "# x")
    assert caught.value.fields == fields


def test_a_readme_is_replaced(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("PUT", "/model/digits/readme", Reply(200, b""))
    client.update_readme("digits", "# Größe")
    assert json.loads(edi.received[0].body) == {"readme": "# Größe"}


def test_runtimes(edi: ScriptedEdi, client: EdiClient) -> None:
    observed = {
        "type": "dlipy3", "launcher": "${REDHARE_TOP}/x.sh", "conda_home": "/opt/anaconda3",
        "conda_env_name": "dlipy3", "docker_img": "", "pre_exec": "",
        "machine_type": "x86_64,ppc64le", "description": "d", "envs": [],
        "attributes": [{"key": "k", "value": "v"}], "schema_version": "1",
        "epoch_created": 1660119466, "epoch_updated": 1660119466, "new": 1,
    }  # fmt: skip
    answer = {"runtimes": [observed, {"type": "cpp", "launcher": ""}], "schema_version": "1"}
    edi.on("GET", "/deployment/runtime", Reply.json(answer))
    first, second = client.runtimes()
    assert first.to_wire() == observed
    assert second.type == "cpp"


@pytest.mark.parametrize("body", [b"[]", b"3", b"{}", b'{"runtimes": {}}', b'{"runtimes": [{}]}'])
def test_strange_answers(edi: ScriptedEdi, client: EdiClient, body: bytes) -> None:
    edi.on("GET", "/deployment/runtime", Reply(200, body))
    edi.on("GET", "/model/digits/appprofile", Reply(200, b"[1]"))
    with pytest.raises(UpstreamBadResponse):
        client.runtimes()
    with pytest.raises(UpstreamBadResponse):
        client.app_profile("digits")
