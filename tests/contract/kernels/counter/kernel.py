import json

import redhareapiversion
from redhareapi import Kernel


class CounterKernel(Kernel):
    def __init__(self, first):
        self.count = first

    def on_task_invoke(self, task_context):
        while task_context is not None:
            self.count += 1
            task_context.set_output_data(json.dumps({"count": self.count}))
            task_context = task_context.next()


if __name__ == "__main__":
    CounterKernel(10).run()
