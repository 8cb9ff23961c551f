"""Serves a scikit-learn model: rows of numbers in, classes and probabilities out.

`python train.py` writes model.joblib; without that file the kernel trains the same model itself.
"""

import json
import os

import redhareapiversion
from redhareapi import Kernel
from train import train


class SklearnKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        description = json.loads(kernel_context.get_model_description())
        folder = description.get("model_path") or os.path.dirname(os.path.abspath(__file__))
        path = os.path.join(folder, description["weight_path"])
        if os.path.exists(path):
            import joblib

            self.model, self.classes = joblib.load(path)
            Kernel.log_info("model loaded")
        else:
            self.model, self.classes = train()
            Kernel.log_info("no %s: trained on the example data" % description["weight_path"])

    def on_task_invoke(self, task_context):
        while task_context is not None:
            task_context.set_output_data(json.dumps(self.answer(task_context.get_input_data())))
            task_context = task_context.next()

    def answer(self, text):
        try:
            rows = json.loads(text)["rows"]
            probabilities = self.model.predict_proba(rows)
        except (ValueError, TypeError, KeyError) as error:
            return {"error": "send an object with rows of numbers (%s)" % error}
        return {
            "classes": [self.classes[row.argmax()] for row in probabilities],
            "probabilities": [[round(float(value), 4) for value in row] for row in probabilities],
        }


if __name__ == "__main__":
    SklearnKernel().run()
