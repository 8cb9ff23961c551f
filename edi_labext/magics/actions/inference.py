"""Send a request."""

from __future__ import annotations

import builtins
import keyword
from pathlib import Path

from IPython.core.error import UsageError

from ... import operations
from ...client import EdiClient
from ...errors import NotFound
from ...operations.inference import MAX_PAYLOAD, TIMEOUT
from ..display.answers import Answer
from ..template import fill
from .call import Call


def infer(call: Call) -> Answer:
    """Send the cell, a variable, a file, or else the README's sample; show the answer.

    With ``-o VAR`` the answer's JSON value, or its text when it is no JSON, is put into ``VAR``.
    """
    output = _output_variable(call)
    name, given = call.name, _given(call)
    client = call.client()
    body, source = given or _sample(client, name)
    answer = operations.infer(client, name, body, timeout=call.timeout(TIMEOUT))
    failure = answer.error()
    if failure is not None:
        raise failure
    shown = Answer(name, answer.status, answer.body, answer.content_type, answer.elapsed, source)
    if output is not None:
        call.shell.user_ns[output] = shown.value
    return shown


def _given(call: Call) -> tuple[bytes, str] | None:
    """Return the request and what to call it; ``None`` when none was given."""
    arguments, cell = call.arguments, call.cell
    count = sum(item is not None for item in (cell, arguments.payload, arguments.file))
    if count > 1:
        raise UsageError(
            "%edi infer takes one request: the cell, a payload on the line, or --file."
        )
    if arguments.raw and cell is None:
        raise UsageError("%edi infer: --raw is for %%edi infer, where it sends the cell as it is.")
    if cell is not None:
        if arguments.raw:
            return cell.encode("utf-8", "surrogateescape"), "the cell"
        if not cell.strip():
            raise UsageError("%%edi infer: the cell is empty; write the request into it, as JSON.")
        text = fill(cell.rstrip("\n"), call.shell.user_ns, what="The cell", first_line=2)
        return text.encode(), "the cell"
    if arguments.payload is not None:
        text = fill(arguments.payload, call.shell.user_ns, what="The payload")
        return text.encode(), "the payload"
    if arguments.file is not None:
        path = call.resolve(arguments.file)
        return _read(path), arguments.file
    return None


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"%edi infer: there is no file {path}.")
        with path.open("rb") as file:
            # One byte more than is taken, so that the operation says what is wrong.
            return file.read(MAX_PAYLOAD + 1)
    except OSError as error:
        raise UsageError(f"%edi infer: {path} cannot be read: {error.strerror}.") from None


def _sample(client: EdiClient, name: str) -> tuple[bytes, str]:
    client.get_model(name)  # An unknown name is better news than a missing README.
    try:
        text = operations.sample_payload(client.readme(name))
    except NotFound:
        text = None
    if text is None:
        raise UsageError(
            f"%edi infer: the README of {name} shows no sample request; write one into a cell "
            f"below %%edi infer {name}."
        )
    return text.encode(), "the sample request of its README"


def _output_variable(call: Call) -> str | None:
    name: str | None = call.arguments.output
    if name is None:
        return None
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"%edi infer: {ascii(name)[:40]} cannot be the name of a variable.")
    if hasattr(builtins, name) and name not in call.shell.user_ns:
        call.tell(f"edi: the variable {name} now hides Python's own {name}.")
    return name
