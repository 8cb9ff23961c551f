import redhareapiversion
from redhareapi import Kernel


class ForgottenKernel(Kernel):
    pass


print("there is no call of run() here")
