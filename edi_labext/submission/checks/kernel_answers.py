"""Checks of what happens inside the hooks when something goes wrong or requests come in batches."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from .findings import Finding
from .kernel_edits import KernelEdits
from .kernel_hooks import meant_hooks
from .kernel_source import FunctionNode, KernelSource
from .reasons import finding

_BROAD = frozenset({"Exception", "BaseException"})
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_EXITS = frozenset({"exit", "_exit", "abort", "kill"})
_LOGGING = ("log", "print", "debug", "info", "warn", "error", "exception", "append")


def check_answers(path: str, source: KernelSource, edits: KernelEdits) -> Iterator[Finding]:
    """Yield warnings about errors that nobody will see and requests that nobody will answer."""
    for kernel in source.kernel_classes:
        hooks = meant_hooks(source, kernel)
        start = hooks.get("on_kernel_start")
        if start is not None:
            yield from _swallowed(path, source, start, edits)
        invoke = hooks.get("on_task_invoke")
        if invoke is not None:
            yield from _unanswered(path, source, invoke)
            yield from _batch_ignored(path, source, invoke)


# --- on_kernel_start ---------------------------------------------------------------------------


def _swallowed(
    path: str, source: KernelSource, start: FunctionNode, edits: KernelEdits
) -> Iterator[Finding]:
    for node in _inside(start.body):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _leaves(node.body):
            yield finding(
                "kernel-error-swallowed",
                "warning",
                path,
                source.position(node),
                f"{start.name} catches every exception and goes on.",
                hint="Log it and raise it again.",
                fix=edits.raise_again(node),
            )


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in _BROAD) for kind in kinds)


def _leaves(body: Iterable[ast.stmt]) -> bool:
    """Tell whether somewhere in ``body`` the exception goes on, or the process ends."""
    return any(
        isinstance(node, ast.Raise)
        or (isinstance(node, ast.Call) and _name_of(node.func) in _EXITS)
        for node in _inside(body)
    )


# --- on_task_invoke ----------------------------------------------------------------------------


def _unanswered(path: str, source: KernelSource, invoke: FunctionNode) -> Iterator[Finding]:
    contexts = _contexts(invoke)
    answers = [node for node in _inside(invoke.body) if _answers(node, contexts)]
    for node in _inside(invoke.body):
        if not isinstance(node, ast.Try):
            continue
        in_body = _any_answer([*node.body, *node.orelse], contexts)
        if _any_answer(node.finalbody, contexts):
            continue
        end = node.end_lineno or node.lineno
        later = any(isinstance(answer, ast.expr) and answer.lineno > end for answer in answers)
        for handler in node.handlers:
            if _any_answer(handler.body, contexts) or _leaves(handler.body):
                continue
            last = handler.body[-1]
            if isinstance(last, ast.Return):
                silent = True
            elif isinstance(last, (ast.Break, ast.Continue)):
                silent = in_body
            else:
                silent = in_body and not later
            if silent:
                yield finding(
                    "kernel-no-answer",
                    "warning",
                    path,
                    source.position(handler),
                    "After this exception the request gets no answer.",
                    hint="Call set_output_data with a text that says what was wrong, or raise.",
                )


def _contexts(invoke: FunctionNode) -> frozenset[str]:
    """Return the names that hold a task context: the argument, and what is assigned from it."""
    names = {argument.arg for argument in invoke.args.args[1:]}
    for node in _inside(invoke.body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
                value = value.func.value if value.func.attr in ("next", "prev") else value
            if isinstance(value, ast.Name) and value.id in names:
                names.add(node.targets[0].id)
    return frozenset(names)


def _any_answer(body: Iterable[ast.stmt], contexts: frozenset[str]) -> bool:
    return any(_answers(node, contexts) for node in _inside(body))


def _answers(node: ast.AST, contexts: frozenset[str]) -> bool:
    """Tell whether a call sets the output, or hands the context to something that may."""
    if not isinstance(node, ast.Call):
        return False
    name = _name_of(node.func)
    if name.startswith("set_output_data"):
        return True
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return not name.startswith(_LOGGING) and any(
        isinstance(value, ast.Name) and value.id in contexts for value in given
    )


def _batch_ignored(path: str, source: KernelSource, invoke: FunctionNode) -> Iterator[Finding]:
    if any(isinstance(node, ast.Attribute) and node.attr == "next" for node in source.nodes):
        return
    contexts = _contexts(invoke)
    for node in _inside(invoke.body):
        # It may be another file, or a base class, that walks through the batch.
        if isinstance(node, ast.Call) and _answers(node, contexts):
            outside = isinstance(node.func, ast.Name) and node.func.id in source.imported
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            by_module = isinstance(owner, ast.Name) and owner.id in source.imported
            by_base = isinstance(owner, ast.Call) and _name_of(owner.func) == "super"
            if outside or by_module or by_base:
                return
    yield finding(
        "kernel-batch-ignored",
        "warning",
        path,
        source.position(invoke),
        f"{invoke.name} answers one request and never asks for the next().",
        hint="Loop: while task_context is not None: ...; task_context = task_context.next(). "
        "With task_batch_size 1 it is right as it is.",
    )


# --- the tree ----------------------------------------------------------------------------------


def _inside(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes that run as part of ``body``: not those of functions defined in it."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _NESTED):
            waiting.extend(ast.iter_child_nodes(node))


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
