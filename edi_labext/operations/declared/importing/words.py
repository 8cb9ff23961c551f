"""dlim's commands in the lines of a shell and in the calls of a Python script."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from .source import Line, Source, order

#: What people call the program.
PROGRAMS = frozenset({"dlim", "dlim-darwin", "dlim.exe", "edi"})
GROUPS = frozenset({"config", "model", "runtime"})
#: Flags with a value.
_VALUED = frozenset(
    {"-p", "--path", "--rest-server", "--jwt-token", "-c", "-u", "-x", "-k", "--file"}
)
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)")
_WORD = re.compile(r"[a-z]+")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)|\{(\w+)\}")
_BREAKS = frozenset({"|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1", "then", "do", ")"})


@dataclass(frozen=True, slots=True)
class Command:
    """One call of dlim.

    Attributes
    ----------
    place:
        Where, for people.
    verb:
        ``model deploy``, ``config -t``; with the program in place of the group, ``edi infer``,
        where that is none of dlim's.
    name:
        Of the service; may hold a variable that is not known.
    flags:
        Flag → value, ``""`` for those without.
    redirect:
        File that takes its stdout.
    checked:
        Whether anything looks at its exit code.
    """

    place: str
    verb: str
    name: str
    flags: dict[str, str]
    redirect: str = ""
    checked: bool = False


@dataclass
class Words:
    """What was found, in the order of the script; variables as they were set last."""

    commands: list[Command] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


def find_commands(source: Source) -> Words:
    """Return the calls of dlim in a script."""
    found = Words()
    careful = any(re.match(r"\s*set\s+-\w*e|.*-o\s+errexit", line.text) for line in source.shell)
    entries: list[tuple[tuple[int, ...], list[Command]]] = []
    for _, tree in source.python:
        _take_variables(tree, found.variables)
    for line in source.shell:
        commands = list(_of_line(line, found.variables, careful=careful))
        if commands:
            entries.append((order(line.place), commands))
    for prefix, tree in source.python:
        calls = _python_commands(tree, prefix, found.variables)
        entries += [(order(call.place), [call]) for call in calls]
    entries.sort(key=lambda entry: entry[0])
    found.commands = [command for _, commands in entries for command in commands]
    return found


def _of_line(line: Line, variables: dict[str, str], *, careful: bool) -> Iterator[Command]:
    text = line.text.strip()
    if not text or text.startswith("#"):
        return
    assignment = _ASSIGNMENT.fullmatch(text)
    if assignment is not None and not re.search(r"\bdlim\b|\$\(|`", assignment[2]):
        value = assignment[2].strip().strip("\"'")
        variables[assignment[1]] = expand(value, variables)
        return
    try:
        lexer = shlex.shlex(text.replace("`", " ` "), posix=True, punctuation_chars=";|&<>()")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        words = list(lexer)
    except ValueError:
        return
    yield from _of_words(words, line.place, variables, careful=careful)


def _of_words(
    words: list[str], place: str, variables: dict[str, str], *, careful: bool
) -> Iterator[Command]:
    checks = careful or bool({"||", "&&", "if", "until", "while"} & set(words))
    for index, word in enumerate(words[:-1]):
        called = expand(word, variables).rpartition("/")[2]
        if called not in PROGRAMS:
            continue
        group = words[index + 1]
        if group not in GROUPS:
            # Elsewhere than at the beginning it is a file or a word, not a call.
            if (index == 0 or words[index - 1] in _BREAKS) and _WORD.fullmatch(group):
                yield Command(place, f"{called} {group}", "", {}, checked=checks)
            continue
        rest: list[str] = []
        redirect = ""
        for position, part in enumerate(words[index + 1 :], index + 1):
            if part in (">", ">>") and position + 1 < len(words):
                redirect = expand(words[position + 1], variables)
            if part in _BREAKS or part == "`":
                break
            rest.append(expand(part, variables))
        command = parse(rest, place, redirect=redirect, checked=checks)
        if command is not None:
            yield command


def parse(words: list[str], place: str, *, redirect: str = "", checked: bool) -> Command | None:
    """Return the command of words that begin with a group, ``None`` if it is none."""
    group, *rest = words
    verb, names, flags = "", [], {}
    position = 0
    while position < len(rest):
        word = rest[position]
        position += 1
        if word.startswith("-"):
            flag, equals, value = word.partition("=")
            takes = flag in _VALUED or (flag == "-f" and verb == "updateprofile")
            takes |= (
                flag == "--wait"
                and rest[position : position + 1] != []
                and (rest[position].isdigit())
            )
            if takes and not equals and position < len(rest):
                value = rest[position]
                position += 1
            flags[flag] = value
        elif group != "config" and not verb:
            verb = word
        else:
            names.append(word)
    if group == "config":
        verb = next((flag for flag in ("-c", "-t", "-s") if flag in flags), "")
    if not verb:
        return None
    return Command(place, f"{group} {verb}", names[0] if names else "", flags, redirect, checked)


def _take_variables(tree: ast.Module, variables: dict[str, str]) -> None:
    """Note the texts that Python code gives a name; lines with ``!`` may use them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = text_of(node.value, variables)
            if value is not None and "dlim" not in value.split():
                variables.setdefault(node.targets[0].id, value)


def _python_commands(tree: ast.Module, prefix: str, variables: dict[str, str]) -> Iterator[Command]:
    """Find texts and lists that are a command line; what runs them is not asked."""
    inside: set[int] = set()
    checkers = {"check_call", "check_output", "run_subprocess_and_retry"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            getattr(node.func, "attr", getattr(node.func, "id", "")) in checkers
            or any(keyword.arg == "check" for keyword in node.keywords)
        ):
            inside |= {id(child) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            parts = [text_of(item, variables) or "{...}" for item in node.elts]
        elif isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
            text = text_of(node, variables)
            if text is None or not re.search(r"\b(dlim|edi)\b", text):
                continue
            try:
                parts = shlex.split(text)
            except ValueError:
                continue
        else:
            continue
        line = f"{prefix}line {node.lineno}"
        yield from _of_words(parts, line, variables, careful=id(node) in inside)


def text_of(node: ast.AST, variables: dict[str, str]) -> str | None:
    """Return the text of a Python expression, with ``{name}`` for what is not known."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return variables.get(name, f"{{{name}}}")
        case ast.JoinedStr(values=values):
            return "".join(text_of(value, variables) or "{...}" for value in values)
        case ast.FormattedValue(value=value):
            return text_of(value, variables) or "{...}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = text_of(left, variables), text_of(right, variables)
            return None if first is None or second is None else first + second
    return None


def expand(text: str, variables: dict[str, str]) -> str:
    """Put known variables in place; others stay as they are."""

    def value(match: re.Match[str]) -> str:
        return variables.get(next(filter(None, match.groups())), match[0])

    return _VARIABLE.sub(value, text)
