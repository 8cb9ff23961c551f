"""TLS, proxies and IPv6: what is trusted, what is said when it is not, and where things are."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import Certificates, make_certificates
from support.misbehaving_edi import MisbehavingEdi, misbehaving_edi

from edi_labext.client import EdiClient, EnvironmentSet, LocalEngine
from edi_labext.client.connection_check import check_connection
from edi_labext.client.environment_changes import make_settings
from edi_labext.client.environment_settings import VariableSecret
from edi_labext.client.environment_store import EnvironmentStore
from edi_labext.client.transport import Network
from edi_labext.client.trust import authorities, check_certificate
from edi_labext.errors import EdiError, NotConfigured, UpstreamUnreachable

TOKEN = "canary-2b8d4c-of-the-network"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def process(certificates: Certificates) -> Iterator[MisbehavingEdi]:
    with misbehaving_edi(certificate=certificates.server) as running:
        running.accept(TOKEN)
        yield running


@pytest.fixture
def edi(process: MisbehavingEdi) -> MisbehavingEdi:
    process.heal()
    process.received()
    return process


def client(url: str, **network: object) -> EdiClient:
    return EdiClient(url, lambda: TOKEN, network=Network(**network))  # type: ignore[arg-type]


def test_an_unknown_authority_is_refused_before_the_token_is_sent(edi: MisbehavingEdi) -> None:
    with pytest.raises(UpstreamUnreachable) as raised:
        client(edi.url).list_models()
    assert raised.value.code == "upstream_tls"
    assert "issuer is unknown" in raised.value.message or "self-signed" in raised.value.message
    assert "ca_bundle" in str(raised.value.hint)
    assert edi.received() == []


def test_its_authority_makes_it_trusted(edi: MisbehavingEdi, certificates: Certificates) -> None:
    assert client(edi.url, verify=str(certificates.authority)).list_models() == []


def test_a_certificate_of_another_host_is_refused(certificates: Certificates) -> None:
    with misbehaving_edi(certificate=certificates.other) as edi:
        edi.accept(TOKEN)
        with pytest.raises(UpstreamUnreachable) as raised:
            client(edi.url, verify=str(certificates.authority)).list_models()
        assert raised.value.code == "upstream_tls"
        assert "for another host" in raised.value.message
        assert edi.received() == []
        # Only who says so goes without.
        assert client(edi.url, verify=False).list_models() == []


def test_going_without_says_nothing_of_its_own(
    edi: MisbehavingEdi, recwarn: pytest.WarningsRecorder
) -> None:
    """The environment's name is said instead, once; see the tests of environments."""
    client(edi.url, verify=False).list_models()
    assert [str(warning.message) for warning in recwarn] == []


def test_going_without_is_for_one_client_only(edi: MisbehavingEdi) -> None:
    client(edi.url, verify=False).list_models()
    with pytest.raises(UpstreamUnreachable):
        client(edi.url).list_models()


@pytest.mark.parametrize("form", ["one file", "two files"])
def test_a_client_certificate(certificates: Certificates, form: str) -> None:
    given = (
        check_certificate(str(certificates.client), None)
        if form == "one file"
        else check_certificate(str(certificates.client_certificate), str(certificates.client_key))
    )
    with misbehaving_edi(certificate=certificates.server, client_ca=certificates.authority) as edi:
        edi.accept(TOKEN)
        trust = str(certificates.authority)
        assert client(edi.url, verify=trust, certificate=given).list_models() == []
        with pytest.raises(EdiError):
            client(edi.url, verify=trust).list_models()


def test_an_address_of_ipv6(certificates: Certificates) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with misbehaving_edi(certificate=certificates.server, host="::1") as edi:
        edi.accept(TOKEN)
        assert edi.url.startswith("https://[::1]:")
        assert client(edi.url, verify=str(certificates.authority)).list_models() == []


