"""Read the line behind ``%edi``: words, variables, verb, flags; mistakes are ``UsageError``."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from IPython.core.error import UsageError

from .verbs import VERBS, Verb

_VARIABLE = re.compile(
    r"\{\{(?P<kept>[^\W\d]\w*)\}\}|\{(?P<braced>[^\W\d]\w*)\}|\$(?P<bare>[^\W\d]\w*)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """What was asked for; ``arguments`` is empty when only help was."""

    verb: Verb
    arguments: argparse.Namespace
    wants_help: bool = False


def parse(text: str, variables: Mapping[str, Any], *, in_cell: bool) -> Line:
    """Read ``text``.

    Parameters
    ----------
    variables:
        Where ``{name}`` and ``$name`` are looked up.
    in_cell:
        Whether it stood behind ``%%edi``.

    Raises
    ------
    UsageError
        In one line, with the verb or flag that was probably meant.
    """
    words = _split(text)
    if not words or words[0] in ("-h", "--help"):
        words = ["help"]
    verb = VERBS.get(words[0])
    if verb is None:
        raise no_verb(words[0])
    if in_cell and verb.cell is None:
        takers = " and ".join(f"%%edi {other.name}" for other in VERBS.values() if other.cell)
        raise UsageError(f"%edi {verb.name} takes no cell: write it with one %. Only {takers} do.")
    rest = words[1:]
    if "-h" in rest or "--help" in rest:
        return Line(verb, argparse.Namespace(), wants_help=True)
    return Line(verb, _arguments(verb, rest, variables))


def no_verb(word: str) -> UsageError:
    """Return the error for a verb that is none."""
    guess = did_you_mean(word, VERBS)
    known = "" if guess.endswith("?") else f" There are {', '.join(VERBS)}."
    return UsageError(f"%edi has no verb {_shown(word)}{guess}{known}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``": did you mean …?"`` when something known is close, else a full stop."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f": did you mean {close[0]}?" if close else "."


def undefined(name: str, variables: Mapping[str, Any], *, braces: str = "") -> UsageError:
    """Return the error for a variable that is not there."""
    mine = [known for known in variables if not known.startswith("_")]
    return UsageError(f"{{{name}}}: there is no variable {name}{did_you_mean(name, mine)}{braces}")


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise UsageError("%edi: a quotation mark is not closed.") from None


def _arguments(verb: Verb, words: list[str], variables: Mapping[str, Any]) -> argparse.Namespace:
    parser = _Parser(verb)
    arguments, unknown = parser.parse_known_args(words)
    for word in unknown:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            flags = [spelling for flag in verb.flags for spelling in flag.spellings]
            parser.fail(f"has no flag {_shown(name)}{did_you_mean(name, flags)}")
        parser.fail(f"takes no further {_shown(word)}.")
    missing = [
        item.name
        for item in verb.operands
        if item.required and getattr(arguments, item.name.lower()) is None
    ]
    if missing:
        parser.fail(f"needs {' and '.join(missing)}.")
    payloads = {item.name.lower() for item in verb.operands if item.is_payload}
    for key, value in vars(arguments).items():
        if isinstance(value, str) and key not in payloads:
            setattr(arguments, key, _expand(value, variables))
    return arguments


def _expand(word: str, variables: Mapping[str, Any]) -> str:
    """Put the values of variables into a word, after the line has been split into words."""

    def value(match: re.Match[str]) -> str:
        if match["kept"]:
            return f"{{{match['kept']}}}"
        name = match["braced"] or match["bare"]
        if name not in variables:
            raise undefined(name, variables)
        found = variables[name]
        if isinstance(found, os.PathLike):
            found = os.fspath(found)
        if isinstance(found, bool) or not isinstance(found, str | int):
            raise UsageError(
                f"{{{name}}} is a {type(found).__name__}; a word of the line takes text, "
                "a number or a path."
            )
        return str(found)

    return _VARIABLE.sub(value, word)


def _shown(word: str) -> str:
    return ascii(word) if len(word) <= 40 else ascii(word[:39] + "…")


class _Parser(argparse.ArgumentParser):
    """A verb's parser; it raises where argparse would print and exit."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(prog=f"%edi {verb.name}", add_help=False, allow_abbrev=False)
        self._verb = verb
        for operand in verb.operands:
            # A missing one is said after an unknown flag, which may be the reason.
            self.add_argument(operand.name.lower(), metavar=operand.name, nargs="?")
        for flag in verb.flags:
            if flag.metavar:
                self.add_argument(
                    *flag.spellings, metavar=flag.metavar, type=flag.convert, action=_Once
                )
            else:
                self.add_argument(*flag.spellings, action="store_true")

    def fail(self, what: str) -> NoReturn:
        """Raise with the usage line behind."""
        raise UsageError(f"{self.prog} {what} Usage: {self._verb.usage}")

    def error(self, message: str) -> NoReturn:
        """Say argparse's complaint in our words."""
        flag, separator, complaint = message.removeprefix("argument ").partition(": ")
        if separator and complaint == "expected one argument":
            self.fail(f"{flag} needs a value.")
        self.fail(f"{flag}: {complaint}." if separator else f"{message}.")


class _Once(argparse.Action):
    """Takes a value once; argparse alone would quietly take the last of several."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest, None) is not None:
            raise argparse.ArgumentError(self, "given more than once")
        setattr(namespace, self.dest, values)
