"""Deployments: list, view, start, stop, delete (EDI calls them *models*)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...models import ModelExtension, ModelPlan, StreamingAddress

if TYPE_CHECKING:
    from ..engine import Engine


async def list_models(request: Request, engine: Engine) -> Response:
    """Answer the array of all deployments, sorted by name."""
    return JSONResponse([item.description().to_wire() for item in engine.deployments()])


async def get_model(request: Request, engine: Engine) -> Response:
    """Answer one deployment's description."""
    return JSONResponse(engine.deployment(_name(request)).description().to_wire())


async def list_extensions(request: Request, engine: Engine) -> Response:
    """Answer all deployments, and the resource plan of each."""
    deployments = engine.deployments()
    answer = ModelExtension(
        model_list=[item.description() for item in deployments],
        extension_list=[
            ModelPlan(
                name=item.name,
                resource_plan=item.record.profile.resource_allocation.kernel.resource_plan,
            )
            for item in deployments
        ],
    )
    return JSONResponse(answer.to_wire())


async def get_streaming(request: Request, engine: Engine) -> Response:
    """Answer the address of the streaming service: ``""``, since nothing streams here."""
    engine.deployment(_name(request))
    return JSONResponse(StreamingAddress(streaming_service_uri="").to_wire())


async def delete_model(request: Request, engine: Engine) -> Response:
    """Undeploy: only while stopped; the files are gone for good."""
    await engine.delete(_name(request))
    return JSONResponse({})


async def start_model(request: Request, engine: Engine) -> Response:
    """Accept a start; kernels come up afterwards."""
    await engine.deployment(_name(request)).start()
    return JSONResponse({})


async def stop_model(request: Request, engine: Engine) -> Response:
    """Accept a stop; what was accepted is answered first, then the kernels end."""
    await engine.deployment(_name(request)).stop()
    return JSONResponse({})


async def get_instance(request: Request, engine: Engine) -> Response:
    """Answer what runs of one deployment."""
    return JSONResponse(engine.deployment(_name(request)).instance().to_wire())


def _name(request: Request) -> str:
    return str(request.path_params["name"])