# --- files of certificates (rows 125) -----------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, certificates: Certificates) -> dict[str, str]:
    der = tmp_path / "der.crt"
    subprocess.run(
        [
            "openssl",
            "x509",
            "-in",
            str(certificates.authority),
            "-outform",
            "der",
            "-out",
            str(der),
        ],
        check=True,
    )
    (tmp_path / "empty.pem").write_text("\n")
    (tmp_path / "text.pem").write_text("no certificate")
    (tmp_path / "cut.pem").write_text(certificates.authority.read_text()[:200])
    (tmp_path / "large.pem").write_bytes(b"#" * (9 << 20))
    (tmp_path / "key.pem").write_text(certificates.client_key.read_text())
    names = ("empty.pem", "text.pem", "cut.pem", "large.pem", "key.pem", "missing.pem")
    return {"der.crt": str(der), **{name: str(tmp_path / name) for name in names}}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing.pem", "does not exist"),
        ("empty.pem", "is empty"),
        ("text.pem", "holds no certificate"),
        ("cut.pem", "holds no certificate"),
        ("key.pem", "holds no certificate"),
        ("der.crt", "DER, not PEM"),
        ("large.pem", "too large"),
    ],
)
def test_a_bundle_that_cannot_be_used_is_named_with_its_variable(
    files: dict[str, str], variable: str, name: str, told: str
) -> None:
    with pytest.raises(NotConfigured) as raised:
        authorities({variable: files[name]})
    assert raised.value.code == "bad_ca_bundle"
    assert variable in raised.value.message
    assert name in raised.value.message
    assert told in raised.value.message


def test_the_way_from_der_to_pem_is_told(files: dict[str, str]) -> None:
    with pytest.raises(NotConfigured, match="DER") as raised:
        authorities({}, files["der.crt"])
    assert "openssl x509 -inform der" in str(raised.value.hint)


def test_a_bundle_that_was_mended_is_taken(
    files: dict[str, str], certificates: Certificates
) -> None:
    path = Path(files["missing.pem"])
    for _ in range(2):
        with pytest.raises(NotConfigured):
            authorities({}, str(path))
    path.write_text(certificates.authority.read_text())
    assert authorities({}, str(path)) == str(path)


def test_which_authorities_are_used(certificates: Certificates, tmp_path: Path) -> None:
    own, variable = tmp_path / "own.pem", tmp_path / "variable.pem"
    for path in (own, variable):
        path.write_text(certificates.authority.read_text())
    env = {"SSL_CERT_FILE": str(variable)}
    assert authorities({}) is True
    assert authorities({"SSL_CERT_FILE": ""}) is True
    assert authorities(env) == str(variable)
    assert authorities(env, str(own)) == str(own)
    assert authorities({"SSL_CERT_FILE": str(tmp_path)}) == str(tmp_path)


def test_client_certificates_that_cannot_be_used(
    certificates: Certificates, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-in", str(certificates.client_key), "-aes128", "-passout", "pass:x",
         "-out", str(locked)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    crt = str(certificates.client_certificate)
    for certificate, key in (
        ("/nowhere/at/all", None),
        (crt, None),
        (crt, "/nowhere"),
        (crt, str(locked)),
        (str(certificates.server), str(certificates.client_key)),
    ):
        with pytest.raises(NotConfigured) as raised:
            check_certificate(certificate, key)
        assert raised.value.code == "bad_client_certificate"


# --- proxies (row 126) ---------------------------------------------------------------------------


class Proxy:
    """A proxy that takes every tunnel to one port, or refuses it."""

    def __init__(self, port: int, refusal: bytes | None = None) -> None:
        self.asked: list[str] = []
        self._target, self._refusal = port, refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._tunnel, args=(connection,), daemon=True).start()

    def _tunnel(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                block = near.recv(4096)
                if not block:
                    return
                head += block
            self.asked.append(head.decode("latin-1"))
            if self._refusal is not None:
                near.sendall(self._refusal)
                return
            with socket.create_connection(("127.0.0.1", self._target)) as far:
                near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_copy, args=(far, near), daemon=True)
                back.start()
                _copy(near, far)
                back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(edi: MisbehavingEdi) -> Iterator[Proxy]:
    made = Proxy(edi.port)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


FAR = "https://edi.test/dlim/v1/"


