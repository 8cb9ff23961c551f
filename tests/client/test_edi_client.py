from __future__ import annotations

import io
import json
from typing import Any

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi

from edi_labext.client import EdiClient
from edi_labext.errors import (
    Cancelled,
    Conflict,
    EdiError,
    InvalidInput,
    KernelFailure,
    NotFound,
    OutOfSpace,
    Overloaded,
    StorageFailure,
    TaskTimeout,
    TooLarge,
    Unavailable,
    UpstreamBadResponse,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnauthorized,
)

MODEL = {"name": "digits", "kernel_path": "kernel.py", "size": 3, "new_field": {"kept": True}}
CAPABILITIES = {"engine": "edi_labext", "version": "1", "features": ["status"], "limits": {"a": 1}}


# --- what is asked ------------------------------------------------------------------------------


def test_every_route_is_asked_as_documented(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("GET", "/model", Reply.json([MODEL]))
    edi.on("GET", "/model/digits", Reply.json(MODEL))
    edi.on("DELETE", "/model/digits", Reply.json({}))
    edi.on("PUT", "/model/digits/operation/start", Reply.json({}))
    edi.on("PUT", "/model/digits/operation/stop", Reply.json({}))
    edi.on("GET", "/model/digits/instance", Reply.json({"name": "digits", "state": "disabled"}))
    edi.on("GET", "/model/digits/readme", Reply.json({"readme": "# Digits"}))
    edi.on("POST", "/deployment/model", Reply.json(MODEL))
    edi.on("GET", "/edi/v1/capabilities", Reply.json(CAPABILITIES))
    edi.on("GET", "/edi/v1/model/digits/status", Reply.json({"name": "digits", "state": "ready"}))

    assert [model.name for model in client.list_models()] == ["digits"]
    assert client.get_model("digits").to_wire()["new_field"] == {"kept": True}
    client.delete_model("digits")
    client.start("digits")
    client.stop("digits")
    assert client.instance("digits").instances is None
    assert client.readme("digits") == "# Digits"
    assert client.deploy(io.BytesIO(b"xyz"), 3).size == 3
    status = client.status("digits")
    assert status is not None
    assert status.state == "ready"
    assert edi.paths() == [
        "GET /dlim/v1/model",
        "GET /dlim/v1/model/digits",
        "DELETE /dlim/v1/model/digits",
        "PUT /dlim/v1/model/digits/operation/start",
        "PUT /dlim/v1/model/digits/operation/stop",
        "GET /dlim/v1/model/digits/instance",
        "GET /dlim/v1/model/digits/readme",
        "POST /dlim/v1/deployment/model",
        "GET /edi/v1/capabilities",
        "GET /edi/v1/model/digits/status",
    ]
    upload = edi.received[7]
    assert upload.body == b"xyz"
    assert upload.headers["content-type"] == "application/octet-stream"
    assert upload.headers["content-length"] == "3"
    assert "transfer-encoding" not in upload.headers


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "a%2fb", "a?x", "a\n", "é", "a" * 64])
def test_a_name_that_is_none_is_never_sent(edi: ScriptedEdi, client: EdiClient, name: str) -> None:
    for call in (
        client.get_model,
        client.delete_model,
        client.start,
        client.stop,
        client.instance,
        client.status,
        client.readme,
    ):
        with pytest.raises(InvalidInput):
            call(name)
    with pytest.raises(InvalidInput):
        client.infer(name, b"{}")
    assert edi.received == []


def test_a_token_is_renewed_once_when_it_was_refused(edi: ScriptedEdi) -> None:
    tokens = ["old-token-1", "new-token-2", "newer-token-3"]
    client = EdiClient(edi.url, lambda: tokens.pop(0), trust_proxies=False)

    def answer(request: Received) -> Reply:
        good = request.headers["x-auth-token"] == "new-token-2"
        return Reply.json([]) if good else Reply(401, b"expired")

    edi.on("GET", "/model", answer)
    assert client.list_models() == []
    assert len(edi.received) == 2


def test_a_token_that_stays_refused_is_asked_for_once(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("GET", "/model", Reply(401, b"expired"))
    with pytest.raises(UpstreamUnauthorized) as raised:
        client.list_models()
    assert raised.value.http_status == 502
    assert len(edi.received) == 1


def test_a_read_is_repeated_on_a_connection_that_had_died(
    edi: ScriptedEdi, client: EdiClient
) -> None:
    replies = [Reply(raw=b""), Reply.json([])]
    edi.on("GET", "/model", lambda _: replies.pop(0))
    assert client.list_models() == []
    edi.on("PUT", "/model/digits/operation/start", Reply(raw=b""))
    with pytest.raises(UpstreamError) as raised:
        client.start("digits")
    assert raised.value.code == "upstream_reset"
    assert len(edi.received) == 3


# --- extra routes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, b"<html>nginx</html>"),
        Reply(400, b"No such route"),
        Reply(405, b""),
        Reply(403, b""),
        Reply(200, b"<html>the console</html>"),
        Reply.json({"something": "else"}),
        Reply(302, headers={"Location": "https://login.example.com/"}),
    ],
)
def test_an_edi_without_our_routes_has_no_capabilities(
    edi: ScriptedEdi, client: EdiClient, reply: Reply
) -> None:
    edi.on("GET", "/edi/v1/capabilities", reply)
    assert client.capabilities() is None
    assert client.status("digits") is None
    assert len(edi.received) == 1


