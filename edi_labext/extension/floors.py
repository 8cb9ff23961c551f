"""Versions of Jupyter below which a server has known security faults.

Older ones are installable on purpose, since some platforms pin them; who runs one is told, once in
the log and quietly in the panel. Only looks at what the server has loaded already.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

#: The first versions without a known security fault that matters here.
FLOORS = {"jupyter_server": "2.21.0", "jupyterlab": "4.6.2"}

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")
_PRE_RELEASE = re.compile(r"[._-]?(a|b|c|rc|alpha|beta|pre|preview|dev)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OldPackage:
    """A package that is older than it should be.

    Attributes
    ----------
    name, version, floor:
        The package, the version that runs, and the first one without known faults.
    """

    name: str
    version: str
    floor: str

    @property
    def command(self) -> str:
        """What brings a safe version."""
        return f'pip install --upgrade "{self.name}>={self.floor}"'

    @property
    def message(self) -> str:
        """What is wrong and what to do, in one line."""
        return (
            f"{self.name} {self.version} has known security faults; {self.floor} is the first "
            f"version without them. Upgrade it and restart the server: {self.command}"
        )


def old_packages() -> list[OldPackage]:
    """Return the packages of this process that are below their floor."""
    found = []
    for name, floor in FLOORS.items():
        version = getattr(sys.modules.get(name), "__version__", None)
        if isinstance(version, str) and _is_below(version, floor):
            found.append(OldPackage(name, version, floor))
    return found


def _is_below(version: str, floor: str) -> bool:
    """Compare two versions; one that cannot be read is not held against anybody."""
    match = _NUMBERS.match(version)
    if match is None:
        return False
    ours, theirs = _numbers(match.group()), _numbers(floor)
    if ours != theirs:
        return ours < theirs
    # 4.6.2rc1 comes before 4.6.2.
    return _PRE_RELEASE.match(version, match.end()) is not None


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")][:4]
    return (*numbers, *[0] * (4 - len(numbers)))
