"""What differs between two profiles, and a profile with something changed."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..models import Profile

#: What the service sets at every change; it is no change of its own.
_SET_BY_SERVICE: Final = "last_update_time"
#: Fields that are about the profile itself and nothing to act on.
_FACTS: Final = frozenset({"schema_version", "type", "name", "create_time", _SET_BY_SERVICE})
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """One field that differs.

    ``path`` is dotted, with a variable of ``kernel.envs`` named in place of its number; ``old`` or
    ``new`` is ``None`` where there is none.
    """

    path: str
    old: Any
    new: Any


def apply_patch(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``document`` merged with a JSON merge patch (RFC 7396): ``None`` removes a field.

    Lists are replaced as a whole; neither argument is changed.
    """
    merged = copy.deepcopy(dict(document))
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            present = merged.get(key)
            merged[key] = apply_patch(present if isinstance(present, dict) else {}, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def profile_diff(
    old: Mapping[str, Any] | Profile, new: Mapping[str, Any] | Profile
) -> list[ProfileChange]:
    """Return what differs, in the order of ``old``, then what is only in ``new``.

    The time of the last change is left out.
    """
    before, after = document_of(old), document_of(new)
    changes = _changes(before, after, ())
    return [change for change in changes if change.path != _SET_BY_SERVICE]


def is_only_kept(path: str, honoured: Collection[str] | None) -> bool:
    """Tell whether an EDI says that it stores a field of the profile and does not act on it.

    Parameters
    ----------
    path:
        Dotted; also of a part of a list or object that is acted on as a whole, or of a text of
        which one part is acted on.
    honoured:
        The fields that it acts on, ``None`` if it does not tell.
    """
    if honoured is None or path in _FACTS:
        return False
    return not any(
        path == field or path.startswith(f"{field}.") or field.startswith(f"{path}.")
        for field in honoured
    )


def parts_acted_on(path: str, honoured: Collection[str] | None) -> list[str]:
    """Return the parts of a field's text that an EDI acts on, where it stores the rest.

    Parameters
    ----------
    path, honoured:
        As for :func:`is_only_kept`. Empty when all of the field is acted on, or nothing.
    """
    if honoured is None or path in honoured:
        return []
    return sorted(
        field.removeprefix(f"{path}.") for field in honoured if field.startswith(f"{path}.")
    )


def document_of(profile: Mapping[str, Any] | Profile) -> Mapping[str, Any]:
    """Return the JSON document of a profile."""
    return profile.to_wire() if isinstance(profile, Profile) else profile


def _changes(old: Any, new: Any, way: tuple[str, ...]) -> Iterator[ProfileChange]:
    before, after = _parts(old), _parts(new)
    # A section against nothing, too, field by field.
    if before is not None and (after is not None or new is _ABSENT):
        after = after or {}
    elif after is not None and old is _ABSENT:
        before = {}
    if before is None or after is None:
        # 1 and True, or 60 and 60.0: equal in Python, and only the latter in JSON.
        if old != new or isinstance(old, bool) is not isinstance(new, bool):
            yield ProfileChange(
                ".".join(way),
                None if old is _ABSENT else old,
                None if new is _ABSENT else new,
            )
        return
    for key in dict.fromkeys((*before, *after)):
        yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), (*way, key))


def _parts(value: Any) -> Mapping[str, Any] | None:
    """Return the parts of an object or of a list of named values, ``None`` of anything else."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and value:
        named = {
            item["name"]: item["value"]
            for item in value
            if isinstance(item, Mapping)
            and set(item) == {"name", "value"}
            and isinstance(item["name"], str)
        }
        if len(named) == len(value):
            return named
    return None
