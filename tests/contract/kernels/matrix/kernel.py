import json

import redhareapiversion
from redhareapi import Kernel

try:
    import numpy
except ImportError:
    numpy = None


class MatrixKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        if numpy is not None:
            self.weights = numpy.arange(40000, dtype=numpy.float64).reshape(200, 200) / 40000

    def on_task_invoke(self, task_context):
        while task_context != None:
            request = json.loads(task_context.get_input_data())
            if numpy is None:
                answer = {"numpy": None}
            else:
                value = numpy.eye(200)
                for _ in range(request["rounds"]):
                    value = numpy.tanh(value @ self.weights)
                answer = {"numpy": numpy.__version__, "trace": float(numpy.trace(value))}
            task_context.set_output_data(json.dumps(answer))
            task_context = task_context.next()


if __name__ == "__main__":
    MatrixKernel().run()
