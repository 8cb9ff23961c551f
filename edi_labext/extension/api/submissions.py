"""Folders before they are deployed."""

from __future__ import annotations

from typing import Literal

from .base import Body, Reply

#: Most files, and most ignored entries, that an inspection lists.
MAX_INSPECTED_FILES = 200


class InspectRequest(Body):
    """The folder to look at before it is deployed; ``name`` instead of ``model.json``'s."""

    path: str
    name: str | None = None


class FixRequest(Body):
    """The fix of a finding to apply to a folder; ``fix`` is its ``id``, ``name`` as inspected."""

    path: str
    fix: str
    name: str | None = None


class InspectedFile(Reply):
    """One file that would be sent; ``path`` is relative to the folder."""

    path: str
    size: int


class IgnoredPath(Reply):
    """One entry that would be left out, and why."""

    path: str
    reason: str


class Problem(Reply):
    """Something to mend before the folder can be deployed."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    path: str | None = None


class FixInfo(Reply):
    """A change to the folder that mends a finding; ``description`` says what it does."""

    id: str
    title: str
    description: str


class FindingInfo(Reply):
    """One result of a check; an ``error`` stands in the way, a ``warning`` does not.

    ``line`` and ``column`` count from 1.
    """

    code: str
    severity: Literal["error", "warning"]
    file: str | None = None
    line: int | None = None
    column: int | None = None
    message: str
    why: str = ""
    hint: str | None = None
    fix: FixInfo | None = None


class Inspection(Reply):
    """What deploying a folder would send, and what stands in the way.

    Attributes
    ----------
    name:
        The one that it was looked at with, else that of ``model.json``.
    own_name:
        That of ``model.json``, ``None`` if there is none or it is no deployment name.
    proposed_name:
        One to offer in that case.
    """

    path: str
    name: str | None
    own_name: str | None = None
    proposed_name: str | None = None
    kernel_path: str | None
    runtime: str | None
    files: list[InspectedFile]
    file_count: int
    total_size: int
    ignored: list[IgnoredPath]
    problems: list[Problem]
    findings: list[FindingInfo]
