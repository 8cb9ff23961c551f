import json
import os

import redhareapiversion
from redhareapi import Kernel

DIARY = os.path.join(os.environ["REDHARE_MODEL_PATH"], "diary.txt")


def write(word):
    with open(DIARY, "a") as file:
        file.write(word + "\n")
        file.flush()
        os.fsync(file.fileno())


class DiaryKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        write("start")

    def on_task_invoke(self, task_context):
        with open(DIARY) as file:
            task_context.set_output_data(json.dumps(file.read().split()))

    def on_kernel_shutdown(self):
        write("shutdown")


if __name__ == "__main__":
    DiaryKernel().run()
