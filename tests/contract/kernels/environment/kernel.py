import json
import os
import sys

import redhareapiversion
from redhareapi import Kernel

MODEL_NAME = os.environ["REDHARE_MODEL_NAME"]
MODEL_PATH = os.environ["REDHARE_MODEL_PATH"]
SPACE = os.environ["WML_SPACE_ID"]
EVERYTHING = dict(os.environ)
FOLDER = os.getcwd()


class EnvironmentKernel(Kernel):
    def on_task_invoke(self, task_context):
        answer = {
            "environment": EVERYTHING,
            "folder": FOLDER,
            "python": list(sys.version_info[:3]),
            "writable": os.access(MODEL_PATH, os.W_OK),
            "first": sys.path[0],
        }
        task_context.set_output_data(json.dumps(answer))


if __name__ == "__main__":
    EnvironmentKernel().run()
