#!/usr/bin/env python
import json

import redhareapiversion
from redhareapi import Kernel


class EchoKernel(Kernel):
    def on_task_invoke(self, task_context):
        while task_context != None:
            request = json.loads(task_context.get_input_data())
            task_context.set_output_data(json.dumps(request))
            task_context = task_context.next()


if __name__ == "__main__":
    kernel = EchoKernel()
    kernel.run()
