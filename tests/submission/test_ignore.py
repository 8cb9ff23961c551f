from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edi_labext.errors import InvalidInput
from edi_labext.submission import IgnoreRules, inspect

MakeFolder = Callable[..., Path]

DECOYS = (
    ".env",
    ".env.local",
    ".ssh/id_ed25519",
    ".git/config",
    ".aws/credentials",
    ".netrc",
    "server.pem",
    "TLS.KEY",
    "deep/down/id_rsa",
    "store.p12",
    "credentials.json",
    ".ipynb_checkpoints/kernel-checkpoint.py",
    "__pycache__/kernel.cpython-311.pyc",
    ".DS_Store",
    "deep/._kernel.py",
    "node_modules/x/index.js",
    ".venv/bin/python",
)


def test_decoys_stay_behind_and_are_listed(make_folder: MakeFolder) -> None:
    found = inspect(make_folder(dict.fromkeys(DECOYS, "secret")))
    assert [file.path for file in found.files] == ["README.md", "kernel.py", "model.json"]
    left_out = tuple(entry.path for entry in found.ignored)
    assert all(any(decoy.startswith(path) for path in left_out) for decoy in DECOYS)
    assert all(entry.reason for entry in found.ignored)


@pytest.mark.parametrize(
    ("path", "folder", "reason"),
    [
        (".git", True, "version control"),
        (".git", False, "version control"),
        (".gitignore", False, "hidden"),
        (".env", False, "may hold secrets"),
        ("a/b/KEY.PEM", False, "may hold secrets"),
        ("venv", True, "virtual environment"),
        ("venv", False, None),
        ("kernel.py", False, None),
        ("keys.py", False, None),
        ("weights.bin", False, None),
    ],
)
def test_usual_rules(path: str, folder: bool, reason: str | None) -> None:
    assert IgnoreRules().reason(path, folder=folder) == reason


def test_own_rules_add_and_take_back() -> None:
    rules = IgnoreRules(["*.csv", "!keep.csv", "", "/data/", "!.streamlit", "!demo.pem"])
    assert rules.reason("a/b.csv", folder=False) == "line 1 of .ediignore"
    assert rules.reason("keep.csv", folder=False) is None
    assert rules.reason("data", folder=True) == "line 4 of .ediignore"
    assert rules.reason("src/data", folder=True) is None
    assert rules.reason(".streamlit", folder=True) is None
    assert rules.reason("demo.pem", folder=False) is None


def test_a_folder_taken_back_does_not_take_its_secrets_along() -> None:
    rules = IgnoreRules(["!.config/"])
    assert rules.reason(".config", folder=True) is None
    assert rules.reason(".config/settings.toml", folder=False) is None
    assert rules.reason(".config/.env", folder=False) == "may hold secrets"
    assert rules.reason(".config/tls.key", folder=False) == "may hold secrets"


def test_hidden_files_can_be_taken_back_everywhere() -> None:
    rules = IgnoreRules(["!.keep"])
    assert rules.reason("a/b/.keep", folder=False) is None


def test_a_line_that_is_no_pattern_is_named(make_folder: MakeFolder) -> None:
    with pytest.raises(InvalidInput) as raised:
        IgnoreRules(["*.csv", "!"])
    assert raised.value.code == "invalid_ignore_file"
    assert "Line 2" in raised.value.message
    found = inspect(make_folder({".ediignore": "*.csv\n!\n"}))
    assert [problem.code for problem in found.problems] == ["invalid_ignore_file"]
