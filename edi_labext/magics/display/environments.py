"""The EDIs there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tables import html_table, text_table

if TYPE_CHECKING:
    from ...client import Environment

_HEADER = ("ID", "Environment", "")


@dataclass(frozen=True, repr=False)
class EnvironmentTable:
    """All environments, and the identifier of the one in use."""

    environments: tuple[Environment, ...]
    current: str

    def __repr__(self) -> str:
        return text_table(_HEADER, self._rows())

    def _repr_html_(self) -> str:
        return html_table(_HEADER, self._rows(), caption="Environments")

    def _rows(self) -> list[tuple[str, str, str]]:
        return [
            (item.id, item.title, "in use" if item.id == self.current else "")
            for item in self.environments
        ]
