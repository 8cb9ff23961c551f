"""Deployments that survive.

``records`` are what is read, ``database`` and ``repository`` what lasts, ``changes`` the order in
which these two change, ``store`` the face of it all for the loop.
"""

from .disk import Disk
from .records import Desired, Record
from .store import Store

__all__ = ["Desired", "Disk", "Record", "Store"]
