"""How kernels come to run: the seam (``base``), and processes of this machine (``process``)."""

from .base import KernelExit, KernelProcess, Launcher, LaunchSpec

__all__ = ["KernelExit", "KernelProcess", "LaunchSpec", "Launcher"]
