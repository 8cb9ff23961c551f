"""The client against an EDI that misbehaves: an answer, or a typed error in time."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator

import pytest
from support.misbehaving_edi import (
    GATEWAY_PAGE,
    LOGIN_PAGE,
    RELEASES,
    MisbehavingEdi,
    misbehaving_edi,
)
from support.scripted_edi import Reply, ScriptedEdi

from edi_labext.client import EdiClient
from edi_labext.client.permission_check import check_permissions
from edi_labext.client.retries import RetryBudget, RetryPolicy
from edi_labext.errors import (
    Conflict,
    EdiError,
    NotFound,
    TooLarge,
    UnsupportedMedia,
    UpstreamBadResponse,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)
from edi_labext.operations import view_profile

TOKEN = "canary-51a7e0-of-the-misbehaving"


@pytest.fixture(scope="module")
def process() -> Iterator[MisbehavingEdi]:
    with misbehaving_edi() as running:
        yield running


@pytest.fixture
def edi(process: MisbehavingEdi) -> MisbehavingEdi:
    process.heal()
    process.accept(TOKEN)
    process.deny()
    process.add("digits")
    process.received()
    return process


class Waits:
    """Takes the place of sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(edi: MisbehavingEdi, waits: Waits) -> Iterator[EdiClient]:
    made = EdiClient(edi.url, lambda: TOKEN, retry=RetryPolicy(wait=waits, jitter=lambda: 0.0))
    yield made
    made.close()


def sent(edi: MisbehavingEdi) -> list[str]:
    return [f"{request['method']} {request['path']}" for request in edi.received()]


def upload(client: EdiClient, name: str) -> object:
    data = f"{name}\n".encode() + b"x" * 100_000
    return client.deploy(io.BytesIO(data), len(data))


Call = Callable[[EdiClient], object]
QUESTIONS: dict[str, Call] = {
    "list": lambda client: client.list_models(),
    "get": lambda client: client.get_model("digits"),
    "instance": lambda client: client.instance("digits"),
    "profile": lambda client: client.app_profile("digits"),
    "runtimes": lambda client: client.runtimes(),
}
CHANGES: dict[str, Call] = {
    "deploy": lambda client: upload(client, "fresh"),
    "start": lambda client: client.start("digits"),
    "stop": lambda client: client.stop("digits"),
    "update": lambda client: client.update_profile("digits", {"policy": {}}),
    "infer": lambda client: client.infer("digits", b"{}"),
    "delete": lambda client: client.delete_model("digits"),
}


# --- every release ----------------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
def test_every_release(release: str) -> None:
    with misbehaving_edi(release) as edi:
        edi.accept(TOKEN)
        client = EdiClient(edi.url, lambda: TOKEN)
        assert client.list_models() == []
        assert upload(client, "digits").name == "digits"  # type: ignore[attr-defined]
        assert upload(client, "second").name == "second"  # type: ignore[attr-defined]
        posts = [line for line in sent(edi) if line == "POST /dlim/v1/deployment/model"]
        # The form that was taken is remembered.
        assert len(posts) == (3 if release in ("1.2", "2.3.0") else 2)
        assert edi.look()["deploys"] == 2
        with pytest.raises(EdiError, match="already exists"):
            upload(client, "digits")
        assert edi.look()["deploys"] == 2
        assert [model.name for model in client.list_models()] == ["digits", "second"]
        assert client.get_model("digits").service_uri == ""
        with pytest.raises(NotFound):
            client.get_model("nobody")
        client.start("digits")
        [service] = client.instance("digits").instances or []
        assert service.pending_tasks == 3
        assert service.isd_container[0].finished_task == 41
        with pytest.raises(Conflict) as raised:
            client.delete_model("digits")
        assert raised.value.code == "started"
        client.stop("digits")
        profile = view_profile(client, "digits")
        assert "of_tomorrow" in profile.to_wire()
        before = client.app_profile("digits")
        client.update_profile("digits", profile.to_wire())
        assert edi.look()["profiles"]["digits"] == before, "unknown fields are written back"
        assert client.infer("digits", b'{"data": 1}').body == b'{"data": 1}'
        assert client.capabilities() is None
        client.delete_model("digits")
        client.close()


