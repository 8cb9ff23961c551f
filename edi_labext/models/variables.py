"""Lists of environment variables, ``[{"name", "value"}]``: what may stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ..errors import FieldProblem, echo

#: The service's own; a name that starts so may not be set by anybody else.
RESERVED_VARIABLES: Final = ("REDHARE_", "MSD_")


def variable_problems(items: Sequence[object], path: str) -> Iterator[FieldProblem]:
    """Yield what is wrong with names and values; what is no text is somebody else's to tell.

    Parameters
    ----------
    path:
        Dotted path of the list, for the problems' ``field``.
    """
    seen: set[str] = set()
    for index, item in enumerate(items):
        variable = item if isinstance(item, Mapping) else {}
        name, value = variable.get("name"), variable.get("value")
        if not isinstance(name, str):
            continue
        where = f"{path}.{index}"
        if not name or "=" in name or "\0" in name:
            message = f"{echo(name)} cannot be the name of a variable."
            yield FieldProblem(field=f"{where}.name", message=message)
        elif name.startswith(RESERVED_VARIABLES):
            message = f"{echo(name)} is set by the service."
            yield FieldProblem(field=f"{where}.name", message=message)
        elif name in seen:
            message = f"{echo(name)} is there twice."
            yield FieldProblem(field=f"{where}.name", message=message)
        seen.add(name)
        if isinstance(value, str) and "\0" in value:
            yield FieldProblem(field=f"{where}.value", message="Must not hold the character NUL.")
