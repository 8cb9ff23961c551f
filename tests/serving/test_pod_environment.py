"""What a kernel process is given: a pod's variables, its own folders, and nothing else of ours."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from support.engine_process import EngineProcess
from support.waiting import until

from edi_labext._version import __version__
from edi_labext.serving.kernel import KERNEL_PATH
from edi_labext.serving.kernel_environment import INHERITED, INHERITED_PREFIXES

#: Writes a file per kernel, and answers with all that its process was given.
DUMP = """
import os
AT_IMPORT = dict(os.environ)
DIRECTORY = os.getcwd()
import json, sys
import redhareapiversion
from redhareapi import Kernel

def links():
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink("/proc/self/fd/" + fd)
        except OSError:
            pass
    return found

class Dump(Kernel):
    def on_kernel_start(self, kernel_context):
        self.description = json.loads(kernel_context.get_model_description())
        name = os.path.join(os.environ["REDHARE_MODEL_PATH"], os.environ["MSD_POD_NAME"])
        open(name, "w").close()
        self.mode = os.stat(name).st_mode & 0o777
        Kernel.log_debug("debug is shown")

    def on_task_invoke(self, task):
        guard = open("/proc/%d/environ" % os.getppid(), "rb").read()
        task.set_output_data(json.dumps({
            "environment": AT_IMPORT, "directory": DIRECTORY, "fds": links(), "mode": self.mode,
            "guard": guard.decode("utf-8", "replace"), "path": sys.path[:2],
            "model_path": self.description["model_path"], "job": task.get_job_id(),
            "siblings": os.listdir(os.environ["REDHARE_MODEL_PATH"]),
            "command": open("/proc/self/cmdline").read(),
        }))

if __name__ == "__main__":
    Dump().run()
"""

CANARY = "canary-5c1e"
SECRETS = [
    "USER_ACCESS_TOKEN",
    "JPY_API_TOKEN",
    "JUPYTER_TOKEN",
    "JUPYTERHUB_API_TOKEN",
    "EDI_TOKEN",
    "EDI_JWT",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GITHUB_TOKEN",
    "HF_TOKEN",
    "OPENAI_API_KEY",
    "SSH_AUTH_SOCK",
    "KUBECONFIG",
    "PIP_INDEX_URL",
    "PYTHONSTARTUP",
    "LD_PRELOAD_CANARY",
    "DATABASE_URL",
]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What two kernels of one deployment were given, on an engine full of secrets."""
    store = tmp_path_factory.mktemp("pod") / "store"
    with pytest.MonkeyPatch.context() as patch:
        for name in SECRETS:
            patch.setenv(name, CANARY)
        patch.setenv("LD_LIBRARY_PATH", "/opt/theirs")
        engine = EngineProcess(store)
    try:
        model = {"name": "dump", "kernel_path": "kernel.py", "runtime": "python"}
        model["mk_environments"] = [
            {"name": "WML_SPACE_ID", "value": "space 7"},
            {"name": "REDHARE_MODEL_NAME", "value": "not this"},
        ]
        assert engine.deploy("dump", DUMP, **{"model.json": json.dumps(model)}).status_code == 200
        profile = engine.call("GET", "model/dump/appprofile").json()
        profile["policy"]["kernel_min"] = 2
        profile["kernel"]["umask"] = "027"
        profile["kernel"]["working_directory"] = "${REDHARE_TOP}/desk"
        profile["kernel"]["log_directory"] = "${REDHARE_TOP}/journal"
        profile["kernel"]["envs"] = [
            {"name": "DLIM_MK_LOG_LEVEL", "value": "debug"},
            {"name": "MOOD", "value": "good"},
        ]
        assert engine.call("PUT", "model/dump/appprofile", json=profile).status_code == 200
        engine.start_model("dump")
        until(lambda: engine.wait_for("dump", "ready")["kernels_ready"] == 2)
        facts = engine.infer("dump").json()
        [service] = engine.instance("dump")["instances"]
        log = next(store.glob("pods/*/journal/dump.log"))
        facts.update(
            store=str(store),
            token=engine.token,
            address=engine.base.split("/")[2],
            service=service,
            model=engine.call("GET", "model/dump").json(),
            log=log.read_text(),
        )
        return facts
    finally:
        engine.stop()


