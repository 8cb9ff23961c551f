"""Find out what a token permits, without doing anything.

EDI has no route that tells permissions. So each action is tried on a service that nobody has: an
EDI that refuses the action says 403, one that does not looks for the service and finds none.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Mapping
from typing import Literal

from ..errors import Conflict, EdiError, InvalidInput, NotFound
from .edi_client import EdiClient

#: ``not refused``: an EDI may look for the service before it looks at permissions.
Permitted = Literal["yes", "no", "not refused", "unknown"]

#: The permissions that EDI knows (``reference/rest-api.md`` section 2).
PERMISSIONS = (
    "Inference List",
    "Inference Publish",
    "Inference Update",
    "Inference Start",
    "Inference Stop",
    "Inference Delete",
    "Inference Run",
)


def check_permissions(client: EdiClient) -> Mapping[str, Permitted]:
    """Return for each of :data:`PERMISSIONS` what is known of it.

    What earlier requests of this client have shown is not asked again. Nothing is changed: the
    name is made up for this call, and too long to be anybody's by chance.
    """
    name = f"edi-permission-test-{secrets.token_hex(12)}"
    tries: dict[str, Callable[[], bool]] = {
        # An EDI without that route does not tell, which is why there is an answer.
        "Inference Publish": lambda: client.redeploy(name, io.BytesIO(), 0),
        "Inference Update": lambda: _done(lambda: client.update_readme(name, "")),
        "Inference Start": lambda: _done(lambda: client.start(name)),
        "Inference Stop": lambda: _done(lambda: client.stop(name)),
        "Inference Delete": lambda: _done(lambda: client.delete_model(name)),
        "Inference Run": lambda: _was_looked_for(client, name),
    }
    known: dict[str, Permitted] = {}
    for permission in PERMISSIONS:
        found = _shown(client, permission)
        if found == "unknown" and permission in tries:
            not_refused = _try(tries[permission])
            found = _shown(client, permission)
            if found == "unknown" and not_refused:
                found = "not refused"
        known[permission] = found
    return known


def _shown(client: EdiClient, permission: str) -> Permitted:
    permitted, forbidden = client.permissions()
    return "yes" if permission in permitted else "no" if permission in forbidden else "unknown"


def _try(action: Callable[[], bool]) -> bool:
    """Tell whether the EDI has got as far as looking for the service, or at what was sent."""
    try:
        return action()
    except (NotFound, InvalidInput, Conflict):
        return True
    except EdiError:
        return False


def _done(action: Callable[[], None]) -> bool:
    action()
    return True


def _was_looked_for(client: EdiClient, name: str) -> bool:
    return client.infer(name, b"{}").status in (400, 404, 409)
