"""The documentation of the API: the OpenAPI document, and a page made of it.

Both are open to everybody who may reach the engine at all. They are the same for every engine of
this version, so they tell nothing about this one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from .docs_page import CONTENT_SECURITY_POLICY, render
from .openapi import openapi_document
from .row import RouteRow

if TYPE_CHECKING:
    from ..engine import Engine


class Documentation:
    """Answers for the routes of the documentation.

    Parameters
    ----------
    rows:
        Returns the route table, which these routes are in themselves.
    """

    def __init__(self, rows: Callable[[], Sequence[RouteRow]]) -> None:
        self._rows = rows

    @cached_property
    def _document(self) -> dict[str, Any]:
        return openapi_document(self._rows())

    @cached_property
    def _document_bytes(self) -> bytes:
        return json.dumps(self._document, indent=1).encode()

    @cached_property
    def _page_bytes(self) -> bytes:
        return render(self._document).encode()

    async def get_document(self, request: Request, engine: Engine) -> Response:
        """Answer this API as an OpenAPI 3.1 document."""
        return Response(self._document_bytes, media_type="application/json")

    async def get_page(self, request: Request, engine: Engine) -> Response:
        """Answer this API as a page for people."""
        return Response(
            self._page_bytes,
            media_type="text/html; charset=utf-8",
            headers={
                "Content-Security-Policy": CONTENT_SECURITY_POLICY,
                "Referrer-Policy": "no-referrer",
                "X-Frame-Options": "DENY",
            },
        )