@pytest.mark.parametrize("release", ["2.3.0", "2.3.7"])
def test_a_chosen_form_is_the_only_one(release: str) -> None:
    with misbehaving_edi(release) as edi:
        edi.accept(TOKEN)
        right = EdiClient(
            edi.url, lambda: TOKEN, upload="multipart" if release == "2.3.0" else "raw"
        )
        upload(right, "one")
        wrong = EdiClient(
            edi.url, lambda: TOKEN, upload="raw" if release == "2.3.0" else "multipart"
        )
        with pytest.raises(UnsupportedMedia):
            upload(wrong, "two")
        assert len(edi.received()) == 2


def test_a_form_holds_the_package_unchanged() -> None:
    data = b"digits\n" + bytes(range(256)) * 3000
    with misbehaving_edi("2.3.0") as edi:
        edi.accept(TOKEN)
        steps: list[tuple[int, int]] = []
        EdiClient(edi.url, lambda: TOKEN, upload="multipart").deploy(
            io.BytesIO(data), len(data), progress=lambda done, total: steps.append((done, total))
        )
        [request] = edi.received()
    assert request["size"] == int(request["headers"]["content-length"])
    head, _, rest = request["body"].partition("\r\n\r\n")
    assert 'name="userfile"' in head
    assert "application/octet-stream" in head
    assert rest.encode("latin-1").startswith(data[:1000])
    assert steps[-1] == (len(data), len(data))


# --- expiring tokens --------------------------------------------------------------------------


class Expiring:
    """A source whose next reading is another token."""

    advice = "Turn the handle."

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.readings = 0

    def __call__(self) -> str:
        return self.tokens[0]

    def renew(self, rejected: str) -> str:
        self.readings += 1
        if len(self.tokens) > 1 and self.tokens[0] == rejected:
            self.tokens.pop(0)
        return self.tokens[0]


@pytest.mark.parametrize("name", [*QUESTIONS, *CHANGES])
def test_every_request_is_sent_once_more_with_a_new_token(edi: MisbehavingEdi, name: str) -> None:
    source = Expiring("old", TOKEN)
    client = EdiClient(edi.url, source)
    if name == "deploy":
        edi.heal()
    {**QUESTIONS, **CHANGES}[name](client)
    requests = edi.received()
    assert [request["headers"]["x-auth-token"] for request in requests] == ["old", TOKEN]
    assert requests[0]["size"] == requests[1]["size"], "the whole body was sent again"
    client.close()
    if name == "deploy":
        EdiClient(edi.url, lambda: TOKEN).delete_model("fresh")


@pytest.mark.parametrize("name", [*QUESTIONS, *CHANGES])
def test_a_token_that_stays_refused_is_sent_twice_at_most(edi: MisbehavingEdi, name: str) -> None:
    source = Expiring("old", "older")
    with pytest.raises(UpstreamUnauthorized) as raised:
        {**QUESTIONS, **CHANGES}[name](EdiClient(edi.url, source))
    assert raised.value.code == "upstream_unauthorized"
    assert "Turn the handle." in str(raised.value.hint)
    assert len(edi.received()) == 2
    assert source.readings == 1


def test_the_same_token_is_not_sent_again(edi: MisbehavingEdi) -> None:
    with pytest.raises(UpstreamUnauthorized):
        EdiClient(edi.url, Expiring("old")).list_models()
    assert len(edi.received()) == 1


# --- pages of gateways ------------------------------------------------------------------------

PAGES = [
    (200, LOGIN_PAGE),
    (200, GATEWAY_PAGE),
    (200, b""),
    (200, b"\xff\xfe\x00not utf-8" * 50),
    (200, b'{"errors": []}'),
    (500, GATEWAY_PAGE),
    (502, GATEWAY_PAGE),
    (503, GATEWAY_PAGE),
    (504, GATEWAY_PAGE),
    (418, b"short and stout " * 500),
]


