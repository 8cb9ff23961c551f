import json
import os
import sys

import redhareapiversion
import words
from redhareapi import Kernel
from tools.counting import count

START = os.getcwd()
MODEL_PATH = os.environ["REDHARE_MODEL_PATH"]
os.chdir(MODEL_PATH)
sys.path.append(os.path.join(MODEL_PATH, "late"))
os.environ["SOME_CACHE"] = os.path.join(MODEL_PATH, "cache")
import latecomer


class FileKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        with open("data/numbers.json") as file:
            self.numbers = json.load(file)
        self.kept = os.path.exists("kept.txt")
        with open("kept.txt", "a") as file:
            file.write("a line\n")

    def on_task_invoke(self, task_context):
        answer = {
            "sum": sum(self.numbers),
            "greeting": words.GREETING,
            "count": count("banana", "a"),
            "late": latecomer.NAME,
            "elsewhere": START != MODEL_PATH,
            "here": os.path.samefile(os.getcwd(), MODEL_PATH),
            "kept": self.kept,
            "files": sorted(os.listdir(".")),
        }
        task_context.set_output_data(json.dumps(answer))


if __name__ == "__main__":
    FileKernel().run()
