"""Deploying: what is taken, what comes back, what is refused (``rest-api.md`` section 5)."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest

from contract.facts import Ledger
from contract.service import OCTETS, Service, archive
from contract.wire import Answer


def form(field: str, file: str, data: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a body of ``multipart/form-data`` with one file, and its header."""
    boundary = "----contract-7MA4YWxkTrZu0gW"
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="{file}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for path, data in files.items():
            file.writestr(f"submission/{path}", data)
    return out.getvalue()


def check_refused(edi: Service, fact: Ledger, what: str, name: str, answer: Answer) -> None:
    """Insist that nothing was deployed and that the answer has words."""
    assert 400 <= answer.status < 600, (what, answer)
    assert answer.status != 500, (what, answer)
    assert answer.message
    assert not edi.model(name).ok, what
    fact.choice(what, "rest-api 4", f"{answer.status} {answer.message}")


def test_the_answer_of_a_deploy(edi: Service, fact: Ledger) -> None:
    name = edi.name("echo")
    files = edi.files("echo", name, readme="README.md", framework="PyTorch", tag="test")
    files["._kernel.py"] = b"what macOS adds"
    answer = edi.send_package(archive(files, top="anything"))
    where = "rest-api 5"
    fact.equal("deploy of raw bytes", where, "observed", answer.status, 200)
    model = answer.json()
    fact.equal("the answer is the Model", where, "observed", model, edi.model(name).json())
    fact.equal(
        "size is the sum of all regular files",
        where,
        "observed",
        model["size"],
        sum(map(len, files.values())),
    )
    fact.holds(
        "create_time is now",
        where,
        "observed",
        abs(model["create_time"] - time.time()) < 300,
        expected="Unix seconds",
        seen=model["create_time"],
    )
    fact.equal(
        "last_updated_time is create_time",
        where,
        "observed",
        model["last_updated_time"],
        model["create_time"],
    )
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(model["create_time"]))
    fact.holds(
        "directory <name>/<name>-YYYYMMDD-HHMMSS in UTC",
        where,
        "observed",
        model["model_path"].endswith(f"/{name}/{name}-{stamp}"),
        expected=f"…/{name}/{name}-{stamp}",
        seen=model["model_path"],
    )
    for key, expected in {"started_at": 0, "service_uri": "", "tag": "test"}.items():
        fact.equal(f"a new model's {key}", where, "observed", model[key], expected)
    fact.equal(
        "extra keys of model.json do not come back",
        where,
        "observed",
        {"readme", "framework"} & model.keys(),
        set(),
    )

    assert edi.delete(name).ok
    again = edi.send_package(archive(files)).json()
    fact.holds(
        "a deploy after a delete has a new uid",
        where,
        "observed",
        again["uid"] != model["uid"],
        expected="other",
        seen=again["uid"],
    )
    fact.holds(
        "… and a new directory",
        where,
        "observed",
        again["model_path"] != model["model_path"],
        expected="other",
        seen=again["model_path"],
    )


#: How a package may come: its form, and how the form is known.
FORMS: list[tuple[str, str]] = [
    ("gzip tar with one top folder", "observed"),
    ("gzip tar called application/x-www-form-urlencoded", "inferred"),
    ("plain tar with one top folder", "inferred"),
    ("multipart, field userfile", "SDK"),
    ("multipart, field file", "observed"),
    ("top folder ./name", "inferred"),
    ("files without a top folder", "unknown"),
    ("zip", "unknown"),
]


def package(what: str, files: dict[str, bytes]) -> tuple[bytes, dict[str, str]]:
    match what:
        case "gzip tar called application/x-www-form-urlencoded":
            return archive(files), {"Content-Type": "application/x-www-form-urlencoded"}
        case "plain tar with one top folder":
            return archive(files, gzip=False), OCTETS
        case "multipart, field userfile":
            return form("userfile", "package.tar", archive(files))
        case "multipart, field file":
            return form("file", "pingpong.tgz", archive(files))
        case "top folder ./name":
            return archive(files, top="./folder"), OCTETS
        case "files without a top folder":
            return archive(files, top=None), OCTETS
        case "zip":
            return zipped(files), OCTETS
    return archive(files), OCTETS


@pytest.mark.parametrize(("what", "source"), FORMS)
def test_forms_of_a_package(edi: Service, fact: Ledger, what: str, source: str) -> None:
    name = edi.name("form")
    body, headers = package(what, edi.files("nested", name))
    answer = edi.wire.ask("POST", "deployment/model", body=body, headers=headers)
    if source != "unknown":
        fact.equal(f"package: {what}", "rest-api 5", source, answer.status, 200)
    elif not answer.ok:
        check_refused(edi, fact, f"package: {what}", name, answer)
        return
    else:
        fact.choice(f"package: {what}", "rest-api 5", answer.status)
    # Wherever the files lay: the description's folder is the model's.
    edi.start(name)
    told = edi.infer(name, "{}")
    assert (told.status, told.text) == (200, '{"neighbour": "here"}'), told


@pytest.mark.parametrize("missing", ["model.json", "README.md", "kernel.py"])
def test_a_package_that_lacks_a_file(edi: Service, fact: Ledger, missing: str) -> None:
    name = edi.name("lacks")
    files = edi.files("echo", name)
    del files[missing]
    answer = edi.send_package(archive(files))
    fact.holds(
        f"a package without {missing} fails",
        "rest-api 4",
        "observed",
        answer.status >= 400,
        expected="refused",
        seen=answer.status,
    )
    check_refused(edi, fact, f"a package without {missing}", name, answer)


