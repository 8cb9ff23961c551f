"""Profiles on the real engine: read, replaced, and run by."""

from __future__ import annotations

import concurrent.futures
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.engine_process import ECHO, EngineProcess
from support.waiting import until

from edi_labext.models import NO_GPU, Profile, parse_resources
from edi_labext.serving.honoured import HONOURED

#: Answers what its process was given.
FACTS = """
import json, os, sys
import redhareapiversion
from redhareapi import Kernel

mask = os.umask(0)
os.umask(mask)


class Facts(Kernel):
    def on_task_invoke(self, task):
        tasks = []
        while task != None:
            tasks.append(task)
            task = task.next()
        if tasks[0].get_input_data() == "wait":
            import time
            time.sleep(0.3)
        facts = {"environment": dict(os.environ), "umask": mask, "batch": len(tasks)}
        facts.update({"pid": os.getpid(), "executable": sys.executable})
        for item in tasks:
            item.set_output_data(json.dumps(facts))


if __name__ == "__main__":
    Facts().run()
"""


def edit(engine: EngineProcess, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the profile of a stopped deployment."""
    document = engine.call("GET", f"model/{name}/appprofile").json()
    change(document)
    answer = engine.call("PUT", f"model/{name}/appprofile", json=document)
    assert (answer.status_code, answer.json()) == (200, {})


def stopped(engine: EngineProcess, name: str) -> None:
    assert engine.stop_model(name).status_code == 200
    engine.wait_for(name, "stopped")


# --- the document -----------------------------------------------------------------------------


def test_a_new_deployment_has_edis_profile(engine: EngineProcess) -> None:
    model = engine.deploy("fresh").json()
    answer = engine.call("GET", "model/fresh/appprofile")
    document = answer.json()
    whole = Profile(
        name="fresh",
        create_time=document["create_time"],
        last_update_time=document["create_time"],
    ).to_wire()
    assert json.dumps(document) == json.dumps(whole)
    created = time.strptime(document["create_time"], "%a %b %d %H:%M:%S %Y GMT")
    assert time.strftime("%Y%m%d%H%M%S", created) == time.strftime(
        "%Y%m%d%H%M%S", time.gmtime(model["create_time"])
    )
    assert answer.headers["ETag"]


def test_a_profile_is_replaced_and_outlives_the_engine(own_engine: EngineProcess) -> None:
    own_engine.deploy("kept")
    before = own_engine.call("GET", "model/kept/appprofile").json()
    wanted = {**before, "new_field": {"a": [None, 1]}, "replica": 2}
    wanted["kernel"] = {**before["kernel"], "of_2_4": "x"}
    seen = []
    for _ in range(2):
        answer = own_engine.call("PUT", "model/kept/appprofile", json=wanted)
        assert (answer.status_code, answer.json()) == (200, {})
        after = own_engine.call("GET", "model/kept/appprofile").json()
        seen.append(after["last_update_time"])
        assert {**after, "last_update_time": ""} == {**wanted, "last_update_time": ""}
    assert len({before["last_update_time"], *seen}) == 3
    own_engine.kill()
    own_engine.start()
    assert own_engine.call("GET", "model/kept/appprofile").json() == after


def test_only_while_stopped_and_only_what_there_is(engine: EngineProcess) -> None:
    for method in ("GET", "PUT"):
        answer = engine.call(method, "model/nobody/appprofile", data="{}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_model")
    engine.running("busy")
    document = engine.call("GET", "model/busy/appprofile").json()
    # Also what could not be taken anyway: first it has to be stopped.
    for body in (json.dumps(document), "nonsense"):
        refused = engine.call("PUT", "model/busy/appprofile", data=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "started")
        assert "top it first" in refused.json()["hint"]
    stopped(engine, "busy")
    assert engine.call("PUT", "model/busy/appprofile", json=document).status_code == 200


def test_bad_documents_change_nothing(engine: EngineProcess) -> None:
    engine.deploy("careful")
    before = engine.call("GET", "model/careful/appprofile").json()
    partial = {key: value for key, value in before.items() if key != "kernel"}
    for body, status, code in (
        (b"", 400, "invalid_json"),
        (b"[]", 400, "expected_object"),
        (b'{"a": NaN}', 400, "invalid_number"),
        (b'{"a": 1, "a": 2}', 400, "duplicate_key"),
        (b"[" * 5000, 400, "too_deep"),
        (b"\xff\xfe", 400, "not_utf8"),
        (b"{}", 400, "invalid_profile"),
        (json.dumps(partial).encode(), 400, "invalid_profile"),
        (json.dumps({**before, "name": "other"}).encode(), 400, "read_only_field"),
        (json.dumps({**before, **{f"k{n}": 1 for n in range(10_000)}}).encode(), 400,
         "too_many_fields"),
        (b" " * 10_000_000, 413, None),
    ):  # fmt: skip
        answer = engine.call("PUT", "model/careful/appprofile", data=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["code"] == (code or answer.json()["code"])
    wrong = {**before, "policy": {**before["policy"], "kernel_min": -1, "kernel_max": 0}}
    refused = engine.call("PUT", "model/careful/appprofile", json=wrong).json()
    assert [item["field"] for item in refused["fields"]] == [
        "policy.kernel_min",
        "policy.kernel_max",
    ]
    assert len(refused["detail"].splitlines()) == 2
    assert engine.call("GET", "model/careful/appprofile").json() == before


def test_a_stale_copy_is_refused_where_the_version_is_told(engine: EngineProcess) -> None:
    engine.deploy("stale")
    first = engine.call("GET", "model/stale/appprofile")
    etag = {"If-Match": first.headers["ETag"]}
    put = "model/stale/appprofile"
    assert engine.call("PUT", put, json=first.json(), headers=etag).status_code == 200
    refused = engine.call("PUT", put, json=first.json(), headers=etag)
    assert (refused.status_code, refused.json()["code"]) == (409, "changed_since_read")
    assert engine.call("PUT", put, json=first.json(), headers={"If-Match": "*"}).status_code == 200
    assert engine.call("PUT", put, json=first.json()).status_code == 200


def test_the_readme_is_replaced(engine: EngineProcess) -> None:
    engine.deploy("readable")
    text = "# Größe\n" * 100
    answer = engine.call("PUT", "model/readable/readme", json={"readme": text})
    assert (answer.status_code, answer.json()) == (200, {})
    assert engine.call("GET", "model/readable/readme").json() == {"readme": text}
    for body in (b"", b"{}", b'{"readme": 3}', b'{"readme": "\\ud800"}'):
        assert engine.call("PUT", "model/readable/readme", data=body).status_code == 400
    assert engine.call("PUT", "model/nobody/readme", json={"readme": ""}).status_code == 404
    assert engine.call("GET", "model/readable/readme").json() == {"readme": text}


def test_capabilities_say_what_has_an_effect(engine: EngineProcess) -> None:
    url = engine.base.replace("/dlim/v1/", "/edi/v1/capabilities")
    answer = engine.session.get(url, timeout=10).json()
    assert {"profile", "runtimes"} <= set(answer["features"])
    assert answer["honoured_profile_fields"] == list(HONOURED)
    document = engine.deploy("all-fields") and engine.call("GET", "model/all-fields/appprofile")
    for path in HONOURED:
        place = document.json()
        for step in path.split("."):
            # The last may be a part of a text.
            place = place[step] if isinstance(place, dict) else parse_resources(place)


# --- run by -----------------------------------------------------------------------------------


def test_the_next_start_goes_by_it(engine: EngineProcess) -> None:
    engine.running("facts", FACTS)
    assert engine.infer("facts").json()["environment"]["CUDA_VISIBLE_DEVICES"] == ""
    stopped(engine, "facts")

    def change(document: dict[str, Any]) -> None:
        document["policy"].update(kernel_min=2, kernel_max=3)
        document["kernel"].update(umask="077", envs=[{"name": "MOOD", "value": "good\nday"}])

    edit(engine, "facts", change)
    engine.start_model("facts")
    until(lambda: engine.status("facts")["kernels_ready"] == 2)
    status = engine.status("facts")
    assert (status["kernels_ready"], status["kernels_wanted"]) == (2, 2)
    assert (status["gpu"], status["profile_changed"]) == ("no", False)
    # What is only kept is said.
    [line] = [line for line in status["log_tail"] if "without effect" in line]
    assert line.endswith(": policy.kernel_max")
    facts = engine.infer("facts").json()
    assert facts["environment"]["MOOD"] == "good\nday"
    assert "DLIM_MK_LOG_LEVEL" not in facts["environment"]
    assert facts["umask"] == 0o077
    stopped(engine, "facts")


def test_batches_are_as_large_as_it_says(engine: EngineProcess) -> None:
    engine.deploy("batches", FACTS)
    edit(engine, "batches", lambda document: document["policy"].update(task_batch_size=3))
    engine.start_model("batches")
    engine.wait_for("batches", "ready")
    with concurrent.futures.ThreadPoolExecutor(7) as threads:
        first = threads.submit(engine.infer, "batches", "wait")
        until(lambda: engine.status("batches")["pending_tasks"])
        rest = [threads.submit(engine.infer, "batches") for _ in range(6)]
        sizes = [item.result().json()["batch"] for item in (first, *rest)]
    assert sizes[0] == 1
    assert max(sizes) == 3


def test_its_timeouts_count(engine: EngineProcess) -> None:
    sleepy = ECHO.replace("        while", "        import time; time.sleep(2)\n        while")
    engine.deploy("slow-task", sleepy)
    edit(engine, "slow-task", lambda d: d["policy"].update(task_execution_timeout=0.2))
    engine.start_model("slow-task")
    engine.wait_for("slow-task", "ready")
    answer = engine.infer("slow-task")
    assert (answer.status_code, answer.json()["code"]) == (504, "task_timeout")
    engine.deploy("slow-start", "import time; time.sleep(20)\n" + ECHO)
    edit(engine, "slow-start", lambda d: d["kernel"].update(connection_timeout=0.3))
    engine.start_model("slow-start")
    assert "within 0.3 s" in engine.wait_for("slow-start", "failed")["reason"]
    # Mended without another deploy.
    stopped(engine, "slow-start")


def test_at_zero_the_first_request_starts_a_kernel(engine: EngineProcess) -> None:
    engine.deploy("zero", FACTS)
    edit(engine, "zero", lambda document: document["policy"].update(kernel_min=0))
    for _ in range(2):
        engine.start_model("zero")
        status = engine.wait_for("zero", "ready")
        assert (status["kernels_ready"], status["kernels_wanted"]) == (0, 0)
        assert "first request starts one" in status["reason"]
        instance = engine.instance("zero")
        assert instance["state"] == "enabled"
        assert instance["instances"][0]["isd_container"] == []
        pid = engine.infer("zero").json()["pid"]
        assert engine.infer("zero").json()["pid"] == pid
        assert engine.status("zero")["kernels_ready"] == 1
        # Started again while it still has a request to answer.
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(engine.infer, "zero", "wait")
            until(lambda: engine.status("zero")["pending_tasks"])
            engine.stop_model("zero")
            engine.start_model("zero")
            assert waiting.result().status_code == 200
        engine.wait_for("zero", "ready")
        assert engine.infer("zero").json()["pid"] != pid
        stopped(engine, "zero")


def test_changed_while_its_kernels_end_it_starts_anew(engine: EngineProcess) -> None:
    engine.running("quick", FACTS)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(engine.infer, "quick", "wait")
        until(lambda: engine.status("quick")["pending_tasks"])
        engine.stop_model("quick")
        envs = [{"name": "MOOD", "value": "new"}]
        edit(engine, "quick", lambda document: document["kernel"].update(envs=envs))
        engine.start_model("quick")
        status = engine.status("quick")
        assert (status["state"], status["profile_changed"]) == ("starting", True)
        assert "MOOD" not in waiting.result().json()["environment"]
    status = engine.wait_for("quick", "ready")
    assert status["profile_changed"] is False
    assert engine.infer("quick").json()["environment"]["MOOD"] == "new"
    # Started again without a change, the stop is just called off.
    stopped(engine, "quick")
    engine.start_model("quick")
    engine.wait_for("quick", "ready")
    pid = engine.infer("quick").json()["pid"]
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(engine.infer, "quick", "wait")
        until(lambda: engine.status("quick")["pending_tasks"])
        engine.stop_model("quick")
        engine.start_model("quick")
        assert waiting.result().json()["pid"] == pid
    assert engine.infer("quick").json()["pid"] == pid


# --- GPUs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_without_a_gpu_it_stays_pending_and_says_why(own_engine: EngineProcess, mode: str) -> None:
    engine, words = own_engine, NO_GPU[mode]
    engine.deploy("wanting")
    edit(engine, "wanting", lambda document: document["kernel"].update(gpu=mode))
    assert engine.start_model("wanting").json() == {}
    for _ in range(2):
        status = engine.wait_for("wanting", "pending")
        assert (status["reason"], status["gpu"], status["kernels_wanted"]) == (words, mode, 1)
        assert engine.instance("wanting") == {"name": "wanting", "state": "not-available"}
        refused = engine.infer("wanting")
        assert (refused.status_code, refused.json()["code"]) == (503, "pending")
        assert refused.json()["message"] == words
        assert engine.call("DELETE", "model/wanting").json()["code"] == "started"
        assert engine.call("PUT", "model/wanting/appprofile").json()["code"] == "started"
        assert not engine.kernel_pids()
        # Also at the next start of the engine: it is still wanted.
        engine.kill()
        engine.start()
    assert any(words in line for line in engine.wait_for("wanting", "pending")["log_tail"])
    assert engine.stop_model("wanting").json() == {}
    assert engine.status("wanting")["state"] == "stopped"
    edit(engine, "wanting", lambda document: document["kernel"].update(gpu="no"))
    engine.start_model("wanting")
    engine.wait_for("wanting", "ready")
    stopped(engine, "wanting")
    assert engine.call("DELETE", "model/wanting").json() == {}


def test_more_memory_than_there_is_stays_pending_and_says_so(engine: EngineProcess) -> None:
    engine.deploy("vast")

    def ask_for(mem: str) -> Callable[[dict[str, Any]], object]:
        return lambda document: document["resource_allocation"]["kernel"].update(resources=mem)

    edit(engine, "vast", ask_for(f"mem={1 << 30}"))
    assert engine.start_model("vast").json() == {}
    words = engine.wait_for("vast", "pending")["reason"]
    assert re.fullmatch(
        rf"This machine has \d+ MB of memory; the profile asks for {1 << 30} MB for each kernel .*",
        words,
    )
    assert engine.instance("vast") == {"name": "vast", "state": "not-available"}
    refused = engine.infer("vast")
    assert (refused.status_code, refused.json()["message"]) == (503, words)
    # Starting it once more changes nothing; another profile does.
    assert engine.start_model("vast").json() == {}
    assert engine.status("vast")["reason"] == words
    assert any(words in line for line in engine.status("vast")["log_tail"])
    assert engine.stop_model("vast").json() == {}
    edit(engine, "vast", ask_for("mem=1"))
    engine.start_model("vast")
    engine.wait_for("vast", "ready")
    stopped(engine, "vast")


#: A stand-in for ``nvidia-ml-py`` on a machine with two GPUs.
BINDING = """
class NVMLError(Exception): pass
def nvmlInit(): pass
def nvmlShutdown(): pass
def nvmlDeviceGetCount(): return 2
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetUUID(index): return f"GPU-{index}"
def nvmlDeviceGetName(index): return "Stand-in"
def nvmlDeviceGetMemoryInfo(index):
    class Memory: total = 1
    return Memory
"""


@pytest.fixture
def gpu_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProcess]:
    (tmp_path / "binding").mkdir()
    (tmp_path / "binding" / "pynvml.py").write_text(BINDING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "binding"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    process = EngineProcess(tmp_path / "store")
    yield process
    assert process.stop() == 0


def visible(engine: EngineProcess, name: str) -> str:
    return str(engine.infer(name).json()["environment"]["CUDA_VISIBLE_DEVICES"])


def test_gpus_are_given_waited_for_and_given_back(gpu_engine: EngineProcess) -> None:
    engine = gpu_engine
    for name, mode in (("alone", "exclusive"), ("both", "exclusive"), ("packed", "shared")):
        engine.deploy(name, FACTS)
        edit(engine, name, lambda document, mode=mode: document["kernel"].update(gpu=mode))
    edit(engine, "both", lambda document: document["policy"].update(kernel_min=2))
    for name in ("packed", "alone"):
        engine.start_model(name)
        engine.wait_for(name, "ready")
    assert (visible(engine, "packed"), visible(engine, "alone")) == ("GPU-0", "GPU-1")
    [service] = engine.instance("packed")["instances"]
    assert (service["gpu_mode"], service["gpu_packid"]) == ("shared", "edi-packed")
    [service] = engine.instance("alone")["instances"]
    assert service["gpu_mode"] == "exclusive"
    assert "gpu_packid" not in service

    engine.start_model("both")
    reason = engine.wait_for("both", "pending")["reason"]
    assert reason.startswith("All 2 GPUs of this machine are in use; the profile asks for 2 GPUs")
    assert engine.infer("both").json()["message"] == reason
    engine.stop_model("packed")
    engine.stop_model("alone")
    # Nobody has to start it again.
    engine.wait_for("both", "ready")
    until(lambda: engine.status("both")["kernels_ready"] == 2)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: engine.infer("both", "wait").json(), range(2)))
    assert {a["environment"]["CUDA_VISIBLE_DEVICES"] for a in answers} == {"GPU-0", "GPU-1"}
    # Given up waiting, and what was held goes to who still waits.
    engine.start_model("alone")
    engine.start_model("packed")
    engine.wait_for("alone", "pending")
    engine.stop_model("alone")
    engine.stop_model("both")
    engine.wait_for("packed", "ready")
    assert engine.status("alone")["state"] == "stopped"


def test_a_crashed_kernel_gets_its_gpu_back(gpu_engine: EngineProcess) -> None:
    engine = gpu_engine
    engine.deploy("crashing", FACTS.replace('== "wait"', '== "die" and os._exit(3)'))
    edit(engine, "crashing", lambda d: d["kernel"].update(gpu="exclusive"))
    engine.start_model("crashing")
    engine.wait_for("crashing", "ready")
    assert visible(engine, "crashing") == "GPU-0"
    assert engine.infer("crashing", "die").status_code == 502
    assert visible(engine, "crashing") == "GPU-0"


# --- runtimes ---------------------------------------------------------------------------------


def test_runtimes_are_listed(engine: EngineProcess) -> None:
    answer = engine.call("GET", "deployment/runtime").json()
    assert answer["schema_version"] == "1"
    by_name = {runtime["type"]: runtime for runtime in answer["runtimes"]}
    assert next(iter(by_name)) == "python"
    assert {"dlipy3", "dlipy3-cpu", "condaenvpy39"} <= set(by_name)
    assert "cpp" not in by_name
    assert "engine's own Python 3." in by_name["dlipy3"]["description"]


def deploy_in(engine: EngineProcess, name: str, runtime: str, kernel: str = FACTS) -> None:
    description = {"name": name, "kernel_path": "kernel.py", "runtime": runtime}
    answer = engine.deploy(name, kernel, **{"model.json": json.dumps(description)})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("runtime", "words"), [("dlipy3", "is WMLA's"), ("no such\x1b one", "is not known here")]
)
def test_a_runtime_that_is_not_here_is_said_at_once(
    engine: EngineProcess, runtime: str, words: str
) -> None:
    name = f"runtime-{len(runtime)}"
    deploy_in(engine, name, runtime)
    assert words in engine.status(name)["log_tail"][0]
    engine.start_model(name)
    engine.wait_for(name, "ready")
    assert engine.infer(name).json()["executable"] == sys.executable
    assert engine.call("GET", f"model/{name}").json()["runtime"] == runtime
    assert "\x1b" not in "".join(engine.status(name)["log_tail"])


def test_a_missing_module_names_the_runtime(engine: EngineProcess) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for runtime in ("python", "dlipy3"):
        deploy_in(engine, f"torch-{runtime}", runtime, "\n\nimport torch_of_nobody\n")
        engine.start_model(f"torch-{runtime}")
        reason = engine.wait_for(f"torch-{runtime}", "failed")["reason"]
        assert reason.startswith(
            "The kernel did not start: ModuleNotFoundError: No module named 'torch_of_nobody' "
            f"(kernel.py, line 3); runtime {runtime} = the engine's Python {version}."
        )
