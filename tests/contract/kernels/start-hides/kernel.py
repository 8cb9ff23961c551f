import json

import redhareapiversion
from redhareapi import Kernel


class HidingKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        try:
            self.model = open("/nowhere/weights").read()
        except Exception as error:
            Kernel.log_error("cannot load: %s" % error)

    def on_task_invoke(self, task_context):
        try:
            task_context.set_output_data(self.model)
        except Exception as error:
            task_context.set_output_data(json.dumps({"error": type(error).__name__}))


if __name__ == "__main__":
    HidingKernel().run()
