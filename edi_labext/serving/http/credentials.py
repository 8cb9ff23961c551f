"""Who may talk to the engine: one 256-bit master token, and tokens derived from it.

A derived token names its user and carries an HMAC-SHA256 under the master token, so nothing is
stored: replacing the token file invalidates all of them at once.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ...errors import InvalidInput, StorageFailure, Unauthenticated

#: What an identity may do: everything, or only ``POST /dlim/v1/inference/{name}``.
Scope = Literal["all", "inference"]

_TOKEN = re.compile("[0-9a-f]{64}")
_USER_LIMIT: Final = 128
#: Derived tokens that are remembered, so that not every request computes an HMAC.
_KNOWN_LIMIT: Final = 256
_TOKEN_HEADERS: Final = frozenset((b"x-auth-token", b"x-user-token", b"authorization"))
#: What to do with a login that is no token.
_EXCHANGE: Final = (
    "Exchange it for a token: POST /dlim/v1/auth/token with Authorization: Basic, any user name "
    "and the content of the engine's token file"
)
#: Prefix of a derived token → what is signed before the user name, and what it permits. The
#: different texts keep a token of one kind from being turned into one of another.
_KINDS: Final[dict[bytes, tuple[bytes, Scope]]] = {
    b"u": (b"edi-user-token:", "all"),
    b"s": (b"edi-service-token:", "inference"),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request comes from.

    Attributes
    ----------
    user:
        Name that becomes the ``creator`` of what is deployed.
    scope:
        See :data:`Scope`.
    """

    user: str
    scope: Scope

    @property
    def may_read_logs(self) -> bool:
        """Whether it may know what a kernel wrote, as whoever may ask for the log does."""
        return self.scope == "all"


class Credentials:
    """The master token and all that follows from it.

    Parameters
    ----------
    token:
        64 lower-case hex digits.
    owner:
        User name of a caller that presents the master token itself.
    """

    def __init__(self, token: str, *, owner: str = "local") -> None:
        if not _TOKEN.fullmatch(token):
            raise InvalidInput("The engine's token must be 64 lower-case hex digits.")
        self._token = token.encode("ascii")
        self._owner = Identity(owner, "all")
        self._known: dict[bytes, Identity] = {}

    def __repr__(self) -> str:
        return "Credentials(…)"

    def user_token(self, user: str) -> str:
        """Return the token with which ``user`` may do everything."""
        return self._derive(b"u", user)

    def service_token(self, user: str) -> str:
        """Return the token with which ``user`` may run inference and nothing else."""
        return self._derive(b"s", user)

    def hello(self, nonce: str) -> str:
        """Return the proof that we hold the token: hex HMAC-SHA256 of ``edi-hello:`` + nonce."""
        return self._sign(b"edi-hello:" + nonce.encode("ascii")).decode("ascii")

    def identify(self, headers: Iterable[tuple[bytes, bytes]]) -> Identity | None:
        """Return who sent these headers, or ``None``.

        One of ``X-Auth-Token``, ``X-User-Token`` and ``Authorization: Bearer`` is read; two of
        them, even equal ones, are refused, since two readers could then believe two things.

        Parameters
        ----------
        headers:
            Name (lower case) and value of each header, as received.
        """
        found: tuple[bytes, bytes] | None = None
        for header in headers:
            if header[0] in _TOKEN_HEADERS:
                if found is not None:
                    return None
                found = header
        if found is None:
            return None
        name, value = found
        value = value.strip(b" \t")
        if name == b"authorization":
            scheme, _, value = value.partition(b" ")
            if scheme.lower() != b"bearer":
                return None
            value = value.lstrip(b" ")
        return self._verify(value)

    def refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> Unauthenticated:
        """Return why :meth:`identify` found nobody in ``headers``, and the next step."""
        found = [header for header in headers if header[0] in _TOKEN_HEADERS]
        if not found:
            return Unauthenticated(
                "There is no token in the request.",
                hint="Send X-Auth-Token: <token> or Authorization: Bearer <token>. A token in the "
                "address is never read.",
            )
        if len(found) > 1:
            return Unauthenticated(
                "There is more than one token in the request.",
                hint="Send exactly one of X-Auth-Token, X-User-Token and Authorization.",
            )
        name, value = found[0]
        scheme = value.strip(b" \t").partition(b" ")[0].lower()
        if name == b"authorization" and scheme == b"zenapikey":
            return Unauthenticated(
                "Authorization: ZenApiKey is a login of Cloud Pak for Data, which this engine "
                "does not have.",
                hint=f"{_EXCHANGE}; on Cloud Pak for Data, POST /icp4d-api/v1/authorize does it "
                "for an API key.",
            )
        if name == b"authorization" and scheme == b"basic":
            return Unauthenticated(
                "User name and password are taken by POST /dlim/v1/auth/token alone.",
                hint=f"{_EXCHANGE}.",
            )
        return Unauthenticated(
            "The token in the request is not one of this engine.",
            hint="Use the content of the engine's token file, or a token of POST "
            "/dlim/v1/auth/token; a new token file ends all earlier ones.",
        )

    def basic(self, header: str | None) -> str | None:
        """Return the user name of ``Authorization: Basic`` if its password is the master token.

        Parameters
        ----------
        header:
            Value of the header, or ``None`` when there was none.
        """
        scheme, _, encoded = (header or "").strip().partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
            name = user.decode("utf-8")
        except ValueError:
            return None
        if not hmac.compare_digest(password, self._token) or not colon:
            return None
        return name if _is_user(name) else None

    def _verify(self, token: bytes) -> Identity | None:
        if hmac.compare_digest(token, self._token):
            return self._owner
        # Looked up by a keyed hash, so the time tells nothing about tokens that are known.
        identity = self._known.get(token)
        if identity is None:
            identity = self._check(token)
            if identity is not None:
                if len(self._known) >= _KNOWN_LIMIT:
                    self._known.clear()
                self._known[token] = identity
        return identity

    def _check(self, token: bytes) -> Identity | None:
        parts = token.split(b".")
        if len(parts) != 3 or parts[0] not in _KINDS:
            return None
        text, scope = _KINDS[parts[0]]
        try:
            user = _decode(parts[1])
        except ValueError:
            return None
        if not hmac.compare_digest(parts[2], self._sign(text + user)):
            return None
        return Identity(user.decode("utf-8"), scope)

    def _derive(self, kind: bytes, user: str) -> str:
        if not _is_user(user):
            raise InvalidInput("That user name cannot be used.", field="user")
        name = user.encode("utf-8")
        signature = self._sign(_KINDS[kind][0] + name)
        return b".".join((kind, _encode(name), signature)).decode("ascii")

    def _sign(self, message: bytes) -> bytes:
        return hmac.digest(self._token, message, "sha256").hex().encode("ascii")


