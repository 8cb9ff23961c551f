"""The grammar of deployment names, in one place.

A name becomes the last segment of the inference URL, a folder of the store and part of WMLA's
pod names, so Kubernetes' rule for labels applies.
"""

from __future__ import annotations

import re
import unicodedata

from ..errors import InvalidInput, echo

#: Longest deployment name, in characters.
MAX_NAME_LENGTH = 63

#: The grammar as regular expression source, valid in Python and in JavaScript.
NAME_PATTERN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

#: The grammar in words.
NAME_RULE = (
    "lower-case letters a-z, digits and hyphens, starting and ending with a letter or digit, "
    f"at most {MAX_NAME_LENGTH} characters"
)

_NAME = re.compile(NAME_PATTERN, re.ASCII)


def is_valid_name(name: object) -> bool:
    """Tell whether ``name`` is a deployment name."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name: object, *, field: str = "name") -> str:
    """Return ``name`` unchanged if it is a deployment name.

    Raises
    ------
    InvalidInput
        ``invalid_name`` with the rule and, where one can be derived, a name that would do.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    proposal = suggest_name(name) if isinstance(name, str) else None
    hint = f"Use {NAME_RULE}."
    if proposal:
        hint = f"Use {NAME_RULE}; for example {proposal!r}."
    raise InvalidInput(
        f"{echo(name)} is not a deployment name.", code="invalid_name", field=field, hint=hint
    )


def suggest_name(text: str) -> str | None:
    """Return a valid name made of ``text``, or ``None`` when nothing of it can be used."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    joined = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME_LENGTH].strip("-")
    return joined or None
