"""Certificates made for one run of the tests, by the ``openssl`` command."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files; ``server``, ``other`` and ``client`` hold certificate and key."""

    authority: Path
    #: For 127.0.0.1, ::1, localhost and edi.test.
    server: Path
    #: For another host.
    other: Path
    client: Path
    client_certificate: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and what it signs; takes some tenths of a second."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=Test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    names = {
        "server": "DNS:localhost,DNS:edi.test,IP:127.0.0.1,IP:::1",
        "other": "DNS:other.example.com",
        "client": "DNS:client",
    }
    for name, alternative in names.items():
        openssl(
            "req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"
        )
        extensions = folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", extensions.name, "-out", f"{name}.crt",
        )  # fmt: skip
        both = (folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text()
        (folder / f"{name}.pem").write_text(both)
    return Certificates(
        folder / "ca.pem",
        folder / "server.pem",
        folder / "other.pem",
        folder / "client.pem",
        folder / "client.crt",
        folder / "client.key",
    )
