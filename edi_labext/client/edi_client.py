"""One method per route of EDI (``reference/rest-api.md`` section 3), and of our engine's extra."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from ..errors import UpstreamBadResponse
from ..models import (
    Capabilities,
    DeploymentStatus,
    LogPage,
    ModelDescription,
    ModelInstance,
    Runtime,
    check_name,
)
from .addresses import origin_of
from .answers import (
    InferenceAnswer,
    read_items,
    read_model,
    read_models,
    read_object,
    refusal,
    strange,
)
from .exchange import Exchange
from .package_sender import PackageSender, UploadForm
from .retries import NEVER, RetryPolicy
from .transport import Network

#: Largest inference answer, in bytes (64 MiB).
MAX_INFERENCE_ANSWER = 64 << 20
# What is answered where a route does not exist.
_NO_ROUTE = frozenset({404, 405, 501})
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
    trust_proxies, verify, network:
        How requests get there; ``network`` in place of the other two.
    inference_url:
        Base URL for inference, where that is another host; gets the token too.
    upload:
        How packages are sent: ``raw``, ``multipart`` (WMLA 2.3.0), or ``auto``, which tries the
        second when the first is refused for its form.
    retry, keep:
        When a question is asked again; folder for what this machine keeps of this EDI, if any.

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
        trust_proxies: bool = False,
        verify: bool | str = True,
        network: Network | None = None,
        inference_url: str | None = None,
        upload: UploadForm = "auto",
        retry: RetryPolicy = NEVER,
        keep: Path | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/") + "/"
        self.keep = keep
        network = network or Network(trust_proxies=trust_proxies, verify=verify)
        self._exchange = Exchange(self.base_url, token, network, retry)
        self._inference = self._exchange
        if inference_url is not None and origin_of(inference_url) != origin_of(self.base_url):
            self._inference = Exchange(inference_url, token, network, retry)
        self._packages = PackageSender(self._exchange, upload)
        self._known_capabilities: Capabilities | None = None
        self._asked_capabilities = False

    def __repr__(self) -> str:
        return f"EdiClient({self.base_url})"

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return self._exchange.host

    def close(self) -> None:
        """Close idle connections."""
        self._exchange.transport.close()
        self._inference.transport.close()

    def permissions(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the permissions that requests so far have shown to be there, and not to be."""
        shown = (self._exchange, self._inference)
        return (
            frozenset().union(*(exchange.permitted for exchange in shown)),
            frozenset().union(*(exchange.forbidden for exchange in shown)),
        )

    # --- deployments ------------------------------------------------------------------------

    def list_models(self) -> list[ModelDescription]:
        """Return all deployments, as the EDI sorts them."""
        answer = self._exchange.call("GET", self._exchange.path("model"), "Inference List")
        return read_models(answer, ModelDescription, host=self.host)

    def get_model(self, name: str) -> ModelDescription:
        """Return one deployment; raises :class:`~edi_labext.errors.NotFound`."""
        answer = self._exchange.call(
            "GET", self._exchange.path("model", check_name(name)), "Inference List"
        )
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
        path = self._exchange.path("deployment", "model")
        answer = self._packages.send(path, file, size, progress, checkpoint)
        return read_model(answer, ModelDescription, host=self.host)

    def redeploy(
        self,
        name: str,
        file: BinaryIO,
        size: int,
        *,
        progress: Callable[[int, int], None] | None = None,
        checkpoint: Callable[[], None] | None = None,
    ) -> bool:
        """Put another package in place of a stopped deployment's; parameters as for :meth:`deploy`.

        False, with nothing changed, where there is no such route or no such deployment; ``started``
        (:class:`~edi_labext.errors.Conflict`) and what is wrong with the package are raised.
        """
        path = self._exchange.path("deployment", "model", check_name(name))
        answer = self._packages.send(path, file, size, progress, checkpoint, passing=_NO_ROUTE)
        return answer.status not in _NO_ROUTE

    def delete_model(self, name: str) -> None:
        """Remove a stopped deployment and its files for good.

        Raises
        ------
        NotFound
        Conflict
            ``started`` when it has not been stopped.
        """
        self._exchange.call(
            "DELETE", self._exchange.path("model", check_name(name)), "Inference Delete"
        )

    def start(self, name: str) -> None:
        """Ask for a start; it happens later. Raises :class:`~edi_labext.errors.NotFound`."""
        path = self._exchange.path("model", check_name(name), "operation", "start")
        self._exchange.call("PUT", path, "Inference Start")

    def stop(self, name: str) -> None:
        """Ask for a stop; it happens later. Raises :class:`~edi_labext.errors.NotFound`."""
        path = self._exchange.path("model", check_name(name), "operation", "stop")
        self._exchange.call("PUT", path, "Inference Stop")

    def instance(self, name: str) -> ModelInstance:
        """Return what runs; raises :class:`~edi_labext.errors.NotFound`."""
        path = self._exchange.path("model", check_name(name), "instance")
        return read_model(
            self._exchange.call("GET", path, "Inference List"), ModelInstance, host=self.host
        )

    def readme(self, name: str) -> str:
        """Return the text of ``README.md``; raises :class:`~edi_labext.errors.NotFound`."""
        path = self._exchange.path("model", check_name(name), "readme")
        answer = self._exchange.call("GET", path, "Inference List")
        text = read_object(answer, host=self.host).get("readme")
        if not isinstance(text, str):
            raise strange(answer, self.host, "not a readme")
        return text

    def update_readme(self, name: str, text: str) -> None:
        """Replace the text of ``README.md``; raises :class:`~edi_labext.errors.NotFound`."""
        self._put(("model", check_name(name), "readme"), {"readme": text})

    # --- how they run -----------------------------------------------------------------------

    def app_profile(self, name: str) -> dict[str, Any]:
        """Return the profile exactly as the EDI has it.

        :meth:`edi_labext.models.Profile.read` makes a :class:`~edi_labext.models.Profile` of it.

        Raises
        ------
        NotFound
        """
        path = self._exchange.path("model", check_name(name), "appprofile")
        answer = self._exchange.call("GET", path, "Inference List")
        return read_object(answer, host=self.host)

    def update_profile(
        self, name: str, document: Mapping[str, Any], *, revision: str | None = None
    ) -> None:
        """Replace the whole profile of a stopped deployment, for its next start.

        Parameters
        ----------
        revision:
            :func:`~edi_labext.models.profile_revision` of the profile that it was made from; our
            engine refuses when that is no longer the present one, other EDIs do not look.

        Raises
        ------
        NotFound
        Conflict
            ``started``, ``changed_since_read``
        InvalidInput
            With all wrong fields in ``fields`` where the EDI tells them.
        """
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        self._put(("model", check_name(name), "appprofile"), document, headers)

    def runtimes(self) -> list[Runtime]:
        """Return what kernels can run in."""
        path = self._exchange.path("deployment", "runtime")
        answer = self._exchange.call("GET", path, "Inference List")
        items = read_object(answer, host=self.host).get("runtimes")
        return read_items(items, answer, Runtime, host=self.host)

    def runtime(self, name: str) -> Runtime:
        """Return one runtime; raises :class:`~edi_labext.errors.NotFound`."""
        path = self._exchange.path("deployment", "runtime", name)
        answer = self._exchange.call("GET", path, "Inference List")
        return read_model(answer, Runtime, host=self.host)

    def create_runtime(self, runtime: Runtime) -> None:
        """Publish a runtime.

        Raises :class:`~edi_labext.errors.Conflict` (``exists``), and
        :class:`~edi_labext.errors.InvalidInput` with all wrong fields where the EDI tells them.
        """
        self._exchange.call(
            "POST",
            self._exchange.path("deployment", "runtime"),
            "Inference Publish",
            headers={"Content-Type": "application/json"},
            body=json.dumps(runtime.to_wire()).encode(),
        )

    def update_runtime(self, runtime: Runtime) -> None:
        """Replace a whole runtime; what runs in it goes on as it is.

        Raises :class:`~edi_labext.errors.NotFound`, :class:`~edi_labext.errors.Conflict`
        (``built_in``) and what :meth:`create_runtime` does of wrong fields.
        """
        self._put(("deployment", "runtime", runtime.type), runtime.to_wire())

    def delete_runtime(self, name: str) -> None:
        """Remove a runtime.

        Raises :class:`~edi_labext.errors.NotFound` and :class:`~edi_labext.errors.Conflict`
        (``built_in``, or ``in_use`` by a started deployment).
        """
        path = self._exchange.path("deployment", "runtime", name)
        self._exchange.call("DELETE", path, "Inference Delete")

    def _put(
        self,
        route: tuple[str, ...],
        value: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._exchange.call(
            "PUT",
            self._exchange.path(*route),
            "Inference Update",
            headers={"Content-Type": "application/json", **(headers or {})},
            body=json.dumps(value).encode(),
        )

    # --- what only our engine has -----------------------------------------------------------

    def capabilities(self) -> Capabilities | None:
        """Return what this EDI has beyond WMLA's API, or ``None``; asked once per client."""
        if self._asked_capabilities:
            return self._known_capabilities
        try:
            answer = self._exchange.send("GET", "/edi/v1/capabilities", headers={})
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
        answer = self._exchange.call(
            "GET", f"/edi/v1/model/{quote(name, safe='')}/status", "Inference List"
        )
        return read_model(answer, DeploymentStatus, host=self.host)

    def logs(self, name: str, *, after: int | None = None, limit: int = 100) -> LogPage | None:
        """Return lines of a log, or ``None`` from an EDI that has no such route, as WMLA.

        They are those after number ``after``, by default the last ones, and at most ``limit``
        (2,000). Raises :class:`~edi_labext.errors.NotFound`.
        """
        check_name(name)
        known = self.capabilities()
        if known is None or "logs" not in known.features:
            return None
        query = f"limit={limit}" + ("" if after is None else f"&after={after}")
        answer = self._exchange.call(
            "GET", f"/edi/v1/model/{quote(name, safe='')}/logs?{query}", "Inference List"
        )
        return read_model(answer, LogPage, host=self.host)

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
        answer = self._inference.send(
            "POST",
            self._inference.path("inference", check_name(name)),
            headers={"Content-Type": content_type},
            bearer=True,
            body=body,
            read_timeout=timeout,
            limit=MAX_INFERENCE_ANSWER,
        )
        self._inference.note(answer, "Inference Run")
        if answer.status in (401, 403):
            raise self._inference.refused(answer, "Inference Run")
        return InferenceAnswer(
            answer.status, answer.body, answer.content_type, answer.elapsed, self._inference.host
        )
