import os

import redhareapiversion
from redhareapi import Kernel


class EndingKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        os._exit(3)


if __name__ == "__main__":
    EndingKernel().run()
