"""Complete verbs, deployments, folders, environments and flags behind ``%edi``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from .verbs import VERBS, Flag, Kind, Verb

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .session import Session

#: How IPython knows our matcher.
IDENTIFIER = "edi_labext"

_LINE = re.compile(r"\s*(?:[\w\s,.]+=\s*)?%edi\s+(?P<rest>.*)", re.DOTALL)
_CELL = re.compile(r"%%edi\s+(?P<rest>.*)", re.DOTALL)
#: Entries of a folder that are looked at.
_MOST_ENTRIES = 1000


def add_matcher(shell: InteractiveShell, session: Session) -> None:
    """Let ``shell`` complete the lines behind ``%edi``, and nobody else them."""
    complete = _Completion(session, shell).matches

    # IPython asks a matcher for its __qualname__, so it has to be a function.
    def match(context: CompletionContext) -> SimpleMatcherResult:
        return complete(context)

    mark: Any = context_matcher(identifier=IDENTIFIER, priority=100)  # untyped
    shell.Completer.custom_matchers.append(mark(match))


def remove_matcher(shell: InteractiveShell) -> None:
    """Take back what :func:`add_matcher` did."""
    shell.Completer.custom_matchers[:] = [
        matcher
        for matcher in shell.Completer.custom_matchers
        if getattr(matcher, "matcher_identifier", None) != IDENTIFIER
    ]


class _Completion:
    def __init__(self, session: Session, shell: InteractiveShell) -> None:
        self._session = session
        self._shell = shell

    def matches(self, context: CompletionContext) -> SimpleMatcherResult:
        """Return what may stand at the cursor."""
        text = context.text_until_cursor
        match = _LINE.fullmatch(text)
        in_cell = context.cursor_line == 0 and match is None
        if in_cell:
            match = _CELL.fullmatch(text)
        if match is None:
            return {"completions": [], "suppress": False}
        *before, fragment = re.split(r"\s+", match["rest"])
        found = [
            word
            for word in self._candidates(before, fragment, in_cell=in_cell)
            if word.startswith(fragment)
        ]
        return {
            # IPython heeds "suppress" only of a matcher that has something to offer. Without it
            # Python's names would be offered here, so the least to offer is what is there already.
            "completions": [SimpleCompletion(word, type="edi") for word in found or [fragment]],
            "matched_fragment": fragment,
            "ordered": True,
            "suppress": True,
        }

    def _candidates(self, before: list[str], fragment: str, *, in_cell: bool) -> Iterable[str]:
        if not before:
            return [verb.name for verb in VERBS.values() if verb.cell or not in_cell]
        verb = VERBS.get(before[0])
        if verb is None:
            return []
        words = before[1:]
        if verb.name == "help":
            return [] if words else VERBS
        taking = _flag_that_waits(verb, words)
        if taking is not None:
            return self._of_kind(taking.kind, words, fragment) if taking.kind else []
        if fragment.startswith("-"):
            given = set(words)
            return [
                spelling
                for flag in verb.flags
                if not given.intersection(flag.spellings)
                for spelling in reversed(flag.spellings)
            ]
        position = _operands(verb, words)
        if position >= len(verb.operands):
            return []
        kind = verb.operands[position].kind
        return self._of_kind(kind, words, fragment) if kind else []

    def _of_kind(self, kind: Kind, words: list[str], fragment: str) -> Iterable[str]:
        match kind:
            case "deployment":
                return sorted(self._session.names(_environment(words)))
            case "environment":
                return [item.id for item in self._session.environments()]
            case "variable":
                return sorted(
                    name
                    for name in self._shell.user_ns
                    if not name.startswith("_") and name not in self._shell.user_ns_hidden
                )
            case "folder" | "file":
                return _paths(fragment, files=kind == "file")


def _flag_that_waits(verb: Verb, words: list[str]) -> Flag | None:
    """Return the flag before the cursor if its value is still to come."""
    last = words[-1] if words else ""
    return next((flag for flag in verb.flags if flag.metavar and last in flag.spellings), None)


def _operands(verb: Verb, words: list[str]) -> int:
    """Return how many operands there are before the cursor."""
    taking = {spelling for flag in verb.flags if flag.metavar for spelling in flag.spellings}
    return sum(
        not word.startswith("-") and (index == 0 or words[index - 1] not in taking)
        for index, word in enumerate(words)
    )


def _environment(words: list[str]) -> str | None:
    for flag, value in itertools.pairwise(words):
        if flag in ("-e", "--env"):
            return value
    return None


def _paths(fragment: str, *, files: bool) -> list[str]:
    """Return folders, and files if wanted, that begin like ``fragment``; blanks are not offered."""
    typed, _, start = fragment.rpartition("/")
    parent = f"{typed}/" if "/" in fragment else ""
    try:
        folder = Path(parent or ".").expanduser()
        entries = [entry for entry, _ in zip(folder.iterdir(), range(_MOST_ENTRIES), strict=False)]
        return sorted(
            f"{parent}{entry.name}{'/' if entry.is_dir() else ''}"
            for entry in entries
            if (entry.is_dir() or files)
            and (not entry.name.startswith(".") or start.startswith("."))
            and not re.search(r"[\s'\"\\${}]", entry.name)
        )
    except (OSError, RuntimeError, ValueError):
        return []
