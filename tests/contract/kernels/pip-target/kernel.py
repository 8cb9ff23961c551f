import glob
import json
import os
import subprocess
import sys

import redhareapiversion
from redhareapi import Kernel

MODEL_PATH = os.environ["REDHARE_MODEL_PATH"]
PACKAGES = os.path.join(MODEL_PATH, "python_packages")


def install():
    """Return how the package came to be there."""
    if os.path.isdir(PACKAGES):
        return "found"
    wheels = glob.glob(os.path.join(MODEL_PATH, "wheels", "*.whl"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--disable-pip-version-check", "--target=" + PACKAGES]
    done = subprocess.run(
        command + wheels,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(done.stdout.decode())
    return "installed" if not done.returncode else done.stdout.decode()[-300:]


HOW = install()
sys.path.insert(0, PACKAGES)


class PackageKernel(Kernel):
    def on_task_invoke(self, task_context):
        try:
            import contract_wheel

            answer = {"how": HOW, "value": contract_wheel.VALUE, "file": contract_wheel.__file__}
        except ImportError as error:
            answer = {"how": HOW, "error": str(error)}
        task_context.set_output_data(json.dumps(answer))


if __name__ == "__main__":
    PackageKernel().run()
