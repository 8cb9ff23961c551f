"""What ``%edi`` can be told: its verbs, their operands and flags, in one table.

The parser, the help and the completion are all made of it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

#: What a word stands for, so that it can be completed.
Kind = Literal["deployment", "folder", "file", "environment", "variable"]


def seconds(text: str) -> float:
    """Return a number of seconds above 0, at most a day."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of seconds from 0 to 86400")
    return value


def count(text: str) -> int:
    """Return a whole number from 1 to 100, the most lines that an engine shows."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 100):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from 1 to 100")
    return int(text)


@dataclass(frozen=True, slots=True)
class Operand:
    """A word without a dash; ``name`` is how usage lines call it."""

    name: str
    help: str
    kind: Kind | None = None
    required: bool = True
    #: A payload is filled as JSON, not as a word of the line.
    is_payload: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """A word with a dash. Without ``metavar`` it is a switch; ``name`` is its long form."""

    name: str
    help: str
    short: str | None = None
    metavar: str | None = None
    kind: Kind | None = None
    convert: Callable[[str], object] = str

    @property
    def spellings(self) -> tuple[str, ...]:
        """All ways to write it, the short one first."""
        return (self.short, self.name) if self.short else (self.name,)


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to do. ``cell`` is what the lines below ``%%edi`` hold, if it takes any."""

    name: str
    summary: str
    operands: tuple[Operand, ...] = ()
    flags: tuple[Flag, ...] = ()
    cell: str | None = None

    @property
    def usage(self) -> str:
        """The usage line: ``%edi start NAME [--timeout SECONDS]``."""
        words = ["%edi", self.name]
        words += [item.name if item.required else f"[{item.name}]" for item in self.operands]
        for flag in self.flags:
            value = f" {flag.metavar}" if flag.metavar else ""
            words.append(f"[{flag.short or flag.name}{value}]")
        return " ".join(words)

    @property
    def help(self) -> str:
        """Everything about it, several lines."""
        lines = [self.summary, "", f"  {self.usage}"]
        if self.cell:
            lines.append(f"  %%edi {self.name} NAME […]   and below it {self.cell}")
        lines.append("")
        rows = [(item.name, item.help) for item in self.operands]
        for flag in self.flags:
            value = f" {flag.metavar}" if flag.metavar else ""
            rows.append((", ".join(flag.spellings) + value, flag.help))
        width = max(len(left) for left, _ in rows)
        return "\n".join([*lines, *(f"  {left:<{width}}  {right}" for left, right in rows)])


_NAME = Operand("NAME", "the deployment", "deployment")
_FOLDER = Operand("FOLDER", "the folder with model.json; relative to the notebook", "folder")
_ENVIRONMENT = Flag("--env", "which EDI, as %edi env lists them", "-e", "ID", "environment")
_TIMEOUT = Flag("--timeout", "how long to wait", metavar="SECONDS", convert=seconds)
_FORCE = Flag("--force", "accepted for dlim's sake: no question is asked", "-f")

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("list", "Show all deployments and their states.", flags=(_ENVIRONMENT,)),
        Verb("view", "Show one deployment.", (_NAME,), (_ENVIRONMENT,)),
        Verb(
            "deploy",
            "Check a folder, send it, start it and wait until it is ready.",
            (_FOLDER,),
            (
                Flag("--name", "instead of the name in model.json", metavar="NAME"),
                Flag("--no-start", "leave it stopped"),
                Flag("--replace", "put it in the place of the deployment of its name"),
                _TIMEOUT,
                _ENVIRONMENT,
            ),
        ),
        Verb(
            "check",
            "Say what would be sent and what stands in the way. Sends nothing.",
            (_FOLDER,),
            (Flag("--fix", "make the changes that the check offers, then check again"),),
        ),
        Verb("start", "Start it and wait until it is ready.", (_NAME,), (_TIMEOUT, _ENVIRONMENT)),
        Verb(
            "stop",
            "Stop it and wait until its kernels are gone.",
            (_NAME,),
            (_FORCE, _TIMEOUT, _ENVIRONMENT),
        ),
        Verb("restart", "Stop it and start it again.", (_NAME,), (_TIMEOUT, _ENVIRONMENT)),
        Verb(
            "profile",
            "Show how it runs, or change that.",
            (_NAME,),
            (
                Flag("--restart", "with a cell: stop it, change the profile, start it again"),
                Flag("--dry-run", "with a cell: show what would change, and change nothing", "-n"),
                _ENVIRONMENT,
            ),
            cell="the fields to change as JSON",
        ),
        Verb("undeploy", "Stop it and remove it for good.", (_NAME,), (_FORCE, _ENVIRONMENT)),
        Verb(
            "infer",
            "Send one request, by default the sample of its README, and show the answer.",
            (
                _NAME,
                Operand(
                    "PAYLOAD",
                    "the request: {variable}, or JSON in single quotes",
                    required=False,
                    is_payload=True,
                ),
            ),
            (
                Flag("--output", "put the answer into this variable", "-o", "VAR", "variable"),
                Flag("--file", "send this file as it is", "-f", "FILE", "file"),
                Flag("--raw", "send the cell as it is, whatever it holds"),
                _TIMEOUT,
                _ENVIRONMENT,
            ),
            cell="the request as JSON; {variable} stands for its value",
        ),
        Verb(
            "logs",
            "Show the last lines that its kernels wrote.",
            (_NAME,),
            (
                Flag("--lines", "how many, at most 100", "-n", "COUNT", convert=count),
                _ENVIRONMENT,
            ),
        ),
        Verb(
            "env",
            "Show the EDIs there are, or choose the one for this notebook.",
            (Operand("ID", "local, wmla, or one of edi env add", "environment", required=False),),
        ),
        Verb("runtimes", "Show the Pythons that deployments can run in.", flags=(_ENVIRONMENT,)),
        Verb(
            "help",
            "Show the verbs, or all about one.",
            (Operand("VERB", "a verb", required=False),),
        ),
    )
}


def overview() -> str:
    """Return the help of ``%edi`` itself."""
    width = max(map(len, VERBS))
    lines = [f"  %edi {verb.name:<{width}}  {verb.summary}" for verb in VERBS.values()]
    cells = [
        f"  %%edi {verb.name + ' NAME':<{width}}  and below it {verb.cell}"
        for verb in VERBS.values()
        if verb.cell
    ]
    return "\n".join(
        [
            "Deploy, run and look after EDI inference services.",
            "",
            *lines,
            "",
            *cells,
            "",
            "%edi help VERB tells its flags.",
        ]
    )
