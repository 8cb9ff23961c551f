"""Every route that deploys or describes: its success, its refusals, and what survives."""

from __future__ import annotations

import base64
import concurrent.futures
import json
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from support.engine_process import ECHO, EngineProcess, package
from support.waiting import until

from edi_labext.models import REQUIRED_FIELDS, ErrorAnswer
from edi_labext.serving.routes.table import ROUTES


def said(response: requests.Response) -> tuple[int, str]:
    """Return status and code of a refusal whose three readers find the same words."""
    body = ErrorAnswer.model_validate_json(response.content, strict=True)
    assert body.error == body.message == body.errors[0].message
    assert body.code == body.errors[0].code
    assert "Traceback" not in response.text
    return response.status_code, body.code


def stamp(model: dict, of: str) -> str:
    moment = datetime.fromtimestamp(model[of], UTC)
    return f"{model['name']}-{moment:%Y%m%d-%H%M%S}"


def redeploy(engine: EngineProcess, name: str, data: bytes | None = None, **more: object):
    data = package(name) if data is None else data
    return engine.call("POST", f"deployment/model/{name}", data=data, **more)


# --- deploy and redeploy --------------------------------------------------------------------


def test_the_directory_tells_the_time_of_creation(engine: EngineProcess) -> None:
    model = engine.deploy("dated").json()
    assert Path(model["model_path"]).name == stamp(model, "create_time")
    files = [path for path in Path(model["model_path"]).rglob("*") if path.is_file()]
    assert model["size"] == sum(path.stat().st_size for path in files)


def test_redeploy_keeps_what_it_is_and_takes_the_new_files(engine: EngineProcess) -> None:
    before = engine.deploy("again").json()
    profile = engine.call("GET", "model/again/appprofile").json()
    profile["policy"]["task_execution_timeout"] = 77
    assert engine.call("PUT", "model/again/appprofile", json=profile).status_code == 200
    profile = engine.call("GET", "model/again/appprofile").json()

    louder = ECHO.replace("get_input_data()", "get_input_data().upper()")
    assert louder != ECHO
    answer = redeploy(engine, "again", package("again", louder, **{"extra.txt": "more"}))
    assert answer.status_code == 200
    after = answer.json()
    assert after == engine.call("GET", "model/again").json()
    same = ("uid", "name", "create_time", "creator", "started_at")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert after["size"] > before["size"]
    assert after["last_updated_time"] >= before["last_updated_time"]
    assert after["model_path"] != before["model_path"]
    assert Path(after["model_path"]).name == stamp(after, "last_updated_time")
    assert not Path(before["model_path"]).exists()
    published = engine.store / "repo" / "again"
    assert {path.name for path in published.iterdir()} == {
        stamp(after, "last_updated_time"),
        stamp(after, "last_updated_time") + ".json",
    }
    assert len(list((engine.store / "pods").glob("again-*"))) == 1
    assert Path(after["model_path"], "extra.txt").read_text() == "more"
    assert engine.call("GET", "model/again/appprofile").json() == profile
    assert any("redeployed" in line for line in engine.status("again")["log_tail"])

    engine.start_model("again")
    engine.wait_for("again", "ready")
    assert engine.infer("again", "loud").text == "LOUD"
    assert said(redeploy(engine, "again")) == (409, "started")
    engine.stop_model("again")
    engine.wait_for("again", "stopped")


def test_redeploy_refuses_and_changes_nothing(engine: EngineProcess) -> None:
    before = engine.deploy("steady").json()
    for data, expected in (
        (package("another"), (400, "name_mismatch")),
        (b"", (400, "not_an_archive")),
        (package("steady")[:200], (400, "corrupt_archive")),
        (b"PK\x03\x04" + bytes(600), (415, "unsupported_media_type")),
    ):
        assert said(redeploy(engine, "steady", data)) == expected
    assert said(redeploy(engine, "nobody-has-this")) == (404, "no_such_model")
    assert engine.call("GET", "model/steady").json() == before
    assert Path(before["model_path"], "kernel.py").is_file()
    assert not list((engine.store / "staging").iterdir())
    assert said(engine.deploy("steady")) == (409, "exists")


