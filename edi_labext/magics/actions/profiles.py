"""Show a profile, or change it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from IPython import display as ipython
from IPython.core.error import UsageError

from ... import operations
from ...client import EdiClient
from ...errors import Conflict, Unavailable
from ...models import check_profile, refuse_problems
from ..display.deployments import DeploymentCard
from ..display.profiles import ProfileCard, ProfileChanges
from ..template import fill
from .call import Call

if TYPE_CHECKING:
    from ...operations import Cancellation, Deployment, Report


def profile(call: Call) -> ProfileCard | ProfileChanges | DeploymentCard:
    """Show the profile, or merge the cell into it (a JSON merge patch, RFC 7396)."""
    arguments, name = call.arguments, call.name
    if call.cell is None:
        if arguments.restart or arguments.dry_run:
            raise UsageError(
                f"%edi profile changes nothing by itself: write %%edi profile {name}, and below "
                "it the fields to change."
            )
        client = call.client()
        document = operations.view_profile(client, name).to_wire()
        return ProfileCard(name, document, _honoured(client))
    patch = _patch(call, call.cell)
    client = call.client()
    old = operations.view_profile(client, name).to_wire()
    new = operations.apply_patch(old, patch)
    refuse_problems(check_profile(new, old))
    changes = tuple(operations.profile_diff(old, new))
    if not changes:
        return ProfileChanges(name, (), "Nothing to change.")
    if arguments.dry_run:
        return ProfileChanges(name, changes, "Not saved (--dry-run).", _honoured(client))
    # Before, and not with the result: it is seen even if the deployment does not start with it.
    show: Any = ipython.display  # untyped
    show(ProfileChanges(name, changes, "", _honoured(client)))
    return DeploymentCard(_save(call, client, name, new), call.where)


def _save(call: Call, client: EdiClient, name: str, document: dict[str, Any]) -> Deployment:
    def action(report: Report, cancellation: Cancellation) -> Deployment:
        return operations.edit_profile(
            client,
            name,
            document,
            restart=call.arguments.restart,
            report=report,
            cancellation=cancellation,
        )

    try:
        return call.run(action, f"changing the profile of {name}")
    except Conflict as error:
        if error.code == "started":
            error.hint = "Add --restart to have it stopped, changed and started again."
        raise
    except Unavailable as error:
        if error.code in _AFTER_SAVING:
            error.hint = f"The profile is saved. {error.hint or ''}".rstrip()
        raise


#: How a start can fail; a profile is saved before.
_AFTER_SAVING = frozenset({"pending", "deployment_failed", "start_timeout"})


def _patch(call: Call, cell: str) -> dict[str, Any]:
    if not cell.strip():
        raise UsageError(
            "%%edi profile: the cell is empty; write the fields to change into it, such as "
            '{"kernel": {"gpu": "shared"}}.'
        )
    text = fill(cell.rstrip("\n"), call.shell.user_ns, what="The cell", first_line=2)
    patch = json.loads(text)
    if not isinstance(patch, dict):
        raise UsageError(
            '%%edi profile: the cell must hold an object, such as {"kernel": {"gpu": "shared"}}.'
        )
    return patch


def _honoured(client: EdiClient) -> frozenset[str] | None:
    """Return the fields that this EDI acts on, ``None`` when it does not tell."""
    capabilities = client.capabilities()
    return None if capabilities is None else frozenset(capabilities.honoured_profile_fields)
