"""A kernel with faults, to try the checks on. See README.md."""

import json

import redhareapiversion
from redhareapi import Kernel


class FaultyKernel(Kernel):
    def on_kernal_start(self, kernel_context):
        try:
            self.weights = json.loads(kernel_context.get_model_description())["weight_path"]
        except Exception as error:
            Kernel.log_error(str(error))

    def on_task_invoke(self, task_context):
        try:
            request = json.loads(task_context.get_input_data())
            task_context.set_output_data(json.dumps({"sum": sum(request["numbers"])}))
        except ValueError as error:
            Kernel.log_error(str(error))

    def on_kernel_shutdown(self, kernel_context):
        Kernel.log_info("the faulty kernel ends")
