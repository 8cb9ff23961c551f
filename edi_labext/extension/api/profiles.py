"""How a deployment runs, and what saving another profile would change."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .base import Body, FieldProblem, Reply

#: A value of a profile.
ProfileValue = str | int | float | bool | list[Any] | dict[str, Any] | None


class ProfileRequest(Body):
    """A whole profile to save.

    Attributes
    ----------
    restart:
        Whether a started deployment is stopped for it and started again; without it, the profile
        of one that is started is refused.
    revision:
        That of the profile that was edited; when it is given and the profile has changed since,
        nothing is saved.
    """

    profile: dict[str, Any]
    restart: bool = False
    revision: str | None = None


class ProfileDiffRequest(Body):
    """A whole profile to compare with the saved one; nothing is saved."""

    profile: dict[str, Any]


class NextProfileRequest(Body):
    """A whole profile to keep until the deployment is next stopped or started.

    ``revision`` is that of the profile that was edited; when it is given and the profile has
    changed since, nothing is kept.
    """

    profile: dict[str, Any]
    revision: str | None = None


class FieldChange(Reply):
    """One field that differs; ``old`` or ``new`` is ``None`` when it is only in the other."""

    path: str
    old: ProfileValue
    new: ProfileValue


class NextProfile(Reply):
    """A profile that waits on the Jupyter server's machine for the next start.

    Attributes
    ----------
    profile:
        The whole document.
    saved_at:
        Unix seconds UTC.
    outdated:
        Whether the EDI's profile has changed since; then somebody must decide between both.
    changes, text:
        What it would change, field by field and as a unified diff.
    """

    profile: dict[str, Any]
    saved_at: float
    outdated: bool
    changes: list[FieldChange]
    text: str


class ProfileView(Reply):
    """The profile of a deployment and what is needed to edit it.

    Attributes
    ----------
    profile:
        The whole document, unknown fields included.
    json_schema:
        JSON Schema of the fields that can be edited, with titles, descriptions, units, sections
        and ranges.
    honoured:
        Dotted paths of the fields that this EDI acts on; the others it only keeps. ``None``: all.
    text:
        The document as indented JSON.
    started:
        Whether the deployment is started, so that saving needs a restart.
    revision:
        Digest of the document.
    next:
        What waits for the next start; ``None`` when nothing does.
    """

    profile: dict[str, Any]
    json_schema: dict[str, Any] = Field(serialization_alias="schema")
    honoured: list[str] | None
    text: str
    started: bool
    revision: str
    next: NextProfile | None


class ProfileDiff(Reply):
    """What saving a profile would change.

    ``text`` is a unified diff of both documents, ``""`` when they are equal; ``problems`` are why
    it would be refused.
    """

    changes: list[FieldChange]
    text: str
    problems: list[FieldProblem]
