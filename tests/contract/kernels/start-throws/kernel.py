import redhareapiversion
from redhareapi import Kernel


class BrokenKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        raise RuntimeError("there are no weights")

    def on_task_invoke(self, task_context):
        task_context.set_output_data("never")


if __name__ == "__main__":
    BrokenKernel().run()
