"""Checks of the three hooks: their names, their arguments, and how they are defined."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .findings import Finding, Fix
from .kernel_edits import KernelEdits
from .kernel_source import HOOKS, FunctionNode, KernelClass, KernelSource
from .reasons import finding
from .spelling import distance

_MAX_APART = 2


def check_hooks(path: str, source: KernelSource, edits: KernelEdits) -> Iterator[Finding]:
    """Yield what is wrong with the hooks of every kernel class of the file."""
    for kernel in source.kernel_classes:
        hooks = meant_hooks(source, kernel)
        for hook, method in hooks.items():
            if hook != method.name:
                yield _misspelt(path, source, kernel, method, hook=hook, edits=edits)
            yield from _definition(path, source, method, hook, edits)
        if kernel.known and "on_task_invoke" not in kernel.defined | hooks.keys():
            yield finding(
                "kernel-no-task-hook",
                "warning",
                path,
                source.position(kernel.node),
                f"{kernel.node.name} has no on_task_invoke, so no request gets an answer.",
                hint="Add def on_task_invoke(self, task_context).",
            )


def meant_hooks(source: KernelSource, kernel: KernelClass) -> dict[str, FunctionNode]:
    """Return the hooks that a class defines itself, misspelt ones under the name they need."""
    hooks = {}
    for method in kernel.methods:
        hook = method.name if method.name in HOOKS else _misspelt_hook(source, kernel, method)
        if hook is not None:
            hooks[hook] = method
    return hooks


def _misspelt_hook(source: KernelSource, kernel: KernelClass, method: FunctionNode) -> str | None:
    """Return the hook that a method was probably meant to be, ``None`` if it is a helper."""
    plain = _letters(method.name)
    for hook in HOOKS:
        if hook not in kernel.defined and distance(plain, _letters(hook)) <= _MAX_APART:
            # What is called from here has the name that is meant.
            called = any(
                isinstance(node, ast.Attribute) and node.attr == method.name
                for node in source.nodes
            )
            return None if called else hook
    return None


def _letters(name: str) -> str:
    """``onTaskInvoke`` and ``on_task_invoke`` are the same mistake away from each other."""
    return name.replace("_", "").casefold()


def _misspelt(
    path: str,
    source: KernelSource,
    kernel: KernelClass,
    method: FunctionNode,
    *,
    hook: str,
    edits: KernelEdits,
) -> Finding:
    return finding(
        "kernel-hook-misspelt",
        # A base class that is not in this file may call it.
        "error" if kernel.known else "warning",
        path,
        source.position(method),
        f"EDI has no hook {method.name}; {hook} is probably meant.",
        hint=f"Rename it to {hook}.",
        fix=edits.rename_method(method, hook),
    )


def _definition(
    path: str, source: KernelSource, method: FunctionNode, hook: str, edits: KernelEdits
) -> Iterator[Finding]:
    if isinstance(method, ast.AsyncFunctionDef):
        yield finding(
            "kernel-hook-async",
            "error",
            path,
            source.position(method),
            f"{method.name} is an async method.",
            hint="Make it a plain method; asyncio.run(...) inside it can await.",
        )
    wanted = HOOKS[hook]
    bound = _takes_self(method)
    if bound is None:
        return
    complaint = _complaint(method.args, len(wanted), bound)
    if complaint is None:
        return
    signature = ", ".join((*(["self"] if bound else []), *wanted))
    yield finding(
        "kernel-hook-arguments",
        "error",
        path,
        source.position(method),
        f"{method.name} {complaint}; EDI gives it {_count(len(wanted), bound)}.",
        hint=f"Write def {hook}({signature}).",
        fix=_fix(method, hook, bound, edits),
    )


def _takes_self(method: FunctionNode) -> int | None:
    """Return 1 for a method, 0 for a static one, ``None`` behind a decorator not known here."""
    names = {node.id if isinstance(node, ast.Name) else "?" for node in method.decorator_list}
    if names <= {"classmethod"}:
        return 1
    return 0 if names == {"staticmethod"} else None


def _complaint(arguments: ast.arguments, given: int, bound: int) -> str | None:
    positional = len(arguments.posonlyargs) + len(arguments.args) - bound
    required = positional - len(arguments.defaults)
    by_name = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    if by_name:
        return f"insists on {by_name[0]} by name"
    if positional < 0 and arguments.vararg is None:
        return "has no self"
    if given < required:
        return f"needs {_count(required, bound)}"
    if given > positional and arguments.vararg is None:
        return f"takes {_count(positional, bound)}"
    return None


def _count(number: int, bound: int) -> str:
    what = f"{number or 'no'} argument{'' if number == 1 else 's'}"
    return f"{what} besides self" if bound else what


def _fix(method: FunctionNode, hook: str, bound: int, edits: KernelEdits) -> Fix | None:
    arguments = method.args
    if arguments.kwonlyargs or arguments.vararg or arguments.kwarg or arguments.defaults:
        return None
    present = [*arguments.posonlyargs, *arguments.args]
    wanted = [*(["self"] if bound else []), *HOOKS[hook]]
    if len(present) > len(wanted):
        # What is not given gets a value, so that the body still finds the name.
        return edits.default_to_none(present[len(wanted) :])
    if not present:
        return edits.first_arguments(method, ", ".join(wanted))
    missing_self = bound and not re.fullmatch(r"_*(self|cls)", present[0].arg)
    if missing_self and len(present) == len(wanted) - 1:
        return edits.insert_before(present[0], "self, ")
    if len(present) == bound == len(wanted) - 1:
        return edits.insert_after(present[-1], f", {wanted[-1]}")
    return None
