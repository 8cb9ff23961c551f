"""The client against the real engine: the same contract from both sides."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import needs_engine, running_engine

from edi_labext.client import EdiClient, EnvironmentSet, LocalEngine
from edi_labext.errors import (
    Conflict,
    EdiError,
    InvalidInput,
    NotFound,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)
from edi_labext.models import Runtime
from edi_labext.submission import build

pytestmark = needs_engine


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalEngine, EdiClient]]:
    with running_engine(tmp_path_factory.mktemp("engine") / "store") as both:
        yield both


@pytest.fixture
def client(running: tuple[LocalEngine, EdiClient]) -> EdiClient:
    return running[1]


@pytest.fixture
def package(tmp_path: Path) -> io.BytesIO:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "model.json").write_text('{"name": "packed", "kernel_path": "kernel.py"}')
    (folder / "README.md").write_text("# Zürich\n")
    (folder / "kernel.py").write_text("pass\n")
    (folder / ("long-" * 30)).mkdir()
    (folder / ("long-" * 30) / "ünïcode — name.txt").write_text("x")
    out = io.BytesIO()
    build(folder, out)
    out.seek(0)
    return out


def test_it_has_capabilities(client: EdiClient) -> None:
    capabilities = client.capabilities()
    assert capabilities is not None
    assert "status" in capabilities.features


def test_a_package_goes_in_and_comes_out_described(client: EdiClient, package: io.BytesIO) -> None:
    size = package.getbuffer().nbytes
    model = client.deploy(package, size)
    try:
        assert model.name == "packed"
        assert model.size == sum(map(len, ("# Zürich\n".encode(), b"pass\n", b"x"))) + len(
            '{"name": "packed", "kernel_path": "kernel.py"}'
        )
        assert [row.name for row in client.list_models()] == ["packed"]
        assert client.get_model("packed").uid == model.uid
        assert client.instance("packed").state == "disabled"
        status = client.status("packed")
        assert status is not None
        assert status.state == "stopped"
        assert client.readme("packed") == "# Zürich\n"
        package.seek(0)
        with pytest.raises(Conflict) as raised:
            client.deploy(package, size)
        assert raised.value.code == "exists"
        answer = client.infer("packed", b"{}")
        assert answer.status == 409
        assert answer.error().code == "not_started"  # type: ignore[union-attr]
    finally:
        client.delete_model("packed")
    with pytest.raises(NotFound):
        client.get_model("packed")


def test_unknown_names_everywhere(client: EdiClient) -> None:
    for call in (
        client.get_model,
        client.delete_model,
        client.start,
        client.stop,
        client.instance,
        client.status,
        client.readme,
    ):
        with pytest.raises(NotFound):
            call("nobody")
    assert client.infer("nobody", b"{}").status == 404


def test_what_is_no_package(client: EdiClient) -> None:
    for data in (b"nonsense", b"", bytes(10_000)):
        with pytest.raises(InvalidInput):
            client.deploy(io.BytesIO(data), len(data))
    assert client.list_models() == []


def test_a_wrong_token(client: EdiClient) -> None:
    other = EdiClient(client.base_url, lambda: "0" * 64, trust_proxies=False)
    with pytest.raises(UpstreamUnauthorized):
        other.list_models()
    with pytest.raises(UpstreamUnauthorized):
        other.infer("nobody", b"{}")
    other.close()


def test_the_token_is_in_no_log_and_no_command_line(
    running: tuple[LocalEngine, EdiClient],
) -> None:
    engine, client = running
    address = engine.ensure()
    token = address.token_file.read_text().strip()
    assert len(token) == 64
    client.list_models()
    assert token not in engine.log_file.read_text()
    assert token.encode() not in Path(f"/proc/{address.pid}/cmdline").read_bytes()
    assert token not in (engine.store / "engine.json").read_text()


def test_a_second_set_of_environments_uses_the_same_engine(
    running: tuple[LocalEngine, EdiClient],
) -> None:
    engine, client = running
    environments = EnvironmentSet({}, LocalEngine(engine.store, "background"))
    assert environments.connect("local").base_url == client.base_url
    environments.close()
    assert client.list_models() == []


def test_a_killed_engine_comes_back_with_what_it_had(tmp_path: Path, package: io.BytesIO) -> None:
    engine = LocalEngine(tmp_path / "store", "jupyter")
    environments = EnvironmentSet({}, engine)
    try:
        client = environments.connect("local")
        client.deploy(package, package.getbuffer().nbytes)
        os.kill(engine.ensure().pid, signal.SIGKILL)
        with pytest.raises(UpstreamUnreachable):
            client.start("packed")
        again = environments.connect("local")
        assert [row.name for row in again.list_models()] == ["packed"]
    finally:
        environments.close()


def test_two_at_once_share_one_engine(tmp_path: Path) -> None:
    """Another process was faster: its engine is used."""
    first = LocalEngine(tmp_path / "store", "jupyter")
    second = LocalEngine(tmp_path / "store", "jupyter")
    try:
        address = first.ensure()
        # As if it had not been found: the store itself says that it is in use.
        assert second._start() == address
        second.close()
        assert first.find() == address
    finally:
        first.close()


def test_an_engine_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from edi_labext.client import LocalEngine\n"
        "print(LocalEngine(pathlib.Path(sys.argv[1]), 'jupyter').ensure().pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    store = tmp_path / "store"
    top = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(store)],
        capture_output=True,
        check=False,
        cwd=top,
        timeout=25,
    )
    pid = int(done.stdout)
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    assert select.select([handle], [], [], 10)[0], "the engine lives on"
    os.close(handle)


def test_a_broken_store_is_explained(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    (store / "token").write_text("no token")
    (store / "token").chmod(0o600)
    with pytest.raises(EdiError) as raised:
        LocalEngine(store, "jupyter").ensure()
    assert raised.value.code == "engine_failed"
    assert "token" in str(raised.value.detail)


def test_runtimes_come_and_go(tmp_path: Path) -> None:
    with running_engine(tmp_path / "store") as (_, client):
        with pytest.raises(NotFound, match=r"Runtime <ml> does not exists\."):
            client.runtime("ml")
        client.create_runtime(Runtime(type="ml", conda_home="/opt/c", later={"kept": None}))
        with pytest.raises(Conflict) as taken:
            client.create_runtime(Runtime(type="ml"))
        assert taken.value.code == "exists"
        made = client.runtime("ml")
        assert (made.conda_home, made.model_extra) == ("/opt/c", {"later": {"kept": None}})
        client.update_runtime(made.model_copy(update={"description": "changed"}))
        assert "changed" in [item.description for item in client.runtimes()]
        with pytest.raises(InvalidInput) as wrong:
            client.update_runtime(made.model_copy(update={"conda_home": "c"}))
        assert [problem["field"] for problem in wrong.value.fields or ()] == ["conda_home"]
        client.delete_runtime("ml")
        for call in (client.runtime, client.delete_runtime):
            with pytest.raises(NotFound):
                call("ml")
        with pytest.raises(NotFound):
            client.update_runtime(made)
