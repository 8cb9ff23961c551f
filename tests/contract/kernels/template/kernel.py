import json

try:
    import redhareapiversion
except ImportError:
    pass
from redhareapi import Kernel


class MatchKernel(Kernel):
    def __init__(self):
        self.model = None

    def on_kernel_start(self, kernel_context):
        try:
            Kernel.log_info("starting " + kernel_context.get_id())
            self.model = {"one": 1, "two": 2}
        except Exception as error:
            Kernel.log_error(str(error))

    def on_task_invoke(self, task_context):
        try:
            request = json.loads(task_context.get_input_data())
            answer = {"found": self.model.get(request["word"])}
            task_context.set_output_data(json.dumps(answer))
        except Exception as error:
            task_context.set_output_data(json.dumps({"error": str(error)}))

    def on_kernel_shutdown(self):
        pass


if __name__ == "__main__":
    MatchKernel().run()
