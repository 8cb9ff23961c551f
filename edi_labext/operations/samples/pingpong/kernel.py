"""Ping-pong: answer every request with its own JSON object."""

import json

import redhareapiversion
from redhareapi import Kernel


class PingPong(Kernel):
    """The smallest useful kernel: no model, only the way there and back."""

    def on_kernel_start(self, kernel_context):
        """Load the model here; this kernel has none."""
        Kernel.log_info("ping-pong is ready")

    def on_task_invoke(self, task_context):
        """Answer one request, or several where the profile's task_batch_size allows."""
        while task_context is not None:
            ping = json.loads(task_context.get_input_data())
            task_context.set_output_data(json.dumps(ping))
            task_context = task_context.next()

    def on_kernel_shutdown(self):
        """Release what on_kernel_start took."""
        Kernel.log_info("ping-pong ends")


if __name__ == "__main__":
    PingPong().run()
