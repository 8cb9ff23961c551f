"""Deployments that survive.

``database`` is for records, ``repository`` for files, ``records`` for reads, ``store`` for the
order in which the three change.
"""

from .disk import Disk
from .records import Desired, Record
from .store import Store

__all__ = ["Desired", "Disk", "Record", "Store"]
