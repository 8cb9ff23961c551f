"""The reading side of a connection: from bytes to requests, one at a time.

What a parser callback raises is the answer to the request being read; the parser stops there, and
:meth:`ReadingSide.refuse` sends it in its turn.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ...errors import EdiError, InvalidInput
from .credentials import Identity
from .deadlines import Stage
from .door import Door
from .errors import MethodNotAllowed
from .gate import Admitted, Refusal
from .handover import without_upgrade
from .incoming import Incoming

#: Most bytes that are read and thrown away so that a connection can end without a reset.
_DISCARD_LIMIT: Final = 256 * 1024
#: What a request line with a method that is none begins with, such as ``get /``.
_VERB = re.compile(rb"[A-Za-z]{1,24} ")


class ReadingSide(HttpToolsProtocol):
    """Reads requests; what becomes of them is decided by the five methods at the end."""

    def __init__(
        self,
        door: Door,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._door = door
        self._settings = door.settings
        self._deadlines = door.deadlines
        self._stage = Stage.QUIET
        self._since = self._deadlines.now
        self._incoming = Incoming(self._settings, self._since)
        #: The last inference that the gate has looked at: a client's heads are mostly the same.
        self._like: Incoming | None = None
        self._requests = 0
        self._keep_alive = True
        self._draining = False
        #: The body goes to ``cycle``, the newest request that the application has.
        self._handed_over = False
        #: No request follows the one being read or answered.
        self._closing = False
        #: Nothing that comes is parsed any more.
        self._deaf = False
        self._discarded = 0

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls the ``on_…`` methods."""
        if self._deaf:
            self._discarded += len(data)
            if self._discarded > _DISCARD_LIMIT:
                self.flow.pause_reading()
            return
        stage, requests, received = self._stage, self._requests, self._incoming.received
        try:
            self._feed(data)
            if (
                stage is not Stage.QUIET
                and (stage, requests) == (self._stage, self._requests)
                and received == self._incoming.received
            ):
                self._incoming.count_stuck(len(data))
        except EdiError as error:
            self.refuse(error)
        except httptools.HttpParserCallbackError as error:
            if not self._deaf:
                self.refuse(error.__context__ or error)
        except httptools.HttpParserInvalidMethodError:
            # Only the first request of these bytes begins where they begin.
            if _VERB.match(data) and stage is Stage.QUIET and self._requests == requests + 1:
                self.refuse(MethodNotAllowed("There is no such method."))
            else:
                self.refuse(InvalidInput("This is not HTTP.", code="malformed_request"))
        except httptools.HttpParserError as error:
            self.refuse(InvalidInput(f"This is not HTTP/1.1: {error}.", code="malformed_request"))

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                # Declined by reading the request again without it, on a parser that has not
                # changed to the other protocol.
                incoming = self._incoming
                head = without_upgrade(
                    self.parser.get_method(),
                    incoming.target,
                    self.parser.get_http_version(),
                    incoming.headers,
                )
                data = head + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            else:
                return

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        if self._closing:
            self._deaf = True
            raise InvalidInput("This connection was to be closed.")
        self._requests += 1
        self._stage = Stage.HEAD
        self._since = self._deadlines.now
        self._incoming = Incoming(self._settings, self._since)
        self._handed_over = False

    def on_url(self, url: bytes) -> None:
        """Keep a piece of the target."""
        self._incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._incoming.add_header(name, value)

    def on_headers_complete(self) -> None:
        """Ask the gate, then choose the way in."""
        parser, incoming = self.parser, self._incoming
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            return
        incoming.method = method
        incoming.version = version = parser.get_http_version()
        self._stage = Stage.BODY
        self._since = self._deadlines.now
        self._keep_alive = version == "1.1" and parser.should_keep_alive() and not self._draining
        self._closing = not self._keep_alive
        like = self._like
        verdict: Admitted | Refusal
        if like is not None and like.admitted is not None and incoming.has_the_head_of(like):
            # The gate decides on the head alone, and would say the same again.
            verdict = like.admitted
        else:
            verdict = self._door.gate.admit(method, incoming.target, incoming.headers, version)
            if not isinstance(verdict, Admitted):
                self.turn_away(verdict)
                return
            if verdict.deployment is not None:
                self._like = incoming
        incoming.admitted = verdict
        if verdict.deployment is None or not self.may_submit():
            self._handed_over = True
            self.hand_over(verdict)
        elif verdict.expects_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_chunk_header(self) -> None:
        """Count a chunk."""
        self._incoming.add_chunk()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body, or pass it on."""
        incoming = self._incoming
        if incoming.admitted is None:
            return
        self._since = self._deadlines.now
        incoming.count_body(incoming.admitted, len(body))
        if self._handed_over:
            super().on_body(body)
        else:
            incoming.keep_body(body)

    def on_message_complete(self) -> None:
        """Submit the task, or tell the application that its body is complete."""
        if self._stage is Stage.HEAD:  # an offer to upgrade; see _feed
            return
        self._stage = Stage.QUIET
        self._since = self._deadlines.now
        admitted = self._incoming.admitted
        if self._handed_over:
            self._handed_over = False
            super().on_message_complete()
        elif admitted is not None and admitted.deployment is not None:
            self.submit(admitted.deployment, admitted.identity, self._incoming.take_body())

    # --- what becomes of a request ----------------------------------------------------------

    def may_submit(self) -> bool:
        """Tell whether an inference may become a task now, with no answer before its own."""
        raise NotImplementedError

    def submit(self, deployment: str, caller: Identity | None, body: bytes) -> None:
        """Make a task of an inference."""
        raise NotImplementedError

    def hand_over(self, admitted: Admitted) -> None:
        """Give the request to the application; its body follows."""
        raise NotImplementedError

    def turn_away(self, refusal: Refusal) -> None:
        """Answer a request that the gate did not admit; raise to read nothing after it."""
        raise NotImplementedError

    def refuse(self, error: BaseException) -> None:
        """Answer the request being read with ``error``, in its turn, and read nothing more."""
        raise NotImplementedError