@pytest.mark.parametrize(("status", "page"), PAGES)
def test_a_page_is_an_error_that_quotes_it(
    edi: MisbehavingEdi, client: EdiClient, status: int, page: bytes
) -> None:
    edi.fault("status", status=status, body=page)
    with pytest.raises(EdiError) as raised:
        client.list_models()
    error = raised.value
    assert error.http_status in (502, 503, 504)
    assert len(error.message) < 400
    assert error.message.isprintable()
    assert "127.0.0.1" in error.message


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("truncate", UpstreamBadResponse),
        ("cut", UpstreamError),
        ("reset", UpstreamUnreachable),
        ("huge", TooLarge),
    ],
)
def test_broken_answers(
    edi: MisbehavingEdi, client: EdiClient, kind: str, error: type[EdiError]
) -> None:
    edi.fault(kind)
    with pytest.raises(error):
        client.list_models()


@pytest.mark.parametrize("kind", ["trickle_head", "trickle_body", "hang", "continues"])
def test_an_answer_that_trickles_meets_its_deadline(
    edi: MisbehavingEdi, client: EdiClient, kind: str
) -> None:
    edi.fault(kind)
    started = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        client.infer("digits", b"{}", timeout=0.4)
    # Far from the hour that it would take; the machine may be busy.
    assert time.monotonic() - started < 20


def test_a_connection_goes_on_after_an_answer_in_time(
    edi: MisbehavingEdi, client: EdiClient
) -> None:
    """A deadline belongs to one answer, not to the connection."""
    for _ in range(20):
        assert client.infer("digits", b"x" * 5000, timeout=5).ok
    assert client.infer("digits", b"x" * 3_000_000, timeout=20).body == b"x" * 3_000_000


# --- asking again -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("times", [1, 3])
def test_a_question_survives_a_flaky_connection(
    edi: MisbehavingEdi, client: EdiClient, waits: Waits, name: str, times: int
) -> None:
    edi.fault("reset", times=times)
    QUESTIONS[name](client)
    assert len(edi.received()) == times + 1
    assert waits.seconds == [0.2, 0.4][: times - 1]


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_question_is_asked_again_of_a_service_in_trouble(
    edi: MisbehavingEdi, client: EdiClient, waits: Waits, name: str, status: int
) -> None:
    edi.fault("status", status=status, times=2)
    QUESTIONS[name](client)
    assert waits.seconds == [0.2, 0.4]


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "commit-reset"},
        {"kind": "truncate"},
        {"kind": "commit-status", "status": 504, "body": GATEWAY_PAGE},
        {"kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 500},
    ],
)
def test_a_change_is_never_repeated(
    edi: MisbehavingEdi, client: EdiClient, waits: Waits, name: str, fault: dict[str, object]
) -> None:
    edi.fault(**fault)  # type: ignore[arg-type]
    try:
        answer = CHANGES[name](client)
        assert name == "infer"
        assert not answer.ok  # type: ignore[attr-defined]
    except EdiError:
        pass
    assert len(edi.received()) == 1
    assert waits.seconds == []
    edi.heal()
    if name == "deploy" and str(fault["kind"]).startswith("commit"):
        client.delete_model("fresh")


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("7", [7.0]), ("0", [0.2]), ("3600", [60.0]), ("soon", [0.2]), ("-5", [0.2])],
)
def test_the_service_says_how_long_to_wait(
    edi: MisbehavingEdi, client: EdiClient, waits: Waits, asked: str, waited: list[float]
) -> None:
    edi.fault("status", status=503, headers={"Retry-After": asked}, times=1)
    client.list_models()
    assert waits.seconds == waited


def test_retry_after_may_be_a_date(edi: MisbehavingEdi, client: EdiClient, waits: Waits) -> None:
    past, future = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2116 07:28:00 GMT"
    for date in (past, future):
        edi.fault("status", status=503, headers={"Retry-After": date}, times=1)
        client.list_models()
    assert waits.seconds == [0.2, 60.0]


