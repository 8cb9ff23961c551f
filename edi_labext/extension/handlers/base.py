"""The policy of every route: who may call, what may come in, how errors go out.

Nothing else in the extension knows of HTTP statuses. Imports only what Jupyter has loaded already.
"""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_server.auth.decorator import authorized as _authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.prometheus.log_functions import prometheus_log_method
from tornado import web

from ...errors import (
    ECHO_LIMIT,
    EdiError,
    InvalidInput,
    NotConfigured,
    Unavailable,
    UnsupportedMedia,
    UpstreamError,
    echo,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from pydantic import BaseModel, ValidationError

    from ..api import Job
    from ..app import EdiLabext
    from ..service import EdiService

    BodyT = TypeVar("BodyT", bound=BaseModel)
    Verb = TypeVar("Verb", bound=Callable[..., Awaitable[None]])

#: The resource that every route asks the authorizer for.
RESOURCE = "edi"

#: Trouble of an EDI, which whoever looks at it logs once, and not of this server.
_TROUBLE = (NotConfigured, Unavailable, UpstreamError)

_CODES: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
}


def authorized(action: str, *, resource: str) -> Callable[[Verb], Verb]:
    """Let a verb run only if the server's authorizer allows ``action`` on ``resource``.

    jupyter_server's decorator, but with both arguments required: it fills in a missing one from
    the first request it sees, and keeps it for every handler that shares the method.
    """
    return cast("Callable[[Verb], Verb]", _authorized(action, resource=resource))


