"""Facts that a server is held to, and what was seen of them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

#: How a fact of EDI is known (``reference/rest-api.md``). The first four bind: a server that
#: differs fails the suite. The others are told in the report only.
#:
#: ========== ===============================================================================
#: observed   recorded from a real server
#: SDK        in IBM's generated client
#: docs       in IBM's documentation
#: stub       names and arguments of IBM's stand-in for ``redhareapi``
#: inferred   a conclusion from one of these
#: unknown    nobody has written it down; any careful answer will do
#: transport  recorded, but of the web server in front, and nothing that a client may rely on
#: ========== ===============================================================================
SOURCES = ("observed", "SDK", "docs", "stub", "inferred", "unknown", "transport")
BINDING = frozenset(("observed", "SDK", "docs", "stub"))
#: What our own engine does otherwise on purpose: the fact, and where the decision is told.
DECISIONS = {
    "CORS headers in every answer": "no web page may call the engine: docs/compatibility.md",
}
_OUR_NAME = re.compile("edi-contract-[0-9a-f]{6}-[a-z-]*-[0-9a-f]{4}")


@dataclass(frozen=True)
class Seen:
    """One fact and what a server did.

    Attributes
    ----------
    fact, where:
        In a few words, and the section of the reference that has it.
    source:
        One of :data:`SOURCES`.
    expected, seen:
        What the reference says, ``any`` where it is unknown, and what came.
    holds:
        Whether they agree.
    """

    fact: str
    where: str
    source: str
    expected: str
    seen: str
    holds: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Ledger:
    """What one test has seen."""

    def __init__(self) -> None:
        self.entries: list[Seen] = []

    def holds(
        self,
        fact: str,
        where: str,
        source: str,
        condition: bool,
        *,
        expected: object,
        seen: object,
    ) -> bool:
        """Note whether ``condition`` holds; the test goes on, and fails at its end if it must."""
        assert source in SOURCES, source
        self.entries.append(
            Seen(fact, where, source, _short(expected), _short(seen), bool(condition))
        )
        return bool(condition)

    def equal(self, fact: str, where: str, source: str, seen: object, expected: object) -> bool:
        """Note whether ``seen`` is ``expected``."""
        return self.holds(fact, where, source, seen == expected, expected=expected, seen=seen)

    def choice(self, fact: str, where: str, seen: object) -> None:
        """Note what a server has chosen where the reference leaves it open."""
        self.entries.append(Seen(fact, where, "unknown", "any", _short(seen), True))

    @property
    def deviations(self) -> list[Seen]:
        return [entry for entry in self.entries if not entry.holds]

    def broken(self, *, ours: bool) -> list[Seen]:
        """Return the deviations that the suite may not pass over.

        Of our own engine these are all but :data:`DECISIONS`.
        """
        return [
            entry
            for entry in self.deviations
            if entry.source in BINDING or (ours and entry.fact not in DECISIONS)
        ]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    # Names are new at every run, and no fact.
    text = " ".join(_OUR_NAME.sub("<name>", text).split())
    return text if len(text) <= 120 else text[:119] + "…"


def decisions(entries: list[dict[str, Any]]) -> list[str]:
    """Return a line for each deviation of our own engine that is one on purpose."""
    facts = {entry["fact"] for entry in entries}
    return [f"on purpose: {fact} ({why})" for fact, why in DECISIONS.items() if fact in facts]


def table(entries: list[dict[str, Any]]) -> list[str]:
    """Return the lines of a table, one line per fact and outcome, in the order of the reference."""
    rows = {
        (entry["where"], entry["fact"], entry["source"], entry["expected"], entry["seen"])
        for entry in entries
    }
    head = ("where", "fact", "source", "expected", "seen")
    lines = [head, *sorted(rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[4]]
        )
        for line in lines
    ]
