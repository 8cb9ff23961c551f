import json

import redhareapiversion
from neighbour import NAME
from redhareapi import Kernel


class NestedKernel(Kernel):
    def on_task_invoke(self, task_context):
        task_context.set_output_data(json.dumps({"neighbour": NAME}))


if __name__ == "__main__":
    NestedKernel().run()
