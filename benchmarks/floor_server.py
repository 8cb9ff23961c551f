"""The floor: an asyncio protocol on the same HTTP parser that parses and dumps JSON itself.

No policy, no limits, no queue, no process for the kernel: what is left of a request when nothing
is done for it. ``floor_server.py PORT``.
"""

from __future__ import annotations

import asyncio
import json
import sys

import httptools

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop


class Floor(asyncio.Protocol):
    """Answers each body with itself."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data: bytes) -> None:  # noqa: D102
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:  # noqa: D102
        self.body += body

    def on_message_complete(self) -> None:  # noqa: D102
        answer = json.dumps(json.loads(self.body)).encode()
        self.body = b""
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(head % len(answer) + answer)  # type: ignore[attr-defined]


async def main() -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Floor, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