def test_a_passing_trouble_says_nothing_about_capabilities(
    edi: ScriptedEdi, client: EdiClient
) -> None:
    replies = [Reply(503, b"busy"), Reply.json(CAPABILITIES)]
    edi.on("GET", "/edi/v1/capabilities", lambda _: replies.pop(0))
    with pytest.raises(Unavailable):
        client.capabilities()
    capabilities = client.capabilities()
    assert capabilities is not None
    assert capabilities.limits == {"a": 1}


def test_an_unknown_name_is_not_an_edi_without_status(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("GET", "/edi/v1/capabilities", Reply.json(CAPABILITIES))
    edi.on("GET", "/edi/v1/model/digits/status", Reply.json({"code": "not_found"}, 404))
    with pytest.raises(NotFound):
        client.status("digits")


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (429, Overloaded),
        (500, UpstreamError),
        (503, Unavailable),
        (504, UpstreamTimeout),
        (507, OutOfSpace),
        (418, UpstreamError),
    ],
)
def test_refusals_keep_what_the_service_says(
    edi: ScriptedEdi, client: EdiClient, status: int, kind: type[EdiError]
) -> None:
    body = {
        "code": "its_code",
        "message": "Its message.",
        "hint": "Its hint.",
        "field": "name",
        "detail": "line 1\nline 2\x1b[31m",
        "error": "Its message.",
    }
    edi.on("GET", "/model", Reply.json(body, status, headers={"Retry-After": "7"}))
    with pytest.raises(EdiError) as raised:
        client.list_models()
    error = raised.value
    assert type(error) is kind
    assert (error.message, error.code, error.hint, error.field, error.retry_after) == (
        "Its message.",
        "its_code",
        "Its hint.",
        "name",
        7.0,
    )
    assert error.detail == "line 1\nline 2�[31m"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"errors": [{"message": "first"}], "error": "second"}, "first"),
        ({"error": "second", "message": "third"}, "second"),
        ({"error": {"message": "inner"}}, "inner"),
        ({"message": "third", "errorMessage": "fourth"}, "third"),
        ({"errorMessage": "fourth"}, "fourth"),
        ({"errors": [], "message": "third"}, "third"),
        ({"errors": "odd", "error": 5, "message": None, "errorMessage": "fourth"}, "fourth"),
    ],
)
def test_the_message_is_looked_for_where_the_sdk_looks(
    edi: ScriptedEdi, client: EdiClient, body: Any, message: str
) -> None:
    edi.on("GET", "/model", Reply.json(body, 400))
    with pytest.raises(InvalidInput) as raised:
        client.list_models()
    assert raised.value.message == message


@pytest.mark.parametrize(
    "text",
    [
        "Runtime <digits> does not exists.",
        "Model digits doesn't exist.",
        "No such model: digits",
        "Model 'digits' was not found on the server.",
    ],
)
@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_what_is_not_there_is_not_found_whatever_the_status(
    edi: ScriptedEdi, client: EdiClient, text: str, status: int
) -> None:
    edi.on("GET", "/model/digits", Reply(status, text.encode()))
    with pytest.raises(NotFound) as raised:
        client.get_model("digits")
    assert raised.value.message.endswith(text)


def test_400_of_our_engine_stays_what_it_is(edi: ScriptedEdi, client: EdiClient) -> None:
    body = {"code": "kernel_not_found", "message": "kernel.py does not exist."}
    edi.on("POST", "/deployment/model", Reply.json(body, 400))
    with pytest.raises(InvalidInput) as raised:
        client.deploy(io.BytesIO(b"x"), 1)
    assert raised.value.code == "kernel_not_found"


@pytest.mark.parametrize("status", [400, 409, 422, 500])
def test_a_taken_name_is_recognised_by_its_words(
    edi: ScriptedEdi, client: EdiClient, status: int
) -> None:
    reply = Reply(status, b"Model digits already exists on inference service.")
    edi.on("POST", "/deployment/model", reply)
    with pytest.raises(Conflict) as raised:
        client.deploy(io.BytesIO(b"x"), 1)
    assert raised.value.code == "exists"


@pytest.mark.parametrize(
    ("reply", "done"),
    [
        (Reply(200, b""), True),
        (Reply(200, b"{}"), True),
        (Reply(404, b"<html>nginx</html>"), False),
        (Reply(405, b""), False),
        (Reply(501, b""), False),
    ],
)
def test_redeploy_tells_whether_there_is_such_a_route(
    edi: ScriptedEdi, client: EdiClient, reply: Reply, done: bool
) -> None:
    edi.on("POST", "/deployment/model/digits", reply)
    assert client.redeploy("digits", io.BytesIO(b"package"), 7) is done
    assert edi.received[-1].body == b"package"


