"""CPU and memory of a kernel: the text that a profile holds, and its four numbers.

The form is ``ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=4096`` (``reference/rest-api.md`` section
8). Memory is in MB; that a number may also be given in GB (``mem=4g``) is ours.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from ..errors import InvalidInput, echo

#: What a profile has after a deploy.
DEFAULT_RESOURCES = "ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=4096"
#: The keys, in the order in which EDI prints them.
RESOURCE_KEYS = ("ncpus", "ncpus_limit", "mem", "mem_limit")
#: The keys that count by GPU mode, as users of EDI report it; unknown for ``no``.
COUNTING_KEYS: dict[str, tuple[str, str]] = {
    "exclusive": ("ncpus", "mem"),
    "shared": ("ncpus_limit", "mem_limit"),
}

#: Longest text taken, in characters.
MAX_LENGTH = 200
#: Most CPUs, and most memory in MB (1 PB), that a text may ask for.
MAX_NCPUS, MAX_MEM = 100_000, 1 << 30

_MB_PER_GB = 1024
_HINT = f"Write it like {DEFAULT_RESOURCES}; memory is in MB."
# Thousandths are the smallest share that Kubernetes gives.
_NCPUS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
_MEM = re.compile(r"([0-9]{1,10})([gG]?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Resources:
    """CPUs (in units of one, steps of 0.001) and memory (in MB) of one kernel.

    ``None`` is what the text does not say. ``order`` is the order in which the text names the
    keys; those that are given and not in it come last.
    """

    ncpus: float | None = None
    ncpus_limit: float | None = None
    mem: int | None = None
    mem_limit: int | None = None
    order: tuple[str, ...] = field(default=RESOURCE_KEYS, compare=False, repr=False)

    def to_text(self) -> str:
        """Return the text that a profile holds; memory in MB, without a unit."""
        keys = dict.fromkeys((*self.order, *RESOURCE_KEYS))
        values = ((key, getattr(self, key)) for key in keys)
        return ",".join(f"{key}={_plain(value)}" for key, value in values if value is not None)


def parse_resources(text: str, *, field: str = "resource_allocation.kernel.resources") -> Resources:
    """Read a ``resources`` text; blanks around ``=``, ``,`` and at both ends are ignored.

    Parameters
    ----------
    field:
        What errors name as the field.

    Raises
    ------
    InvalidInput
        ``invalid_resources``; ``duplicate`` for a key that comes twice; ``unknown_key`` naming the
        nearest one; ``limit_below_request``.
    """
    if len(text) > MAX_LENGTH:
        raise _invalid(
            f"The text has {len(text)} characters; at most {MAX_LENGTH} are taken.", field
        )
    # No other blank: a line break within is a mistake, and NUL is none.
    trimmed = text.strip(" \t\r\n")
    values: dict[str, float | int] = {}
    for part in trimmed.split(","):
        key, equals, value = (piece.strip(" \t") for piece in part.partition("="))
        if not equals or not key or not value:
            raise _invalid(f"{echo(part)} is not of the form key=value.", field)
        if key not in RESOURCE_KEYS:
            nearest = difflib.get_close_matches(key, RESOURCE_KEYS, 1, cutoff=0.0)[0]
            raise _invalid(
                f"{echo(key)} is not known; the nearest key is {nearest}.", field, "unknown_key"
            )
        if key in values:
            raise _invalid(f"{key} is given twice.", field, "duplicate")
        values[key] = (_ncpus if key.startswith("ncpus") else _mem)(key, value, field)
    for key in ("ncpus", "mem"):
        limit = f"{key}_limit"
        if key in values and limit in values and values[limit] < values[key]:
            raise _invalid(
                f"{limit} ({_plain(values[limit])}) is below {key} ({_plain(values[key])}).",
                field,
                "limit_below_request",
            )
    return Resources(**values, order=tuple(values))  # type: ignore[arg-type]


def _ncpus(key: str, text: str, field: str) -> float:
    if _NCPUS.fullmatch(text) and 0 < (value := float(text)) <= MAX_NCPUS:
        return value
    raise _invalid(
        f"{key} must be a number from 0.001 to {MAX_NCPUS} with at most three decimals, "
        f"not {echo(text)}.",
        field,
    )


def _mem(key: str, text: str, field: str) -> int:
    if match := _MEM.fullmatch(text):
        value = int(match[1]) * (_MB_PER_GB if match[2] else 1)
        if 0 < value <= MAX_MEM:
            return value
    raise _invalid(
        f"{key} must be a whole number of MB from 1 to {MAX_MEM}, or of GB with g behind it, "
        f"not {echo(text)}.",
        field,
    )


def _plain(value: float | int) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _invalid(message: str, field: str, code: str = "invalid_resources") -> InvalidInput:
    return InvalidInput(message, code=code, field=field, hint=_HINT)
