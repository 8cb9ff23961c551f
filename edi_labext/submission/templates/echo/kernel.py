"""Answers every request with its own JSON; put your model into on_kernel_start and answer."""

import json

import redhareapiversion
from redhareapi import Kernel


class EchoKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        # Load the model here, once per kernel. An exception here is told as the reason of the
        # failure, so let it out.
        self.description = json.loads(kernel_context.get_model_description())
        Kernel.log_info("ready")

    def on_task_invoke(self, task_context):
        # With task_batch_size above 1 several requests come at once, linked by next().
        while task_context is not None:
            task_context.set_output_data(json.dumps(self.answer(task_context.get_input_data())))
            task_context = task_context.next()

    def answer(self, text):
        """Return the answer to one request; whoever sent nonsense is told so."""
        try:
            request = json.loads(text)
        except ValueError:
            return {"error": "the request is not valid JSON"}
        return {"service": self.description["name"], "echo": request}

    def on_kernel_shutdown(self):
        Kernel.log_info("ends")


if __name__ == "__main__":
    EchoKernel().run()
