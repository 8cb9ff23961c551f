"""A linear model that answers all requests of a batch at once.

Several requests come in one call only if the profile's task_batch_size is above 1.
"""

import json
import os

import redhareapiversion
from redhareapi import Kernel


class BatchKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        description = json.loads(kernel_context.get_model_description())
        folder = description.get("model_path") or os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(folder, description["weight_path"]), encoding="utf-8") as file:
            self.weights = json.load(file)
        Kernel.log_info("weights loaded")

    def on_task_invoke(self, task_context):
        tasks, inputs = [], []
        while task_context is not None:
            row, problem = self.read(task_context.get_input_data())
            if problem:
                # One bad request must not spoil the others of its batch.
                task_context.set_output_data(json.dumps({"error": problem}))
            else:
                tasks.append(task_context)
                inputs.append(row)
            task_context = task_context.next()
        for task, value in zip(tasks, self.predict(inputs)):
            task.set_output_data(json.dumps({"value": value, "batch": len(inputs)}))

    def read(self, text):
        """Return the numbers of one request and None, or None and what is wrong with it."""
        try:
            row = json.loads(text)["x"]
        except (ValueError, TypeError, KeyError):
            return None, 'the request must be an object with "x"'
        count = len(self.weights["w"])
        if not isinstance(row, list) or len(row) != count:
            return None, "x must be a list of %d numbers" % count
        if not all(type(value) in (int, float) for value in row):
            return None, "x must hold numbers alone"
        return row, None

    def predict(self, rows):
        """Return a value for each row; put one call of your model here."""
        weights, bias = self.weights["w"], self.weights["b"]
        return [sum(w * x for w, x in zip(weights, row)) + bias for row in rows]


if __name__ == "__main__":
    BatchKernel().run()
