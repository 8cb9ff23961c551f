import ctypes
import json
import os
import sys
import threading

import redhareapiversion
from redhareapi import Kernel


class FaultyKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        self.held = []

    def on_task_invoke(self, task_context):
        text = task_context.get_input_data()
        request = json.loads(text)
        getattr(self, request["do"].replace("-", "_"))(task_context, request)

    def echo(self, task, request):
        task.set_output_data(json.dumps({"pid": os.getpid(), **request}))

    def throw(self, task, request):
        raise ValueError("no such digit")

    def leave(self, task, request):
        sys.exit(3)

    def set_nothing(self, task, request):
        pass

    def set_twice(self, task, request):
        task.set_output_data("first")
        task.set_output_data("second")

    def set_then_throw(self, task, request):
        task.set_output_data("set before")
        raise RuntimeError("after the output")

    def set_number(self, task, request):
        task.set_output_data(42)

    def set_surrogate(self, task, request):
        task.set_output_data("\ud800")

    def set_error_text(self, task, request):
        task.set_output_data(json.dumps({"error": "handled by the kernel itself"}))

    def set_empty(self, task, request):
        task.set_output_data("")

    def set_not_json(self, task, request):
        task.set_output_data("NaN, <b>\x00\r\n\u2028")

    def set_large(self, task, request):
        task.set_output_data("x" * request["size"])

    def set_late(self, task, request):
        self.held.append(task)
        threading.Timer(request["after"], task.set_output_data, ["late"]).start()

    def use_old(self, task, request):
        for old in self.held:
            old.set_output_data("of another task")
        task.set_output_data("of this task")

    def end_process(self, task, request):
        os._exit(7)

    def crash(self, task, request):
        ctypes.string_at(0)

    def sleep(self, task, request):
        threading.Event().wait(request["seconds"])
        task.set_output_data("awake")

    def flood(self, task, request):
        for stream in (sys.stdout, sys.stderr):
            stream.write("y" * request["size"])
            stream.write("\n" + "line\n" * 1000)
            stream.flush()
        task.set_output_data("flooded")

    def write_bytes(self, task, request):
        os.write(1, bytes(range(256)) * 16)
        os.write(2, b"\x1b[31m\xff\xfe\n")
        task.set_output_data("written")

    def close_streams(self, task, request):
        for number in (0, 1, 2):
            os.close(number)
        task.set_output_data("closed")

    def leave_child(self, task, request):
        if not os.fork():
            os.setsid()
            threading.Event().wait(600)
            os._exit(0)
        task.set_output_data("left")


if __name__ == "__main__":
    FaultyKernel().run()
