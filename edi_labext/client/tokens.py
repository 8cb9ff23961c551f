"""Tokens on their way from their source into a header, and nowhere else."""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from ..errors import NotConfigured
from .token_words import IN_JUPYTERLAB, TokenWords

#: The environment variable that holds WMLA's token in Watson Studio runtimes.
TOKEN_VARIABLE = "USER_ACCESS_TOKEN"  # noqa: S105 - a name

_MAX_TOKEN = 16 << 10
# Seconds before the end of a fetched token at which another one is fetched.
_MARGIN = 30.0
_BEARER = re.compile(r"bearer([ \t]+|$)", re.IGNORECASE)


def clean_token(raw: str, *, source: str, if_empty: str | None = None) -> str:
    """Return a token that is safe in a header.

    Surrounding white space, quotes and a ``Bearer`` prefix, as people paste them, are removed.

    Parameters
    ----------
    raw:
        The text found.
    source:
        How messages name where it was found; the token itself is never repeated.
    if_empty:
        What to do when there is none.

    Raises
    ------
    NotConfigured
        ``no_token`` when nothing is left, ``bad_token`` when it could not be one.
    """
    token = raw.strip(" \t")
    if len(token) > 1 and token[0] == token[-1] and token[0] in "\"'":
        token = token[1:-1]
    prefix = _BEARER.match(token)
    if prefix is not None:
        token = token[prefix.end() :]
    if not token.strip():
        raise NotConfigured(
            f"{source} is empty.",
            code="no_token",
            hint=if_empty or "Put the token there, alone and in one line.",
        )
    if len(token) > _MAX_TOKEN or not all("!" <= char <= "~" for char in token):
        raise NotConfigured(
            f"{source} does not hold a token: it is too long, or has line breaks, spaces or "
            "characters that no token has.",
            code="bad_token",
            hint="Copy the token again, in one line.",
        )
    return token


def token_expiry(token: str) -> float | None:
    """Return the Unix second at which a token ends, as it says of itself.

    Only a JSON Web Token says so, in its ``exp`` (RFC 7519, section 4.1.4). Its signature is not
    checked: whether a token is good is for the EDI to decide.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    claims = parts[1]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        expiry = decoded["exp"]
    except (binascii.Error, ValueError, RecursionError, TypeError, KeyError):
        return None
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        return None
    try:
        return float(expiry) if math.isfinite(expiry) else None
    except OverflowError:
        return None


class TokenSource(Protocol):
    """Where a token comes from. Usable from several threads; its ``repr`` holds no token."""

    @property
    def advice(self) -> str:
        """What a person can do once its token is refused, one or two sentences."""

    def __call__(self) -> str:
        """Return the token; raises :class:`~edi_labext.errors.NotConfigured` and other errors."""

    def renew(self, rejected: str) -> str:
        """Return the token after ``rejected`` was refused: another one, if there is one."""

    def known(self) -> str | None:
        """Return the token at hand without running or asking anything, ``None`` without one.

        Raises
        ------
        NotConfigured
            There will be none.
        """


class VariableToken:
    """The token of an environment variable, read anew at every call."""

    def __init__(
        self,
        env: Mapping[str, str],
        variable: str = TOKEN_VARIABLE,
        words: TokenWords = IN_JUPYTERLAB,
    ) -> None:
        self._env = env
        self._variable = variable
        self._words = words

    def __call__(self) -> str:
        """Return the token; raises :class:`~edi_labext.errors.NotConfigured`."""
        raw = self._env.get(self._variable)
        set_it = self._words.set_variable.format(variable=self._variable)
        if raw is None:
            raise NotConfigured(f"{self._variable} is not set.", code="no_token", hint=set_it)
        return clean_token(raw, source=self._variable, if_empty=set_it)

    def __repr__(self) -> str:
        return f"VariableToken({self._variable})"

    @property
    def advice(self) -> str:
        """What to do once its token is refused."""
        return self._words.renew_variable.format(variable=self._variable)

    def renew(self, rejected: str) -> str:
        """Read it again."""
        return self()

    def known(self) -> str | None:
        """Read it."""
        return self()


class FileToken:
    """The token of a file that only its owner may read, read anew at every call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> str:
        """Return the token; raises :class:`~edi_labext.errors.NotConfigured`."""
        try:
            raw = read_private(self._path, _MAX_TOKEN + 1).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise NotConfigured(
                f"The token file {self._path.name} cannot be used: it must be a plain file of "
                "yours that nobody else may write to or read.",
                code="no_token",
            ) from None
        return clean_token(raw, source=f"The token file {self._path.name}")

    def __repr__(self) -> str:
        return f"FileToken({self._path.name})"

    @property
    def advice(self) -> str:
        """What to do once its token is refused."""
        return f"Write a new one into {self._path.name}; it is read again at the next request."

    def renew(self, rejected: str) -> str:
        """Read it again."""
        return self()

    def known(self) -> str | None:
        """Read it."""
        return self()


class FetchedToken:
    """A token that has to be fetched, kept until shortly before its end or until it is refused.

    Parameters
    ----------
    fetch:
        Returns a clean token; may take its time.
    advice:
        What to do once a freshly fetched token is refused.
    name:
        For ``repr``.
    clock:
        Unix seconds; a parameter for tests.
    """

    def __init__(
        self,
        fetch: Callable[[], str],
        *,
        advice: str,
        name: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.advice = advice
        self._fetch = fetch
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None

    def __call__(self) -> str:
        """Return the token, fetching it if there is none or it is about to end."""
        with self._lock:
            if self._token is None or self._ends_soon(self._token):
                self._token = None
                self._token = self._fetch()
            return self._token

    def __repr__(self) -> str:
        return f"FetchedToken({self._name})"

    def renew(self, rejected: str) -> str:
        """Fetch another one, unless somebody else has done so meanwhile."""
        with self._lock:
            if self._token == rejected:
                self._token = None
        return self()

    def known(self) -> str | None:
        """Return what was fetched last."""
        return self._token

    def _ends_soon(self, token: str) -> bool:
        end = token_expiry(token)
        return end is not None and end - self._clock() < _MARGIN


def read_private(path: Path, limit: int) -> bytes:
    """Read a file that must be ours alone.

    Raises
    ------
    OSError
        It is missing, a link, not a plain file, another user's, or open to other users.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if (
            not stat.S_ISREG(status.st_mode)
            or status.st_uid != os.geteuid()
            or status.st_mode & 0o077
        ):
            raise PermissionError(f"{path.name} is not a private file")
        return file.read(limit)
