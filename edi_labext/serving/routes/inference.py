"""Inference through ASGI.

Most requests never come here: the door (``http/protocol.py``) puts them straight into the same
queue. This route takes what the door hands on, such as pipelined requests.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ...errors import EdiError, TooLarge
from ..task import Task

if TYPE_CHECKING:
    from ..engine import Engine
    from ..http.door import Door


class AwaitedTask(Task):
    """A task whose outcome a coroutine waits for."""

    __slots__ = ("outcome",)

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def deliver_answer(self, data: bytes) -> None:
        """See :class:`~..task.Task`."""
        if not self.outcome.done():
            self.outcome.set_result(data)

    def deliver_error(self, error: EdiError) -> None:
        """See :class:`~..task.Task`."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


async def infer(request: Request, engine: Engine) -> Response:
    """Hand the body to a kernel and answer with what the kernel set.

    Both are passed on unchanged, whatever they are. The answer is called JSON, as it mostly is.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > engine.settings.inference_body_limit:
            raise TooLarge(
                f"The request has more than {engine.settings.inference_body_limit} bytes.",
                code="body_too_large",
            )
    task = AwaitedTask(bytes(body))
    # Through the door, which counts what is in flight however it came.
    door: Door = request.state.door
    door.submit(str(request.path_params["name"]), task)
    watch = asyncio.ensure_future(_cancel_when_gone(request, task))
    try:
        answer = await task.outcome
    finally:
        watch.cancel()
        door.cancel(task)
    return Response(answer, media_type="application/json")


async def _cancel_when_gone(request: Request, task: AwaitedTask) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    if not task.outcome.done():
        task.outcome.set_exception(ClientDisconnect())