def test_one_upload_for_a_name_at_a_time(engine: EngineProcess) -> None:
    engine.deploy("busy-upload")
    host, port = engine.base.split("/")[2].split(":")
    data = package("busy-upload")
    head = (
        f"POST /dlim/v1/deployment/model/busy-upload HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"X-Auth-Token: {engine.token}\r\nContent-Length: {len(data)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as first:
        first.sendall(head.encode())
        # The engine asks for the body only once this upload has the place.
        assert first.recv(4096).startswith(b"HTTP/1.1 100")
        first.sendall(data[:100])
        assert said(redeploy(engine, "busy-upload")) == (409, "upload_in_progress")
        first.sendall(data[100:])
        assert first.recv(4096).startswith(b"HTTP/1.1 200")
    assert redeploy(engine, "busy-upload").status_code == 200


def test_many_redeploys_leave_one_whole_package(engine: EngineProcess) -> None:
    engine.deploy("contended")
    tags = [package("contended", f"{ECHO}# {number}\n") for number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda data: redeploy(engine, "contended", data), tags))
    assert {answer.status_code for answer in answers} <= {200, 409}
    model = engine.call("GET", "model/contended").json()
    assert any(answer.json() == model for answer in answers if answer.status_code == 200)
    [directory] = [path for path in Path(model["model_path"]).parent.iterdir() if path.is_dir()]
    assert str(directory) == model["model_path"]


def test_a_redeploy_survives_kill_9(own_engine: EngineProcess) -> None:
    own_engine.deploy("kept")
    after = redeploy(own_engine, "kept", package("kept", ECHO, **{"new.txt": "x"})).json()
    own_engine.kill()
    own_engine.start()
    assert own_engine.call("GET", "model/kept").json() == after
    assert Path(after["model_path"], "new.txt").is_file()
    assert own_engine.start_model("kept").status_code == 200
    own_engine.wait_for("kept", "ready")


# --- forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["userfile", "file"])
def test_packages_come_as_forms_too(engine: EngineProcess, field: str) -> None:
    name = f"form-{field}"
    files = {field: ("whatever it is.bin", package(name), "application/octet-stream")}
    answer = engine.call("POST", "deployment/model", files=files, data={"note": "first"})
    assert answer.status_code == 200, answer.text
    files = {field: ("päckage", package(name))}
    assert engine.call("POST", f"deployment/model/{name}", files=files).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [None, "", "application/octet-stream", "application/gzip", "application/x-tar", "text/plain",
     "application/x-www-form-urlencoded", "application/x-python-pickle", "multipart/mixed"],
)  # fmt: skip
def test_the_plain_body_is_the_package_whatever_it_is_called(
    engine: EngineProcess, kind: str | None
) -> None:
    engine.deploy("any-type")
    headers = {} if kind is None else {"Content-Type": kind}
    assert redeploy(engine, "any-type", headers=headers).status_code == 200


