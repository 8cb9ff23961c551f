"""What comes of each fault: the sentence that every finding of that code carries."""

from __future__ import annotations

from collections.abc import Mapping

from .findings import Finding, Fix, Severity

_MODEL_JSON = "EDI reads model.json before anything else and refuses the folder when it cannot."
_LINKS = "An EDI package holds no links, so what they point at would be missing on the other side."

#: Code of a finding → why it matters.
WHY: Mapping[str, str] = {
    # model.json
    "byte-order-mark": "JSON has no such mark, and not every reader forgives it.",
    "duplicate-key": "Which of the two values counts would be chance.",
    "expected-object": _MODEL_JSON,
    "file-too-large": "A service is a few files and its weights; EDI has a limit.",
    "invalid-field": _MODEL_JSON,
    "invalid-json": _MODEL_JSON,
    "invalid-name": "The name becomes a part of the service's URL and of the names of its pods.",
    "invalid-number": "JSON has no such number; each reader makes something else of it.",
    "invalid-text": "Such text cannot be stored or sent as UTF-8.",
    "kernel-not-found": "EDI starts this file; without it no kernel can start.",
    "missing-field": _MODEL_JSON,
    "missing-file": "EDI refuses a folder without it.",
    "name-mismatch": "Deployed again without a name, the folder makes a second service.",
    "not-utf8": "EDI reads texts as UTF-8.",
    "path-outside": "Only what lies in the folder is sent.",
    "runtime-unknown": "An EDI without a runtime of this name cannot start the kernel; the engine "
    "of this machine takes its own Python instead.",
    "schema-version": "EDI itself writes the text; what it makes of anything else is not known.",
    "too-deep": "The other side has the same limit and would refuse the package.",
    "unknown-key": "EDI does not read it, so a misspelt setting stays without effect.",
    "variable-reserved": "EDI sets it itself for every kernel, so the value would be lost.",
    "variable-risky": "It changes how the kernel's Python itself starts or finds its modules.",
    # the kernel file
    "kernel-batch-ignored": "With task_batch_size above 1 a call brings several requests; those "
    "behind the first would stay without an answer.",
    "kernel-error-swallowed": "A kernel whose start fails in silence counts as ready, and every "
    "request fails later.",
    "kernel-hook-arguments": "EDI calls the hook with fixed arguments, and Python would raise "
    "TypeError.",
    "kernel-hook-async": "EDI does not await hooks, so nothing in it would run.",
    "kernel-hook-misspelt": "EDI calls hooks by name, so this method is never called.",
    "kernel-newer-syntax": "Each runtime has its own Python, and an older one cannot read the "
    "file.",
    "kernel-no-answer": "A request without an answer fails or waits for its timeout, and its "
    "caller does not learn why.",
    "kernel-no-class": "EDI calls the methods of a class derived from redhareapi.Kernel.",
    "kernel-no-task-hook": "Requests are answered in on_task_invoke.",
    "kernel-not-checked": "The other checks of the kernel file need to read it whole.",
    "kernel-not-python": "The runtime starts the kernel file with Python.",
    "kernel-not-run": "The file is run as a program; without run() it ends at once, and no kernel "
    "becomes ready.",
    "kernel-not-utf8": "Python reads sources as UTF-8 and gives up at the first byte that is not.",
    "kernel-syntax": "Python cannot read the file, so no kernel can start.",
    # the rest of the folder
    "broken-link": _LINKS,
    "duplicate-path": "Where file names fold case or accents, one would overwrite the other.",
    "invalid-ignore-file": "What is to be left out is not known, so nothing is sent.",
    "invalid-path": "The other side could not store it under this name.",
    "large-folder": "It is sent in one piece, again for every deploy, and without resume.",
    "link-outside": _LINKS,
    "link-to-folder": _LINKS,
    "readme-no-sample": "The panel's test form starts with the first json block of README.md.",
    "secret-like": "Everything in the folder can be read by whoever may see the deployment.",
    "special-file": "There is nothing in it that could be sent.",
    "too-large": "EDI has a limit for a package.",
    "too-many-files": "EDI has a limit for the entries of a package.",
    "unreadable": "It would be missing on the other side.",
    "weights-left-out": "The kernel would not find the weights that model.json names.",
}


def finding(
    code: str,
    severity: Severity,
    file: str | None,
    position: tuple[int, int] | None,
    message: str,
    *,
    hint: str | None = None,
    fix: Fix | None = None,
    field: str | None = None,
) -> Finding:
    """Return a finding with the reason that belongs to its code; ``position`` is line, column."""
    line, column = position or (None, None)
    return Finding(
        code, severity, file, line, column, message, WHY[code], hint=hint, fix=fix, field=field
    )
