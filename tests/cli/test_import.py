"""``edi import``: scripts as people write them, read and not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support.command_line import CommandLine

Folder = Callable[..., Path]

SHELL = r"""#!/bin/bash
# dlim model undeploy not-this-one
NAME=digits
SERVER="https://wmla-console-ns.apps.example.com/dlim/v1/"
touch was-run
dlim config -c $SERVER
dlim model deploy -p ./digits -f \
    --rest-server $SERVER --jwt-token $USER_ACCESS_TOKEN
dlim model viewprofile $NAME -j > profile.json
jq '.policy.kernel_min=2 | .kernel.gpu="exclusive"' profile.json > new.json
dlim model stop -f ${NAME}
dlim model updateprofile $NAME -f new.json && dlim model start $NAME
for i in 1 2 3; do dlim model view $NAME -s -a | grep IDLE; done
curl -k -X POST -H "X-Auth-Token: x" \
    https://wmla-console-ns.apps.example.com/dlim/v1/inference/digits -d '{}'
dlim model stop old -f
dlim model undeploy old -f
dlim model deploy -p $WHATEVER
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Folder) -> Path:
    folder("digits")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def traps(shown: str) -> dict[str, str]:
    """Return message → place of each trap."""
    found = {}
    for line in shown.splitlines():
        place, mark, message = line.partition(": trap: ")
        if mark:
            found[message] = place
    return found


def test_a_shell_script(alone: CommandLine, here: Path) -> None:
    (here / "deploy.sh").write_text(SHELL)
    result = alone("import", "deploy.sh")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    document = yaml.safe_load((here / "edi.yaml").read_text())
    assert document == {
        "version": 1,
        "services": {
            "digits": {
                "folder": "digits",
                "state": "started",
                "profile": {"policy": {"kernel_min": 2}, "kernel": {"gpu": "exclusive"}},
            },
            "old": {"state": "absent"},
        },
    }
    lines = result.stdout.splitlines()
    assert "line 7: digits: deploys ./digits" in lines
    assert "line 12: digits: started" in lines
    assert any(line.startswith("line 18: look here: It deploys a folder") for line in lines)
    found = traps(result.stdout)
    assert [place for message, place in found.items() if "command line" in message] == ["line 7"]
    assert [place for message, place in found.items() if "refused while" in message] == [
        "line 12",
        "line 17",
    ]
    assert [place for message, place in found.items() if "certificate" in message] == ["line 14"]
    assert [place for message, place in found.items() if "console's host" in message] == ["line 14"]
    assert [place for message, place in found.items() if "exit code" in message] == ["line 7"]
    assert not (here / "was-run").exists()
    assert "traps." in lines[-2]
    assert lines[-1] == "Wrote edi.yaml: digits, old."


def test_python_within_a_shell_script(alone: CommandLine, here: Path) -> None:
    (here / "deploy.sh").write_text(
        "set -e\ndlim model deploy -p digits\n"
        "python3 - <<'END' > log.txt\n"
        "profile['kernel']['gpu'] = 'shared' if bool('False') else 'no'\n"
        "profile['policy']['kernel_min'] = 2\n"
        "END\n"
        "cp dlim /usr/bin && chmod +x dlim here\n"
        "dlim model start digits\ndlim frobnicate digits\nedi infer digits\n"
    )
    result = alone("import", "deploy.sh")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "line 5: digits: sets policy.kernel_min of the profile" in lines
    assert "line 8: digits: started" in lines
    assert [line for line in lines if "look here" in line] == [
        "line 9: look here: dlim frobnicate has no place in edi.yaml.",
        "line 10: look here: edi infer has no place in edi.yaml.",
    ]
    assert traps(result.stdout) == {
        "bool() of a text is true for 'False' and '0' too.": "line 4",
    }
    document = yaml.safe_load((here / "edi.yaml").read_text())
    assert document["services"]["digits"]["profile"] == {"policy": {"kernel_min": 2}}


def test_what_was_written_can_be_planned(edi: CommandLine, here: Path) -> None:
    (here / "deploy.sh").write_text("set -e\ndlim model deploy -p digits\n")
    result = edi("import", "deploy.sh")
    assert "0 traps." in result.stdout
    planned = edi("plan")
    assert planned.exit_code == 2
    assert "digits: create" in planned.stdout


def test_a_script_that_waits_has_no_such_trap(alone: CommandLine, here: Path) -> None:
    (here / "careful.sh").write_text(
        "set -eu\ndlim model stop digits -f --wait 60\ndlim model undeploy digits -f\n"
        "dlim model stop other -f\ndlim model undeploy other -f --wait\n"
    )
    result = alone("import", "careful.sh")
    assert "4 of 4 steps understood, 0 to look at, 0 traps." in result.stdout
    document = yaml.safe_load((here / "edi.yaml").read_text())
    assert document["services"] == {"digits": {"state": "absent"}, "other": {"state": "absent"}}


def notebook(*cells: str) -> str:
    made = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "dlim model"}, *made]})


