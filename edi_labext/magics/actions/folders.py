"""Check a folder before it is sent anywhere."""

from __future__ import annotations

from ... import operations
from ..display.findings import CheckCard
from .call import Call


def check(call: Call) -> CheckCard:
    """Show what would be sent and what stands in the way; with ``--fix`` mend what can be."""
    folder = call.folder
    report = operations.check_folder(folder)
    mended: list[str] = []
    while call.arguments.fix:
        fix = next((found.fix for found in report.findings if found.fix is not None), None)
        if fix is None:
            break
        operations.apply_fix(folder, fix.id)
        mended.append(fix.description)
        # Each fix leaves one finding less, which ends this.
        report = operations.check_folder(folder)
    return CheckCard(report, tuple(mended))
