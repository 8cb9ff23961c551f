import json
import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import redhareapiversion
from redhareapi import Kernel


def square(number):
    return number * number


def send_square(number, pipe):
    pipe.send(square(number))
    pipe.close()


class BusyKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        self.alarms = 0
        signal.signal(signal.SIGALRM, self.on_alarm)

    def on_alarm(self, number, frame):
        self.alarms += 1

    def on_task_invoke(self, task_context):
        number = json.loads(task_context.get_input_data())["number"]
        print("a line of the kernel itself")
        shell = subprocess.run(
            [sys.executable, "-c", "print(%d ** 2)" % number], stdout=subprocess.PIPE
        )
        here, there = multiprocessing.Pipe()
        process = multiprocessing.Process(target=send_square, args=(number, there))
        process.start()
        other = here.recv()
        process.join()
        with ThreadPoolExecutor(2) as threads:
            squares = list(threads.map(square, [number, number]))
        os.kill(os.getpid(), signal.SIGALRM)
        answer = {
            "shell": int(shell.stdout),
            "process": other,
            "threads": squares,
            "alarms": self.alarms,
        }
        task_context.set_output_data(json.dumps(answer))


if __name__ == "__main__":
    BusyKernel().run()
