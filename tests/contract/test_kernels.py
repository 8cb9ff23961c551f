"""Kernels in the styles of public ones: each deployed, started, asked, stopped and removed."""

from __future__ import annotations

import base64
import concurrent.futures
import io
import json
import struct
import zipfile
import zlib
from typing import Any

import pytest

from contract.facts import Ledger
from contract.service import KERNELS, Service


def expectation(kernel: str) -> dict[str, Any]:
    path = KERNELS / kernel / "expectation.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


ALL = sorted(folder.name for folder in KERNELS.iterdir() if (folder / "kernel.py").exists())
ALL += ["nested"]
ANSWERING = [kernel for kernel in ALL if "exchanges" in expectation(kernel)]


def end(edi: Service, name: str, fact: Ledger) -> None:
    """Stop and remove a deployment, the last part of every life."""
    fact.equal("stop answers 200 {}", "rest-api 6", "observed", _code(edi.stop(name)), (200, {}))
    edi.wait(name, "disabled")
    fact.equal("delete answers {}", "rest-api 3", "observed", _code(edi.delete(name)), (200, {}))
    assert name not in edi.left_behind()


def _code(answer: Any) -> tuple[int, Any]:
    return answer.status, answer.json_or_none()


@pytest.mark.parametrize("kernel", ANSWERING)
def test_a_kernel_answers_as_written(edi: Service, fact: Ledger, kernel: str, route: str) -> None:
    expected = expectation(kernel)
    name = edi.running(kernel)
    for exchange in expected["exchanges"]:
        answer = edi.infer(name, exchange["send"], route=route)
        fact.equal(
            f"kernel {kernel}: {exchange['send']}",
            expected["where"],
            expected["source"],
            (answer.status, answer.text),
            (exchange.get("status", 200), exchange["answer"]),
        )
    end(edi, name, fact)


def test_every_kernel_is_a_submission() -> None:
    """What a person would deploy: the three files of ``kernel-api.md`` section 1."""
    assert len(ALL) >= 12
    for kernel in ALL:
        folder = KERNELS / kernel
        description = json.loads((folder / "model.json").read_text())
        assert {"name", "kernel_path", "runtime", "weight_path", "schema_version"} <= set(
            description
        )
        assert description["name"] == kernel
        source = (folder / description["kernel_path"]).read_text(encoding="utf-8")
        compile(source, kernel, "exec", dont_inherit=True)
        assert (folder / "README.md").read_text().startswith(f"# {kernel}\n")


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a small PNG of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    lines = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(lines)),
            chunk(b"IEND", b""),
        )
    )