def load_or_create(path: Path, *, owner: str = "local") -> Credentials:
    """Read the token file, or write a new one with mode 0600.

    Raises
    ------
    StorageFailure
        The file is a link, belongs to somebody else, can be read by others, or holds no token.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return Credentials(_create(path), owner=owner)
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be opened") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise _unusable(path, "it is no regular file")
        if facts.st_uid != os.getuid():
            raise _unusable(path, "it belongs to another user")
        if stat.S_IMODE(facts.st_mode) & 0o077:
            raise _unusable(path, "others can read it", "Remove it, so that a new one is made.")
        text = os.read(descriptor, 100).strip()
    finally:
        os.close(descriptor)
    token = text.decode("ascii", "replace")
    if not _TOKEN.fullmatch(token):
        raise _unusable(path, "it holds no token", "Remove it, so that a new one is made.")
    return Credentials(token, owner=owner)


def _create(path: Path) -> str:
    token = secrets.token_hex(32)
    # Written beside and linked into place: a reader never sees half a token, and a file that
    # appeared meanwhile is not replaced.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(draft, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # The umask may have taken bits away; it can never have added any.
            os.fchmod(descriptor, 0o600)
            file.write(token.encode("ascii") + b"\n")
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path, follow_symlinks=False)
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be written") from None
    finally:
        draft.unlink(missing_ok=True)
    return token


def _unusable(path: Path, reason: str, hint: str | None = None) -> StorageFailure:
    return StorageFailure(
        f"The token file {path} cannot be used: {reason}.", code="token_file", hint=hint
    )


def _is_user(name: str) -> bool:
    return 0 < len(name) <= _USER_LIMIT and name.isprintable() and ":" not in name


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    # One spelling per user: base64 ignores stray characters and unused bits.
    if _encode(data) != text:
        raise binascii.Error
    return data
