"""Rows 1-24 and 39-56 of the table of bad inputs, sent to the real engine; ids start with the row.

What a folder's checks say of the same rows is tested in ``tests/submission/checks``.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from support.engine_process import ECHO, EngineProcess

Files = dict[str, bytes | None]


def model(**fields: Any) -> bytes:
    """Return a description of ``sent``; ``...`` leaves a field out."""
    document = {"name": "sent", "kernel_path": "kernel.py", "schema_version": "1", **fields}
    return json.dumps({key: value for key, value in document.items() if value is not ...}).encode()


def packed(files: Files) -> bytes:
    whole: Files = {"kernel.py": ECHO.encode(), "model.json": model(), "README.md": b"# Sent\n"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        for path, data in {**whole, **files}.items():
            if data is not None:
                info = tarfile.TarInfo(f"top/{path}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


REFUSED: list[tuple[str, Files, int, str | None]] = [
    ("01-missing", {"model.json": None}, 400, "missing_file"),
    ("02-below", {"model.json": None, "sub/model.json": model()}, 400, "missing_file"),
    ("03-by-case", {"MODEL.json": model()}, 400, "duplicate_path"),
    ("04-empty", {"model.json": b""}, 400, "invalid_json"),
    ("04-blank", {"model.json": b" \n"}, 400, "invalid_json"),
    ("05-comma", {"model.json": b'{"name": "sent",}'}, 400, "invalid_json"),
    ("05-comment", {"model.json": b"{// c\n}"}, 400, "invalid_json"),
    ("05-quotes", {"model.json": b"{'name': 'sent'}"}, 400, "invalid_json"),
    ("07-utf16", {"model.json": model().decode().encode("utf-16")}, 400, "not_utf8"),
    ("07-latin1", {"model.json": b'{"name": "\xe9"}'}, 400, "not_utf8"),
    ("08-array", {"model.json": b"[]"}, 400, "expected_object"),
    ("08-null", {"model.json": b"null"}, 400, "expected_object"),
    ("09-twice", {"model.json": b'{"name": "sent", "name": "sent"}'}, 400, "duplicate_key"),
    ("10-nan", {"model.json": b'{"x": NaN}'}, 400, "invalid_number"),
    ("10-large", {"model.json": b'{"x": 1e999}'}, 400, "invalid_number"),
    ("11-digits", {"model.json": b'{"x": ' + b"9" * 5000 + b"}"}, 400, "invalid_number"),
    ("12-deep", {"model.json": b"[" * 100_000}, 400, "too_deep"),
    ("13-large", {"model.json": b" " * ((1 << 20) + 1)}, 413, None),
    ("14-surrogate", {"model.json": b'{"name": "\\ud800"}'}, 400, "invalid_text"),
    ("15-no-name", {"model.json": model(name=...)}, 400, "missing_field"),
    ("15-null", {"model.json": model(name=None)}, 400, "missing_field"),
    ("15-number", {"model.json": model(name=5)}, 400, "invalid_field"),
    ("15-list", {"model.json": model(name=["sent"])}, 400, "invalid_field"),
    ("17-no-path", {"model.json": model(kernel_path=...)}, 400, "missing_field"),
    ("17-no-file", {"kernel.py": None}, 400, "kernel_not_found"),
    ("18-above", {"model.json": model(kernel_path="../kernel.py")}, 400, "path_outside"),
    ("18-absolute", {"model.json": model(kernel_path="/etc/passwd")}, 400, "path_outside"),
    ("19-folder", {"model.json": model(kernel_path="sub"), "sub/k.py": b""}, 400,
     "kernel_not_found"),
    ("21-version-2", {"model.json": model(schema_version="2")}, 400, "invalid_field"),
    ("23-equals", {"model.json": model(mk_environments=[{"name": "A=B", "value": ""}])}, 400,
     "invalid_field"),
    ("23-nul", {"model.json": model(mk_environments=[{"name": "A\0", "value": ""}])}, 400,
     "invalid_field"),
    ("23-empty", {"model.json": model(mk_environments=[{"name": "", "value": ""}])}, 400,
     "invalid_field"),
    ("24-no-readme", {"README.md": None}, 400, "missing_file"),
    *((f"48-{ascii(name)[1:9]}", {"model.json": model(name=name)}, 400, "invalid_name")
      for name in ("", "   ", "a" * 64)),
    *((f"49-{name!a}", {"model.json": model(name=name)}, 400, "invalid_name")
      for name in (".", "..", "a/b", "a\\b", "%2e%2e")),
    *((f"50-{name}", {"model.json": model(name=name)}, 400, "invalid_name")
      for name in ("-rf", "--help")),
    *((f"51-{name!a}", {"model.json": model(name=name)}, 400, "invalid_name")
      for name in ("A", "é", "e\u0301", "ﬁ", "a\u200b", "\u202ea", "🙂", "а")),
    *((f"52-{name!a}", {"model.json": model(name=name)}, 400, "invalid_name")
      for name in ("a\n", "a\0", "a\tb")),
    *((f"54-{index}", {"model.json": model(name=name)}, 400, "invalid_name")
      for index, name in enumerate(("<img onerror=1>", "${x}", "{{x}}", "%s", "'; drop table"))),
    ("55-exists", {"model.json": model(name="there")}, 409, "exists"),
]  # fmt: skip


@pytest.fixture(scope="module")
def there(engine: EngineProcess) -> Iterator[EngineProcess]:
    assert engine.deploy("there").status_code == 200
    yield engine
    assert "Traceback" not in engine.log.read_text()


def send(engine: EngineProcess, files: Files) -> Any:
    return engine.call("POST", "deployment/model", data=packed(files))


@pytest.mark.parametrize(
    ("files", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_refused(there: EngineProcess, files: Files, status: int, code: str | None) -> None:
    before = there.call("GET", "model").json()
    answer = send(there, files)
    told = answer.json()
    assert answer.status_code == status, told
    assert code in (None, told["code"]), told
    assert told["message"] == told["error"] == told["errors"][0]["message"]
    assert told["message"].replace("…", "").isascii()
    assert len(told["message"]) < 300
    assert there.call("GET", "model").json() == before
    assert list((there.store / "staging").iterdir()) == []


TAKEN: list[tuple[str, Files]] = [
    ("06-byte-order-mark", {"model.json": b"\xef\xbb\xbf" + model()}),
    ("19-no-python", {"model.json": model(kernel_path="kernel"), "kernel": b"\xff"}),
    ("20-unknown-runtime", {"model.json": model(runtime="nobody-knows")}),
    ("21-number", {"model.json": model(schema_version=1)}),
    ("21-none", {"model.json": model(schema_version=...)}),
    ("22-unknown-key", {"model.json": model(runtme="python")}),
    ("23-dangerous", {"model.json": model(mk_environments=[{"name": "LD_PRELOAD", "value": "x"}])}),
    ("24-no-utf8", {"README.md": b"# \xff\n"}),
    *((f"53-{name}", {"model.json": model(name=name)})
      for name in ("healthz", "metrics", "con", "nul", "inference", "model", "operation")),
]  # fmt: skip


@pytest.mark.parametrize("files", [row[1] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_what_is_taken(there: EngineProcess, files: Files) -> None:
    answer = send(there, files)
    assert answer.status_code == 200, answer.text
    name = answer.json()["name"]
    for path in ("", "/readme", "/appprofile", "/instance"):
        assert there.call("GET", f"model/{name}{path}").status_code == 200
    assert there.call("DELETE", f"model/{name}").status_code == 200


RESOURCES = [
    *(f"39-{text}" for text in ("", ",", "ncpus", "ncpus=")), "40-ncpus=1,ncpus=2", "41-cpus=1",
    *(f"42-ncpus={value}" for value in ("-1", "0", "1e3", "0x10", "1_0", "NaN", "inf")),
    "43-ncpus=٣", "43-ncpus=²",
    *(f"44-mem={value}" for value in ("4 g", "4gigs", "4000000000000g")),
    "45-ncpus=4,ncpus_limit=2", "45-mem=2,mem_limit=1", "46-ncpus=1\n,mem=1", "46-ncpus=1\0",
    "47-ncpus=1;rm -rf /", "47-" + "ncpus=1," * 12_500,
]  # fmt: skip


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: ascii(row)[1:30])
def test_resources(there: EngineProcess, row: str) -> None:
    before = there.call("GET", "model/there/appprofile").json()
    document = json.loads(json.dumps(before))
    document["resource_allocation"]["kernel"]["resources"] = row[3:]
    answer = there.call("PUT", "model/there/appprofile", json=document)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (400, "invalid_profile")
    assert told["field"] == "resource_allocation.kernel.resources"
    assert len(told["message"]) < 400
    assert there.call("GET", "model/there/appprofile").json() == before