#: Rows 1–24 and 48–57 of the bad inputs: what is wrong, and how the files are changed.
BAD_DESCRIPTIONS: list[tuple[str, dict[str, Any] | bytes]] = [
    ("model.json is empty", b""),
    ("model.json has a trailing comma", b'{"name": "a",}'),
    ("model.json is an array", b"[]"),
    ("model.json is UTF-16", '{"name": "a"}'.encode("utf-16")),
    ("model.json is nested deeply", b"[" * 100_000),
    ("no name", {"name": None}),
    ("the name is a number", {"name": 5}),
    ("the name has capitals", {"name": "Echo"}),
    ("the name is a path", {"name": "../echo"}),
    ("the name is an option", {"name": "-rf"}),
    ("the name is too long", {"name": "a" * 64}),
    ("the name is HTML", {"name": "<img onerror=1>"}),
    ("kernel_path leads outside", {"kernel_path": "../kernel.py"}),
    ("kernel_path is absolute", {"kernel_path": "/etc/passwd"}),
    ("kernel_path is a folder", {"kernel_path": "."}),
    ("kernel_path is not there", {"kernel_path": "other.py"}),
    ("a variable without a name", {"mk_environments": [{"name": "", "value": "1"}]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "change"), BAD_DESCRIPTIONS, ids=[row[0] for row in BAD_DESCRIPTIONS]
)
def test_bad_descriptions(
    edi: Service, fact: Ledger, what: str, change: dict[str, Any] | bytes
) -> None:
    name = edi.name("bad")
    files = edi.files("echo", name)
    before = edi.wire.ask("GET", "model").json()
    if isinstance(change, bytes):
        files["model.json"] = change
    else:
        files["model.json"] = json.dumps({**json.loads(files["model.json"]), **change}).encode()
    answer = edi.send_package(archive(files))
    check_refused(edi, fact, what, name, answer)
    ours = [model for model in edi.wire.ask("GET", "model").json() if model not in before]
    assert ours == []


NO_ARCHIVES = {
    "an empty body": b"",
    "a text": b"this is no archive",
    "a part of an archive": archive({"a": b"x" * 5000})[:40],
    "zeros": bytes(10_240),
}


@pytest.mark.parametrize("what", NO_ARCHIVES)
def test_what_is_no_archive(edi: Service, fact: Ledger, what: str) -> None:
    answer = edi.send_package(NO_ARCHIVES[what])
    check_refused(edi, fact, f"package: {what}", edi.name("none"), answer)


def test_a_name_that_exists(edi: Service, fact: Ledger) -> None:
    name = edi.running("echo")
    before = edi.model(name).json()
    answer = edi.send_package(archive(edi.files("counter", name)))
    assert answer.status < 500, answer
    fact.choice("POST deployment/model with a name that exists", "rest-api 10", answer)
    if not answer.ok:
        assert edi.model(name).json() == before
        assert edi.infer(name, "{}").text == "{}"


def test_redeploy(edi: Service, fact: Ledger) -> None:
    name = edi.deploy("echo", tag="one")
    edi.edit(name, {"policy.task_execution_timeout": 33})
    before = edi.model(name).json()
    path = f"deployment/model/{name}"
    where = "rest-api 5"

    wrong = archive(edi.files("counter", edi.name("other")))
    refused = edi.wire.ask("POST", path, body=wrong, headers=OCTETS)
    fact.holds(
        "redeploy with another name in the package",
        where,
        "SDK",
        400 <= refused.status < 500,
        expected="4xx",
        seen=refused,
    )
    assert edi.model(name).json() == before

    files = edi.files("counter", name, tag="two")
    answer = edi.wire.ask("POST", path, body=archive(files), headers=OCTETS)
    fact.equal("redeploy", where, "SDK", answer.status, 200)
    after = edi.model(name).json()
    fact.equal("redeploy replaces the description", where, "inferred", after["tag"], "two")
    fact.equal(
        "redeploy replaces the files",
        where,
        "inferred",
        after["size"],
        sum(map(len, files.values())),
    )
    fact.holds(
        "a new deployment gets a new dated directory",
        "kernel-api 5",
        "observed",
        after["model_path"] != before["model_path"],
        expected="other",
        seen=after["model_path"],
    )
    kept = edi.profile(name)["policy"]["task_execution_timeout"] == 33
    fact.choice("redeploy: profile", "rest-api 10", "kept" if kept else "reset")
    fact.choice("redeploy: uid", "rest-api 10", "kept" if after["uid"] == before["uid"] else "new")
    edi.start(name)
    told = edi.infer(name, "{}")
    fact.equal(
        "the new kernel answers",
        where,
        "inferred",
        (told.status, told.text),
        (200, '{"count": 11}'),
    )

    while_started = edi.wire.ask("POST", path, body=archive(files), headers=OCTETS)
    assert while_started.status < 500, while_started
    fact.choice("redeploy of a started model", "rest-api 10", while_started)
    assert edi.infer(name, "{}").status == 200

    nobody = edi.name("nobody")
    data = archive(edi.files("echo", nobody))
    unknown = edi.wire.ask("POST", f"deployment/model/{nobody}", body=data, headers=OCTETS)
    assert unknown.status < 500
    fact.choice("redeploy of a name that is not there", "rest-api 10", unknown)


@pytest.mark.parametrize("field", ["userfile", "file"])
def test_redeploy_by_a_form(edi: Service, fact: Ledger, field: str) -> None:
    name = edi.deploy("echo")
    body, headers = form(field, "pingpong.tgz", archive(edi.files("counter", name)))
    answer = edi.wire.ask("POST", f"deployment/model/{name}", body=body, headers=headers)
    fact.equal(
        f"redeploy by a form, field {field}",
        "rest-api 5",
        "observed" if field == "file" else "inferred",
        answer.status,
        200,
    )