def test_a_notebook(alone: CommandLine, here: Path) -> None:
    (here / "deploy.ipynb").write_text(
        notebook(
            "%cd .\nname = 'digits'\ncfg = {'enable_gpus': 'False'}",
            "!dlim model deploy -p digits --jwt-token $USER_ACCESS_TOKEN\nout = !dlim model list",
            "if bool(cfg['enable_gpus']):\n    pass\nprofile = {}\n"
            "profile['policy']['kernel_max'] = 3\nprofile['x'] = open('y')",
            "%%bash\ndlim model start digits\n",
            "import subprocess\n"
            "subprocess.run(f'dlim model updateprofile {name} -f update.json', shell=True)\n"
            "subprocess.check_output(['dlim', 'model', 'stop', '-f', name])\n"
            "requests.post(url, verify=False)",
            "this is no python ((",
        )
    )
    result = alone("import", "deploy.ipynb", "-o", "made.yaml")
    assert result.exit_code == 0, result.output
    document = yaml.safe_load((here / "made.yaml").read_text())
    assert document["services"] == {
        "digits": {
            "folder": "digits",
            "state": "stopped",
            "profile": {"policy": {"kernel_max": 3}},
        }
    }
    found = traps(result.stdout)
    assert [place for message, place in found.items() if "bool()" in message] == ["cell 3 line 1"]
    assert [place for message, place in found.items() if "certificate" in message] == [
        "cell 5 line 4"
    ]
    lines = result.stdout.splitlines()
    assert "cell 4 line 2: digits: started" in lines
    assert "cell 5 line 3: digits: stopped" in lines
    assert any(
        line.startswith("cell 5 line 2: look here: The profile update.json") for line in lines
    )


def test_names_that_python_gives_are_known_to_the_lines_of_a_shell(
    alone: CommandLine, here: Path
) -> None:
    (here / "deploy.ipynb").write_text(
        notebook(
            "base = './'\nfolder = base + 'digits'\nname = f'{\"digits\"}'",
            "!dlim model deploy -p {folder} && dlim model start $name --wait",
            "!dlim model deploy -p {unknown}",
        )
    )
    result = alone("import", "deploy.ipynb")
    document = yaml.safe_load((here / "edi.yaml").read_text())
    assert document["services"] == {"digits": {"folder": "digits", "state": "started"}}
    assert "cell 3 line 1: look here: It deploys a folder that is not known" in result.stdout


def test_a_profile_that_lies_beside_the_script_is_read(alone: CommandLine, here: Path) -> None:
    profile = {"policy": {"kernel_min": 4, "kernel_max": 100}, "kernel": {"gpu": "no"}, "name": "x"}
    (here / "profile.json").write_text(json.dumps(profile))
    (here / "deploy.sh").write_text("dlim model updateprofile digits -f profile.json\n")
    assert alone("import", "deploy.sh").exit_code == 0
    document = yaml.safe_load((here / "edi.yaml").read_text())
    assert document["services"] == {
        "digits": {"state": "stopped", "profile": {"policy": {"kernel_min": 4}}}
    }


def test_a_token_is_named_and_not_repeated(alone: CommandLine, here: Path) -> None:
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.c2ln"
    (here / "deploy.sh").write_text(f"dlim model start digits --jwt-token {token}\n")
    result = alone("import", "deploy.sh")
    assert "A token is written into the script." in result.stdout
    assert token not in result.output
    assert token not in (here / "edi.yaml").read_text()


def test_the_file_on_stdout(alone: CommandLine, here: Path) -> None:
    (here / "deploy.sh").write_text("dlim model start digits\n")
    result = alone("import", "deploy.sh", "-o", "-")
    assert yaml.safe_load(result.stdout)["services"] == {"digits": {"state": "started"}}
    assert "line 1: digits: started" in result.stderr
    assert not (here / "edi.yaml").exists()


@pytest.mark.parametrize(
    ("name", "content", "status", "said"),
    [
        ("missing.sh", None, 2, "cannot be read"),
        ("binary.sh", b"\xff\xfe", 2, "not UTF-8"),
        ("notes.ipynb", b"[]", 2, "JSON object"),
        ("notes.ipynb", b"{}", 2, "no cells"),
        ("notes.ipynb", b"{", 2, "line 1"),
        ("empty.sh", b"", 1, "nothing was written"),
        ("other.sh", b"echo 'unclosed\nls\n", 1, "nothing was written"),
        ("other.py", b"def (:", 1, "nothing was written"),
    ],
)
def test_what_gives_nothing(
    alone: CommandLine, here: Path, name: str, content: bytes | None, status: int, said: str
) -> None:
    if content is not None:
        (here / name).write_bytes(content)
    result = alone("import", name)
    assert result.exit_code == status
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (here / "edi.yaml").exists()


def test_nothing_is_overwritten(alone: CommandLine, here: Path) -> None:
    (here / "edi.yaml").write_text("mine")
    (here / "deploy.sh").write_text("dlim model start digits\n")
    assert alone("import", "deploy.sh").exit_code == 2
    assert (here / "edi.yaml").read_text() == "mine"
    assert alone("import", "deploy.sh", "-f").exit_code == 0
    assert "digits" in (here / "edi.yaml").read_text()


def test_a_script_is_never_run(alone: CommandLine, here: Path) -> None:
    script = "import os\nos.system('touch was-run')\n__import__('os').system('touch was-run')\n"
    (here / "deploy.py").write_text(f"{script}os.system('dlim model start digits')\n")
    assert alone("import", "deploy.py").exit_code == 0
    assert not (here / "was-run").exists()
