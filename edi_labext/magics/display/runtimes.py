"""The Pythons that deployments can run in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tables import html_table, text_table

if TYPE_CHECKING:
    from ...models import Runtime

_HEADER = ("Runtime", "Python", "")


@dataclass(frozen=True, repr=False)
class RuntimeTable:
    """All runtimes of an environment."""

    runtimes: tuple[Runtime, ...]

    def __repr__(self) -> str:
        return text_table(_HEADER, self._rows())

    def _repr_html_(self) -> str:
        return html_table(_HEADER, self._rows(), caption="Runtimes")

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(item.type, item.place, item.description) for item in self.runtimes]
