import json
import time

import redhareapiversion
from redhareapi import Kernel


class SlowKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        time.sleep(0.7)
        self.ready = True

    def on_task_invoke(self, task_context):
        task_context.set_output_data(json.dumps({"ready": self.ready}))


if __name__ == "__main__":
    SlowKernel().run()