class EdiHandler(ExtensionHandlerMixin, APIHandler):
    """Base of all handlers.

    Subclasses decorate every verb with ``@web.authenticated`` and, below it,
    ``@authorized(action, resource=RESOURCE)``, and inherit none.
    """

    edi: EdiService
    #: Told in every error and found again in the log.
    request_id: str
    _is_quiet = False

    # Jupyter's own answers anybody, for pages of other origins; this façade has none.
    options = web.RequestHandler._unimplemented_method

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Name the request before anything can fail."""
        super().initialize(*args, **kwargs)
        self.request_id = secrets.token_hex(8)

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse whoever is not signed in, whatever the verb and the server's settings say."""
        await super().prepare()
        if not self.current_user:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)
        self.edi = await cast("EdiLabext", self.extensionapp).service()

    def set_default_headers(self) -> None:
        """Add to Jupyter's headers: the type is what we say, and nothing is kept."""
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        """Return nothing: an answer that is not kept needs no tag."""

    @property
    def _track_activity(self) -> bool:  # type: ignore[override]
        # Any GET may be a poll, and a tab left open must not keep an idle server alive.
        return self.request.method not in ("GET", "HEAD")

    # --- in ---------------------------------------------------------------------------------

    def read_body(self, model: type[BodyT], *, limit: int = 1 << 20) -> BodyT:
        """Return the JSON body as ``model``.

        Parameters
        ----------
        model:
            Forbids unknown fields.
        limit:
            Longest body, in bytes.

        Raises
        ------
        UnsupportedMedia
            The body is not plain ``application/json``.
        InvalidInput
            The body is not such JSON, or not such an object; ``field`` names what is wrong.
        """
        import pydantic

        from ...models.strict_json import parse_object

        self._check_media()
        value = parse_object(self.request.body, what="The body", limit=limit)
        try:
            return model.model_validate(value, strict=True)
        except pydantic.ValidationError as error:
            raise _invalid_field(error, value) from None

    def read_no_body(self) -> None:
        """Refuse a body on a route that takes none, but for an empty object."""
        if self.request.body or "Content-Type" in self.request.headers:
            self._check_media()
        if self.request.body:
            from ..api import NoBody

            self.read_body(NoBody)

    def _check_media(self) -> None:
        content_type = self.request.headers.get("Content-Type", "")
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMedia(
                f"This route takes application/json, not {echo(content_type)}.",
                hint="Set the header Content-Type: application/json.",
            )
        encoding = self.request.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise UnsupportedMedia(f"This route takes no body encoded as {echo(encoding)}.")

    # --- out --------------------------------------------------------------------------------

    def finish_model(self, model: BaseModel) -> None:
        """Answer with a model as JSON."""
        self.finish(model.model_dump_json(by_alias=True))

    def finish_job(self, job: Job) -> None:
        """Answer 202 with a job that was begun or is to be cancelled, and note who asked."""
        user = getattr(self.current_user, "username", "?")
        what = f"cancel {job.kind}" if job.cancelling else job.kind
        self.log.info("EDI job %s: %s %s for user %a", job.id, what, job.deployment, user)
        self.set_status(HTTPStatus.ACCEPTED)
        self.finish_model(job)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error; the only place where errors become HTTP.

        An :class:`~edi_labext.errors.EdiError` is told as it is, Jupyter's own refusals in the
        same shape. Anything else is told as ``internal_error`` and nothing more.
        """
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if isinstance(error, EdiError):
            self.set_status(error.http_status)
            self._is_quiet = isinstance(error, _TROUBLE) and not self._track_activity
            if error.retry_after is not None:
                self.set_header("Retry-After", str(max(1, round(error.retry_after))))
            wire = error.to_wire()
        elif isinstance(error, web.HTTPError):
            wire = self._refusal(error).to_wire()
        else:
            wire = EdiError(
                "Something went wrong inside edi_labext.",
                code="internal_error",
                hint=f"The Jupyter server's log has the details; look for {self.request_id}.",
            ).to_wire()
        self.finish(json.dumps({**wire, "request_id": self.request_id}))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what the request's answer does not say; never a query, header or body."""
        what = f"EDI request {self.request_id} {self.request.method} {self.request.path}"
        if isinstance(value, EdiError):
            self.log.debug("%s: %s: %a", what, value.code, value.message)
        elif isinstance(value, web.HTTPError):
            self.log.debug("%s: %d %a", what, value.status_code, _message(value))
        else:
            self.log.error("%s failed", what, exc_info=(typ, value, tb))  # type: ignore[arg-type]

    def _log(self) -> None:
        """Log the request, but no line a poll for as long as an EDI is in trouble."""
        if not self._is_quiet:
            super()._log()
            return
        self.log.debug("%d %s %s", self.get_status(), self.request.method, self.request.path)
        if getattr(self.serverapp, "record_http_request_metrics", True):
            prometheus_log_method(self)  # type: ignore[no-untyped-call]

    def _refusal(self, error: web.HTTPError) -> EdiError:
        """Return Jupyter's or tornado's refusal in our shape."""
        message = _message(error) or responses.get(error.status_code, "Refused")
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            verbs = [verb for verb in self.SUPPORTED_METHODS if self._has(verb)]
            self.set_header("Allow", ", ".join(verbs))
            message = f"This route takes {' and '.join(verbs)} only."
        return EdiError(message, code=_CODES.get(error.status_code, "refused"))

    def _has(self, verb: str) -> bool:
        return getattr(type(self), verb.lower()) is not web.RequestHandler._unimplemented_method


def _message(error: web.HTTPError) -> str:
    message = error.log_message or ""
    return message % error.args if error.args else message


def _invalid_field(error: ValidationError, body: Any) -> InvalidInput:
    """Return pydantic's first complaint in our words."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = _field(first["loc"], body)
    if first["type"] == "extra_forbidden":
        return InvalidInput(
            f"The body has an unknown field {echo(field)}.", code="unknown_field", field=field
        )
    code = "missing_field" if first["type"] == "missing" else "invalid_field"
    return InvalidInput(f"The body's {field} is wrong: {first['msg']}.", code=code, field=field)


def _field(location: tuple[int | str, ...], body: Any) -> str:
    """Return the dotted name of a place in the body.

    Pydantic's location also has the kind of each union on the way, which is no field.
    """
    parts = []
    *way, last = location
    for part in way:
        if isinstance(body, dict) and part != body.get("kind"):
            parts.append(str(part))
            body = body.get(part)
    return ".".join([*parts, str(last)])[:ECHO_LIMIT]
