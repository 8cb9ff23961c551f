"""What goes wrong in scripts around dlim (``ux.md`` section 0), found without running them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .source import Line, Source, order
from .words import Command


@dataclass(frozen=True, slots=True)
class Trap:
    """One: where, what, and the way out."""

    place: str
    code: str
    message: str
    hint: str


_LINES: tuple[tuple[str, re.Pattern[str], str, str], ...] = (
    (
        "bool_of_text",
        re.compile(r"\bbool\(\s*(\w[\w.]*\s*[\[(.].*\)|[\"'])"),
        "bool() of a text is true for 'False' and '0' too.",
        "Compare the text: value.lower() == 'true'.",
    ),
    (
        "tls_off",
        re.compile(
            r"verify\s*=\s*False|\bcurl\b.*\s(-\w*k\w*|--insecure)\b|CURL_INSECURE|"
            r"PYTHONHTTPSVERIFY=0|disable_warnings\("
        ),
        "The certificate is not checked, so anybody on the way can read the token.",
        "Set REQUESTS_CA_BUNDLE to the file of your company's certificate authority.",
    ),
    (
        "console_for_inference",
        re.compile(r"wmla-console[^\s\"']*/dlim/v1/inference", re.IGNORECASE),
        "It asks for inference at the console's host; routes there may have other time limits.",
        "Use the REST URI that the list shows: its host is wmla-inference.",
    ),
    (
        "token_in_text",
        re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}"),
        "A token is written into the script.",
        "Remove it, have it withdrawn, and set USER_ACCESS_TOKEN where the script runs.",
    ),
    (
        "print_command",
        re.compile(r"\bset\s+-\w*x\b"),
        "The shell prints every command line, with the token in it.",
        "Leave out -x, or set USER_ACCESS_TOKEN in place of --jwt-token.",
    ),
)


def find_traps(source: Source, commands: list[Command]) -> list[Trap]:
    """Return the traps of a script, in its order."""
    found = [*_in_lines([*source.text, *source.shell]), *_in_commands(commands)]
    return sorted(found, key=lambda trap: order(trap.place))


def _in_lines(lines: list[Line]) -> Iterator[Trap]:
    for line in lines:
        if line.text.lstrip().startswith("#"):
            continue
        for code, pattern, message, hint in _LINES:
            if pattern.search(line.text):
                yield Trap(line.place, code, message, hint)


def _in_commands(commands: list[Command]) -> Iterator[Trap]:
    stopped: dict[str, Command] = {}
    unchecked = []
    for command in commands:
        verb = command.verb
        if "--jwt-token" in command.flags or (
            verb == "config -t" and ({"-x", "-k"} & set(command.flags))
        ):
            what = "The token" if "--jwt-token" in command.flags else "The password"
            yield Trap(
                command.place,
                "token_on_command_line",
                f"{what} is on the command line, where everybody on the machine can read it (ps).",
                "Set USER_ACCESS_TOKEN; edi reads it by itself.",
            )
        if verb == "model stop" and "--wait" not in command.flags:
            stopped[command.name] = command
        elif verb == "model view":
            # Looks whether it has stopped, we hope.
            stopped.pop(command.name, None)
        elif (
            verb in ("model undeploy", "model updateprofile")
            and command.name in stopped
            and "--wait" not in command.flags
        ):
            yield Trap(
                command.place,
                "not_stopped_yet",
                f"A stop takes a while, and nothing waits for that of {stopped[command.name].place}"
                f": {verb.split()[1]} is refused while it is started.",
                "Stop it with --wait, or use edi apply, which waits.",
            )
        if verb.startswith("model ") and verb.split()[1] in _ACTING and not command.checked:
            unchecked.append(command)
    if unchecked:
        places = ", ".join(command.place for command in unchecked)
        yield Trap(
            unchecked[0].place,
            "unchecked",
            f"Nothing looks at the exit code ({places}), so the script goes on after a failure.",
            "Begin a shell script with set -e; in Python use subprocess.run(..., check=True).",
        )


_ACTING = frozenset({"deploy", "start", "stop", "undeploy", "updateprofile"})
