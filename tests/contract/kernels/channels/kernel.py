import json

import redhareapiversion
from redhareapi import Kernel


class ChannelKernel(Kernel):
    def on_task_invoke(self, task_context):
        first = task_context.set_output_data("replaced below")
        answer = {
            "extended_input": task_context.get_input_data_extend(),
            "set_output_data": first,
            "set_output_data_extend": task_context.set_output_data_extend("more"),
            "report_ready": task_context.report_ready("ready"),
            "next": task_context.next(),
            "prev": task_context.prev(),
            "is_none": [task_context == None, task_context != None],
            "ids": [
                isinstance(value, str)
                for value in (
                    task_context.get_id(),
                    task_context.get_uuid(),
                    task_context.get_session_id(),
                    task_context.get_job_id(),
                )
            ],
        }
        ChannelKernel.log_debug("hidden unless the level is DEBUG")
        ChannelKernel.log_info("by the subclass")
        Kernel.log_warn("by the base")
        Kernel.log(2, "by its number")
        print("printed")
        task_context.set_output_data(json.dumps(answer))


if __name__ == "__main__":
    ChannelKernel().run()