def test_patience_ends(edi: MisbehavingEdi, waits: Waits) -> None:
    policy = RetryPolicy(wait=waits, jitter=lambda: 0.0, patience=2.0)
    client = EdiClient(edi.url, lambda: TOKEN, retry=policy)
    edi.fault("status", status=503, headers={"Retry-After": "30"})
    with pytest.raises(EdiError) as raised:
        client.list_models()
    assert waits.seconds == []
    assert raised.value.retry_after == 30
    assert len(edi.received()) == 1


def test_questions_to_a_dead_service_are_few(edi: MisbehavingEdi, waits: Waits) -> None:
    policy = RetryPolicy(wait=waits, budget=RetryBudget(share=0.1, most=10))
    client = EdiClient(edi.url, lambda: TOKEN, retry=policy)
    edi.fault("status", status=503)
    for _ in range(100):
        with pytest.raises(EdiError):
            client.list_models()
    # Each of them once, 10 that were saved up, and one for every ten.
    assert len(edi.received()) <= 100 + 10 + 10


def test_pauses_grow_and_differ_by_chance() -> None:
    def pauses(chance: float) -> list[float | None]:
        policy = RetryPolicy(jitter=lambda: chance)
        return [policy.pause(repeat, 0.0, None) for repeat in range(4)]

    assert pauses(0.0) == [0.2, 0.4, 0.8, None]
    assert pauses(1.0) == [0.1, 0.2, 0.4, None]


# --- where the token goes ---------------------------------------------------------------------


@pytest.mark.parametrize("name", [*QUESTIONS, *CHANGES])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    edi: MisbehavingEdi, client: EdiClient, scripted: ScriptedEdi, name: str, status: int
) -> None:
    edi.fault("status", status=status, headers={"Location": f"{scripted.origin}/dlim/v1/model"})
    with pytest.raises(UpstreamBadResponse) as raised:
        {**QUESTIONS, **CHANGES}[name](client)
    assert raised.value.code == "upstream_redirect"
    assert scripted.origin.removeprefix("http://") in raised.value.message
    assert scripted.received == []
    assert len(edi.received()) == 1


@pytest.fixture
def scripted() -> Iterator[ScriptedEdi]:
    from support.scripted_edi import scripted_edi

    with scripted_edi() as server:
        server.on("GET", "*", Reply.json([]))
        yield server


def test_what_a_refusal_shows_of_permissions(edi: MisbehavingEdi, client: EdiClient) -> None:
    edi.deny("Inference Start", "Inference Run")
    client.list_models()
    for call in (lambda: client.start("digits"), lambda: client.infer("digits", b"{}")):
        with pytest.raises(UpstreamUnauthorized) as raised:
            call()
        assert raised.value.code == "upstream_forbidden"
    assert client.permissions() == (
        frozenset({"Inference List"}),
        frozenset({"Inference Start", "Inference Run"}),
    )


def test_permissions_are_found_without_doing_anything(
    edi: MisbehavingEdi, client: EdiClient
) -> None:
    edi.deny("Inference Publish", "Inference Delete", "Inference Run")
    before = [model.to_wire() for model in client.list_models()]
    assert check_permissions(client) == {
        "Inference List": "yes",
        "Inference Publish": "no",
        "Inference Update": "not refused",
        "Inference Start": "not refused",
        "Inference Stop": "not refused",
        "Inference Delete": "no",
        "Inference Run": "no",
    }
    assert [model.to_wire() for model in client.list_models()] == before
    client.start("digits")
    edi.received()
    assert check_permissions(client)["Inference Start"] == "yes"
    again = [line for line in sent(edi) if line.endswith(("/operation/start", "/model"))]
    assert again == [], "what is known is not asked again"


def test_inference_goes_to_its_own_host(edi: MisbehavingEdi) -> None:
    with misbehaving_edi() as inference:
        inference.accept(TOKEN)
        inference.add("digits")
        client = EdiClient(edi.url, lambda: TOKEN, inference_url=inference.url)
        client.list_models()
        answer = client.infer("digits", b'{"data": 1}')
        assert answer.ok
        assert str(inference.port) in answer.host
        assert sent(edi) == ["GET /dlim/v1/model"]
        assert sent(inference) == ["POST /dlim/v1/inference/digits"]
