"""What kernels write: one thread reads it (``pump``), a book per deployment keeps it (``book``)."""

from .book import LogBook
from .pump import LogPump

__all__ = ["LogBook", "LogPump"]