def test_forms_without_a_package_are_refused(engine: EngineProcess) -> None:
    wrong = engine.call("POST", "deployment/model", files={"package": ("a", package("formless"))})
    assert said(wrong) == (400, "missing_field")
    assert "'userfile' or 'file'" in wrong.json()["message"]
    headers = {"Content-Type": "multipart/form-data"}
    bare = engine.call("POST", "deployment/model", data=package("formless"), headers=headers)
    assert said(bare) == (400, "malformed_form")
    cut = engine.call(
        "POST",
        "deployment/model",
        data=b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + package("formless"),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert said(cut) == (400, "malformed_form")
    assert said(engine.call("GET", "model/formless")) == (404, "no_such_model")
    # The worker that unpacked it cleans up behind the answer.
    until(lambda: not list((engine.store / "staging").iterdir()))


# --- POST /model, PUT /model/{name} ---------------------------------------------------------


def bare_model(name: str, **more: object) -> dict[str, object]:
    return {
        "schema_version": "1",
        "name": name,
        "tag": "",
        "weight_path": "N/A",
        "model_path": "",
        "size": 0,
        "runtime": "python",
        "kernel_path": "kernel.py",
        **more,
    }


def test_a_model_without_files_waits_for_a_package(engine: EngineProcess) -> None:
    body = bare_model(
        "planned", tag="soon", model_path="/etc", size=99, uid="mine", colour="blue",
        attributes=[{"key": "a", "value": "b"}],
    )  # fmt: skip
    answer = engine.call("POST", "model", json=body)
    assert answer.status_code == 200, answer.text
    model = answer.json()
    assert model == engine.call("GET", "model/planned").json()
    assert (model["tag"], model["size"], model["creator"]) == ("soon", 0, "local")
    assert model["colour"] == "blue"
    assert model["attributes"] == [{"key": "a", "value": "b"}]
    assert model["uid"] != "mine"
    assert Path(model["model_path"]).name == stamp(model, "create_time")
    assert list(Path(model["model_path"]).iterdir()) == []
    assert said(engine.call("POST", "model", json=body)) == (409, "exists")
    assert said(engine.deploy("planned")) == (409, "exists")

    refused = engine.start_model("planned")
    assert said(refused) == (409, "no_files")
    assert "POST /dlim/v1/deployment/model/planned" in refused.json()["hint"]
    assert engine.instance("planned") == {"name": "planned", "state": "disabled"}
    assert said(engine.infer("planned")) == (409, "not_started")

    assert redeploy(engine, "planned").json()["uid"] == model["uid"]
    engine.start_model("planned")
    engine.wait_for("planned", "ready")
    assert engine.infer("planned", "there").text == "there"


@pytest.mark.parametrize("missing", REQUIRED_FIELDS)
def test_eight_fields_are_required(engine: EngineProcess, missing: str) -> None:
    if engine.call("GET", "model/eight").status_code == 404:
        engine.deploy("eight")
    body = engine.call("GET", "model/eight").json()
    del body[missing]
    for response in (
        engine.call("PUT", "model/eight", json=body),
        engine.call("POST", "model", json=body),
        engine.call("PUT", "model/eight", json={**body, missing: None}),
    ):
        assert said(response) == (400, "missing_field")
        assert response.json()["fields"] == [{"field": missing, "message": "is missing"}]


def test_put_changes_what_may_change(engine: EngineProcess) -> None:
    before = engine.deploy("changing", ECHO, **{"other.py": ECHO}).json()
    change = {
        "tag": "v2",
        "weight_path": "w.bin",
        "kernel_path": "other.py",
        "runtime": "dlipy3",
        "attributes": [{"key": "colour", "value": "blue"}],
        "mk_environments": [{"name": "MODE", "value": "fast"}],
        "unheard_of": {"kept": [1]},
    }
    # What the engine keeps up to date is not looked at.
    told = {**before, **change, "started_at": 5, "service_uri": "http://x", "last_updated_time": 1}
    answer = engine.call("PUT", "model/changing", json=told)
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after == engine.call("GET", "model/changing").json()
    assert after["last_updated_time"] >= before["last_updated_time"]
    assert after == {**before, **change, "last_updated_time": after["last_updated_time"]}
    # Where nothing is told of what a deployment is, it stays.
    empty = {**after, "uid": "", "model_path": "", "size": 0, "creator": "", "create_time": 0}
    assert engine.call("PUT", "model/changing", json=empty).json()["uid"] == before["uid"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "another"}, (400, "read_only_field")),
        ({"uid": "other"}, (400, "read_only_field")),
        ({"model_path": "/etc"}, (400, "read_only_field")),
        ({"size": 1}, (400, "read_only_field")),
        ({"creator": "eve"}, (400, "read_only_field")),
        ({"create_time": 1}, (400, "read_only_field")),
        ({"kernel_path": "gone.py"}, (400, "kernel_not_found")),
        ({"kernel_path": "../kernel.py"}, (400, "path_outside")),
        ({"kernel_path": "/etc/passwd"}, (400, "path_outside")),
        ({"schema_version": "2"}, (400, "invalid_field")),
        ({"tag": 7}, (400, "invalid_field")),
        ({"size": True}, (400, "invalid_field")),
        ({"attributes": [{"key": 1, "value": ""}]}, (400, "invalid_field")),
        ({"mk_environments": [{"name": "A=B", "value": ""}]}, (400, "invalid_field")),
        ({"name": "Bad Name"}, (400, "invalid_name")),
        ({"runtime": "cpp"}, (400, "unsupported_runtime")),
    ],
)
def test_put_refuses_and_changes_nothing(
    engine: EngineProcess, change: dict[str, object], expected: tuple[int, str]
) -> None:
    if engine.call("GET", "model/firm").status_code == 404:
        engine.deploy("firm")
    before = engine.call("GET", "model/firm").json()
    refused = engine.call("PUT", "model/firm", json={**before, **change})
    assert said(refused) == expected
    assert refused.json()["field"] in change or refused.json()["field"].split(".")[0] in change
    assert engine.call("GET", "model/firm").json() == before


