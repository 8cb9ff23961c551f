"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tables import html_fold, html_line, html_table, html_text, plural, printable, size

if TYPE_CHECKING:
    from ...operations import CheckReport, Finding

_HEADER = ("Severity", "Where", "What", "Next step")


@dataclass(frozen=True, repr=False)
class CheckCard:
    """What a check found in a folder; ``report`` has all of it.

    ``mended`` says what ``--fix`` has changed before.
    """

    report: CheckReport
    mended: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lines = [f"Mended: {what}" for what in self.mended]
        for found in self.report.findings:
            lines.append(f"{found.place}: {found.severity}: {found.message}")
            lines += (f"  {text}" for text in (found.why, *_next_steps(found)) if text)
        return printable("\n".join([*lines, self._verdict(), self._content()]))

    def _repr_html_(self) -> str:
        parts = [html_line(f"Mended: {what}") for what in self.mended]
        if self.report.findings:
            rows = [
                (
                    found.severity.capitalize(),
                    found.place,
                    f"{found.message}\n{found.why}",
                    "\n".join(_next_steps(found)),
                )
                for found in self.report.findings
            ]
            parts.append(html_table(_HEADER, rows, caption="Findings"))
        parts.append(html_line(self._verdict()))
        parts.append(html_fold(self._content(), html_text("\n".join(self._inventory()))))
        return "".join(parts)

    def _verdict(self) -> str:
        errors, warnings = len(self.report.errors), len(self.report.warnings)
        folder = self.report.submission.folder
        if not errors and not warnings:
            return f"{folder} can be deployed; nothing was found."
        verdict = "cannot be deployed" if errors else "can be deployed"
        counts = [plural(errors, "error")] if errors else []
        counts += [plural(warnings, "warning")] if warnings else []
        fixes = sum(found.fix is not None for found in self.report.findings)
        offer = f" --fix mends {fixes} of them." if fixes else ""
        return f"{folder} {verdict}: {', '.join(counts)}.{offer}"

    def _content(self) -> str:
        submission = self.report.submission
        left_out = f", {len(submission.ignored)} left out" if submission.ignored else ""
        return f"{plural(len(submission.files), 'file')}, {size(submission.total_size)}{left_out}"

    def _inventory(self) -> list[str]:
        submission = self.report.submission
        lines = [f"{file.path}  {size(file.size)}" for file in submission.files]
        return lines + [f"{entry.path}  left out: {entry.reason}" for entry in submission.ignored]


def _next_steps(found: Finding) -> list[str]:
    fix = f"Fix: {found.fix.description}" if found.fix else ""
    return [text for text in (found.hint or "", fix) if text]
