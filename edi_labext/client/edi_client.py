"""One method per route of EDI (``reference/rest-api.md`` section 3), and of our engine's extra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from ..errors import UpstreamBadResponse, UpstreamUnreachable
from ..models import Capabilities, DeploymentStatus, ModelDescription, ModelInstance, check_name
from .answers import InferenceAnswer, read_json, read_model, read_models, refusal, strange
from .transport import MAX_ANSWER, READ_TIMEOUT, RawAnswer, Transport
from .upload import UPLOAD_TIMEOUT, WRITE_TIMEOUT, Upload

#: Largest inference answer, in bytes (64 MiB).
MAX_INFERENCE_ANSWER = 64 << 20
# Statuses that say nothing about whether the route exists.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class EdiClient:
    """A client of one EDI, usable from several threads.

    Parameters
    ----------
    base_url:
        Ends in ``/dlim/v1/``.
    token:
        Called for every request, so that a renewed token is used at once.
    trust_proxies:
        Whether ``HTTPS_PROXY`` and its like apply; never for this machine.
    verify:
        Certificate check: the usual authorities, or a file or folder of them.

    Every method raises, besides what it names: :class:`~edi_labext.errors.UpstreamUnreachable`,
    :class:`~edi_labext.errors.UpstreamTimeout`, :class:`~edi_labext.errors.UpstreamBadResponse`,
    :class:`~edi_labext.errors.UpstreamUnauthorized` (naming the missing permission), and for names
    that could not be any, :class:`~edi_labext.errors.InvalidInput`.
    """

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str],
        *,
        trust_proxies: bool,
        verify: bool | str = True,
    ) -> None:
        parts = urlsplit(base_url)
        self.base_url = base_url.rstrip("/") + "/"
        self._base_path = parts.path.rstrip("/")
        self._token = token
        self._transport = Transport(
            f"{parts.scheme}://{parts.netloc}", trust_proxies=trust_proxies, verify=verify
        )
        self._known_capabilities: Capabilities | None = None
        self._asked_capabilities = False

    def __repr__(self) -> str:
        return f"EdiClient({self.base_url})"

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return self._transport.host

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    # --- deployments ------------------------------------------------------------------------

    def list_models(self) -> list[ModelDescription]:
        """Return all deployments, as the EDI sorts them."""
        answer = self._call("GET", self._path("model"), "Inference List")
        return read_models(answer, ModelDescription, host=self.host)

    def get_model(self, name: str) -> ModelDescription:
        """Return one deployment; raises :class:`~edi_labext.errors.NotFound`."""
        answer = self._call("GET", self._path("model", check_name(name)), "Inference List")
        return read_model(answer, ModelDescription, host=self.host)

    def deploy(
        self,
        file: BinaryIO,
        size: int,
        *,
        progress: Callable[[int, int], None] | None = None,
        checkpoint: Callable[[], None] | None = None,
    ) -> ModelDescription:
        """Upload a package and return the new deployment, which is not started.

        Parameters
        ----------
        file:
            Seekable; read from where it stands.
        size:
            Bytes to send.
        progress:
            Told bytes sent and ``size`` after every block of at most 256 KiB.
        checkpoint:
            Called before every block; what it raises ends the upload.

        Raises
        ------
        Conflict
            ``exists`` when there is a deployment of that name.
        InvalidInput, TooLarge
            The package was refused.
        """
        answer = self._call(
            "POST",
            self._path("deployment", "model"),
            "Inference Publish",
            headers={"Content-Type": "application/octet-stream"},
            body=Upload(file, size, progress, checkpoint),
            connect_timeout=WRITE_TIMEOUT,
            read_timeout=UPLOAD_TIMEOUT,
        )
        return read_model(answer, ModelDescription, host=self.host)

    def delete_model(self, name: str) -> None:
        """Remove a stopped deployment and its files for good.

        Raises
        ------
        NotFound
        Conflict
            ``started`` when it has not been stopped.
        """
        self._call("DELETE", self._path("model", check_name(name)), "Inference Delete")

    def start(self, name: str) -> None:
        """Ask for a start; it happens later. Raises :class:`~edi_labext.errors.NotFound`."""
        path = self._path("model", check_name(name), "operation", "start")
        self._call("PUT", path, "Inference Start")

    def stop(self, name: str) -> None:
        """Ask for a stop; it happens later. Raises :class:`~edi_labext.errors.NotFound`."""
        path = self._path("model", check_name(name), "operation", "stop")
        self._call("PUT", path, "Inference Stop")

    def instance(self, name: str) -> ModelInstance:
        """Return what runs; raises :class:`~edi_labext.errors.NotFound`."""
        path = self._path("model", check_name(name), "instance")
        return read_model(self._call("GET", path, "Inference List"), ModelInstance, host=self.host)

    def readme(self, name: str) -> str:
        """Return the text of ``README.md``; raises :class:`~edi_labext.errors.NotFound`."""
        path = self._path("model", check_name(name), "readme")
        answer = self._call("GET", path, "Inference List")
        value = read_json(answer, host=self.host)
        text = value.get("readme") if isinstance(value, dict) else None
        if not isinstance(text, str):
            raise strange(answer, self.host, "not a readme")
        return text

    # --- what only our engine has -----------------------------------------------------------

    def capabilities(self) -> Capabilities | None:
        """Return what this EDI has beyond WMLA's API, or ``None``; asked once per client."""
        if self._asked_capabilities:
            return self._known_capabilities
        try:
            answer = self._send("GET", "/edi/v1/capabilities", headers={})
            if answer.status in _PASSING:
                raise refusal(answer, host=self.host, permission=None)
            if answer.status == 200:
                self._known_capabilities = read_model(answer, Capabilities, host=self.host)
        except UpstreamBadResponse:
            # A redirect or a page, as gateways answer for what they do not know.
            pass
        self._asked_capabilities = True
        return self._known_capabilities

    def status(self, name: str) -> DeploymentStatus | None:
        """Return the state with its reason, or ``None`` from an EDI that has no such route.

        Raises
        ------
        NotFound
        """
        check_name(name)
        if self.capabilities() is None:
            return None
        answer = self._call("GET", f"/edi/v1/model/{quote(name, safe='')}/status", "Inference List")
        return read_model(answer, DeploymentStatus, host=self.host)

    # --- inference --------------------------------------------------------------------------

    def infer(
        self,
        name: str,
        body: bytes,
        *,
        content_type: str = "application/json",
        timeout: float = 70,
    ) -> InferenceAnswer:
        """Send one task and return what came back, also when that is a refusal.

        A failing kernel, a full queue or an unknown name is an answer with its status and body
        (see :meth:`InferenceAnswer.error`). Only a refused token raises, and no answer at all.

        Parameters
        ----------
        timeout:
            Seconds; a little more than the profile's ``task_execution_timeout`` (60).
        """
        answer = self._send(
            "POST",
            self._path("inference", check_name(name)),
            headers={"Content-Type": content_type},
            bearer=True,
            body=body,
            read_timeout=timeout,
            limit=MAX_INFERENCE_ANSWER,
        )
        if answer.status in (401, 403):
            raise refusal(answer, host=self.host, permission="Inference Run")
        return InferenceAnswer(
            answer.status, answer.body, answer.content_type, answer.elapsed, self.host
        )

    # --- one exchange -----------------------------------------------------------------------

    def _path(self, *segments: str) -> str:
        return "/".join((self._base_path, *(quote(segment, safe="") for segment in segments)))

    def _call(
        self,
        method: str,
        path: str,
        permission: str | None,
        *,
        headers: dict[str, str] | None = None,
        body: Any = None,
        connect_timeout: float | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> RawAnswer:
        """Send a management request; everything but success raises."""
        answer = self._send(
            method,
            path,
            headers=headers or {},
            body=body,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
        if answer.status >= 400:
            raise refusal(answer, host=self.host, permission=permission)
        return answer

    def _send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        bearer: bool = False,
        body: Any = None,
        connect_timeout: float | None = None,
        read_timeout: float = READ_TIMEOUT,
        limit: int = MAX_ANSWER,
    ) -> RawAnswer:
        """Send, and send again once where that is safe: a new token, or a connection that died.

        An idle connection may be closed by the other side at the very moment it is used, which
        says nothing about the request; only reads are repeated.

        WMLA's inference host takes the token as ``Bearer`` alone, its console host as
        ``X-Auth-Token``, so inference sends both; our engine refuses two tokens in one request.
        """
        token = self._token()
        timeouts: dict[str, float] = {"read_timeout": read_timeout}
        if connect_timeout is not None:
            timeouts["connect_timeout"] = connect_timeout
        for last in (False, True):
            sent = {**headers, "X-Auth-Token": token}
            if bearer and not self._transport.is_local:
                sent["Authorization"] = f"Bearer {token}"
            try:
                answer = self._transport.exchange(
                    method, path, sent, body=body, limit=limit, secret=token, **timeouts
                )
            except UpstreamUnreachable as error:
                if last or method != "GET" or error.code != "upstream_reset":
                    raise
                continue
            if answer.status != 401 or last or isinstance(body, Upload):
                return answer
            renewed = self._token()
            if renewed == token:
                return answer
            token = renewed
        raise AssertionError("unreachable")
