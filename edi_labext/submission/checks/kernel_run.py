"""Checks of the script around the class: that there is a kernel, and that it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .findings import Finding
from .kernel_edits import KernelEdits
from .kernel_source import HOOKS, KernelClass, KernelSource
from .reasons import finding


def check_script(
    path: str, source: KernelSource, edits: KernelEdits, siblings: frozenset[str]
) -> Iterator[Finding]:
    """Yield what is missing around the hooks.

    Parameters
    ----------
    path, source, edits:
        The kernel file.
    siblings:
        Names that it imports from other files of the folder, which may hold what is missing here.
    """
    if not source.kernel_classes:
        yield _no_class(path, source, edits, alone=not siblings)
        return
    yield from _wrong_guard(path, source, edits)
    if not _is_run(source):
        kernel = _last(source.kernel_classes)
        passed_on = _is_passed_on(source, kernel) or _calls(source.tree, siblings)
        takes_nothing = "__init__" not in kernel.defined or _can_be_made(kernel)
        yield finding(
            "kernel-not-run",
            "warning" if passed_on else "error",
            path,
            source.position(kernel.node),
            f"{kernel.node.name} is defined, but nothing runs it.",
            hint=f'End the file with if __name__ == "__main__": {kernel.node.name}().run()',
            fix=edits.append_run(kernel.node.name) if takes_nothing else None,
        )


def _no_class(path: str, source: KernelSource, edits: KernelEdits, *, alone: bool) -> Finding:
    looks_like_one = next(
        (
            node
            for node in source.nodes
            if isinstance(node, ast.ClassDef)
            and any(isinstance(part, ast.FunctionDef) and part.name in HOOKS for part in node.body)
        ),
        None,
    )
    fix = None
    if looks_like_one is not None and not looks_like_one.bases and source.kernel_name:
        fix = edits.derive(looks_like_one, source.kernel_name)
    return finding(
        "kernel-no-class",
        "error" if alone else "warning",
        path,
        (1, 1) if looks_like_one is None else source.position(looks_like_one),
        "There is no class derived from redhareapi.Kernel."
        if looks_like_one is None
        else f"{looks_like_one.name} is not derived from redhareapi.Kernel.",
        hint="Write from redhareapi import Kernel, and class MyKernel(Kernel) with on_task_invoke."
        if alone
        else "If it is in a module that this file imports, all is well.",
        fix=fix,
    )


def _wrong_guard(path: str, source: KernelSource, edits: KernelEdits) -> Iterator[Finding]:
    """Find ``if __name__ == "main":``, which is never true."""
    for node in source.tree.body:
        test = node.test if isinstance(node, ast.If) else None
        if (
            isinstance(test, ast.Compare)
            and isinstance(test.left, ast.Name)
            and test.left.id == "__name__"
            and isinstance(test.ops[0], ast.Eq)
            and isinstance(test.comparators[0], ast.Constant)
            and test.comparators[0].value != "__main__"
        ):
            yield finding(
                "kernel-not-run",
                "error",
                path,
                source.position(test),
                '__name__ is compared with something other than "__main__".',
                hint='Write if __name__ == "__main__":',
                fix=edits.replace_expression(test.comparators[0], '"__main__"'),
            )


def _is_run(source: KernelSource) -> bool:
    """Tell whether ``run`` of anything but a module or the object itself is called."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            known = owner.id if isinstance(owner, ast.Name) else None
            if node.func.attr == "run" and known not in source.modules and known != "self":
                return True
    return False


def _is_passed_on(source: KernelSource, kernel: KernelClass) -> bool:
    """Tell whether something else gets the class, and may run it: ``serve(MyKernel)``."""
    if kernel.node.decorator_list:
        return True
    # A line that only makes an object and forgets it.
    forgotten = [
        node.value.func
        for node in source.nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    return any(
        isinstance(node, ast.Name)
        and node.id == kernel.node.name
        and isinstance(node.ctx, ast.Load)
        and node not in forgotten
        for node in source.nodes
    )


def _calls(tree: ast.Module, names: frozenset[str]) -> bool:
    """Tell whether the script, outside of functions and classes, calls one of ``names``."""
    if not names:
        return False
    for statement in tree.body:
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                owner: ast.expr = node.func
                while isinstance(owner, ast.Attribute):
                    owner = owner.value
                if isinstance(owner, ast.Name) and owner.id in names:
                    return True
    return False


def _last(kernels: list[KernelClass]) -> KernelClass:
    """Return the class that is furthest from ``Kernel``, so that no base class is run."""
    bases = {
        base.id for kernel in kernels for base in kernel.node.bases if isinstance(base, ast.Name)
    }
    return next(
        (kernel for kernel in reversed(kernels) if kernel.node.name not in bases), kernels[-1]
    )


def _can_be_made(kernel: KernelClass) -> bool:
    init = kernel.hook("__init__")
    if init is None:
        return False
    arguments = init.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    by_name = any(default is None for default in arguments.kw_defaults)
    return positional - len(arguments.defaults) <= 1 and not by_name
