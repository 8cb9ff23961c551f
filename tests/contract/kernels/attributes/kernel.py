import json
import os

import redhareapiversion
from redhareapi import Kernel


class VggKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        self.description = json.loads(kernel_context.get_model_description())
        self.model_path = self.description["model_path"] or "."
        values = {item["key"]: item["value"] for item in self.description["attributes"]}
        self.size = [int(values[key]) for key in ("img_height", "img_width", "img_depth")]
        weights = os.path.join(self.model_path, self.description["weight_path"])
        with open(os.path.join(weights, values["label_file"])) as file:
            self.labels = file.read().split()
        self.ids = [kernel_context.get_id(), None]
        if hasattr(kernel_context, "get_instance_id"):
            self.ids[1] = kernel_context.get_instance_id()

    def on_task_invoke(self, task_context):
        while task_context != None:
            answer = {
                "name": self.description["name"],
                "kernel_path": self.description["kernel_path"],
                "weight_path": self.description["weight_path"],
                "model_path": self.model_path,
                "same_path": self.model_path == os.environ["REDHARE_MODEL_PATH"],
                "size": self.size,
                "labels": self.labels,
                "kernel_id": self.ids[0],
                "instance_id": self.ids[1],
                "task_id": task_context.get_id(),
                "uuid": task_context.get_uuid(),
                "session_id": task_context.get_session_id(),
                "job_id": task_context.get_job_id(),
                "version": str(task_context.get_version()),
                "model_name": task_context.get_model_name(),
                "fields": sorted(self.description),
            }
            task_context.set_output_data(json.dumps(answer))
            task_context = task_context.next()


if __name__ == "__main__":
    VggKernel().run()