def test_a_picture_by_base64(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("picture")
    picture = base64.b64encode(png(640, 478, (200, 100, 7))).decode()
    first = {"name": "gpu_0/data", "shape": [478, 640], "datatype": "BYTES", "data": picture}
    request = {"id": 1, "inputs": [first], "outputs": []}
    answer = edi.infer(name, json.dumps(request), route=route)
    output = {"name": "output0", "datatype": "FP32", "shape": [1, 3], "data": [200.0, 100.0, 7.0]}
    fact.equal(
        "an image in the resnet18 shape",
        "rest-api 7",
        "observed",
        answer.json_or_none(),
        {"id": 1, "outputs": [output]},
    )
    end(edi, name, fact)


def test_attributes_and_contexts(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("attributes")
    answer = edi.infer(name, "{}", route=route)
    assert answer.status == 200, answer
    told = answer.json()
    model = edi.model(name).json()
    for key, expected in {
        "name": name,
        "kernel_path": "kernel.py",
        "weight_path": "model",
        "model_path": model["model_path"],
        "size": [28, 32, 3],
        "labels": ["cat", "dog"],
        "model_name": name,
    }.items():
        where, source = "kernel-api 3", "observed"
        fact.equal(
            f"the model description or a context tells {key}", where, source, told[key], expected
        )
    fact.equal(
        "model_path is REDHARE_MODEL_PATH", "kernel-api 3", "inferred", told["same_path"], True
    )
    for key in ("kernel_id", "task_id", "session_id", "uuid", "job_id"):
        fact.holds(
            f"get_{key} is text",
            "kernel-api 3",
            "stub",
            isinstance(told[key], str) and told[key] != "",
            expected="text",
            seen=told[key],
        )
    fact.holds(
        "get_instance_id is text",
        "kernel-api 3",
        "docs",
        isinstance(told["instance_id"], str),
        expected="text",
        seen=told["instance_id"],
    )
    description = {"name", "kernel_path", "runtime", "weight_path", "schema_version", "attributes"}
    fact.holds(
        "the description has model.json's fields",
        "kernel-api 3",
        "observed",
        description <= set(told["fields"]),
        expected=sorted(description),
        seen=told["fields"],
    )
    fact.choice("fields of the model description", "kernel-api 10", told["fields"])
    fact.choice("get_version", "kernel-api 3", told["version"])
    again = edi.infer(name, "{}", route=route).json()
    fact.holds(
        "ids of two tasks differ",
        "kernel-api 3",
        "inferred",
        again["uuid"] != told["uuid"],
        expected="other",
        seen=again["uuid"],
    )
    end(edi, name, fact)


def test_late_outputs_reach_their_own_requests(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("late-outputs", {"policy.task_batch_size": 8, "policy.kernel_max": 1})
    bodies = [json.dumps({"number": number}) for number in range(64)]
    with concurrent.futures.ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda body: edi.infer(name, body, route=route), bodies))
    assert {answer.status for answer in answers} == {200}
    told = [answer.json() for answer in answers]
    fact.equal(
        "each caller gets its own answer",
        "kernel-api 4",
        "observed",
        [item["number"] for item in told],
        list(range(64)),
    )
    sizes = sorted({item["batch"] for item in told})
    fact.holds(
        "at most task_batch_size tasks in a call",
        "kernel-api 4",
        "docs",
        max(sizes) <= 8,
        expected="<= 8",
        seen=sizes,
    )
    fact.choice("batches of 64 requests at once, task_batch_size 8", "rest-api 8", sizes)
    walks = [item["back"] == item["batch"] and item["same"] for item in told]
    fact.equal("prev() leads back to the first", "kernel-api 3", "stub", all(walks), True)
    end(edi, name, fact)


def test_relative_files_siblings_and_a_shared_folder(
    edi: Service, fact: Ledger, route: str
) -> None:
    name = edi.running("relative-files")
    told = edi.infer(name, "{}", route=route).json()
    for key, expected in {
        "sum": 42,
        "greeting": "hello",
        "count": 3,
        "late": "latecomer",
        "here": True,
        "elsewhere": True,
        "kept": False,
    }.items():
        fact.equal(f"a kernel of files: {key}", "kernel-api 5", "observed", told[key], expected)
    whole = {"README.md", "data", "kernel.py", "model.json", "tools", "words.py", ".hidden"}
    fact.holds(
        "model_path holds the whole submission",
        "kernel-api 5",
        "observed",
        whole <= set(told["files"]),
        expected=sorted(whole),
        seen=told["files"],
    )
    edi.stop(name)
    edi.wait(name, "disabled")
    edi.start(name)
    again = edi.infer(name, "{}", route=route).json()
    fact.equal(
        "what a kernel writes there is found by later ones",
        "kernel-api 5",
        "observed",
        again["kept"],
        True,
    )
    end(edi, name, fact)


def wheel() -> bytes:
    """Return a wheel that pip installs without a network."""
    info = "contract_wheel-1.0.dist-info/"
    files = {
        "contract_wheel/__init__.py": "VALUE = 'from the wheel'\n",
        info + "METADATA": "Metadata-Version: 2.1\nName: contract-wheel\nVersion: 1.0\n",
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, info + "RECORD"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in {**files, info + "RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return out.getvalue()


def test_pip_into_the_models_folder(edi: Service, fact: Ledger, route: str) -> None:
    more = {"wheels/contract_wheel-1.0-py3-none-any.whl": wheel()}
    name = edi.running("pip-target", more=more)
    told = edi.infer(name, "{}", route=route).json()
    if "No module named pip" in told["how"]:
        pytest.skip("the runtime has no pip")
    fact.equal(
        "pip install --target into the model's folder",
        "kernel-api 5",
        "observed",
        (told["how"], told.get("value")),
        ("installed", "from the wheel"),
    )
    edi.stop(name)
    edi.wait(name, "disabled")
    edi.start(name)
    told = edi.infer(name, "{}", route=route).json()
    fact.equal(
        "packages are found by later kernels",
        "kernel-api 5",
        "observed",
        (told["how"], told.get("value")),
        ("found", "from the wheel"),
    )
    end(edi, name, fact)


def test_a_job_outlives_its_call(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("background", {"policy.kernel_max": 1})

    def state(**request: Any) -> str:
        return str(edi.infer(name, json.dumps(request), route=route).json()["state"])

    seen = [state(job="a"), state(job="a"), state(job="a", go_on=True)]
    fact.equal(
        "a thread goes on after the call",
        "kernel-api 4",
        "observed",
        seen,
        ["submitted or running"] * 3,
    )
    edi.until(lambda: state(job="a") == "done", "the job to be done")
    end(edi, name, fact)


def test_numpy(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("matrix", {"policy.kernel_max": 2})
    first = edi.infer(name, '{"rounds": 1}', route=route).json()
    if first["numpy"] is None:
        pytest.skip("the runtime has no NumPy")
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda _: edi.infer(name, '{"rounds": 20}', route=route).json(), range(8))
        )
    fact.equal(
        "equal requests, equal answers of a busy kernel",
        "kernel-api 4",
        "observed",
        len({item["trace"] for item in answers}),
        1,
    )
    end(edi, name, fact)


def test_the_environment_of_a_kernel(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.deploy("environment")
    edi.edit(
        name,
        {
            "kernel.envs": [
                {"name": "DLIM_MK_LOG_LEVEL", "value": "DEBUG"},
                {"name": "MY_SETTING", "value": "a b=c"},
            ]
        },
    )
    edi.start(name)
    answer = edi.infer(name, "{}", route=route)
    assert answer.status == 200, answer
    told = answer.json()
    environment, model = told["environment"], edi.model(name).json()
    for variable, expected in {
        "REDHARE_MODEL_NAME": name,
        "REDHARE_MODEL_PATH": model["model_path"],
        "REDHARE_MODEL_CREATOR": model["creator"],
        "WML_SPACE_ID": "space=1 é",
        "MY_SETTING": "a b=c",
        "DLIM_MK_LOG_LEVEL": "DEBUG",
        "MSD_POD_NAME": environment.get("HOSTNAME"),
        "PWD": told["folder"],
    }.items():
        fact.equal(
            f"variable {variable}", "kernel-api 5", "observed", environment.get(variable), expected
        )
    jobs = [service["pj_jobid"] for service in edi.instance(name)["instances"]]
    fact.holds(
        "TASK_JOB_ID is the instance's pj_jobid",
        "kernel-api 5",
        "observed",
        environment.get("TASK_JOB_ID") in jobs,
        expected=jobs,
        seen=environment.get("TASK_JOB_ID"),
    )
    fact.holds(
        "pods are called edi-<name>-…",
        "rest-api 8",
        "observed",
        environment.get("TASK_JOB_ID", "").startswith(f"edi-{name}-"),
        expected=f"edi-{name}-…",
        seen=environment.get("TASK_JOB_ID"),
    )
    fact.holds(
        "MSD_POD_NAME begins with TASK_JOB_ID",
        "kernel-api 5",
        "observed",
        environment.get("MSD_POD_NAME", "").startswith(environment.get("TASK_JOB_ID", "?")),
        expected="…-task…",
        seen=environment.get("MSD_POD_NAME"),
    )
    fact.holds(
        "the working directory is not the model's folder",
        "kernel-api 5",
        "observed",
        told["folder"] != model["model_path"],
        expected="${REDHARE_TOP}/work",
        seen=told["folder"],
    )
    fact.equal(
        "the model's folder can be written", "kernel-api 5", "observed", told["writable"], True
    )
    fact.equal(
        "the kernel file's folder is first on sys.path",
        "kernel-api 2",
        "inferred",
        told["first"],
        model["model_path"],
    )
    tokens = {name for name in environment if "TOKEN" in name.upper()}
    fact.equal(
        "no token of the caller's", "kernel-api 5", "observed", "USER_ACCESS_TOKEN" in tokens, False
    )
    fact.choice("Python of the kernel", "kernel-api 10", told["python"])
    fact.choice("PYTHONPATH", "kernel-api 10", environment.get("PYTHONPATH"))
    end(edi, name, fact)


def test_every_member_of_a_task(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("channels")
    answer = edi.infer(name, '{"a": "ü"}', route=route)
    assert answer.status == 200, answer
    told = answer.json()
    for key, expected in {
        "set_output_data": True,
        "set_output_data_extend": True,
        "report_ready": True,
        "ids": [True] * 4,
    }.items():
        fact.equal(f"{key} of a task", "kernel-api 3", "stub", told[key], expected)
    fact.equal(
        "no next and no prev of a single task",
        "kernel-api 3",
        "docs",
        (told["next"], told["prev"]),
        (None, None),
    )
    fact.equal("== None and != None", "kernel-api 4", "inferred", told["is_none"], [False, True])
    fact.choice(
        "get_input_data_extend",
        "kernel-api 10",
        "the same" if told["extended_input"] == '{"a": "ü"}' else told["extended_input"],
    )
    end(edi, name, fact)


def test_start_and_shutdown_come_once(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("diary", {"policy.kernel_max": 1})
    fact.equal(
        "on_kernel_start before the first task",
        "kernel-api 3",
        "docs",
        edi.infer(name, "{}", route=route).json(),
        ["start"],
    )
    edi.stop(name)
    edi.wait(name, "disabled")
    edi.start(name)
    fact.equal(
        "on_kernel_shutdown once at a stop",
        "kernel-api 3",
        "docs",
        edi.infer(name, "{}", route=route).json(),
        ["start", "shutdown", "start"],
    )
    end(edi, name, fact)