def test_null_is_taken_for_nothing(engine: EngineProcess) -> None:
    before = engine.deploy("nulls").json()
    told = {**before, "attributes": None, "mk_environments": None, "stream_uri": None}
    answer = engine.call("PUT", "model/nulls", json=told)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["attributes"], answer.json()["mk_environments"]) == ([], [])


def test_put_waits_for_a_stop(engine: EngineProcess) -> None:
    engine.running("moving")
    model = engine.call("GET", "model/moving").json()
    assert said(engine.call("PUT", "model/moving", json=model)) == (409, "started")
    engine.stop_model("moving")
    engine.wait_for("moving", "stopped")
    # As it was read while it ran, with its address.
    assert engine.call("PUT", "model/moving", json=model).status_code == 200
    assert said(engine.call("PUT", "model/nobody", json=model)) == (404, "no_such_model")


@pytest.mark.parametrize("path", ["model", "model/bodies", "model/bodies/readme",
                                  "model/bodies/appprofile"])  # fmt: skip
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b"null", 400), (b"{", 400), (b"\xff\xfe{}", 400),
     (b'{"name": "\\ud800"}', 400), (b'{"a": 1, "a": 2}', 400), (b"[" * 100_000, 400),
     (b'{"size": 1e999}', 400), (b'{"size": ' + b"9" * 5000 + b"}", 400),
     (b"{}" + b" " * (1 << 20), 413)],
)  # fmt: skip
def test_bad_documents(engine: EngineProcess, path: str, body: bytes, status: int) -> None:
    if engine.call("GET", "model/bodies").status_code == 404:
        engine.deploy("bodies")
    method = "POST" if path == "model" else "PUT"
    assert said(engine.call(method, path, data=body))[0] == status


@pytest.mark.parametrize(
    ("kind", "status"),
    [(None, 200), ("application/json", 200), ("application/json;charset=UTF-8", 200),
     ("APPLICATION/JSON", 200), ("text/json", 200), ("application/x-www-form-urlencoded", 200),
     ("application/merge-patch+json", 200), ("application/json; charset=utf-16", 415),
     ("application/x-python-pickle", 415), ("multipart/form-data; boundary=x", 415),
     ("image/png", 415), ("application/json, x", 415)],
)  # fmt: skip
def test_control_bodies_are_json_and_inference_takes_anything(
    engine: EngineProcess, kind: str | None, status: int
) -> None:
    if engine.call("GET", "model/typed").status_code == 404:
        engine.running("typed")
    headers = {} if kind is None else {"Content-Type": kind}
    readme = json.dumps({"readme": "# Typed"})
    answer = engine.call("PUT", "model/typed/readme", data=readme, headers=headers)
    assert answer.status_code == status, answer.text
    if status == 415:
        assert said(answer)[1] == "unsupported_media_type"
    assert engine.infer("typed", "any", headers=headers).text == "any"


