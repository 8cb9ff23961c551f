"""A folder on its way to an EDI: what it holds, what is left out, and its package."""

from .checks import CheckReport, Finding, Fix, Severity, apply_fix, check_folder
from .content import IgnoredEntry, Problem, Submission, SubmissionFile
from .folder import inspect
from .ignore import IGNORE_FILE, IgnoreRules
from .package import PackageSummary, build, pack
from .payload import sample_payload
from .reading import read_files

__all__ = [
    "IGNORE_FILE",
    "CheckReport",
    "Finding",
    "Fix",
    "IgnoreRules",
    "IgnoredEntry",
    "PackageSummary",
    "Problem",
    "Severity",
    "Submission",
    "SubmissionFile",
    "apply_fix",
    "build",
    "check_folder",
    "inspect",
    "pack",
    "read_files",
    "sample_payload",
]
