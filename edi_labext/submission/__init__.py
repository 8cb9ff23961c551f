"""A folder on its way to an EDI: what it holds, what is left out, and its package."""

from .content import IgnoredEntry, Problem, Submission, SubmissionFile
from .folder import inspect
from .ignore import IGNORE_FILE, IgnoreRules
from .package import PackageSummary, build, pack

__all__ = [
    "IGNORE_FILE",
    "IgnoreRules",
    "IgnoredEntry",
    "PackageSummary",
    "Problem",
    "Submission",
    "SubmissionFile",
    "build",
    "inspect",
    "pack",
]
