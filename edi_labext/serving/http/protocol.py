"""The door: every connection of the engine, from the first byte to the last.

``POST /dlim/v1/inference/{name}`` on an idle connection goes from the HTTP parser straight into
the deployment's queue, and its answer straight to the socket. Everything else, and what is sent
before an earlier request was answered, is handed to the application the way uvicorn does it. In
both cases only after :mod:`.gate` has admitted it; refusals are answered here.

A connection reads one request at a time (``_stage``) and answers one at a time (``_front``);
answers leave in the order of the requests.

The base class is not a public interface: uvicorn is pinned to a minor version, and
``tests/serving/test_door.py`` names every attribute that is used of it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from ...errors import EdiError, InvalidInput, Overloaded, RequestTimeout
from ..clock import Clock
from ..settings import Settings
from ..task import Task
from .deadlines import Deadlines, Stage, is_overdue
from .errors import HeadersTooLarge, InternalError, MethodNotAllowed
from .exchange import Exchange, failure
from .gate import Admitted, Gate, Refusal, body_too_large, too_many_chunks
from .handover import asgi_scope, without_upgrade

log = logging.getLogger(__name__)

#: Most bytes that are read and thrown away so that a connection can end without a reset.
_DISCARD_LIMIT: Final = 256 * 1024
#: Rest of a body that is read to its end although its answer is already out.
_SMALL_REST: Final = 64 * 1024
#: What a request line of another kind than ours begins with, such as ``get /``.
_VERB = re.compile(rb"[A-Za-z]{1,24} ")
#: Refusals after which the connection may be used again, if the request had no body.
_HARMLESS: Final = frozenset((401, 403, 404, 405))
_BODY_HEADERS: Final = frozenset((b"content-length", b"transfer-encoding"))


class Door:
    """What all connections share.

    Parameters
    ----------
    settings, gate, clock:
        Limits, the policy, and time.
    submit:
        Puts a task into the queue of a deployment; raises :class:`EdiError` if it may not wait
        there. Called from the parser, so it must not block.
    cancel:
        Says that nobody waits for a task any more.

    Attributes
    ----------
    in_flight:
        Tasks that were submitted and not answered yet.
    """

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        clock: Clock,
        *,
        submit: Callable[[str, Task], None],
        cancel: Callable[[Task], None],
    ) -> None:
        self.settings = settings
        self.gate = gate
        self.submit = submit
        self.cancel = cancel
        self.deadlines = Deadlines(clock, settings.sweep_interval)
        self.in_flight = 0


class _EnoughError(Exception):
    """Stops the parser; what is to be said has been said."""


class DoorProtocol(HttpToolsProtocol):
    """One connection."""

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
        # What is being answered; later requests wait in the base class's ``pipeline``.
        self._front: Exchange | RequestResponseCycle | None = None
        # Answered after everything in front of it, as the last thing on this connection.
        self._last_words: bytes | None = None
        self._first = True
        self._draining = False
        # No request after the one being read or answered / not even its bytes are parsed.
        self._closing = False
        self._deaf = False
        self._discarded = 0
        self._unsent = 0
        self._unsent_since = 0.0
        # The request being read.
        self._stage = Stage.QUIET
        self._since = self._began = self._deadlines.now
        self._steps = 0
        self._stuck_bytes = 0
        self._head_bytes = 0
        self._keep_alive = True
        self._admitted: Admitted | None = None
        self._handed_over = False
        self._body: bytes | bytearray = b""
        self._received = 0
        self._chunks = 0

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
            self._door.in_flight -= 1
            self._door.cancel(front)
        elif front is not None:
            front.disconnected = True
            front.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls the ``on_…`` methods below."""
        if self._deaf:
            self._discarded += len(data)
            if self._discarded > _DISCARD_LIMIT:
                self.flow.pause_reading()
            return
        steps = self._steps
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._plain_head() + data[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                # One step since: the bytes begin with the request that is at fault.
                self._on_parser_error(error, data if self._steps == steps + 1 else b"")
                return
            else:
                break
        if self._stage is Stage.QUIET or steps != self._steps:
            self._stuck_bytes = 0
            return
        # An endless header, trailer or chunk extension: the parser keeps or skips it silently.
        self._stuck_bytes += len(data)
        if self._stuck_bytes > self._settings.header_bytes_limit:
            self._refuse(self._headers_too_large())

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
        if self.transport.is_closing():
            return
        if self._stage is not Stage.LEAVING:
            if self._stage is Stage.QUIET and self._front is not None:
                return
            if self.flow.read_paused:
                # It is we who make the caller wait.
                self._since = now
                return
        if not is_overdue(
            self._settings,
            self._stage,
            first=self._first,
            now=now,
            since=self._since,
            began=self._began,
        ):
            return
        if self._stage is Stage.QUIET:
            self.transport.close()
        elif self._stage is Stage.LEAVING:
            self.transport.abort()
        else:
            part = "headers" if self._stage is Stage.HEAD else "body"
            self._refuse(RequestTimeout(f"The rest of the request's {part} did not come."))

    # --- the parser -------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        if self._closing:
            self._deaf = True
            raise _EnoughError
        self.url = b""
        self.headers = []
        self._stage = Stage.HEAD
        self._since = self._began = self._deadlines.now
        self._steps += 1
        self._stuck_bytes = self._head_bytes = 0
        self._admitted = None
        self._handed_over = False
        self._body = b""
        self._received = self._chunks = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count and keep a header; a trailer is counted only."""
        self._head_bytes += len(name) + len(value) + 4
        if (
            self._head_bytes > self._settings.header_bytes_limit
            or len(self.headers) >= self._settings.header_count_limit
        ):
            self._stop(self._headers_too_large())
        if self._stage is Stage.HEAD:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Ask the gate, then choose the way in."""
        parser = self.parser
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            return
        version = parser.get_http_version()
        self._stage = Stage.BODY
        self._steps += 1
        self._since = self._deadlines.now
        self._keep_alive = version == "1.1" and parser.should_keep_alive() and not self._draining
        self._closing = not self._keep_alive
        verdict = self._door.gate.admit(method, self.url, self.headers, version)
        if not isinstance(verdict, Admitted):
            self._turn_away(method, verdict)
            return
        self._admitted = verdict
        # The application waits for a caller that does not read; a task would not.
        if verdict.deployment is None or self._front is not None or self.flow.write_paused:
            self._hand_over(method, version, verdict)
        elif verdict.expects_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_chunk_header(self) -> None:
        """Count the chunks, each of which costs more than its bytes."""
        self._chunks += 1
        if self._chunks > self._settings.chunk_limit:
            self._stop(too_many_chunks(self._settings.chunk_limit))

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body, or pass it on."""
        admitted = self._admitted
        if admitted is None:
            return
        self._steps += 1
        self._since = self._deadlines.now
        self._received += len(body)
        if self._received > admitted.body_limit:
            self._stop(body_too_large(admitted.body_limit))
        if self._handed_over:
            super().on_body(body)
        elif not self._body:
            self._body = body
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += body

    def on_message_complete(self) -> None:
        """Submit the task, or tell the application that its body is complete."""
        if self._stage is Stage.HEAD:  # an upgrade, which is read again without the offer
            return
        self._stage = Stage.QUIET
        self._steps += 1
        self._since = self._deadlines.now
        admitted, self._admitted = self._admitted, None
        if admitted is None:
            return
        if self._handed_over:
            self._handed_over = False
            super().on_message_complete()
        elif admitted.deployment is not None:
            self._submit(admitted.deployment)

    def _on_parser_error(self, error: Exception, request: bytes) -> None:
        if self._deaf:  # we stopped it ourselves
            return
        if isinstance(error, httptools.HttpParserCallbackError):
            self._refuse(error.__context__ or error)
        elif isinstance(error, httptools.HttpParserInvalidMethodError) and _VERB.match(request):
            self._refuse(MethodNotAllowed("There is no such method; methods are in capitals."))
        else:
            self._refuse(InvalidInput(f"This is not HTTP/1.1: {error}.", code="malformed_request"))

    def _plain_head(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return without_upgrade(method, self.url, version, self.headers)

    # --- the answers ------------------------------------------------------------------------

    def _submit(self, deployment: str) -> None:
        exchange = Exchange(self, bytes(self._body), keep_alive=not self._closing)
        self._body = b""
        self._front = exchange
        door = self._door
        door.in_flight += 1
        try:
            if door.in_flight > self._settings.in_flight_limit:
                raise Overloaded(
                    f"{self._settings.in_flight_limit} requests are being worked on already.",
                    code="too_many_requests",
                    retry_after=1.0,
                )
            door.submit(deployment, exchange)
        except EdiError as error:
            exchange.fail(error)
        except Exception:
            log.exception("An inference could not be submitted")
            exchange.fail(InternalError("The engine met an unexpected error; its log has more."))

    def finish(self, exchange: Exchange, data: bytes) -> None:
        """Send the complete answer of the exchange in front, and go on with what waits."""
        self._door.in_flight -= 1
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

    def _hand_over(self, method: bytes, version: str, admitted: Admitted) -> None:
        if len(self.pipeline) >= self._settings.pipeline_limit:
            self._stop(
                Overloaded("Too many requests were sent ahead of their answers.", retry_after=1.0)
            )
        self._handed_over = True
        self.cycle = RequestResponseCycle(
            scope=asgi_scope(
                method=method,
                target=self.url,
                version=version,
                headers=self.headers,
                server=self.server,
                client=self.client,
                identity=admitted.identity,
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

    def on_response_complete(self) -> None:
        """Go on after an answer of the application."""
        self.server_state.total_requests += 1
        self._front = None
        self._first = False
        if self.transport.is_closing():
            return
        if self._stage is Stage.BODY and self._handed_over and self.cycle.response_complete:
            # Answered before its body was read. A short rest is read, so that the connection
            # lives on; a long one is not wanted.
            admitted = self._admitted
            length = admitted.length if admitted else None
            if length is None or length - self._received > _SMALL_REST:
                self._leave(b"")
                return
        self._go_on()

    def _go_on(self) -> None:
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._front = cycle
            self._start_asgi_task(cycle, app)
        elif self._last_words is not None:
            self._leave(self._last_words)
        else:
            if self._stage is Stage.QUIET:
                self._since = self._deadlines.now
            if not self.flow.write_paused:
                self.flow.resume_reading()

    def _turn_away(self, method: bytes, refusal: Refusal) -> None:
        head_only = method == b"HEAD"
        plain = refusal.http_status in _HARMLESS and not any(
            name in _BODY_HEADERS for name, _ in self.headers
        )
        if plain and self._keep_alive and self._front is None:
            self._first = False
            self.transport.write(failure(refusal, close=False, head_only=head_only))
        else:
            self._stop(refusal, head_only=head_only)

    def _stop(self, error: BaseException, *, head_only: bool = False) -> NoReturn:
        """Refuse from within the parser, which then stops."""
        self._refuse(error, head_only=head_only)
        raise _EnoughError

    def _refuse(self, error: BaseException, *, head_only: bool = False) -> None:
        """Answer the request being read with ``error``, in its turn, and read nothing more."""
        self._closing = self._deaf = True
        if self._handed_over and not self._take_back(self.cycle):
            self.transport.abort()
            return
        answer = failure(error, close=True, head_only=head_only)
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

    def _headers_too_large(self) -> EdiError:
        settings = self._settings
        return HeadersTooLarge(
            f"The headers have more than {settings.header_bytes_limit} bytes, or there are more "
            f"than {settings.header_count_limit}."
        )
