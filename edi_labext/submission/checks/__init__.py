"""Checks of a submission folder before anything is sent: findings with place, reason and fix."""

from .check import check_folder
from .findings import CheckReport, Finding, Fix, Severity
from .fixes import apply_fix

__all__ = ["CheckReport", "Finding", "Fix", "Severity", "apply_fix", "check_folder"]
