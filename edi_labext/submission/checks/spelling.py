"""Find the word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


# The same words are compared anew for every fix that is tried out.
@lru_cache(maxsize=4096)
def distance(one: str, other: str) -> int:
    """Return how many letters must be added, dropped, replaced or swapped with their neighbour."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, target in enumerate(other, start=1):
            best = min(
                above[column] + 1,
                current[column - 1] + 1,
                above[column - 1] + (letter != target),
            )
            swapped = row > 1 and column > 1 and letter == other[column - 2]
            if swapped and one[row - 2] == target:
                best = min(best, before[column - 2] + 1)
            current.append(best)
        before, above = above, current
    return above[-1]


def nearest(word: str, choices: Iterable[str], *, limit: int = 2) -> str | None:
    """Return the choice within ``limit`` letters of ``word``, upper and lower case being equal.

    Short words get less: at most one letter in three may differ, so that ``tag`` is not taken for
    ``name``.
    """
    plain = word.casefold()
    allowed = min(limit, max(len(plain) // 3, 1))
    best: tuple[int, str] | None = None
    for choice in choices:
        if abs(len(choice) - len(plain)) > allowed:
            continue
        apart = distance(plain, choice.casefold())
        if apart <= allowed and (best is None or apart < best[0]):
            best = (apart, choice)
    return best[1] if best else None
