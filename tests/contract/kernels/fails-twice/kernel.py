import json

import redhareapiversion
from redhareapi import Kernel


class HandlerKernel(Kernel):
    def on_task_invoke(self, task_context):
        try:
            while task_context != None:
                request = json.loads(task_context.get_input_data())
                task_context.set_output_data(json.dumps(request))
                task_context = task_context.next()
            if request.get("fail"):
                raise ValueError("after the last task")
        except Exception as error:
            task_context.set_output_data(json.dumps({"error": str(error)}))


if __name__ == "__main__":
    HandlerKernel().run()
