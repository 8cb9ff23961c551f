import json
import os
import sys

import redhareapiversion
from redhareapi import Kernel


class LocalKernel(Kernel):
    def on_task_invoke(self, task_context):
        task_context.set_output_data(json.dumps({"served": True}))


if __name__ == "__main__":
    LocalKernel().run()
