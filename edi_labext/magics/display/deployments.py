"""Deployments: the list, one of them, its log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tables import (
    html_facts,
    html_fold,
    html_line,
    html_table,
    html_text,
    moment,
    plural,
    printable,
    size,
    text_facts,
    text_table,
)

if TYPE_CHECKING:
    from ...operations import Deployment

_HEADER = ("Name", "State", "Kernels", "Waiting", "GPU", "Why")


class DeploymentTable(Sequence["Deployment"]):
    """All deployments of an environment; a sequence of ``Deployment``."""

    def __init__(self, rows: Sequence[Deployment], where: str) -> None:
        self._rows = tuple(rows)
        self._where = where

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Deployment]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return text_table(_HEADER, map(_cells, self._rows)) if self._rows else self._nothing

    def _repr_html_(self) -> str:
        if not self._rows:
            return html_line(self._nothing)
        return html_table(_HEADER, map(_cells, self._rows), caption=f"Deployments on {self._where}")

    @property
    def _nothing(self) -> str:
        return printable(f"No deployments on {self._where} yet. %edi deploy FOLDER makes one.")


@dataclass(frozen=True, repr=False)
class DeploymentCard:
    """One deployment and where it is; ``deployment`` has all of it."""

    deployment: Deployment
    where: str

    def __repr__(self) -> str:
        text = text_facts(self._facts())
        tail = self.deployment.log_tail
        return "\n".join([text, "", *map(printable, tail)]) if tail else text

    def _repr_html_(self) -> str:
        card = html_facts(self._facts(), caption=self.where)
        tail = self.deployment.log_tail
        return (
            card + html_fold("Last lines of the log", html_text("\n".join(tail)), is_open=True)
            if tail
            else card
        )

    def _facts(self) -> list[tuple[str, str]]:
        row = self.deployment
        facts = [
            ("Name", row.name),
            ("State", row.state.capitalize()),
            ("Why", row.reason),
            ("Since", moment(row.since)),
            ("Kernels", _kernels(row)),
            ("Waiting requests", str(row.pending_tasks) if row.pending_tasks else ""),
            ("GPU", row.gpu),
            ("Profile", "changed; counts at the next start" if row.profile_changed else ""),
            ("Address", row.service_uri),
            ("Runtime", row.runtime),
            ("Kernel file", row.kernel_path),
            ("Size", size(row.size)),
            ("Created", " by ".join(filter(None, (moment(row.create_time), row.creator)))),
        ]
        return [(label, value) for label, value in facts if value]


@dataclass(frozen=True, repr=False)
class Gone:
    """A deployment that was removed."""

    name: str
    where: str

    def __repr__(self) -> str:
        return printable(f"{self.name} is gone from {self.where}.")

    def _repr_html_(self) -> str:
        return html_line(repr(self))


@dataclass(frozen=True, repr=False)
class LogLines:
    """The last lines that the kernels of a deployment wrote, oldest first."""

    name: str
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return printable("\n".join(self.lines)) if self.lines else self._nothing

    def _repr_html_(self) -> str:
        return html_text("\n".join(self.lines)) if self.lines else html_line(self._nothing)

    @property
    def _nothing(self) -> str:
        return printable(f"The kernels of {self.name} have written nothing yet.")


def _cells(row: Deployment) -> tuple[str, ...]:
    waiting = str(row.pending_tasks) if row.pending_tasks else ""
    kernels = f"{row.kernels_ready}/{row.kernels_wanted}" if row.kernels_wanted else ""
    return (row.name, row.state.capitalize(), kernels, waiting, row.gpu, row.reason)


def _kernels(row: Deployment) -> str:
    if not row.kernels_wanted:
        return ""
    return f"{row.kernels_ready} of {plural(row.kernels_wanted, 'kernel')} ready"
