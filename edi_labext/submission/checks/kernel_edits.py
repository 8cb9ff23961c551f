"""Changes of the kernel file that a button can make."""

from __future__ import annotations

import ast
import re

from .findings import Fix, make_fix
from .kernel_source import FunctionNode, KernelSource
from .snapshot import Snapshot
from .text import Edit, edited, line_ending


class KernelEdits:
    """Fixes for one kernel file; a method returns ``None`` where the change cannot be made.

    Whether a change does what it is meant to is not judged here: every fix is tried before it is
    offered.
    """

    def __init__(self, snapshot: Snapshot, path: str, source: KernelSource) -> None:
        self._snapshot = snapshot
        self._path = path
        self._source = source
        self._data = source.data
        self._newline = line_ending(source.data)

    def rename_method(self, method: FunctionNode, name: str) -> Fix | None:
        """Give a method another name, where it is defined."""
        found = self._header(method, rb"(?:async\s+)?def\s+")
        if found is None:
            return None
        end = found + len(method.name.encode())
        return self._fix(
            f"Rename to {name}",
            f"Line {method.lineno}: {method.name} becomes {name}.",
            Edit(found, end, name),
        )

    def default_to_none(self, arguments: list[ast.arg]) -> Fix | None:
        """Make arguments optional."""
        names = ", ".join(argument.arg for argument in arguments)
        edits = []
        for argument in arguments:
            text = "=None" if argument.annotation is None else " = None"
            edits.append(Edit(self._end(argument), self._end(argument), text))
        return self._fix(
            f"Make {names} optional",
            f"Line {arguments[0].lineno}: {names} may be left out by the caller.",
            *edits,
        )

    def first_arguments(self, method: FunctionNode, text: str) -> Fix | None:
        """Give arguments to a method that has none."""
        name = re.escape(method.name.encode())
        found = self._header(method, rb"(?:async\s+)?def\s+" + name + rb"\s*\(")
        return None if found is None else self._insert(found, text, method.lineno)

    def insert_before(self, argument: ast.arg, text: str) -> Fix | None:
        """Put an argument before another one."""
        start = self._source.offset(argument.lineno, argument.col_offset)
        return self._insert(start, text, argument.lineno)

    def insert_after(self, argument: ast.arg, text: str) -> Fix | None:
        """Put an argument behind another one."""
        return self._insert(self._end(argument), text, argument.lineno)

    def derive(self, node: ast.ClassDef, base: str) -> Fix | None:
        """Derive a class that has no bases from ``base``."""
        found = self._header(node, rb"class\s+" + re.escape(node.name.encode()))
        if found is None:
            return None
        empty = re.compile(rb"[ \t]*\([ \t]*\)").match(self._data, found)
        return self._fix(
            f"Derive {node.name} from {base}",
            f"Line {node.lineno}: class {node.name}({base}).",
            Edit(found, empty.end() if empty else found, f"({base})"),
        )

    def append_run(self, name: str) -> Fix | None:
        """Append the lines that run the kernel."""
        newline = self._newline
        guard = newline.join(('if __name__ == "__main__":', f"    {name}().run()", ""))
        end = len(self._data)
        before = "" if not self._data or self._data.endswith((b"\n", b"\r")) else newline
        return self._fix(
            "Add the run lines",
            f'Appends if __name__ == "__main__": {name}().run().',
            Edit(end, end, before + 2 * newline + guard),
        )

    def replace_expression(self, node: ast.expr, text: str) -> Fix | None:
        """Write another expression."""
        return self._fix(
            f"Write {text}",
            f"Line {node.lineno} gets {text}.",
            Edit(self._source.offset(node.lineno, node.col_offset), self._end(node), text),
        )

    def raise_again(self, handler: ast.ExceptHandler) -> Fix | None:
        """Let a handler pass the exception on when it is done."""
        first, last = handler.body[0], handler.body[-1]
        if first.lineno == handler.lineno:
            return None  # all in one line
        description = f"Line {last.lineno}: the exception goes on to EDI."
        bare_return = isinstance(last, ast.Return) and last.value is None
        if bare_return or (isinstance(last, ast.Pass) and first is last):
            start = self._source.offset(last.lineno, last.col_offset)
            return self._fix("Raise it again", description, Edit(start, self._end(last), "raise"))
        if isinstance(last, (ast.Return, ast.Break, ast.Continue)):
            return None
        line = self._source.offset(first.lineno, 0)
        indent = self._data[line : line + first.col_offset].decode()
        if indent.strip():
            return None
        end = self._end(last)
        end = next(
            (at for at in range(end, len(self._data)) if self._data[at] in b"\r\n"),
            len(self._data),
        )
        return self._fix(
            "Raise it again", description, Edit(end, end, f"{self._newline}{indent}raise")
        )

    def _insert(self, offset: int, text: str, line: int) -> Fix | None:
        return self._fix(
            f"Add {text.strip(', ')}",
            f"Line {line} gets {text.strip(', ')}.",
            Edit(offset, offset, text),
        )

    def _header(self, node: FunctionNode | ast.ClassDef, pattern: bytes) -> int | None:
        """Return the offset behind what matches at the start of a definition."""
        start = self._source.offset(node.lineno, node.col_offset)
        found = re.compile(pattern).match(self._data, start)
        return found.end() if found else None

    def _end(self, node: ast.stmt | ast.expr | ast.arg) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._source.offset(node.end_lineno, node.end_col_offset)

    def _fix(self, title: str, description: str, *edits: Edit) -> Fix | None:
        if not self._source.editable:
            return None
        after = edited(self._data, edits)
        return make_fix(title, description, self._snapshot.change(self._path, after))
