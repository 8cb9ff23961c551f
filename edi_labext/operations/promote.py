"""Bring a service from one EDI to another: the same package, the same profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..client import EdiClient
from ..errors import Conflict, EdiError, InvalidInput, NotFound, echo
from ..models import ModelDescription, Profile, SubmissionDescription
from ..submission import check_folder
from .declared.fingerprint import ATTRIBUTE, Fingerprint, take_fingerprint
from .deploy import deploy_folder
from .overview import Deployment, get_deployment, observe
from .profile import ProfileChange, edit_profile, profile_diff
from .progress import Cancellation, Report, quiet
from .replace import replace_folder

#: Of a profile, what belongs to the deployment or the service and not to how it runs.
_IDENTITY = ("schema_version", "type", "name", "create_time", "last_update_time")
#: Of a description, what a person gives.
_GIVEN = ("tag", "runtime", "weight_path", "attributes", "mk_environments")


@dataclass(frozen=True)
class Promotion:
    """What differs between a service and what there is of it at the destination.

    Attributes
    ----------
    name, folder:
        The service and its source.
    fingerprint:
        Of the package that would be sent.
    profile:
        The profile of the service, without what belongs to its EDI.
    keep:
        Dotted paths of the profile that the destination keeps.
    package:
        ``create``, ``replace``, or ``None`` when the destination has this package.
    description:
        What the descriptions say differently, destination → service.
    changes:
        What the profiles say differently, destination (or EDI's default) → service.
    running:
        Whether it is started at the destination.
    notes:
        What should be known before it is done.
    """

    name: str
    folder: Path
    fingerprint: Fingerprint
    profile: Mapping[str, Any]
    keep: tuple[str, ...]
    package: str | None
    description: list[ProfileChange]
    changes: list[ProfileChange]
    running: bool
    notes: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.package or self.changes)


def compare_for_promotion(
    source: EdiClient,
    destination: EdiClient,
    name: str,
    folder: Path,
    *,
    keep: Sequence[str] = (),
) -> Promotion:
    """Find out what a promotion would change; only reads.

    An EDI gives no package back, so it is made anew of the folder, which has to be the one that
    the service was deployed from.

    Parameters
    ----------
    keep:
        Dotted paths of the profile, such as ``resource_allocation.kernel.resource_plan``, whose
        values at the destination are to stay.

    Raises
    ------
    NotFound
        The source has no such service, or there is no such folder.
    InvalidInput
        The folder cannot be deployed; ``unknown_field`` for a path of ``keep`` that is none.
    Conflict
        ``another_package``: the folder is not what the service was deployed from.
    """
    model = source.get_model(name)
    found = check_folder(folder, name=name)
    fingerprint = take_fingerprint(
        found.submission, name, _given(model, found.require_deployable())
    )
    notes = []
    match fingerprint.matches(model):
        case False:
            raise Conflict(
                f"The folder {echo(folder.name)} is not what {name} was deployed from.",
                code="another_package",
                hint="Name the folder that it was deployed from, or deploy this one first.",
            )
        case None:
            notes.append(
                "The folder has the size of the service's package. More cannot be told, since it "
                "was not deployed by edi apply or edi promote."
            )
    profile = _without_identity(source.app_profile(name))
    present = _model(destination, name)
    before = Profile(name=name).to_wire() if present is None else destination.app_profile(name)
    wanted = _kept(profile, before, keep)
    notes += _runtime_notes(destination, model.runtime)
    same = present is not None and fingerprint.matches(present) is True
    return Promotion(
        name=name,
        folder=folder,
        fingerprint=fingerprint,
        profile=profile,
        keep=tuple(keep),
        package="create" if present is None else None if same else "replace",
        description=[] if present is None else profile_diff(_said(present), _said(model)),
        changes=profile_diff(_without_identity(before), wanted),
        running=present is not None
        and observe(destination, name).state not in ("stopped", "stopping"),
        notes=notes,
    )


def promote(
    destination: EdiClient,
    promotion: Promotion,
    *,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
) -> Deployment:
    """Do what a comparison says.

    With another package the service is left stopped; with another profile alone it is restarted
    if it ran.

    Raises
    ------
    EdiError
        As :func:`.deploy_folder`, :func:`.replace_folder` and :func:`.edit_profile`.
    """
    cancellation = cancellation or Cancellation()
    name = promotion.name
    before = None if promotion.package == "create" else destination.app_profile(name)
    if promotion.package is not None:
        send = deploy_folder if promotion.package == "create" else replace_folder
        options: dict[str, Any] = {"start": False} if promotion.package == "create" else {}
        send(
            destination,
            promotion.folder,
            name=name,
            description=promotion.fingerprint.description,
            report=report,
            cancellation=cancellation,
            **options,
        )
    fresh = destination.app_profile(name)
    document = _kept(promotion.profile, before or fresh, promotion.keep)
    document |= {key: fresh[key] for key in _IDENTITY if key in fresh}
    edit_profile(
        destination, name, document, restart=True, report=report, cancellation=cancellation
    )
    return get_deployment(destination, name)


def _model(client: EdiClient, name: str) -> ModelDescription | None:
    try:
        return client.get_model(name)
    except NotFound:
        return None


def _given(model: ModelDescription, own: SubmissionDescription) -> dict[str, Any]:
    """Return what the service was deployed with instead of what the folder's description says."""
    said = _said(model)
    folder = own.model_dump(mode="json")
    return {key: said[key] for key in _GIVEN if said[key] != folder[key]}


def _said(model: ModelDescription) -> dict[str, Any]:
    told = {key: value for key, value in model.model_dump(mode="json").items() if key in _GIVEN}
    told["attributes"] = [item for item in told["attributes"] if item["key"] != ATTRIBUTE]
    return told


def _without_identity(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in profile.items() if key not in _IDENTITY}


def _kept(
    profile: Mapping[str, Any], before: Mapping[str, Any], keep: Sequence[str]
) -> dict[str, Any]:
    """Return ``profile`` with the values of ``before`` at the paths of ``keep``."""
    wanted = _copy(profile)
    for path in keep:
        *way, last = path.split(".")
        inner: Any = wanted
        there: Any = before
        for key in way:
            there = there.get(key) if isinstance(there, Mapping) else None
            inner = inner.setdefault(key, {}) if isinstance(inner, dict) else None
        if not isinstance(there, Mapping) or last not in there or not isinstance(inner, dict):
            raise InvalidInput(
                f"The profile has no field {echo(path)}.", code="unknown_field", field="keep"
            )
        inner[last] = there[last]
    return wanted


def _copy(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(item) if isinstance(item, Mapping) else item for key, item in value.items()}


def _runtime_notes(client: EdiClient, runtime: str) -> list[str]:
    try:
        names = [item.type for item in client.runtimes()]
    except EdiError:
        return []
    if runtime in names:
        return []
    return [f"The destination has no runtime {echo(runtime)}; it has {', '.join(names) or 'none'}."]
