"""Packages: a strict reader of tar archives and a careful writer of their files.

``streams`` decompresses, ``tar_reader`` understands, ``paths`` judges names, ``extractor`` writes,
``package`` puts them together, ``upload`` feeds them from the loop.
"""

from .limits import ArchiveLimits, Deadline
from .package import StagedPackage, stage, stage_nothing
from .upload import Intake

__all__ = ["ArchiveLimits", "Deadline", "Intake", "StagedPackage", "stage", "stage_nothing"]
