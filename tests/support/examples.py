"""How many examples a property tries."""

from __future__ import annotations

import os

# A person's `make test` tries a third, new ones each time; the gate all, the same each time; and
# `make soak` tries ten times as many.
_SHARE = float(os.environ.get("EDI_EXAMPLES") or ("1" if os.environ.get("CI") else "0.33"))


def examples(number: int = 100) -> int:
    """Return how many examples to try of a property for which `number` are good.

    ``EDI_EXAMPLES`` is the factor: 0.33 where it is not set, and 1 where ``CI`` is.
    """
    return max(10, round(number * _SHARE))
