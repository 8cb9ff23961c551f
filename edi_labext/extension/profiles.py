"""Profiles in the browser: what there is, what saving would change, and saving it as a job."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from ..client import EdiClient, EnvironmentSet
from ..errors import Conflict, StorageFailure
from ..models import Profile, check_profile, profile_revision, refuse_problems
from ..operations import (
    Cancellation,
    NextProfiles,
    Report,
    edit_profile,
    get_deployment,
    profile_diff,
    save_for_next_start,
    view_profile,
)
from .api import (
    FieldChange,
    FieldProblem,
    Job,
    NextProfile,
    NextProfileRequest,
    ProfileDiff,
    ProfileRequest,
    ProfileView,
)
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
    on_change:
        Called with the environment's id after its list says something else.
    """

    def __init__(
        self,
        environments: EnvironmentSet,
        pool: WorkerPool,
        jobs: JobManager,
        on_change: Callable[[str], None],
    ) -> None:
        self._environments = environments
        self._pool = pool
        self._jobs = jobs
        self._on_change = on_change

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

    async def save_next(
        self, environment: str, name: str, request: NextProfileRequest
    ) -> ProfileView:
        """Keep a profile for the next start; raises as :func:`.save_for_next_start` does."""

        def save() -> ProfileView:
            client = self._environments.connect(environment)
            save_for_next_start(client, name, request.profile, revision=request.revision)
            return _view(client, name)

        view = await self._pool.run(save)
        self._on_change(environment)
        return view

    async def discard_next(self, environment: str, name: str) -> ProfileView:
        """Forget what waits for the next start."""

        def discard() -> ProfileView:
            client = self._environments.connect(environment)
            NextProfiles.of(client).remove(name)
            return _view(client, name)

        view = await self._pool.run(discard)
        self._on_change(environment)
        return view


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
        next=_next(client, name, document),
    )


def _next(client: EdiClient, name: str, saved: dict[str, Any]) -> NextProfile | None:
    try:
        waiting = NextProfiles.of(client).get(name)
    except StorageFailure:
        # Whoever starts it is told; the form must open, to save another one over it.
        return None
    if waiting is None:
        return None
    return NextProfile(
        profile=waiting.document,
        saved_at=waiting.saved_at,
        outdated=waiting.revision != profile_revision(saved),
        changes=_field_changes(saved, waiting.document),
        text="\n".join(_changed_lines(saved, waiting.document)),
    )


def _field_changes(saved: dict[str, Any], document: dict[str, Any]) -> list[FieldChange]:
    return [
        FieldChange(path=change.path, old=change.old, new=change.new)
        for change in profile_diff(saved, document)
    ]


def _diff(client: EdiClient, name: str, document: dict[str, Any]) -> ProfileDiff:
    saved = view_profile(client, name).to_wire()
    return ProfileDiff(
        changes=_field_changes(saved, document),
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
            hint="Stop it first, save and restart it, or save it for the next start.",
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
