"""The engine as a process: EDI's routes, a deployment's life, and what goes wrong."""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine_process import ECHO, EngineProcess, package
from support.forked_engine import ForkedEngine, Nursery
from support.waiting import until


@pytest.fixture
def own_engine(tmp_path: Path) -> Iterator[EngineProcess]:
    """The command itself, that a test may kill."""
    process = EngineProcess(tmp_path / "store")
    yield process
    process.stop()


def kernel(body: str, *, start: str = "pass", head: str = "") -> str:
    """Return a kernel file whose ``on_task_invoke`` runs ``body`` with ``task`` and ``data``."""
    indented = "\n".join(f"        {line}" for line in body.splitlines())
    return (
        f"{head}\nimport json, os, signal, sys, threading\n"
        "import redhareapiversion\nfrom redhareapi import Kernel\n"
        "class TestKernel(Kernel):\n"
        f"    def on_kernel_start(self, kernel_context):\n        {start}\n"
        "    def on_task_invoke(self, task):\n"
        "        data = task.get_input_data()\n"
        f"{indented}\n"
        "if __name__ == '__main__':\n    TestKernel().run()\n"
    )


def error_of(response) -> tuple[int, str]:
    body = response.json()
    # All three readers of the field find the same words (reference/rest-api.md section 4).
    assert body["error"] == body["message"] == body["errors"][0]["message"]
    assert "Traceback" not in body["message"]
    return response.status_code, body["code"]


# --- the whole life -------------------------------------------------------------------------


def test_the_walk_of_one_deployment(engine: EngineProcess) -> None:
    model = engine.deploy("walk").json()
    assert model["started_at"] == 0
    assert model["service_uri"] == ""
    assert "stream_uri" not in model
    assert model["creator"] == "local"
    assert Path(model["model_path"]).name.startswith("walk-20")
    assert engine.instance("walk") == {"name": "walk", "state": "disabled"}
    assert error_of(engine.infer("walk")) == (409, "not_started")

    assert engine.start_model("walk").json() == {}
    assert engine.instance("walk")["state"] in ("not-available", "enabled")
    # A request that comes before the kernel is ready waits for it.
    assert engine.infer("walk", '{"data": "123"}').text == '{"data": "123"}'
    instance = engine.instance("walk")
    assert instance["state"] == "enabled"
    [service] = instance["instances"]
    [container] = service["isd_container"]
    assert container["container_status"] == "IDLE"
    assert (container["finished_task"], container["total_task"]) == (1, 1)
    started = engine.call("GET", "model/walk").json()
    assert started["service_uri"] == f"{engine.base}inference/walk"
    assert started["started_at"] > 0
    assert error_of(engine.call("DELETE", "model/walk")) == (409, "started")

    assert engine.stop_model("walk").json() == {}
    engine.wait_for("walk", "stopped")
    assert engine.stop_model("walk").json() == {}
    assert engine.instance("walk") == {"name": "walk", "state": "disabled"}
    assert engine.call("GET", "model/walk").json()["service_uri"] == ""
    assert engine.call("DELETE", "model/walk").json() == {}
    assert error_of(engine.call("GET", "model/walk")) == (404, "no_such_model")
    assert not Path(model["model_path"]).exists()


def test_lists_are_sorted_and_have_the_readme(engine: EngineProcess) -> None:
    for name in ("zeta", "alpha"):
        engine.deploy(name)
    names = [model["name"] for model in engine.call("GET", "model").json()]
    assert names == sorted(names)
    assert {"alpha", "zeta"} <= set(names)
    assert engine.call("GET", "model/alpha/readme").json() == {"readme": "# Test\n"}


def test_answers_are_the_kernels_text_unchanged(engine: EngineProcess) -> None:
    engine.running("bytes")
    for body in (b"", b"not json", "ünïcode 🙂".encode(), b"\xff\xfe\x00 raw", b"x" * 300_000):
        response = engine.infer("bytes", body)
        assert (response.status_code, response.content) == (200, body)
        assert response.headers["Content-Type"] == "application/json"
    many = [str(number) for number in range(300)]
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda body: engine.infer("bytes", body).text, many))
    assert answers == many


