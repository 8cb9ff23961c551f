"""The Python environments that kernels of this engine can run in: which there are, and where."""

from .catalogue import Runtimes
from .chosen import ChosenRuntime

__all__ = ["ChosenRuntime", "Runtimes"]
