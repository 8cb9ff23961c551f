"""What this server half is, and which EDIs it knows: the answer to a page's first question."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from jupyter_core.paths import jupyter_path

from .. import __version__
from ..client.environments import LOCAL, Environment, EnvironmentSet, TokenState
from ..errors import EdiError, NotConfigured
from ..models.strict_json import MAX_JSON_BYTES
from .answers import error_info
from .api import (
    MAX_ANSWER_BYTES,
    MAX_INSPECTED_FILES,
    MAX_PAYLOAD_BYTES,
    EnvironmentInfo,
    Info,
    Limits,
    ServerExtension,
    UnsafePackage,
)
from .floors import old_packages

PACKAGE = "edi_labext"


def info(environments: EnvironmentSet) -> Info:
    """Return version, environments and limits. Reads small files; starts and asks nothing."""
    trouble = environments.problem
    return Info(
        default_environment=environments.default,
        environments_problem=error_info(trouble) if trouble else None,
        token_available=environments.has_variable_token,
        version=__version__,
        server_extension=server_extension(),
        unsafe_packages=[
            UnsafePackage(name=old.name, version=old.version, floor=old.floor, command=old.command)
            for old in old_packages()
        ],
        environments=[
            environment_info(environments, environment) for environment in environments.list()
        ],
        limits=Limits(
            body_bytes=MAX_JSON_BYTES,
            payload_bytes=MAX_PAYLOAD_BYTES,
            answer_bytes=MAX_ANSWER_BYTES,
            inspected_files=MAX_INSPECTED_FILES,
        ),
    )


def server_extension() -> ServerExtension:
    """Return the versions that this server runs and has on its disk."""
    try:
        installed = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        installed = None
    return ServerExtension(running=__version__, installed=installed, frontend=_frontend_version())


def environment_info(environments: EnvironmentSet, environment: Environment) -> EnvironmentInfo:
    """Return what the browser may know of an environment, which is not its token."""
    token = environments.token_state(environment.id)
    problem = _problem(environments, environment, token)
    settings = None
    if environment.source == "stored":
        with suppress(EdiError):
            settings = environments.describe(environment.id)
    return EnvironmentInfo(
        id=environment.id,
        title=environment.title,
        kind=environment.kind,
        host=environment.host,
        problem=error_info(problem) if problem else None,
        token_expires=token.expires,
        source=environment.source,
        address=environment.address,
        inference_address=environment.inference_address,
        token_source=token.kind,
        token_pasted=token.pasted,
        token_variable=token.variable,
        token_advice=token.advice,
        insecure=environment.insecure,
        own_authorities=settings is not None and settings.ca_bundle is not None,
        client_certificate=settings is not None and settings.client_certificate is not None,
        upload=settings.upload if settings is not None else "auto",
        production=environment.production,
    )


def _problem(
    environments: EnvironmentSet, environment: Environment, token: TokenState
) -> EdiError | None:
    """Return why an environment cannot be used, as far as its settings tell."""
    if environment.id == LOCAL:
        return None
    try:
        environments.connect(environment.id)
    except EdiError as error:
        return error
    expires = token.expires
    if expires is not None and expires <= time.time():
        ended = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(max(0.0, expires)))
        return NotConfigured(
            f"The token of {environment.title} expired at {ended}.",
            code="token_expired",
            hint=token.advice,
        )
    return None


def _frontend_version() -> str | None:
    for directory in jupyter_path("labextensions"):
        try:
            package = json.loads((Path(directory) / PACKAGE / "package.json").read_bytes())
        except (OSError, ValueError):
            continue
        version = package.get("version") if isinstance(package, dict) else None
        if isinstance(version, str):
            return version
    return None
