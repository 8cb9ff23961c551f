"""Files of certificates, looked at before they are used: what is wrong is told with its place."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ..errors import NotConfigured, echo_path

#: Where the certificate authorities of a company may be, in the order of requests and OpenSSL.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")

_MAX_FILE = 8 << 20


def authorities(env: Mapping[str, str], configured: str | None = None) -> bool | str:
    """Return what to check certificates with: a file or folder of authorities, or the usual ones.

    Parameters
    ----------
    env:
        The variables.
    configured:
        The environment's own file, which goes before them.

    Raises
    ------
    NotConfigured
        ``bad_ca_bundle``: missing, unreadable, empty or not PEM; names the setting and the path.
    """
    if configured is not None:
        return check_authorities(str(Path(configured).expanduser()), source="ca_bundle")
    for variable in CA_VARIABLES:
        if env.get(variable):
            return check_authorities(env[variable], source=variable)
    return True


def check_authorities(path: str, *, source: str) -> str:
    """Return ``path`` if certificate authorities can be read there; raises as above."""
    problem = _problem(path, source, _version(path))
    if problem is not None:
        what, hint = problem
        raise NotConfigured(
            f"{source} names {echo_path(path)}, {what}.", code="bad_ca_bundle", hint=hint
        )
    return path


def check_certificate(certificate: str, key: str | None) -> str | tuple[str, str]:
    """Return a client certificate and key as requests wants them.

    Raises
    ------
    NotConfigured
        ``bad_client_certificate``: missing, unreadable, or a key that needs a password.
    """
    certificate = str(Path(certificate).expanduser())
    key = None if key is None else str(Path(key).expanduser())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # A password that is asked for on the terminal would hang; none is right for a plain key.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError:
        what = "are not a certificate with its key in PEM, or the key needs a password"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    else:
        return certificate if key is None else (certificate, key)
    raise NotConfigured(
        f"The client certificate {echo_path(certificate)} and its key {what}.",
        code="bad_client_certificate",
        hint="Give PEM files, the key without a password and readable for you alone.",
    )


def _version(path: str) -> tuple[int, ...]:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return ()
    return (status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)


# Parsing the authorities of an operating system takes some 10 ms, and this is asked often.
@lru_cache(maxsize=32)
def _problem(path: str, source: str, version: tuple[int, ...]) -> tuple[str, str] | None:
    unset = f"Correct {source}, or remove it to use the usual certificate authorities."
    file = Path(path)
    try:
        if not version:
            return "which does not exist", unset
        if file.is_dir():
            return None
        if version[2] > _MAX_FILE:
            return "which is too large to be a file of certificates", unset
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        return f"which cannot be read: {getattr(error, 'strerror', None) or 'no path'}", unset
    if not data.strip():
        return "which is empty", unset
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        if data[:1] == b"\x30":
            name = file.with_suffix(".pem").name
            return "which is DER, not PEM", f"openssl x509 -inform der -in {file.name} -out {name}"
        return "which holds no certificate in PEM", unset
    return None