# --- what is only read ----------------------------------------------------------------------


def test_modelextension_lists_plans(engine: EngineProcess) -> None:
    engine.deploy("planning")
    profile = engine.call("GET", "model/planning/appprofile").json()
    profile["resource_allocation"]["kernel"]["resource_plan"] = "own/plan"
    assert engine.call("PUT", "model/planning/appprofile", json=profile).status_code == 200
    answer = engine.call("GET", "modelextension").json()
    assert answer["model_list"] == engine.call("GET", "model").json()
    assert set(answer) == {"model_list", "extension_list"}
    plans = {item["name"]: item["resource_plan"] for item in answer["extension_list"]}
    assert list(plans) == [model["name"] for model in answer["model_list"]]
    assert plans["planning"] == "own/plan"
    assert all(set(item) == {"name", "resource_plan"} for item in answer["extension_list"])


def test_nothing_streams(engine: EngineProcess) -> None:
    engine.deploy("streaming")
    answer = engine.call("GET", "model/streaming/streaming")
    assert (answer.status_code, answer.json()) == (200, {"streaming_service_uri": ""})
    assert said(engine.call("GET", "model/nobody/streaming")) == (404, "no_such_model")


HOLDING = """
import os, time
import redhareapiversion
from redhareapi import Kernel


class HoldingKernel(Kernel):
    def on_task_invoke(self, task):
        name = task.get_input_data()
        while name and not os.path.exists(name):
            time.sleep(0.002)
        task.set_output_data("done")


if __name__ == "__main__":
    HoldingKernel().run()
"""


def test_the_counters_of_an_instance_are_true(engine: EngineProcess, tmp_path: Path) -> None:
    engine.running("counting", HOLDING)

    def counters() -> tuple[dict, dict]:
        [service] = engine.instance("counting")["instances"]
        [container] = service["isd_container"]
        return service, container

    service, container = counters()
    assert (service["client_number"], service["pending_tasks"]) == (0, 0)
    assert service["request_per_sec"] == service["data_size_per_sec"] == 0
    assert container["container_status"] == "IDLE"
    assert container["total_task"] == 0

    free = tmp_path / "free"
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        held = [threads.submit(engine.infer, "counting", str(free)) for _ in range(3)]
        until(lambda: counters()[0]["client_number"] == 3)
        service, container = counters()
        # One runs; the others wait for the kernel.
        assert service["pending_tasks"] == 2
        assert (container["running_task"], container["container_status"]) == (1, "BUSY")
        assert 3 / 10 <= service["request_per_sec"] <= 3 / 9
        size = len(str(free))
        assert 3 * size / 10 - 0.01 <= service["data_size_per_sec"] <= 3 * size / 9 + 0.01
        free.touch()
        assert {answer.result().text for answer in held} == {"done"}
    service, container = counters()
    assert (service["client_number"], service["pending_tasks"]) == (0, 0)
    assert (container["finished_task"], container["total_task"]) == (3, 3)
    assert (container["running_task"], container["failed_task"]) == (0, 0)
    engine.stop_model("counting")
    engine.wait_for("counting", "stopped")


# --- tokens ---------------------------------------------------------------------------------


def basic(engine: EngineProcess, user: str = "ada") -> str:
    return base64.b64encode(f"{user}:{engine.token}".encode()).decode()


