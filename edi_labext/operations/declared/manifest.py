"""The schema of ``edi.yaml``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from ...errors import FieldProblem, InvalidInput, echo, echo_path
from ...models import Attribute, EnvironmentVariable, Profile, check_name, check_profile
from ..profile_diff import apply_patch
from .yaml_lines import MAX_YAML_BYTES, line_of, read_yaml

#: Name of the file where none is given.
MANIFEST = "edi.yaml"

#: How a service is to be. ``absent``: not at all.
WantedState = Literal["started", "stopped", "absent"]


class Description(BaseModel):
    """What is to be said of a service instead of what its ``model.json`` says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    tag: str | None = None
    runtime: str | None = None
    weight_path: str | None = None
    attributes: list[Attribute] | None = None
    mk_environments: list[EnvironmentVariable] | None = None

    def changes(self) -> dict[str, Any]:
        """Return what takes the place of the same keys of ``model.json``."""
        return self.model_dump(mode="json", exclude_none=True)


class ServiceEntry(BaseModel):
    """One service.

    Attributes
    ----------
    folder:
        Its source, relative to the file. Without one its package is left as it is, and it cannot
        be made where it is not.
    description:
        Instead of what ``model.json`` says.
    profile:
        What is to be set in its profile (a merge patch); all other fields are left as they are.
    state:
        How it is to be.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    folder: str | None = Field(default=None, min_length=1)
    description: Description = Field(default_factory=Description)
    profile: dict[str, Any] = Field(default_factory=dict)
    state: WantedState = "started"


class Manifest(BaseModel):
    """The file as a whole: ``services`` by their names."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1] = 1
    services: dict[str, ServiceEntry] = Field(min_length=1)
    _base: Path = PrivateAttr(default=Path())

    def folder_of(self, name: str) -> Path | None:
        """Return the source folder of a service, ``None`` if the file names none."""
        folder = self.services[name].folder
        return None if folder is None else self._base / Path(folder).expanduser()


def read_manifest(path: Path) -> Manifest:
    """Read an ``edi.yaml``.

    Raises
    ------
    InvalidInput
        ``unreadable``, or ``invalid_manifest`` with every problem and its line in ``detail``, or
        what :func:`~.yaml_lines.read_yaml` raises.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_YAML_BYTES + 1)
    except OSError as error:
        raise InvalidInput(
            f"{echo_path(str(path))} cannot be read: {error.strerror or 'no reason given'}.",
            code="unreadable",
            hint="Write one, or make it of what there is: edi export NAME -o edi.yaml.",
        ) from None
    document, lines = read_yaml(data, what=path.name)
    problems = [
        (line_of(lines, where), ".".join(str(part) for part in where), message)
        for where, message in _problems(document)
    ]
    if problems:
        problems.sort(key=lambda problem: problem[0])
        told = [
            f"line {line}: {f'{field}: ' if field else ''}{message}"
            for line, field, message in problems
        ]
        raise InvalidInput(
            f"{path.name} cannot be used, {told[0]}"
            if len(told) == 1
            else f"{path.name} cannot be used: {len(told)} places need attention.",
            code="invalid_manifest",
            detail="\n".join(told) if len(told) > 1 else None,
            fields=[FieldProblem(field=field, message=text) for _, field, text in problems],
        )
    manifest = Manifest.model_validate(document)
    manifest._base = path.parent
    return manifest


def _problems(document: Any) -> list[tuple[tuple[str | int, ...], str]]:
    if not isinstance(document, dict):
        return [((), "it must hold keys, at least services")]
    found: list[tuple[tuple[str | int, ...], str]] = []
    try:
        Manifest.model_validate(document)
    except ValidationError as error:
        found += [
            (shape["loc"], _message(shape["type"], shape["msg"], shape["loc"]))
            for shape in error.errors()
        ]
    services = document.get("services")
    if isinstance(services, dict):
        for name, entry in services.items():
            found += _service_problems(name, entry)
    return found


def _service_problems(name: str, entry: Any) -> list[tuple[tuple[str | int, ...], str]]:
    where: tuple[str | int, ...] = ("services", name)
    found: list[tuple[tuple[str | int, ...], str]] = []
    try:
        check_name(name)
    except InvalidInput as error:
        found.append((where, f"{error.message} {error.hint or ''}".strip()))
    patch = entry.get("profile") if isinstance(entry, dict) else None
    if isinstance(patch, dict):
        default = Profile(name="default").to_wire()
        found += [
            ((*where, "profile", *_keys(problem["field"])), problem["message"])
            for problem in check_profile(apply_patch(default, patch), default)
        ]
    return found


def _keys(field: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in field.split(".")]


def _message(kind: str, said: str, where: tuple[str | int, ...]) -> str:
    if kind != "extra_forbidden":
        return f"{said}."
    known = list(
        Manifest.model_fields
        if len(where) == 1
        else ServiceEntry.model_fields
        if len(where) == 3
        else Description.model_fields
    )
    near = difflib.get_close_matches(str(where[-1]), known, n=1)
    meant = f" Did you mean {near[0]}?" if near else f" There is {', '.join(known)}."
    return f"{echo(where[-1])} is not known here.{meant}"
