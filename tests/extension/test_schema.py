"""The JSON Schema that the front end's types are made from."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_schema.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("generate_schema", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(script):
    return lambda *arguments: script.main([str(argument) for argument in arguments])


def test_the_document_is_written_and_drift_is_found(run, tmp_path, capsys):
    target = tmp_path / "deep" / "api.json"
    assert run("--check", target) == 1
    assert run(target) == 0
    assert run("--check", target) == 0
    target.write_text(target.read_text().replace("revision", "revisions"))
    capsys.readouterr()
    assert run("--check", target) == 1
    assert "out of date" in capsys.readouterr().err


def test_what_the_document_says(run, capsys):
    assert run("-") == 0
    text = capsys.readouterr().out
    schema = json.loads(text)
    definitions = schema["$defs"]
    assert set(schema["properties"]) == set(definitions)
    # What comes in may be left out where there is a default; what goes out is always there.
    assert definitions["DeployRequest"]["required"] == ["source"]
    assert set(definitions["Job"]["required"]) == set(definitions["Job"]["properties"])
    assert set(definitions["Deployment"]["required"]) == set(
        definitions["Deployment"]["properties"]
    )
    assert definitions["DeployRequest"]["additionalProperties"] is False
    assert ":class:" not in text
    assert "title" not in definitions["Job"]["properties"]["phase"]


def test_the_committed_document_is_up_to_date(run, capsys):
    assert run("--check") == 0, capsys.readouterr().err


def test_drift_of_the_profile_that_the_forms_tests_use_is_found(
    script, run, tmp_path, monkeypatch, capsys
):
    target = tmp_path / "profileView.json"
    monkeypatch.setattr(script, "EXAMPLE_TARGET", target)
    monkeypatch.setattr(script, "DEFAULT_TARGET", tmp_path / "api.schema.json")
    assert run() == 0
    assert run("--check") == 0
    view = json.loads(target.read_text())
    assert view["profile"]["name"] == "digits"
    view["schema"]["$defs"]["Policy"]["properties"]["kernel_min"]["title"] = "Another"
    target.write_text(json.dumps(view))
    assert run("--check") == 1
    assert "profileView.json is out of date" in capsys.readouterr().err
