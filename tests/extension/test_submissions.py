"""Looking at a folder, and mending it by a button."""

from __future__ import annotations

import json

import pytest

INSPECT = "edi/submissions/inspect"
FIX = "edi/submissions/fix"


@pytest.fixture
def described(sample, jp_root_dir):
    """Copy the sample with another text in its ``model.json``."""

    def copy(name, change):
        path = sample(name)
        file = jp_root_dir / path / "model.json"
        file.write_text(change(file.read_text()))
        return path

    return copy


def misspelt(text):
    return text.replace('"kernel_path"', '"kernel_paht"')


def badly_named(text):
    return json.dumps({**json.loads(text), "name": "Ping Pong"})


async def test_a_good_folder_has_no_errors(call, sample):
    inspection = (await call("POST", INSPECT, {"path": sample("good")})).json
    assert [item for item in inspection["findings"] if item["severity"] == "error"] == []
    assert inspection["problems"] == []


async def test_a_finding_has_place_reason_and_fix(call, described):
    inspection = (await call("POST", INSPECT, {"path": described("typo", misspelt)})).json
    finding = next(item for item in inspection["findings"] if item["fix"])
    assert set(finding) == {
        *("code", "severity", "file", "line", "column", "message", "why", "hint", "fix"),
    }
    assert (finding["severity"], finding["file"]) == ("error", "model.json")
    assert finding["line"] >= 1
    assert finding["why"]
    assert set(finding["fix"]) == {"id", "title", "description"}


async def test_a_fix_mends_the_file_and_answers_with_what_is_left(call, described, jp_root_dir):
    path = described("mended", misspelt)
    before = (await call("POST", INSPECT, {"path": path})).json
    fix = next(item["fix"] for item in before["findings"] if item["fix"])
    reply = await call("POST", FIX, {"path": path, "fix": fix["id"]})
    assert reply.status == 200, reply.body
    assert json.loads((jp_root_dir / path / "model.json").read_text())["kernel_path"]
    assert len(reply.json["findings"]) < len(before["findings"])
    assert reply.json == (await call("POST", INSPECT, {"path": path})).json


async def test_a_fix_of_what_has_changed_meanwhile_is_refused(call, described, jp_root_dir):
    path = described("stale", misspelt)
    findings = (await call("POST", INSPECT, {"path": path})).json["findings"]
    fix = next(item["fix"] for item in findings if item["fix"])
    file = jp_root_dir / path / "model.json"
    file.write_text(file.read_text() + "\n")
    now = file.read_text()
    refused = await call("POST", FIX, {"path": path, "fix": fix["id"]})
    assert (refused.status, refused.json["code"]) == (409, "changed_since_check")
    assert file.read_text() == now


@pytest.mark.parametrize("fix", ["", "0" * 32, "../../etc/passwd", "\u0000", "x" * 5000])
async def test_only_a_fix_that_was_offered_is_applied(call, described, jp_root_dir, fix):
    path = described("other", misspelt)
    before = {file: file.read_bytes() for file in (jp_root_dir / path).rglob("*") if file.is_file()}
    refused = await call("POST", FIX, {"path": path, "fix": fix})
    assert (refused.status, refused.json["code"]) == (409, "changed_since_check")
    after = {file: file.read_bytes() for file in (jp_root_dir / path).rglob("*") if file.is_file()}
    assert after == before


async def test_a_fix_stays_below_the_root_directory(call, jp_root_dir):
    for path, status in (("nothing", 404), ("../x", 400), ("s3:x", 400), ("/etc", 400)):
        refused = await call("POST", FIX, {"path": path, "fix": "0" * 32})
        assert refused.status == status, path
        assert str(jp_root_dir) not in refused.body.decode()


async def test_what_the_checks_refuse_is_not_deployed(call, described, running_engine):
    path = described("refused", misspelt)
    body = {"source": {"kind": "folder", "path": path}}
    refused = await call("POST", "edi/environments/local/deployments", body)
    assert refused.status == 400
    assert (await call("GET", "edi/jobs")).json == {"jobs": []}


async def test_the_chosen_name_counts_and_not_the_files(call, finished, described, running_engine):
    path = described("named", badly_named)

    def errors(inspection):
        return [item["code"] for item in inspection["findings"] if item["severity"] == "error"]

    assert errors((await call("POST", INSPECT, {"path": path})).json) == ["invalid-name"]
    looked = (await call("POST", INSPECT, {"path": path, "name": "chosen"})).json
    assert errors(looked) == []
    assert looked["name"] == "chosen"
    assert [item["code"] for item in looked["findings"]] == ["name-mismatch"]
    wrong = (await call("POST", INSPECT, {"path": path, "name": "-"})).json
    assert set(errors(wrong)) == {"invalid-name"}
    body = {"source": {"kind": "folder", "path": path}, "name": "chosen", "start": False}
    deployments = "edi/environments/local/deployments"
    assert (await finished(await call("POST", deployments, body)))["state"] == "done"
    gone = await finished(await call("DELETE", f"{deployments}/chosen"))
    assert gone["state"] == "done"


async def test_a_fix_is_applied_to_the_folder_as_it_was_looked_at(call, described):
    path = described("both", lambda text: misspelt(badly_named(text)))
    asked = {"path": path, "name": "chosen"}
    looked = (await call("POST", INSPECT, asked)).json
    fix = next(item["fix"]["id"] for item in looked["findings"] if item["fix"])
    mended = (await call("POST", FIX, {**asked, "fix": fix})).json
    assert len(mended["findings"]) < len(looked["findings"])
    assert "invalid-name" not in [item["code"] for item in mended["findings"]]
