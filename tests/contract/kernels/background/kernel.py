import json
import threading

import redhareapiversion
from redhareapi import Kernel


class AsyncKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        self.jobs = {}
        self.go_on = threading.Event()

    def work(self, job):
        self.go_on.wait()
        self.jobs[job] = "done"

    def on_task_invoke(self, task_context):
        request = json.loads(task_context.get_input_data())
        job = request["job"]
        if job not in self.jobs:
            self.jobs[job] = "submitted or running"
            threading.Thread(target=self.work, args=(job,)).start()
        if request.get("go_on"):
            self.go_on.set()
        task_context.set_output_data(json.dumps({"job": job, "state": self.jobs[job]}))

    def on_kernel_shutdown(self):
        self.go_on.set()


if __name__ == "__main__":
    AsyncKernel().run()
