"""Sends packages in the form that an EDI takes: as the body, or as a form of WMLA 2.3.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Literal

from .answers import is_form_refused
from .exchange import Exchange
from .transport import RawAnswer
from .upload import UPLOAD_TIMEOUT, WRITE_TIMEOUT, Upload

#: How a package is sent.
UploadForm = Literal["auto", "raw", "multipart"]


class PackageSender:
    """Remembers which form was taken.

    Parameters
    ----------
    exchange:
        Sends the requests.
    form:
        ``auto`` tries the body itself first, and the form when that is refused for its form.
    """

    def __init__(self, exchange: Exchange, form: UploadForm) -> None:
        self._exchange = exchange
        self._form = form

    def send(
        self,
        path: str,
        file: BinaryIO,
        size: int,
        progress: Callable[[int, int], None] | None,
        checkpoint: Callable[[], None] | None,
        *,
        passing: frozenset[int] = frozenset(),
    ) -> RawAnswer:
        """Post a package and return the answer to a successful upload.

        What was refused has not been deployed, so nothing is deployed twice.

        Parameters
        ----------
        path:
            Of the route.
        file, size, progress, checkpoint:
            As for :meth:`.EdiClient.deploy`.
        passing:
            Refusals that are returned too.

        Raises
        ------
        EdiError
            What :meth:`.EdiClient.deploy` names.
        """

        def make(as_form: bool) -> Upload:
            return Upload(file, size, progress, checkpoint, as_form=as_form)

        as_form = self._form == "multipart"
        body = make(as_form)
        answer = self._post(path, body)
        if self._form == "auto" and is_form_refused(answer) and body.rewind():
            second = self._post(path, make(True))
            # The first refusal is about the package itself unless the second form works.
            if second.status < 400:
                self._form, answer = "multipart", second
        elif answer.status < 400 and not as_form:
            self._form = "raw"
        if answer.status in passing:
            return answer
        return self._exchange.require(answer, "Inference Publish")

    def _post(self, path: str, body: Upload) -> RawAnswer:
        return self._exchange.send(
            "POST",
            path,
            headers={"Content-Type": body.content_type},
            body=body,
            connect_timeout=WRITE_TIMEOUT,
            read_timeout=UPLOAD_TIMEOUT,
        )