def test_the_door_and_the_asgi_route_answer_alike(engine: EngineProcess) -> None:
    """Two requests in one write: the second is pipelined and takes the ASGI route."""
    import socket

    engine.running("pipelined")
    host, port = engine.base.split("/")[2].split(":")
    request = (
        f"POST /dlim/v1/inference/pipelined HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"X-Auth-Token: {engine.token}\r\nContent-Length: 3\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall((request + "one" + request + "two").encode())
        received = b""
        while received.count(b"HTTP/1.1 200") < 2 or not received.endswith(b"two"):
            chunk = client.recv(65536)
            assert chunk, received
            received += chunk
    assert received.index(b"one") < received.index(b"two")


# --- tokens ---------------------------------------------------------------------------------


def test_a_token_for_name_and_password(engine: EngineProcess) -> None:
    good = base64.b64encode(f"ada:{engine.token}".encode()).decode()
    bad = base64.b64encode(b"ada:wrong").decode()
    url = engine.base + "auth/token"
    import requests

    refused = requests.post(url, headers={"Authorization": f"Basic {bad}"}, timeout=10)
    assert error_of(refused) == (401, "unauthenticated")
    tokens = requests.post(url, headers={"Authorization": f"Basic {good}"}, timeout=10).json()
    assert tokens["user_token"] == tokens["access_token"] != engine.token
    mine = {"X-Auth-Token": tokens["user_token"]}
    answer = requests.post(
        engine.base + "deployment/model", data=package("adas"), headers=mine, timeout=10
    )
    assert answer.json()["creator"] == "ada"
    run_only = {"Authorization": f"Bearer {tokens['service_token']}"}
    refused = requests.get(engine.base + "model", headers=run_only, timeout=10)
    assert error_of(refused)[0] == 403
    assert (
        requests.post(engine.base + "inference/adas", headers=run_only, timeout=10).status_code
        == 409
    )


def test_the_engine_proves_itself_before_it_gets_a_token(engine: EngineProcess) -> None:
    import requests

    url = engine.base.replace("/dlim/v1/", "/edi/v1/hello")
    answer = requests.get(url, params={"nonce": "ab" * 20}, timeout=10).json()
    expected = hmac.new(
        engine.token.encode(), b"edi-hello:" + b"ab" * 20, hashlib.sha256
    ).hexdigest()
    assert answer == {"hmac": expected}
    assert requests.get(url, params={"nonce": "x"}, timeout=10).status_code == 400


def test_the_token_is_in_no_argv_no_log_and_no_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER_ACCESS_TOKEN", "canary-7f3a")
    monkeypatch.setenv("JPY_API_TOKEN", "canary-7f3a")
    engine = EngineProcess(tmp_path / "store")
    try:
        dump = "task.set_output_data(json.dumps(dict(os.environ)))"
        engine.running("dump", kernel(dump))
        environment = engine.infer("dump").json()
        assert "canary-7f3a" not in json.dumps(environment)
        assert engine.token not in json.dumps(environment)
        assert environment["REDHARE_MODEL_NAME"] == "dump"
        for pid in [engine.process.pid, *engine.kernel_pids()]:
            argv = Path(f"/proc/{pid}/cmdline").read_bytes()
            assert engine.token.encode() not in argv
            assert b"canary" not in argv
        engine.infer("none")
        written = engine.log.read_text() + "".join(
            path.read_text() for path in engine.store.glob("pods/*/logs/*")
        )
        assert engine.token not in written
        assert "canary" not in written
        for path in [engine.store, *engine.store.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode & 0o077 == 0, (path, oct(mode))
    finally:
        engine.stop()


# --- what goes wrong ------------------------------------------------------------------------


def test_bad_packages_change_nothing(engine: EngineProcess) -> None:
    before = engine.call("GET", "model").json()
    for data, status, code in (
        (b"", 400, "not_an_archive"),
        (b"PK\x03\x04" + b"\0" * 100, 415, None),
        (package("Bad Name"), 400, "invalid_name"),
        (package("no-kernel").replace(b"", b"")[:50], 400, None),
    ):
        response = engine.call("POST", "deployment/model", data=data)
        assert response.status_code == status, response.text
        if code:
            assert response.json()["code"] == code
    assert engine.call("GET", "model").json() == before


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import torch_of_nobody\n" + ECHO, "No module named 'torch_of_nobody'"),
        ("x = (\n", "SyntaxError"),
        (kernel("pass", start="raise RuntimeError('no weights')"), "RuntimeError: no weights"),
        (kernel("pass", start="os._exit(3)"), "exited with code 3"),
        ("print('hello')\n", "without calling run()"),
    ],
)
def test_a_kernel_that_does_not_start_says_why(
    engine: EngineProcess, source: str, words: str, request: pytest.FixtureRequest
) -> None:
    name = f"broken-{abs(hash(request.node.name)) % 10_000}"
    engine.deploy(name, source)
    engine.start_model(name)
    status = engine.wait_for(name, "failed")
    assert words in status["reason"], status
    assert "Traceback" not in status["reason"]
    refused = engine.infer(name)
    assert error_of(refused) == (503, "deployment_failed")
    assert words in refused.json()["message"]
    assert status["log_tail"]
    engine.stop_model(name)
    engine.wait_for(name, "stopped")


