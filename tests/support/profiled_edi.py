"""The profile of one deployment of a small EDI."""

from __future__ import annotations

import json
from typing import Any

from .scripted_edi import Reply, ScriptedEdi
from .small_edi import SmallEdi


class ProfiledEdi:
    """Adds the profile routes to a :class:`SmallEdi`: refused while it is started."""

    def __init__(self, small: SmallEdi, server: ScriptedEdi, document: dict[str, Any]) -> None:
        self.document = document
        self.puts = 0
        self.refusal: Reply | None = None
        server.on("GET", "/model/digits/appprofile", lambda _: Reply.json(self.document))

        def put(request: Any) -> Reply:
            self.puts += 1
            if self.refusal is not None:
                return self.refusal
            assert small.deployments["digits"].state == "stopped"
            self.document = json.loads(request.body)
            return Reply.json({})

        server.on("PUT", "/model/digits/appprofile", put)