@pytest.mark.parametrize("place", ["variable", "settings"])
def test_through_a_proxy(
    edi: MisbehavingEdi,
    proxy: Proxy,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    address = f"http://127.0.0.1:{proxy.port}"
    if place == "variable":
        monkeypatch.setenv("HTTPS_PROXY", address)
    given = address if place == "settings" else None
    reached = client(FAR, verify=str(certificates.authority), proxy=given)
    assert reached.list_models() == []
    assert proxy.asked[0].startswith("CONNECT edi.test:443 ")
    assert all(TOKEN not in head for head in proxy.asked), "the token is for the far end"
    assert edi.received()[0]["headers"]["x-auth-token"] == TOKEN


@pytest.mark.parametrize("value", ["edi.test", "*", ".test"])
def test_no_proxy_is_honoured(
    proxy: Proxy, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", value)
    with pytest.raises(UpstreamUnreachable) as raised:
        client(FAR).list_models()
    assert raised.value.code == "upstream_no_host"
    assert proxy.asked == []


def test_an_environment_may_go_without_the_proxy_of_the_variables(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    with pytest.raises(UpstreamUnreachable):
        client(FAR, proxy="none").list_models()
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "user name and password"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "refused"),
        (b"nonsense\r\n\r\n", None),
        (b"", None),
    ],
)
def test_a_proxy_that_refuses(
    edi: MisbehavingEdi, monkeypatch: pytest.MonkeyPatch, refusal: bytes, told: str | None
) -> None:
    proxy = Proxy(edi.port, refusal)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hush@127.0.0.1:{proxy.port}")
    with pytest.raises(UpstreamUnreachable) as raised:
        client(FAR).list_models()
    proxy.close()
    assert raised.value.code == "proxy_error"
    assert f"127.0.0.1:{proxy.port}" in raised.value.message
    assert "hush" not in f"{raised.value.message} {raised.value.hint}"
    if told:
        assert told in raised.value.message
    assert edi.received() == []


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1",
        "http://nowhere.invalid:3128",
        "http://",
        "http://[::1",
        "::::",
        "http://p:x",
    ],
)
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(EdiError) as raised:
        client(FAR).list_models()
    assert raised.value.code == "proxy_error"


# --- the test of a connection ---------------------------------------------------------------------


@pytest.fixture
def environments(tmp_path: Path) -> EnvironmentSet:
    return EnvironmentSet(
        {"USER_ACCESS_TOKEN": TOKEN},
        LocalEngine(tmp_path / "store", "jupyter"),
        settings=EnvironmentStore(tmp_path / "environments.json"),
    )


def add(environments: EnvironmentSet, **given: object) -> None:
    made = make_settings(title="Mine", **given)
    environments.changes.save("mine", made, made.hosts)
    environments.changes.choose_token("mine", VariableSecret(), made.hosts)


def test_a_connection_over_tls_is_told_with_its_certificate(
    environments: EnvironmentSet, edi: MisbehavingEdi, certificates: Certificates
) -> None:
    add(environments, address=edi.url, ca_bundle=str(certificates.authority))
    steps = {step.name: step for step in check_connection(environments, "mine")}
    assert steps["connect"].ok
    assert "TLSv1.3, issued by Test authority, valid until" in steps["connect"].text
    assert steps["authenticate"].ok


def test_an_untrusted_certificate_ends_the_test_before_the_token(
    environments: EnvironmentSet, edi: MisbehavingEdi
) -> None:
    add(environments, address=edi.url)
    *_, last = check_connection(environments, "mine")
    assert (last.name, last.ok) == ("connect", False)
    assert edi.received() == []


def test_an_unchecked_one_is_told_loudly(environments: EnvironmentSet, edi: MisbehavingEdi) -> None:
    add(environments, address=edi.url, verify=False)
    steps = {step.name: step for step in check_connection(environments, "mine")}
    assert steps["connect"].ok is None
    assert "NOT checked" in steps["connect"].text
    assert steps["authenticate"].ok


def test_through_a_proxy_the_test_looks_nothing_up(
    environments: EnvironmentSet, proxy: Proxy, certificates: Certificates
) -> None:
    address = f"http://127.0.0.1:{proxy.port}"
    add(environments, address=FAR, ca_bundle=str(certificates.authority), proxy=address)
    steps = {step.name: step for step in check_connection(environments, "mine")}
    assert f"through the proxy 127.0.0.1:{proxy.port}" in steps["resolve"].text
    assert steps["authenticate"].ok


def test_a_host_that_is_not_there(environments: EnvironmentSet) -> None:
    add(environments, address="https://wmla-console.invalid")
    *_, last = check_connection(environments, "mine")
    assert (last.name, last.ok) == ("resolve", False)


def test_a_missing_file_is_told_first(
    environments: EnvironmentSet, edi: MisbehavingEdi, certificates: Certificates, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    shutil.copy(certificates.authority, bundle)
    add(environments, address=edi.url, ca_bundle=str(bundle))
    bundle.unlink()
    [only] = check_connection(environments, "mine")
    assert (only.name, only.ok) == ("address", False)
    assert "ca.pem" in only.text


def test_the_certificate_is_made_for_these_tests(certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.authority))
    assert [ca["subject"] for ca in context.get_ca_certs()] == [
        ((("commonName", "Test authority"),),)
    ]