def test_a_refused_redeploy_raises(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("POST", "/deployment/model/digits", Reply(413, b"too large"))
    with pytest.raises(TooLarge):
        client.redeploy("digits", io.BytesIO(b"x"), 1)


@pytest.mark.parametrize("status", [400, 409, 500])
def test_a_started_deployment_is_recognised_by_its_words(
    edi: ScriptedEdi, client: EdiClient, status: int
) -> None:
    edi.on("DELETE", "/model/a", Reply(status, b"The model cannot be removed if it's started."))
    with pytest.raises(Conflict) as raised:
        client.delete_model("a")
    assert raised.value.code == "started"


def test_the_missing_permission_is_named(edi: ScriptedEdi, client: EdiClient) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        edi.on(method, "*", Reply(403, b"denied"))
    for call, permission in (
        (client.list_models, "Inference List"),
        (lambda: client.get_model("a"), "Inference List"),
        (lambda: client.deploy(io.BytesIO(b"x"), 1), "Inference Publish"),
        (lambda: client.delete_model("a"), "Inference Delete"),
        (lambda: client.start("a"), "Inference Start"),
        (lambda: client.stop("a"), "Inference Stop"),
        (lambda: client.infer("a", b"{}"), "Inference Run"),
    ):
        with pytest.raises(UpstreamUnauthorized) as raised:
            call()  # type: ignore[no-untyped-call]
        assert f"Missing permission: {permission}." in raised.value.message


# --- inference ----------------------------------------------------------------------------------


def test_inference_passes_bytes_both_ways(edi: ScriptedEdi, client: EdiClient) -> None:
    sent = b"\x00\xff not json"
    edi.on("POST", "/inference/digits", lambda request: Reply(200, request.body[::-1]))
    answer = client.infer("digits", sent, content_type="application/octet-stream")
    assert (answer.status, answer.ok, answer.body) == (200, True, sent[::-1])
    assert answer.content_type == "text/html; charset=ISO-8859-1"
    assert answer.elapsed > 0
    assert answer.error() is None
    assert edi.received[0].headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "not_found", NotFound),
        (409, "not_started", Conflict),
        (429, "queue_full", Overloaded),
        (502, "kernel_died", KernelFailure),
        (503, "deployment_failed", Unavailable),
        (504, "task_timeout", TaskTimeout),
        (413, "too_large", TooLarge),
    ],
)
def test_a_refused_task_is_an_answer(
    edi: ScriptedEdi, client: EdiClient, status: int, code: str, kind: type[EdiError]
) -> None:
    body = {"code": code, "message": "Why.", "detail": "log"}
    edi.on("POST", "/inference/digits", Reply.json(body, status))
    answer = client.infer("digits", b"{}")
    assert answer.status == status
    assert json.loads(answer.body) == body
    error = answer.error()
    assert type(error) is kind
    assert error.code == code
    assert error.detail == "log"


def test_a_gateway_that_answers_for_the_kernel(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("POST", "/inference/digits", Reply(502, b"<html>Bad Gateway</html>"))
    error = client.infer("digits", b"{}").error()
    assert isinstance(error, UpstreamBadResponse)
    assert "Bad Gateway" in error.message


# --- upload -------------------------------------------------------------------------------------


def test_an_upload_tells_how_far_it_is(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("POST", "/deployment/model", Reply.json(MODEL))
    data = bytes(range(256)) * 4096 * 3
    told: list[tuple[int, int]] = []
    file = io.BytesIO(b"before" + data)
    file.seek(6)
    client.deploy(file, len(data), progress=lambda sent, size: told.append((sent, size)))
    assert edi.received[0].body == data
    assert told[0] == (0, len(data))
    assert told[-1] == (len(data), len(data))
    assert len(told) == len(data) // (256 << 10) + 1


def test_a_cancelled_upload_reaches_nobody(edi: ScriptedEdi, client: EdiClient) -> None:
    edi.on("POST", "/deployment/model", Reply.json(MODEL))
    edi.on("GET", "/model", Reply.json([]))
    blocks = iter(range(3))

    def checkpoint() -> None:
        if next(blocks, None) is None:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        client.deploy(io.BytesIO(bytes(4 << 20)), 4 << 20, checkpoint=checkpoint)
    assert client.list_models() == []
    assert edi.paths() == ["GET /dlim/v1/model"]


def test_no_cancel_once_everything_was_sent(edi: ScriptedEdi, client: EdiClient) -> None:
    """Only the answer tells what became of an upload that has arrived."""
    edi.on("POST", "/deployment/model", Reply.json(MODEL))
    asked = []
    client.deploy(io.BytesIO(b"xyz"), 3, checkpoint=lambda: asked.append(1))
    assert len(asked) == 1


def test_a_package_that_ends_early(edi: ScriptedEdi, client: EdiClient) -> None:
    with pytest.raises(StorageFailure):
        client.deploy(io.BytesIO(b"short"), 100)
    assert edi.received == []
