"""What would have to be done for services to be as ``edi.yaml`` says; nothing is changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...client import EdiClient
from ...errors import InvalidInput, NotFound, echo
from ...models import ModelDescription, Profile, check_profile, refuse_problems
from ...submission import CheckReport, check_folder
from ..overview import observe
from ..profile_diff import ProfileChange, apply_patch, profile_diff
from .fingerprint import Fingerprint, take_fingerprint
from .manifest import Manifest, ServiceEntry

#: What becomes of the package.
PackageStep = Literal["create", "replace"]


@dataclass(frozen=True)
class ServicePlan:
    """What would be done for one service.

    Attributes
    ----------
    name:
        Of the service.
    entry:
        What the file says.
    folder:
        Its source.
    fingerprint:
        Of the package that the folder gives; ``None`` without a folder, or if it is not to be.
    package:
        Whether the package would be sent, and as what.
    why:
        One sentence why, ``""`` when nothing is sent.
    profile:
        What would change in the profile.
    running:
        Whether it is started now, ready or not.
    stop, start, remove:
        Whether that would be done; ``stop`` and ``start`` together are a restart.
    notes:
        What should be known though nothing is done about it.
    """

    name: str
    entry: ServiceEntry
    folder: Path | None = None
    fingerprint: Fingerprint | None = None
    package: PackageStep | None = None
    why: str = ""
    profile: list[ProfileChange] = field(default_factory=list)
    running: bool = False
    stop: bool = False
    start: bool = False
    remove: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether anything would be done."""
        return bool(self.package or self.profile or self.stop or self.start or self.remove)


@dataclass(frozen=True)
class Plan:
    """What would be done, service by service in the order of the file."""

    services: list[ServicePlan]

    @property
    def changes(self) -> bool:
        """Whether anything would be done."""
        return any(service.changes for service in self.services)


def make_plan(client: EdiClient, manifest: Manifest) -> Plan:
    """Compare an EDI with an ``edi.yaml``; only reads.

    Raises
    ------
    InvalidInput, NotFound
        A folder cannot be deployed, a service cannot be made without one, or a profile would be
        refused; the message names the service.
    """
    services = []
    for name in manifest.services:
        try:
            services.append(_plan(client, manifest, name))
        except (InvalidInput, NotFound) as error:
            error.message = f"{name}: {error.message}"
            error.args = (error.message,)
            raise
    return Plan(services)


def _plan(client: EdiClient, manifest: Manifest, name: str) -> ServicePlan:
    entry = manifest.services[name]
    model = _model(client, name)
    if entry.state == "absent":
        if model is None:
            return ServicePlan(name, entry)
        running = _runs(client, name)[0]
        return ServicePlan(name, entry, running=running, stop=running, remove=True)
    folder = manifest.folder_of(name)
    notes: list[str] = []
    fingerprint = None
    if folder is not None:
        found = check_folder(folder, name=name)
        fingerprint = _fingerprint(found, entry, name)
        notes += [f"{warning.place}: {warning.message}" for warning in found.warnings]
    package, why = _package(model, fingerprint, notes)
    changed = []
    if entry.profile:
        current = None if model is None else client.app_profile(name)
        changed = _profile_changes(current, entry.profile, name)
    running, problem = (False, "") if model is None else _runs(client, name)
    if problem and entry.state == "started":
        notes.append(problem)
    stop = running and bool(entry.state == "stopped" or package or changed)
    start = entry.state == "started" and (stop or not running)
    return ServicePlan(
        name,
        entry,
        folder=folder,
        fingerprint=fingerprint,
        package=package,
        why=why,
        profile=changed,
        running=running,
        stop=stop,
        start=start,
        notes=notes,
    )


def _model(client: EdiClient, name: str) -> ModelDescription | None:
    try:
        return client.get_model(name)
    except NotFound:
        return None


def _runs(client: EdiClient, name: str) -> tuple[bool, str]:
    """Return whether it is started, and what is wrong with it if it is not well."""
    status = observe(client, name)
    if status.state in ("failed", "pending"):
        return True, f"It is started and {status.state}: {status.reason}"
    return status.state in ("starting", "ready", "unknown"), ""


def _fingerprint(found: CheckReport, entry: ServiceEntry, name: str) -> Fingerprint:
    found.require_deployable()
    return take_fingerprint(found.submission, name, entry.description.changes())


def _package(
    model: ModelDescription | None, fingerprint: Fingerprint | None, notes: list[str]
) -> tuple[PackageStep | None, str]:
    if model is None:
        if fingerprint is None:
            raise InvalidInput(
                "It is not there, and edi.yaml names no folder to make it of.",
                code="no_folder",
                hint="Add the line folder: with its source.",
            )
        return "create", "It is not there."
    if fingerprint is None:
        return None, ""
    match fingerprint.matches(model):
        case True:
            return None, ""
        case None:
            notes.append(
                "Its package has the size of the folder's. More cannot be told, since it was not "
                "deployed by edi apply."
            )
            return None, ""
    return "replace", "Its package is another than the folder gives."


def _profile_changes(
    current: Mapping[str, Any] | None, patch: Mapping[str, Any], name: str
) -> list[ProfileChange]:
    before = Profile(name=name).to_wire() if current is None else current
    _refuse_unknown(patch, before, ())
    wanted = apply_patch(before, patch)
    refuse_problems(check_profile(wanted, before))
    return profile_diff(before, wanted)


def _refuse_unknown(
    patch: Mapping[str, Any], known: Mapping[str, Any], way: tuple[str, ...]
) -> None:
    """Refuse a field that neither EDI's documents nor this EDI know: a typing error, most likely.

    An EDI keeps whatever field it is sent, so it would be kept and do nothing.
    """
    documented = _section(Profile(name="default").to_wire(), way)
    for key, value in patch.items():
        if key not in known and key not in documented:
            near = difflib.get_close_matches(key, [*known, *documented], n=1)
            place = ".".join((*way, key))
            raise InvalidInput(
                f"The profile has no field {echo(place)}.",
                code="unknown_field",
                field=f"profile.{place}",
                hint=f"Did you mean {near[0]}?" if near else None,
            )
        inner = known.get(key)
        if isinstance(value, Mapping):
            _refuse_unknown(value, inner if isinstance(inner, Mapping) else {}, (*way, key))


def _section(document: Any, way: tuple[str, ...]) -> Mapping[str, Any]:
    for key in way:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def describe(plan: ServicePlan) -> Iterator[str]:
    """Yield what would be done, a line for each step, the first to be done first."""
    if plan.stop:
        yield "stop it and wait until its kernels are gone"
    if plan.remove:
        yield "remove it and its files for good"
    if plan.package is not None:
        verb = "deploy it from" if plan.package == "create" else "replace its package by"
        yield f"{verb} {plan.folder} ({plan.why.rstrip('.')[0].lower()}{plan.why.rstrip('.')[1:]})"
    for change in plan.profile:
        yield f"profile {change_line(change)}"
    if plan.start:
        yield "start it"


def change_line(change: ProfileChange) -> str:
    """Return one change as people read it: the field, what it is, and what it would be."""
    return f"{change.path}: {_value(change.old)} -> {_value(change.new)}"


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return echo(value) if isinstance(value, str) else str(value)