def test_those_who_wait_hear_of_a_failed_start_at_once(
    engine: EngineProcess, tmp_path: Path
) -> None:
    # Its first start fails on our word; the next one would go on for longer than anybody waits.
    go = tmp_path / "go"
    start = (
        f"import time\n        while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        f"        os.remove({str(go)!r}); raise OSError('no weights')"
    )
    engine.deploy("too-late", kernel("pass", start=start))
    engine.start_model("too-late")
    with concurrent.futures.ThreadPoolExecutor(3) as clients:
        answers = [clients.submit(engine.infer, "too-late") for _ in range(3)]
        until(lambda: engine.status("too-late")["pending_tasks"] == 3)
        go.touch()
        for answer in answers:
            refused = answer.result()
            assert error_of(refused) == (503, "deployment_failed")
            assert "no weights" in refused.json()["message"]
    assert engine.status("too-late")["pending_tasks"] == 0
    engine.stop_model("too-late")
    engine.wait_for("too-late", "stopped")


def test_a_crash_costs_one_request_and_is_mended(engine: EngineProcess) -> None:
    body = "os._exit(7) if data == 'die' else task.set_output_data(str(os.getpid()))"
    engine.running("crashing", kernel(body))
    engine.running("neighbour")
    first = engine.infer("crashing").text
    died = engine.infer("crashing", "die")
    assert error_of(died) == (502, "kernel_died")
    assert "exited with code 7" in died.json()["message"]
    # The next request waits for the replacement.
    second = engine.infer("crashing")
    assert second.status_code == 200
    assert second.text != first
    assert engine.status("neighbour")["state"] == "ready"
    assert engine.infer("neighbour", "still here").text == "still here"


def test_an_exception_and_a_missing_output_fail_only_their_task(engine: EngineProcess) -> None:
    body = (
        "if data == 'raise': raise ValueError('bad digit')\n"
        "if data != 'nothing': task.set_output_data(data)"
    )
    engine.running("raising", kernel(body))
    raised = engine.infer("raising", "raise")
    assert raised.status_code == 502
    assert "ValueError: bad digit" in raised.json()["message"]
    assert engine.infer("raising", "nothing").status_code == 502
    assert engine.infer("raising", "fine").text == "fine"
    # The log comes through a pipe of its own, so it may come after the answer.
    until(lambda: any("bad digit" in line for line in engine.status("raising")["log_tail"]))


def test_a_hanging_kernel_gives_504_and_harms_nobody(nursery: Nursery, tmp_path: Path) -> None:
    engine = ForkedEngine(nursery, tmp_path / "store", "--task-execution-timeout", "0.4")
    try:
        body = "threading.Event().wait() if data == 'hang' else task.set_output_data('ok')"
        engine.running("hanging", kernel(body))
        engine.running("neighbour")
        began = time.monotonic()
        assert error_of(engine.infer("hanging", "hang")) == (504, "task_timeout")
        assert time.monotonic() - began < 0.4 + 0.5
        assert engine.infer("neighbour", "x").text == "x"
        # A stop ends it though it never returns; the engine's own end does too.
    finally:
        pids = engine.kernel_pids()
        assert len(pids) == 4  # two kernels and their guards
        engine.kill()
    until(lambda: not engine.kernel_pids() & pids, seconds=4)


