import threading

import redhareapiversion
from redhareapi import Kernel


class HangingKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        threading.Event().wait()


if __name__ == "__main__":
    HangingKernel().run()