#: Each variable, and a pattern for its value; ``{...}`` names another fact of it.
VARIABLES = {
    "CUDA_VISIBLE_DEVICES": "",
    "DLIM_MK_COND_ENV_NAME": ".*",
    "DLIM_MK_COND_HOME": ".*",
    "DLIM_MK_LOG_LEVEL": "debug",
    "HOSTNAME": "{MSD_POD_NAME}",
    "IS_K8S": "ON|OFF",
    "LD_LIBRARY_PATH": "{KERNEL_PATH}:{REDHARE_MODEL_PATH}:/opt/theirs",
    "MOOD": "good",
    "MSD_MK_CONN_TIMEOUT": "90",
    "MSD_MK_ID": "[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}",
    "MSD_POD_AFFINITY_RULE": "",
    "MSD_POD_IP": r"127\.0\.0\.1",
    "MSD_POD_NAME": "{TASK_JOB_ID}-task[0-9a-z]+-[0-9a-z]{{5}}",
    "PATH": "{BIN}:.+",
    "PWD": "{REDHARE_TOP}/desk",
    "REDHARE_LD_LIBRARY_PATH": "{KERNEL_PATH}:{REDHARE_MODEL_PATH}:",
    "REDHARE_MK_MSD_ADDR": "{ADDRESS}",
    "REDHARE_MODEL_CREATOR": "local",
    "REDHARE_MODEL_NAME": "dump",
    "REDHARE_MODEL_PATH": r"{REDHARE_TOP}/repo/dump/dump-\d{{8}}-\d{{6}}",
    "REDHARE_PYTHONPATH": "{KERNEL_PATH}",
    "REDHARE_TOP": r"{STORE}/pods/dump-\d{{8}}-\d{{6}}-[0-9a-f]{{8}}",
    "REDHARE_UNLIMITED_RETRY": "false",
    "REDHARE_VERSION": "{VERSION}",
    "TASK_JOB_ID": r"edi-dump-[0-9a-z]+-[0-9a-z]+",
    "WML_SPACE_ID": "space 7",
}
#: What Python, the launcher and the runtime add.
OTHERS = {"PYTHONPATH", "PYTHONUNBUFFERED", "LC_CTYPE", "VIRTUAL_ENV"}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_has_its_form(given: dict[str, Any], name: str) -> None:
    environment = given["environment"]
    facts = {
        **environment,
        "KERNEL_PATH": str(KERNEL_PATH),
        "BIN": str(Path(sys.executable).parent),
        "VERSION": __version__,
        "STORE": given["store"],
        "ADDRESS": given["address"],
    }
    escaped = {key: re.escape(value) for key, value in facts.items()}
    assert re.fullmatch(VARIABLES[name].format_map(escaped), environment[name])


def test_there_are_no_others_and_no_secret(given: dict[str, Any]) -> None:
    environment = given["environment"]
    inherited = {name for name in os.environ if name in INHERITED}
    inherited |= {name for name in os.environ if name.startswith(INHERITED_PREFIXES)}
    assert set(environment) <= VARIABLES.keys() | OTHERS | inherited
    assert environment["HOME"] == os.environ["HOME"]
    for told in (json.dumps(environment), given["guard"], given["command"]):
        assert CANARY not in told
        assert given["token"] not in told


def test_descriptors_are_the_logs_and_the_link(given: dict[str, Any]) -> None:
    fds = dict(given["fds"])
    assert fds.pop("0") == "/dev/null"
    assert fds.pop("1").startswith("pipe:")
    assert fds.pop("2").startswith("pipe:")
    [link] = fds.values()
    assert link.startswith("socket:")


def test_folders_and_names_agree_with_what_the_service_says(given: dict[str, Any]) -> None:
    environment = given["environment"]
    assert given["directory"] == environment["PWD"]
    assert given["model"]["model_path"] == given["model_path"] == environment["REDHARE_MODEL_PATH"]
    assert given["path"] == [environment["REDHARE_MODEL_PATH"], str(KERNEL_PATH)]
    assert given["service"]["pj_jobid"] == environment["TASK_JOB_ID"] == given["job"]
    pods = {container["container_uid"] for container in given["service"]["isd_container"]}
    assert len(pods) == 2
    # Each of the two kernels has written its file into the one folder that both see.
    assert pods | {"kernel.py", "model.json", "README.md"} <= set(given["siblings"])
    assert environment["MSD_POD_NAME"] in pods
    assert given["mode"] == 0o640  # by the profile's umask
    assert "D debug is shown" in given["log"]
