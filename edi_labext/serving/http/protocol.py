"""One connection of the engine, from its first byte to its last.

``POST /dlim/v1/inference/{name}`` on an idle connection goes from the HTTP parser straight into
the deployment's queue, and its answer straight to the socket. Everything else, and what is sent
before an earlier request was answered, is handed to the application the way uvicorn does it. In
both cases only after the gate has admitted it; refusals are answered here.

A connection reads one request at a time (:mod:`.reading`) and answers one at a time (``_front``);
answers leave in the order of the requests.

The base class is not a public interface: uvicorn is pinned to a minor version, and
``tests/serving/test_door.py`` names every attribute that is used of it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from ...errors import Overloaded, RequestTimeout
from .credentials import Identity
from .deadlines import Stage, is_overdue
from .door import Door
from .exchange import Exchange, failure
from .gate import Admitted, Refusal
from .handover import asgi_scope
from .reading import ReadingSide

#: Rest of a body that is read to its end although its answer is already out.
_SMALL_REST: Final = 64 * 1024
#: Refusals after which the connection may be used again, if the request had no body.
_HARMLESS: Final = frozenset((401, 403, 404, 405))


class DoorProtocol(ReadingSide):
    """One connection: its life, its deadlines, and its answers in order."""

    def __init__(
        self,
        door: Door,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(door, config, server_state, app_state, _loop)
        #: What is being answered; later requests wait in the base class's ``pipeline``.
        self._front: Exchange | RequestResponseCycle | None = None
        #: Sent after all that is before it, as the last thing on this connection.
        self._last_words: bytes | None = None
        self._first = True
        self._unsent = 0
        self._unsent_since = 0.0

    # --- the transport ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the connection."""
        super().connection_made(transport)
        self._deadlines.add(self)
        self._since = self._deadlines.now

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever works for the caller that it is gone."""
        self._deadlines.discard(self)
        front, self._front = self._front, None
        self.pipeline.clear()
        super().connection_lost(exc)
        if isinstance(front, Exchange):
            front.hang_up()
            self._door.cancel(front)
        elif front is not None:
            front.disconnected = True
            front.message_event.set()

    def pause_writing(self) -> None:
        """Take no further request from a caller that does not read its answers."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if self._front is None and not self._deaf:
            self.flow.resume_reading()

    def shutdown(self) -> None:
        """Finish what has begun, then close; called once by the server."""
        self._draining = True
        newest = self.pipeline[0][0] if self.pipeline else self._front
        if newest is not None:
            newest.keep_alive = False
        if newest is not None or self._stage is Stage.BODY:
            self._closing = True
        elif self._stage is Stage.QUIET:
            self.transport.close()

    def on_sweep(self, now: float) -> None:
        """Apply the deadlines of :mod:`.deadlines`."""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since >= self._settings.body_idle:
            self.transport.abort()
            return
        if self.transport.is_closing() or self._is_ours_to_move(now):
            return
        if is_overdue(
            self._settings,
            self._stage,
            first=self._first,
            now=now,
            since=self._since,
            began=self._incoming.began,
        ):
            if self._stage is Stage.QUIET:
                self.transport.close()
            elif self._stage is Stage.LEAVING:
                self.transport.abort()
            else:
                part = "headers" if self._stage is Stage.HEAD else "body"
                self.refuse(RequestTimeout(f"The rest of the request's {part} did not come."))

    def _is_ours_to_move(self, now: float) -> bool:
        if self._stage is Stage.LEAVING:
            return False
        if self._stage is Stage.QUIET and self._front is not None:
            return True
        if self.flow.read_paused:
            self._since = now
            return True
        return False

    # --- the answers ------------------------------------------------------------------------

    def may_submit(self) -> bool:
        """See :meth:`ReadingSide.may_submit`."""
        # The application waits for a caller that does not read its answers; a task would not.
        return self._front is None and not self.flow.write_paused

    def submit(self, deployment: str, caller: Identity | None, body: bytes) -> None:
        """See :meth:`ReadingSide.submit`."""
        self._front = exchange = Exchange(self, caller, body, keep_alive=not self._closing)
        self._door.submit(deployment, exchange)

    def finish(self, exchange: Exchange, data: bytes) -> None:
        """Send the complete answer of the exchange in front, and go on with what waits."""
        self._door.settled()
        self._front = None
        self._first = False
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.transport.write(data)
        if exchange.keep_alive:
            self._go_on()
        else:
            self._deaf = True
            self.transport.close()

    def on_response_complete(self) -> None:
        """Go on after an answer of the application."""
        self.server_state.total_requests += 1
        self._front = None
        self._first = False
        if self.transport.is_closing():
            return
        answered_early = self._handed_over and self.cycle.response_complete
        if answered_early and self._incoming.has_more_than(_SMALL_REST):
            self._leave(b"")
        else:
            self._go_on()

    def _go_on(self) -> None:
        if self.pipeline:
            self._front, app = self.pipeline.pop()
            self._start_asgi_task(self._front, app)
        elif self._last_words is not None:
            self._leave(self._last_words)
        else:
            if self._stage is Stage.QUIET:
                self._since = self._deadlines.now
            if not self.flow.write_paused:
                self.flow.resume_reading()

    def hand_over(self, admitted: Admitted) -> None:
        """See :meth:`ReadingSide.hand_over`."""
        if len(self.pipeline) >= self._settings.pipeline_limit:
            self._handed_over = False
            raise Overloaded("Too many requests were sent ahead of their answers.", retry_after=1.0)
        self.cycle = RequestResponseCycle(
            scope=asgi_scope(
                self._incoming, admitted.identity, self._door, self.server, self.client
            ),
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=admitted.expects_continue,
            keep_alive=self._keep_alive,
            on_response=self.on_response_complete,
        )
        if self._front is None:
            self._front = self.cycle
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def turn_away(self, refusal: Refusal) -> None:
        """See :meth:`ReadingSide.turn_away`."""
        incoming = self._incoming
        if (
            refusal.http_status in _HARMLESS
            and self._keep_alive
            and self._front is None
            and not incoming.has_body
            # What follows CONNECT is no HTTP any more.
            and incoming.method != b"CONNECT"
        ):
            self._first = False
            head_only = incoming.method == b"HEAD"
            self.transport.write(failure(refusal, close=False, head_only=head_only))
        else:
            raise refusal

    def refuse(self, error: BaseException) -> None:
        """See :meth:`ReadingSide.refuse`."""
        self._closing = self._deaf = True
        if self._handed_over and not self._take_back(self.cycle):
            self.transport.abort()
            return
        answer = failure(error, close=True, head_only=self._incoming.method == b"HEAD")
        if self._front is None:
            self._leave(answer)
        else:
            self._stage = Stage.QUIET
            self._last_words = answer

    def _take_back(self, cycle: RequestResponseCycle) -> bool:
        """Take a request from the application; tell whether its answer had not begun."""
        self._handed_over = False
        if cycle.response_started:
            return False
        if cycle is self._front:
            self._front = None
        else:
            self.pipeline.popleft()
        cycle.disconnected = True
        # It may ask for the body only now, and nothing may follow our last words.
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        return True

    def _leave(self, last: bytes) -> None:
        """Send ``last``, end our half, and give the caller time to read it.

        Closing at once while bytes of the request still arrive would reset the connection, and
        the reset can overtake the answer.
        """
        self._closing = self._deaf = True
        self._stage = Stage.LEAVING
        self._since = self._deadlines.now
        self._last_words = None
        if last:
            self.transport.write(last)
        self.transport.write_eof()
