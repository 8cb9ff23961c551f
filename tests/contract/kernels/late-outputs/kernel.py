import json

import redhareapiversion
from redhareapi import Kernel


class LateKernel(Kernel):
    def on_task_invoke(self, task_context):
        first = task_context
        tasks = []
        while task_context != None:
            tasks.append((task_context, json.loads(task_context.get_input_data())))
            task_context = task_context.next()
        back = tasks[-1][0]
        steps = 1
        while back.prev() != None:
            back = back.prev()
            steps += 1
        for place, (task, request) in reversed(list(enumerate(tasks))):
            answer = {
                "number": request["number"],
                "place": place,
                "batch": len(tasks),
                "back": steps,
                "same": back is first or back.get_id() == first.get_id(),
            }
            task.set_output_data(json.dumps(answer))


if __name__ == "__main__":
    LateKernel().run()
