"""The kernel file as a syntax tree. It is read, never imported or run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from .source_text import decoded, parsed
from .text import mark_length

#: The hooks of ``redhareapi.Kernel`` → the arguments that EDI calls them with, after ``self``.
HOOKS = {
    "on_kernel_start": ("kernel_context",),
    "on_task_invoke": ("task_context",),
    "on_kernel_shutdown": (),
}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class KernelClass:
    """A class derived from ``redhareapi.Kernel``, or one that may be.

    Attributes
    ----------
    node:
        Its definition.
    known:
        Whether all classes it is derived from are in this file or in ``redhareapi``.
    defined:
        Names of its methods and class attributes, inherited ones of this file included.
    """

    node: ast.ClassDef
    known: bool
    defined: frozenset[str]

    @property
    def methods(self) -> list[FunctionNode]:
        """The methods defined in the class itself."""
        return [
            node
            for node in self.node.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]

    def hook(self, name: str) -> FunctionNode | None:
        """Return the method ``name``; of several, the last, as Python does."""
        return next((node for node in reversed(self.methods) if node.name == name), None)


class KernelSource:
    """One kernel file.

    Attributes
    ----------
    data:
        Its bytes.
    text:
        Its text.
    tree:
        Its syntax tree.

    Raises
    ------
    UnreadableSource
        When Python cannot read it.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.text = decoded(data)
        self.tree = parsed(self.text)
        self.nodes: list[ast.AST] = list(ast.walk(self.tree))

    # --- places -------------------------------------------------------------------------------

    @property
    def editable(self) -> bool:
        """Whether places in the tree are places in the bytes, which other encodings prevent."""
        return self.data[mark_length(self.data) :] == self.text.encode()

    def offset(self, line: int, column: int) -> int:
        """Return the offset in :attr:`data` of a place as :mod:`ast` gives it."""
        return self._starts[line - 1] + column

    def position(self, node: ast.stmt | ast.expr | ast.excepthandler | ast.arg) -> tuple[int, int]:
        """Return line and column (in characters) of a node, both from 1."""
        if not self.editable:
            return node.lineno, node.col_offset + 1
        start = self.offset(node.lineno, 0)
        before = self.data[start : start + node.col_offset]
        return node.lineno, len(before.decode("utf-8", "replace")) + 1

    @cached_property
    def _starts(self) -> list[int]:
        mark = mark_length(self.data)
        return [mark, *(match.end() for match in _LINE_END.finditer(self.data, mark))]

    # --- names --------------------------------------------------------------------------------

    @cached_property
    def imported(self) -> dict[str, str]:
        """Names bound by imports → what they name: ``redhareapi``, ``redhareapi.Kernel``."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    names[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    if alias.name == "*" and module == "redhareapi":
                        names["Kernel"] = "redhareapi.Kernel"
                    else:
                        names[alias.asname or alias.name] = f"{module}.{alias.name}"
        return names

    @cached_property
    def modules(self) -> frozenset[str]:
        """The names that are modules for certain: those of ``import`` without ``from``."""
        return frozenset(
            alias.asname or alias.name.partition(".")[0]
            for node in self.nodes
            if isinstance(node, ast.Import)
            for alias in node.names
        )

    @cached_property
    def kernel_name(self) -> str | None:
        """What ``redhareapi.Kernel`` is called in this file, ``None`` if it is not imported."""
        for name, origin in self.imported.items():
            if origin == "redhareapi.Kernel":
                return name
            if origin == "redhareapi":
                return f"{name}.Kernel"
        return None

    @cached_property
    def kernel_classes(self) -> list[KernelClass]:
        """The classes that are, or with a base that is not in this file may be, kernels."""
        classes = {node.name: node for node in self.nodes if isinstance(node, ast.ClassDef)}
        found = []
        for node in classes.values():
            bases = self._bases(node, classes, set())
            defined = frozenset().union(*(_names_defined(base) for base in bases.inside))
            derived = bases.kernel or (bases.unknown and bool(defined & HOOKS.keys()))
            if derived:
                found.append(KernelClass(node, not bases.unknown, defined))
        return found

    def _bases(
        self, node: ast.ClassDef, classes: dict[str, ast.ClassDef], seen: set[str]
    ) -> _Bases:
        result = _Bases([node], kernel=False, unknown=bool(node.keywords))
        seen.add(node.name)
        for base in node.bases:
            name = _dotted(base)
            name = self._aliases.get(name, name)
            if name in classes:
                if name not in seen:
                    more = self._bases(classes[name], classes, seen)
                    result.inside.extend(more.inside)
                    result.kernel |= more.kernel
                    result.unknown |= more.unknown
            elif self._origin(name) == "redhareapi.Kernel":
                result.kernel = True
            elif name not in _HARMLESS_BASES:
                result.unknown = True
        return result

    def _origin(self, name: str) -> str | None:
        """Return what an imported name, with attributes behind it, stands for."""
        first, _, rest = name.partition(".")
        origin = self.imported.get(first)
        return f"{origin}.{rest}" if origin is not None and rest else origin

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """``Base = Kernel`` → ``{"Base": "Kernel"}``."""
        return {
            node.targets[0].id: _dotted(node.value)
            for node in self.nodes
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, (ast.Name, ast.Attribute))
        }


@dataclass(slots=True)
class _Bases:
    inside: list[ast.ClassDef]
    kernel: bool
    unknown: bool


_HARMLESS_BASES = frozenset({"object", "ABC", "abc.ABC"})


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "?")
    return ".".join(reversed(parts))


def _names_defined(node: ast.ClassDef) -> set[str]:
    names = set()
    for part in node.body:
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(part.name)
        elif isinstance(part, ast.Assign):
            names.update(target.id for target in part.targets if isinstance(target, ast.Name))
    return names
