"""The description of a deployment, and another one that is to take its place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..errors import Conflict, InvalidInput, echo
from ..models import ModelDescription, parse_description

#: What a deployment is. A body may repeat it, or leave it empty, and may not change it.
FIXED_FIELDS: Final = ("name", "uid", "model_path", "size", "create_time", "creator")
#: What the engine keeps up to date; what a body says of it is not looked at.
KEPT_FIELDS: Final = ("last_updated_time", "started_at", "service_uri", "stream_uri")


def started(name: str, what: str) -> Conflict:
    """Return why something of a deployment that runs, or whose kernels still end, stays."""
    return Conflict(
        f"Model <{name}> cannot be {what} while it is started.",
        code="started",
        hint="Stop it first and wait until it is stopped.",
    )


def successor(
    data: bytes, current: ModelDescription, *, package: Path, now: int
) -> ModelDescription:
    """Return the description that is to be saved in place of ``current``.

    Parameters
    ----------
    data:
        The whole *Model*, JSON.
    current:
        As it is shown.
    package:
        Directory of the published package.
    now:
        Unix seconds.

    Raises
    ------
    InvalidInput
        ``read_only_field``, ``kernel_not_found``; see
        :func:`~edi_labext.models.parse_description`.
    """
    wanted = parse_description(data)
    for field in FIXED_FIELDS:
        told, fixed = getattr(wanted, field), getattr(current, field)
        # Empty where an SDK insists on a value and the caller has none to tell.
        if told != fixed and (told or field == "name"):
            raise InvalidInput(
                f"{field} is {echo(fixed)} and cannot be changed to {echo(told)}.",
                code="read_only_field",
                field=field,
                hint="Redeploy to change the files; deploy again for another name.",
            )
    if current.size and not (package / wanted.kernel_path).is_file():
        raise InvalidInput(
            f"The kernel file {echo(wanted.kernel_path)} is not in the package.",
            code="kernel_not_found",
            field="kernel_path",
            hint="Correct kernel_path, or redeploy with that file.",
        )
    stays = {field: getattr(current, field) for field in (*FIXED_FIELDS, *KEPT_FIELDS)}
    stays["last_updated_time"] = max(now, current.last_updated_time)
    return wanted.model_copy(update=stays)