def test_a_kernel_that_starts_too_slowly_fails(nursery: Nursery, tmp_path: Path) -> None:
    engine = ForkedEngine(nursery, tmp_path / "store", "--connection-timeout", "0.3")
    try:
        engine.deploy("slow", kernel("pass", start="threading.Event().wait()"))
        engine.start_model("slow")
        status = engine.wait_for("slow", "failed")
        assert "did not report ready within 0.3 s" in status["reason"]
    finally:
        engine.stop()


# --- the engine's own end -------------------------------------------------------------------


def test_nothing_acknowledged_is_lost_when_the_engine_is_killed(own_engine: EngineProcess) -> None:
    own_engine.running("kept", ECHO)
    assert own_engine.deploy("asleep").status_code == 200
    own_engine.deploy("gone")
    assert own_engine.call("DELETE", "model/gone").status_code == 200
    before = own_engine.call("GET", "model/kept").json()
    own_engine.kill()
    own_engine.start()
    names = [model["name"] for model in own_engine.call("GET", "model").json()]
    assert names == ["asleep", "kept"]
    after = own_engine.call("GET", "model/kept").json()
    assert {**after, "service_uri": ""} == {**before, "service_uri": ""}
    own_engine.wait_for("kept", "ready")
    assert own_engine.infer("kept", "back").text == "back"
    assert own_engine.status("asleep")["state"] == "stopped"


def test_sigterm_answers_what_was_accepted(own_engine: EngineProcess) -> None:
    body = "import time; time.sleep(0.3); task.set_output_data('done')"
    own_engine.running("busy", kernel(body))
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        answer = threads.submit(own_engine.infer, "busy")
        until(lambda: own_engine.status("busy")["pending_tasks"])
        assert own_engine.stop() == 0
        assert answer.result().text == "done"
    assert not own_engine.kernel_pids()
    assert not (own_engine.store / "engine.json").exists()


def test_a_second_engine_on_a_store_is_refused(own_engine: EngineProcess) -> None:
    second = subprocess.run(own_engine.command, capture_output=True, text=True, timeout=20)
    assert second.returncode == 3
    assert second.stdout == ""
    assert str(own_engine.process.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_stale_runtime_file_harms_nobody(tmp_path: Path) -> None:
    """After a crash it may name a process that has its number by chance: this very test."""
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    stale = {"rest_server": "http://127.0.0.1:9/dlim/v1/", "pid": os.getpid(), "owner": "terminal"}
    (store / "engine.json").write_text(json.dumps(stale))
    (store / "lock").write_text(f"{os.getpid()}\n")
    engine = EngineProcess(store)
    facts = json.loads((store / "engine.json").read_text())
    assert facts["pid"] == engine.process.pid
    assert facts["rest_server"] == engine.base
    assert engine.stop() == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--limit", "body_idle=-1"], "body_idle"),
        (["--limit", "no_such=1"], "no_such"),
        (["--port", "70000"], "port"),
        (["--task-execution-timeout", "0"], "task_execution_timeout"),
    ],
)
def test_wrong_options_are_named(
    nursery: Nursery, tmp_path: Path, options: list[str], word: str
) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        arguments = ["--store", str(tmp_path / "s"), *options]
        pid = nursery.fork(arguments, plan=None, stdout=stdout.fileno(), stderr=stderr.fileno())
    assert nursery.status(pid) == 2
    assert out.read_text() == ""
    assert word in err.read_text()
    assert "Traceback" not in err.read_text()


def test_it_ends_with_the_jupyter_server_that_started_it(tmp_path: Path) -> None:
    import sys

    store = tmp_path / "store"
    command = [sys.executable, "-m", "edi_labext.serving", "--store", str(store)]
    process = subprocess.Popen(
        [*command, "--owner", "jupyter"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout
    facts = json.loads(process.stdout.readline())
    runtime = json.loads((store / "engine.json").read_text())
    assert runtime["rest_server"] == facts["rest_server"]
    assert runtime["owner"] == "jupyter"
    assert "token" not in {key for key in runtime if key != "token_file"}
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
    assert os.listdir(store / "staging") == []
