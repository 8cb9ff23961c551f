"""Scripts that people wrote for dlim, run by a shell that finds edi under the name dlim."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import CommandLine

Folder = Callable[[str], Path]

#: The order of reference/dlim-cli.md section 4, with the lines of section 6 as answers. The
#: second half is what the published pipeline does: stop, do not wait, undeploy.
SESSION = r"""
dlim model deploy -p $HERE/ping-pong-test
dlim model list
dlim model stop ping-pong-test -f
dlim model viewprofile ping-pong-test -j > profile.json
dlim model updateprofile ping-pong-test -f profile.json
dlim model start ping-pong-test
for i in $(seq 60); do
  dlim model view ping-pong-test -s -a | grep -q '^Status.*: *IDLE' && break
  test $i != 60 || exit 1
  sleep 0.2
done
dlim model view ping-pong-test -s
dlim model undeploy ping-pong-test -f || echo "exit $?"
dlim model deploy -p $HERE/ping-pong-test < /dev/null || echo "exit $?"
dlim model stop -f ping-pong-test
until dlim model view ping-pong-test -s | grep -q 'State: *Stopped'; do sleep 0.1; done
dlim model undeploy ping-pong-test -f
dlim model undeploy ping-pong-test -f || echo "exit $?"
dlim model list
"""

RECORDED = """\
Uploading...
<$HERE/ping-pong-test/README.md> uploaded to server.
<$HERE/ping-pong-test/kernel.py> uploaded to server.
<$HERE/ping-pong-test/model.json> uploaded to server.
Registering...
Model <ping-pong-test> is deployed successfully
NAME            REST URI
ping-pong-test  -
Stopping model "ping-pong-test", run "dlim model view ping-pong-test -s" to ensure stop.
Model is updated successfully
Starting model "ping-pong-test", run "dlim model view ping-pong-test -s" to ensure startup.
Name:             ping-pong-test
State:            Started
Serving replica:  1
============================================================
Serving service ID:   $UUID
Service JobID:        edi-ping-pong-test-$POD
GPU Mode:             no
Served clients:       $NUMBER
Pending requests:     0
Requests per second:  0.00
Data per second:      0.00
Kernel started:       1
The model cannot be removed if it's started.
exit 1
Model <ping-pong-test> already exists on inference service, do you want to update it? (y|n):EOF
exit 1
Stopping model "ping-pong-test", run "dlim model view ping-pong-test -s" to ensure stop.
Undeployed model "ping-pong-test", run "dlim model list" to ensure deletion.
Model <ping-pong-test> doesn't exist.
exit 1
NAME  REST URI
"""

#: The functions of a public pipeline, as they are: the exact line, three tries, exit code 0.
PIPELINE = r"""
import json, subprocess, sys, time

def run_subprocess_and_retry(command, verification, verification_line=0, tries=3):
    for attempt in range(tries):
        try:
            out = subprocess.check_output(command, shell=True, stderr=subprocess.STDOUT)
        except subprocess.CalledProcessError as error:
            print(error.output.decode(), error.returncode)
            continue
        lines = out.decode().strip().split("\n")
        if lines[verification_line] == verification:
            return lines
        print("unexpected:", lines)
    sys.exit("gave up: " + command)

def wait_for_model_idle_status(name):
    for attempt in range(60):
        shown = subprocess.check_output("dlim model view %s -s -a" % name, shell=True).decode()
        for line in shown.split("\n"):
            if line.startswith("Status"):
                if line.split(":")[1].strip() == "IDLE":
                    return
                break
        time.sleep(0.2)
    sys.exit("never idle")

name, folder = sys.argv[1:]
run_subprocess_and_retry(
    "dlim model deploy -p %s -f" % folder,
    "Model <%s> is deployed successfully" % name, verification_line=-1)
subprocess.check_call("dlim model viewprofile %s -j > profile.json" % name, shell=True)
profile = json.load(open("profile.json"))
profile["policy"]["kernel_min"] = 2
json.dump(profile, open("update_profile.json", "w"))
run_subprocess_and_retry(
    "dlim model updateprofile %s -f update_profile.json" % name, "Model is updated successfully")
run_subprocess_and_retry(
    "dlim model start %s" % name,
    'Starting model "%s", run "dlim model view %s -s" to ensure startup.' % (name, name))
wait_for_model_idle_status(name)
subprocess.check_call("dlim model stop %s -f" % name, shell=True)
for attempt in range(60):
    if subprocess.call("dlim model undeploy -f %s" % name, shell=True) == 0:
        break
    time.sleep(0.2)
else:
    sys.exit("never undeployed")
assert name not in subprocess.check_output("dlim model list", shell=True).decode()
print("pipeline done")
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A search path that begins with a link ``dlim`` to the installed ``edi``."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "dlim").symlink_to(Path(sys.executable).with_name("edi"))
    (tools / "edi").symlink_to(Path(sys.executable).with_name("edi"))
    return f"{tools}{os.pathsep}{os.environ['PATH']}"


def test_a_recorded_session(edi: CommandLine, folder: Folder, tmp_path: Path, path: str) -> None:
    """Line by line what dlim answered, with the word replaced."""
    folder("ping-pong-test")
    script = re.sub(r"\bdlim\b", "edi", SESSION)
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=tmp_path,
        env={**edi.environment(), "HERE": str(tmp_path), "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert normal(done.stdout, tmp_path) == RECORDED


def normal(shown: str, here: Path) -> str:
    """Replace what is another value at every run."""
    for pattern, name in (
        (re.escape(str(here)), "$HERE"),
        (r"(?<=ID:   )[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "$UUID"),
        (r"(?<=edi-ping-pong-test-)[0-9a-f]+-[0-9a-z]{5}\b", "$POD"),
        (r"(?<=Served clients:       )\d+", "$NUMBER"),
    ):
        shown = re.sub(pattern, name, shown)
    return shown


def test_a_published_pipeline(edi: CommandLine, folder: Folder, tmp_path: Path, path: str) -> None:
    """Unchanged: it finds a link named dlim."""
    made = folder("pipeline-test")
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    done = subprocess.run(
        [sys.executable, "pipeline.py", "pipeline-test", str(made)],
        cwd=tmp_path,
        env={**edi.environment(), "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "pipeline done"


def test_help_goes_by_the_name_that_was_called(edi: CommandLine, path: str) -> None:
    for name in ("dlim", "edi"):
        shown = subprocess.check_output(
            [name, "model", "start", "--help"], env={**edi.environment(), "PATH": path}, text=True
        )
        assert shown.startswith(f"Usage: {name} model start ")
        examples = subprocess.check_output(
            [name, "--help"], env={**edi.environment(), "PATH": path}, text=True
        )
        assert f"  {name} model undeploy -f digits" in examples
