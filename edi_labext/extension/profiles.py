"""Profiles in the browser: what there is, what saving would change, and saving it as a job."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..client import EdiClient, EnvironmentSet
from ..errors import Conflict
from ..models import Profile, check_profile, profile_revision, refuse_problems
from ..operations import (
    Cancellation,
    Report,
    edit_profile,
    get_deployment,
    profile_diff,
    view_profile,
)
from .api import FieldChange, FieldProblem, Job, ProfileDiff, ProfileRequest, ProfileView
from .jobs import JobManager
from .workers import WorkerPool


class Profiles:
    """The profiles of all deployments.

    Parameters
    ----------
    environments:
        The EDIs.
    pool:
        Threads for short questions.
    jobs:
        Takes what is longer.
    """

    def __init__(self, environments: EnvironmentSet, pool: WorkerPool, jobs: JobManager) -> None:
        self._environments = environments
        self._pool = pool
        self._jobs = jobs

    async def view(self, environment: str, name: str) -> ProfileView:
        """Return the saved profile and what is needed to edit it."""
        return await self._pool.run(lambda: _view(self._environments.connect(environment), name))

    async def diff(self, environment: str, name: str, document: dict[str, Any]) -> ProfileDiff:
        """Compare a document with the saved profile."""
        return await self._pool.run(
            lambda: _diff(self._environments.connect(environment), name, document)
        )

    async def save(self, environment: str, name: str, request: ProfileRequest) -> Job:
        """Start a job that saves a profile; raises at once where that is bound to fail.

        Raises
        ------
        InvalidInput
            ``invalid_profile``, with all problems.
        Conflict
            ``started``, unless a restart was asked for; ``changed_since_read``.
        """
        await self._pool.run(
            lambda: _require_savable(self._environments.connect(environment), name, request)
        )

        def action(report: Report, cancellation: Cancellation) -> None:
            edit_profile(
                self._environments.connect(environment),
                name,
                request.profile,
                restart=request.restart,
                report=report,
                cancellation=cancellation,
            )

        return self._jobs.submit("profile", environment, name, action)


def _view(client: EdiClient, name: str) -> ProfileView:
    document = view_profile(client, name).to_wire()
    capabilities = client.capabilities()
    return ProfileView(
        profile=document,
        json_schema=_schema(),
        honoured=list(capabilities.honoured_profile_fields) if capabilities else None,
        text=_text(document),
        started=_is_started(client, name),
        revision=profile_revision(document),
    )


def _diff(client: EdiClient, name: str, document: dict[str, Any]) -> ProfileDiff:
    saved = view_profile(client, name).to_wire()
    return ProfileDiff(
        changes=[
            FieldChange(path=change.path, old=change.old, new=change.new)
            for change in profile_diff(saved, document)
        ],
        text="\n".join(_changed_lines(saved, document)),
        problems=[FieldProblem(**problem) for problem in check_profile(document, saved)],
    )


def _require_savable(client: EdiClient, name: str, request: ProfileRequest) -> None:
    saved = view_profile(client, name).to_wire()
    if request.revision is not None and request.revision != profile_revision(saved):
        raise Conflict(
            f"The profile of {name} has changed since you opened it.",
            code="changed_since_read",
            hint="Open it again to see what it is now; your edits were not saved.",
        )
    refuse_problems(check_profile(request.profile, saved))
    if not request.restart and _is_started(client, name):
        raise Conflict(
            f"{name} is started; its profile can only be changed while it is stopped.",
            code="started",
            hint="Stop it first, or save and restart it.",
        )


def _is_started(client: EdiClient, name: str) -> bool:
    return get_deployment(client, name).state not in ("stopped", "stopping")


@cache
def _schema() -> dict[str, Any]:
    return Profile.model_json_schema(mode="validation")


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _changed_lines(saved: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    return difflib.unified_diff(
        _text(saved).splitlines(), _text(document).splitlines(), "saved", "yours", lineterm=""
    )
