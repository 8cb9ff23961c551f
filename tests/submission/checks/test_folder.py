"""What is said about the folder as a whole, its readme and its secrets; and the report itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edi_labext.errors import InvalidInput, NotFound
from edi_labext.submission import Finding, check_folder
from edi_labext.submission.checks import secrets as secrets_module
from edi_labext.submission.checks.reasons import WHY
from edi_labext.submission.checks.secrets import is_secret_value

from .conftest import KERNEL, MODEL, Files, MakeSubmission


def told(finding: Finding) -> str:
    return f"{finding.place} {finding.severity} {finding.code}"


def all_told(folder: Path) -> list[str]:
    return [told(found) for found in check_folder(folder).findings]


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_a_good_folder_has_no_findings(make: MakeSubmission) -> None:
    report = check_folder(make())
    assert report.findings == ()
    assert report.require_deployable().name == "digits"
    assert report.submission.total_size > 0


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        check_folder(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput):
        check_folder(tmp_path / "file")


def test_an_empty_folder(tmp_path: Path) -> None:
    report = check_folder(tmp_path)
    assert [told(found) for found in report.findings] == [
        "model.json error missing-file",
        "README.md error missing-file",
    ]
    # Nothing is known of a kernel, so there is nothing to write into model.json.
    assert [found.fix is not None for found in report.findings] == [False, True]


# --- sizes and entries -------------------------------------------------------------------------


def test_from_100_mb_a_folder_is_amber(make: MakeSubmission) -> None:
    folder = make()
    sparse(folder / "weights.bin", 100_000_001)
    [found] = check_folder(folder).findings
    assert told(found) == ". warning large-folder"
    assert "weights.bin" in found.message
    assert ".ediignore" in str(found.hint)
    (folder / ".ediignore").write_text("weights.bin\n")
    assert check_folder(folder).findings == ()


def test_from_1_gb_there_are_three_ways_out(make: MakeSubmission) -> None:
    folder = make()
    sparse(folder / "weights.bin", 1_500_000_000)
    hint = str(check_folder(folder).findings[0].hint)
    assert "on_kernel_start" in hint
    assert "storage volume" in hint
    assert "mk_environments" in hint


def test_over_the_limit_it_is_an_error(make: MakeSubmission) -> None:
    folder = make()
    sparse(folder / "weights.bin", 3 << 30)
    assert all_told(folder) == ["weights.bin error file-too-large"]


def test_what_cannot_be_sent_is_passed_on(make: MakeSubmission, tmp_path: Path) -> None:
    folder = make({"data.bin": "1", "Data.bin": "2", ".ediignore": "*.tmp\n!\n[\n"})
    os.mkfifo(folder / "pipe")
    (folder / "gone").symlink_to("nowhere")
    (folder / "out").symlink_to(tmp_path)
    (folder / "line\nbreak").touch()
    found = all_told(folder)
    assert "pipe error special-file" in found
    assert "gone error broken-link" in found
    assert "out error link-outside" in found
    assert "data.bin error duplicate-path" in found
    assert [line for line in found if "invalid-ignore-file" in line] == [
        ".ediignore:2:1 error invalid-ignore-file"
    ]
    assert any(line.endswith("invalid-path") for line in found)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("name", ["model.json", "README.md", "kernel.py", ".ediignore"])
def test_a_pipe_in_the_place_of_a_file_does_not_block(make: MakeSubmission, name: str) -> None:
    folder = make({name: None})
    os.mkfifo(folder / name)
    report = check_folder(folder)
    assert report.errors
    assert [found.fix for found in report.errors] == [None] * len(report.errors)


def test_weights_that_are_left_out(make: MakeSubmission) -> None:
    model = MODEL.replace(b'"1"', b'"1",\n "weight_path": "model/w.key"')
    folder = make({"model.json": model, "model/w.key": "x"})
    [found] = check_folder(folder).findings
    assert told(found) == "model.json:5:17 warning weights-left-out"
    assert "!model/w.key" in str(found.hint)


# --- the readme --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readme", "findings"),
    [
        ("# Digits\n", ["README.md:1:1 warning readme-no-sample"]),
        ("# Digits\n\n```json\n\n```\n", ["README.md:3:1 warning readme-no-sample"]),
        ("# Digits\n\n```python\n{}\n```\n", ["README.md:1:1 warning readme-no-sample"]),
        ('# Digits\n\n~~~ JSON\n{"a": 1}\n~~~\n', []),
        ('\ufeff```json\n{"a": 1}\n', []),
        ("", ["README.md:1:1 warning readme-no-sample"]),
    ],
)
def test_a_readme_shows_a_request(make: MakeSubmission, readme: str, findings: list[str]) -> None:
    assert all_told(make({"README.md": readme})) == findings


# --- secrets -----------------------------------------------------------------------------------

# Written in pieces, so that no scanner takes this file for a leak.
SECRETS = {
    "key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "jwt": "eyJhbGciOiJIUzI1NiJ9"
    + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0"
    + ".dBjftJeZ4CVPmB92K27uhbUJU1p1r",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "github": "ghp_" + "aB3" * 12,
    "gitlab": "glpat-" + "aB3dE" * 4,
    "hugging-face": "hf_" + "aB3dE" * 7,
    "slack": "xoxb-" + "1234567890-abc",
    "google": "AIza" + "aB3dE" * 7,
    "api-key": "sk-" + "aB3dE" * 5,
    "password": 'password = "' + 'hG7kq29Lm4xZ"',
    "json": '"api_key": "' + 'hG7kq29Lm4xZ0pQ"',
}


@pytest.mark.parametrize("secret", [pytest.param(text, id=name) for name, text in SECRETS.items()])
@pytest.mark.parametrize("path", ["settings.py", "conf/app.yaml", "notes.md"])
def test_a_secret_is_pointed_at_and_not_repeated(
    make: MakeSubmission, secret: str, path: str
) -> None:
    report = check_folder(make({path: f"# first line\nä {secret}\n"}))
    [found] = report.findings
    assert (found.severity, found.code, found.file, found.line) == (
        "warning",
        "secret-like",
        path,
        2,
    )
    for part in (found.message, found.why, str(found.hint)):
        assert secret not in part
        assert "aB3" not in part
        assert "hG7k" not in part


@pytest.mark.parametrize(
    "text",
    [
        'token = os.environ["USER_ACCESS_TOKEN"]',
        'password = "your-password-123"',
        'api_key = "<your key 12345>"',
        '"eos_token": "<|endoftext|>"',
        '"pad_token": "[PAD]"',
        '"tokenizer_class": "BertTokenizerFast2"',
        'secret = "${SECRET_1234567}"',
        'token = "abcdefghijklmnop"',
        "password: xxxxxxxx1111",
        "the sk-learn way",
    ],
)
def test_what_only_sounds_like_a_secret(make: MakeSubmission, text: str) -> None:
    assert all_told(make({"settings.py": text + "\n"})) == []


def test_a_secret_in_a_variable_for_the_kernel(make: MakeSubmission) -> None:
    model = MODEL.replace(
        b'"1"', b'"1",\n "mk_environments": [{"name": "WML_TOKEN", "value": "hG7kq29Lm4xZ0pQ"}]'
    )
    [found] = check_folder(make({"model.json": model})).findings
    assert told(found) == "model.json:5:53 warning secret-like"
    assert "hG7k" not in found.message
    assert not is_secret_value("$(cat token)")


def test_data_is_not_searched(make: MakeSubmission, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = SECRETS["github"]
    folder = make({"weights.bin": secret, "large.json": secret + " " * (300 << 10)})
    assert all_told(folder) == []
    monkeypatch.setattr(secrets_module, "MAX_ALL_BYTES", 10)
    (folder / "small.json").write_text(secret)
    assert all_told(folder) == []


def test_many_secrets_are_not_all_listed(make: MakeSubmission) -> None:
    text = f"{SECRETS['github']}\n" * 1000
    assert len(all_told(make({"keys.txt": text}))) == 20


# --- the report --------------------------------------------------------------------------------


def test_several_errors_refuse_with_all_of_them(make: MakeSubmission) -> None:
    files: Files = {"README.md": None, "kernel.py": KERNEL.replace("kernel_start", "kernal_start")}
    with pytest.raises(InvalidInput) as raised:
        check_folder(make(files)).require_deployable()
    error = raised.value
    assert (error.code, error.message.split(".")[0]) == (
        "invalid_submission",
        "The folder has 2 problems",
    )
    first, second = str(error.detail).splitlines()
    assert first.startswith("kernel.py:8:5: EDI has no hook on_kernal_start")
    assert second.startswith("README.md is not at the top of the folder.")


def test_one_error_keeps_its_code_and_place(make: MakeSubmission) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_folder(
            make({"kernel.py": KERNEL.replace("kernel_start", "kernal_start")})
        ).require_deployable()
    assert raised.value.code == "kernel_hook_misspelt"
    assert raised.value.message.startswith("kernel.py:8:5: ")


def test_what_inspect_alone_finds_is_an_error_too(
    make: MakeSubmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if a check had forgotten something: the folder must not count as deployable.
    folder = make({"README.md": None})
    check = "edi_labext.submission.checks.check.check_readme"
    monkeypatch.setattr(check, lambda snapshot: iter(()))
    assert all_told(folder) == ["README.md error missing-file"]


def test_every_reason_is_a_sentence() -> None:
    for code, why in WHY.items():
        assert code.replace("-", "").isalnum(), code
        assert code == code.lower()
        assert why[0].isupper() or why.startswith("on_")
        assert why.endswith(".")
