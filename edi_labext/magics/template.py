"""Fill ``{variable}`` in a JSON text with the values of the notebook's variables.

Only names are filled, no expressions: nothing is ever evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from IPython.core.error import UsageError

from ..errors import InvalidInput
from .line import undefined

#: Longest text that is read, in bytes (64 MiB), the most that an engine takes.
MAX_TEXT = 64 << 20

# An escaped character or a quotation mark, to know what is inside quotes; or something in braces
# that no JSON object could begin with.
_PIECE = re.compile(r'\\.|"|(?P<open>\{+)(?P<inner>[^\W\d][^{}"\n]*)(?P<close>\}+)', re.DOTALL)
_LITERAL_HINT = " For the braces themselves write {{%s}}."

_ADVICE = {
    "DataFrame": '{name}.to_dict("records")',
    "Series": "{name}.tolist()",
    "bytes": "base64.b64encode({name}).decode()",
    "bytearray": "base64.b64encode({name}).decode()",
    "set": "list({name})",
    "frozenset": "list({name})",
    "datetime": "{name}.isoformat()",
    "date": "{name}.isoformat()",
    "Tensor": "{name}.tolist()",
}


def fill(text: str, variables: Mapping[str, Any], *, what: str, first_line: int = 1) -> str:
    """Return ``text`` as JSON with every ``{variable}`` replaced by its value as JSON.

    Inside quotes a text is put in as it is, anything else as its JSON. ``{{variable}}`` keeps the
    braces.

    Parameters
    ----------
    what:
        How messages call the text: ``The cell``.
    first_line:
        Number of its first line, for messages.

    Raises
    ------
    UsageError
        A variable is not there or has no JSON, named with its type; or the text is not JSON, with
        line and column as they stand in ``text``.
    """
    from ..models.strict_json import parse_json

    filled: list[str] = []
    # The text with stand-ins of the same length, so that positions in messages are the text's own.
    outline: list[str] = ["\n" * (first_line - 1)]
    quoted = False
    end = 0
    for match in _PIECE.finditer(text):
        filled.append(text[end : match.start()])
        outline.append(text[end : match.start()])
        end = match.end()
        inner, written = match["inner"], match[0]
        quoted ^= written == '"'
        if inner is None or (quoted and not inner.isidentifier()):
            filled.append(written)
            outline.append(written)
        elif not inner.isidentifier():
            raise UsageError(
                f"{{{inner[:40]}}} in {_lower(what)} is neither JSON nor the name of a variable; "
                "assign it to one first."
            )
        elif min(len(match["open"]), len(match["close"])) > 1:
            filled.append(written[1:-1])
            outline.append(written)
        else:
            opening, closing = match["open"][1:], match["close"][1:]
            value = _encode(inner, variables, quoted=quoted)
            filled += (opening, value, closing)
            outline += (opening, "0".ljust(len(inner) + 2), closing)
    filled.append(text[end:])
    outline.append(text[end:])
    try:
        parse_json("".join(outline).encode("utf-8", "surrogatepass"), what=what, limit=MAX_TEXT)
    except InvalidInput as error:
        raise UsageError(f"{error.message} {error.hint or ''}".strip()) from None
    return "".join(filled)


def _encode(name: str, variables: Mapping[str, Any], *, quoted: bool) -> str:
    if name not in variables:
        raise undefined(name, variables, braces=_LITERAL_HINT % name if quoted else "")
    value = variables[name]
    try:
        encoded = json.dumps(value, allow_nan=False, default=_plain)
    except _NoJson as error:
        raise UsageError(_refusal(name, value, error.value)) from None
    except TypeError:
        raise UsageError(
            f"{{{name}}} is a {_kind(value)} with a key that is no text, which JSON does not have."
        ) from None
    except RecursionError:
        raise UsageError(f"{{{name}}} is a {_kind(value)} that is nested too deep.") from None
    except ValueError as error:
        why = "that holds itself" if "ircular" in str(error) else "with NaN or infinity"
        raise UsageError(
            f"{{{name}}} is a {_kind(value)} {why}, which JSON does not have."
        ) from None
    if not quoted:
        return encoded
    return (encoded if isinstance(value, str) else json.dumps(encoded))[1:-1]


class _NoJson(Exception):
    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


def _plain(value: Any) -> Any:
    """Turn arrays and scalars of numpy into Python's own; anything else has no JSON."""
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        plain = value.tolist()
        if type(plain) is not type(value):
            return plain
    raise _NoJson(value)


def _refusal(name: str, value: object, culprit: object) -> str:
    advice = _ADVICE.get(_kind(culprit))
    if culprit is value:
        text = f"{{{name}}} is a {_kind(value)}, which JSON cannot express."
        return f"{text} Try {advice.format(name=name)}." if advice else text
    return (
        f"{{{name}}} is a {_kind(value)} that holds a {_kind(culprit)}, which JSON cannot express."
    )


def _kind(value: object) -> str:
    return type(value).__name__


def _lower(what: str) -> str:
    return what[:1].lower() + what[1:]
