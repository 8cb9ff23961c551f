import redhareapiversion
import torch_of_nobody
from redhareapi import Kernel


class ImportKernel(Kernel):
    pass


if __name__ == "__main__":
    ImportKernel().run()