def test_tokens_of_every_kind_open_what_they_should(engine: EngineProcess) -> None:
    engine.running("tokens")
    url = f"{engine.base}auth/token"
    login = {
        "Authorization": f"Basic {basic(engine)}",
        "Content-Type": "application/json",
        "Accept": "application/json;charset=UTF-8",
    }
    tokens = requests.post(url, headers=login, timeout=10).json()
    assert set(tokens) == {"user_token", "access_token", "service_token"}
    # Clients of 2019 put name and password into the body.
    old = {"method": "password", "userpasswd": basic(engine)}
    assert requests.post(url, json=old, timeout=10).json() == tokens
    mine = {"X-Auth-Token": tokens["user_token"]}
    answer = requests.post(f"{url}/inference", headers=mine, timeout=10)
    assert answer.json() == {"service_token": tokens["service_token"]}

    ways = [("X-Auth-Token", ""), ("X-User-Token", ""), ("Authorization", "Bearer ")]
    for token in (engine.token, tokens["user_token"]):
        for header, scheme in ways:
            headers = {header: scheme + token}
            listed = requests.get(f"{engine.base}model", headers=headers, timeout=10)
            assert listed.status_code == 200
    for header, scheme in ways:
        headers = {header: scheme + tokens["service_token"]}
        answer = requests.post(
            f"{engine.base}inference/tokens", data="x", headers=headers, timeout=10
        )
        assert answer.text == "x"
        listed = requests.get(f"{engine.base}model", headers=headers, timeout=10)
        assert said(listed) == (403, "permission_denied")
        again = requests.post(f"{url}/inference", headers=headers, timeout=10)
        assert said(again) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "no token"),
        ({"X-Auth-Token": "0" * 64}, "not one of this engine"),
        ({"X-Auth-Token": "{token}", "X-User-Token": "{token}"}, "more than one token"),
        ({"Authorization": "Basic YTpi"}, "POST /dlim/v1/auth/token"),
        ({"Authorization": "ZenApiKey YTpi"}, "ZenApiKey"),
        ({"Authorization": "Negotiate x"}, "not one of this engine"),
    ],
)
def test_a_refused_login_says_what_to_do(
    engine: EngineProcess, headers: dict[str, str], words: str
) -> None:
    sent = {name: value.format(token=engine.token) for name, value in headers.items()}
    for path in ("model", "auth/token/inference"):
        method = "GET" if path == "model" else "POST"
        answer = requests.request(method, engine.base + path, headers=sent, timeout=10)
        assert said(answer) == (401, "unauthenticated")
        assert words in answer.json()["message"]
        assert answer.json()["hint"]
        assert engine.token not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"userpasswd": 1}', b'{"userpasswd": "YTpi"}']
)
def test_no_password_no_token(engine: EngineProcess, body: bytes) -> None:
    answer = requests.post(f"{engine.base}auth/token", data=body, timeout=10)
    assert said(answer) == (401, "unauthenticated")


# --- every route ----------------------------------------------------------------------------

PATHS = sorted({row.path for row in ROUTES})


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: f"{row.method} {row.path}")
def test_no_route_opens_without_the_right_token(engine: EngineProcess, row) -> None:
    if row.permission is None:
        return
    root = engine.base.removesuffix("/dlim/v1/")
    url = root + re.sub(r"\{\w+\}", "nobody", row.path)
    bare = requests.request(row.method, url, timeout=10)
    assert said(bare) == (401, "unauthenticated")
    assert bare.headers["WWW-Authenticate"] == "Bearer"
    login = {"Authorization": f"Basic {basic(engine)}"}
    service = requests.post(f"{engine.base}auth/token", headers=login, timeout=10).json()
    headers = {"X-Auth-Token": service["service_token"]}
    limited = requests.request(row.method, url, headers=headers, timeout=10)
    assert said(limited)[0] == (404 if row.permission == "Run" else 403)
