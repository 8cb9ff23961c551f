"""The EDI that is judged: the one that the options name, or an engine started for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.engine_process import EngineProcess

from contract.service import Service
from contract.wire import Wire, given_token

#: An engine of this machine has a kernel within this, in seconds, or it never will.
_LOCAL_PATIENCE = 30.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what infers by both ways through the engine, or as given on any other EDI."""
    if "route" in metafunc.fixturenames:
        foreign = metafunc.config.getoption("--edi-server")
        metafunc.parametrize("route", ["as given"] if foreign else ["door", "application"])


@pytest.fixture(scope="session")
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineProcess | None]:
    """Our engine, or ``None`` when the options name another EDI."""
    if request.config.getoption("--edi-server"):
        yield None
        return
    process = EngineProcess(tmp_path_factory.mktemp("contract") / "store")
    yield process
    assert process.stop() == 0
    log = process.log.read_text()
    assert "Traceback" not in log, log
    assert process.token not in log


@pytest.fixture(scope="session")
def wire(request: pytest.FixtureRequest, engine: EngineProcess | None) -> Wire:
    """The way to it."""
    if engine is not None:
        return Wire(engine.base, engine.token)
    option = request.config.getoption
    token = given_token(option("--edi-token") or os.environ.get("USER_ACCESS_TOKEN", ""))
    return Wire(
        option("--edi-server"), token, ca=option("--edi-ca"), insecure=option("--edi-insecure")
    )


@pytest.fixture(scope="session")
def password(request: pytest.FixtureRequest, engine: EngineProcess | None) -> tuple[str, str]:
    """User and password for Basic authentication."""
    if engine is not None:
        return "ada", engine.token
    user, secret = request.config.getoption("--edi-user"), os.environ.get("EDI_CONTRACT_PASSWORD")
    if not user or not secret:
        pytest.skip("needs --edi-user and $EDI_CONTRACT_PASSWORD")
    return user, secret


@pytest.fixture(scope="session")
def whole_service(
    request: pytest.FixtureRequest, wire: Wire, engine: EngineProcess | None
) -> Iterator[Service]:
    """All that one run makes; nothing of it is left at its end."""
    option = request.config.getoption
    patience = option("--edi-wait") if engine is None else _LOCAL_PATIENCE
    service = Service(wire, runtime=option("--edi-runtime"), patience=patience)
    yield service
    service.clean()
    assert service.left_behind() == []


@pytest.fixture
def edi(whole_service: Service) -> Iterator[Service]:
    """The service; what a test makes of it is removed behind the test."""
    yield whole_service
    whole_service.clean()
