"""What is kept of an environment: everything but its token.

Strict, so that a typing error is told and never ignored: a misspelt ``ca_bundel`` must not turn
into a connection without it.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ..errors import InvalidInput, echo
from .addresses import host_of, origin_of, parse_origin, parse_server
from .package_sender import UploadForm
from .tokens import TOKEN_VARIABLE

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_RESERVED = frozenset({"local", "wmla"})
_TOKEN_LIKE = re.compile(r"eyJ[\w-]{8,}\.[\w-]{2,}", re.ASCII)


def _no_secret(text: str) -> str:
    if _TOKEN_LIKE.search(text):
        raise ValueError("it holds a token, which does not belong into settings")
    if not text.isprintable() or not text.strip():
        raise ValueError("it must be one line of text")
    return text


Line = Annotated[str, Field(max_length=1_000), AfterValidator(_no_secret)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]


class Settings(BaseModel):
    """Base of everything that is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class VariableSecret(Settings):
    """An environment variable of whoever uses the environment."""

    kind: Literal["variable"] = "variable"
    variable: Variable = TOKEN_VARIABLE


class FileSecret(Settings):
    """A file that only its owner may read."""

    kind: Literal["file"] = "file"
    path: Line


class KeyringSecret(Settings):
    """The keyring of the operating system; needs the extra ``keyring``."""

    kind: Literal["keyring"] = "keyring"


class CommandToken(Settings):
    """A program that prints a token; run without a shell."""

    kind: Literal["command"] = "command"
    command: list[Line] = Field(min_length=1, max_length=50)


class LoginToken(Settings):
    """A log-in with password or API key.

    Attributes
    ----------
    service:
        ``cpd`` is Cloud Pak for Data's ``/icp4d-api/v1/authorize``, ``edi`` is EDI's own
        ``/auth/token`` (WMLA without Cloud Pak for Data).
    address:
        Of Cloud Pak for Data, ``None`` when it is the environment's own host.
    """

    kind: Literal["login"] = "login"
    service: Literal["cpd", "edi"] = "cpd"
    address: Line | None = None
    username: Line
    credential: Literal["password", "api_key"] = "password"
    secret: Annotated[VariableSecret | FileSecret | KeyringSecret, Field(discriminator="kind")] = (
        Field(default_factory=KeyringSecret)
    )


class SessionToken(Settings):
    """A token that a person pastes, kept in memory until the process ends."""

    kind: Literal["session"] = "session"


#: Where a token comes from.
TokenSettings = Annotated[
    VariableSecret | FileSecret | CommandToken | LoginToken | SessionToken,
    Field(discriminator="kind"),
]


class EnvironmentSettings(Settings):
    """A named environment.

    Attributes
    ----------
    address, inference_address:
        Base URLs; ``inference_address`` ``None`` means that ``address`` takes inference too.
    token:
        ``None`` until one has been chosen for exactly these hosts.
    token_origins:
        The hosts that the token was confirmed for; it is sent nowhere else.
    verify:
        Whether certificates are checked.
    ca_bundle, client_certificate, client_key:
        Paths of PEM files.
    proxy:
        ``None``: the usual variables; ``none``: no proxy; else its address.
    production:
        Asks for stricter confirmations.
    """

    title: Annotated[Line, Field(max_length=80)]
    address: Line
    inference_address: Line | None = None
    token: TokenSettings | None = None
    token_origins: list[Line] = Field(default_factory=list, max_length=3)
    verify: bool = True
    ca_bundle: Line | None = None
    client_certificate: Line | None = None
    client_key: Line | None = None
    proxy: Line | None = None
    upload: UploadForm = "auto"
    production: bool = False

    @model_validator(mode="after")
    def _key_needs_certificate(self) -> Self:
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key needs client_certificate")
        return self

    @property
    def origins(self) -> list[str]:
        """The origins that requests with the token go to, that of EDI first.

        Raises
        ------
        NotConfigured
            ``bad_address``
        """
        return list(dict.fromkeys(origin_of(url) for url in (self.base_url, self.inference_url)))

    @property
    def hosts(self) -> list[str]:
        """The hosts of :attr:`origins`."""
        return [host_of(origin) for origin in self.origins]

    @property
    def base_url(self) -> str:
        """The normalised ``address``; raises as :attr:`origins`."""
        return parse_server(self.address, source="The address")

    @property
    def inference_url(self) -> str:
        """The normalised ``inference_address``; raises as :attr:`origins`."""
        if self.inference_address is None:
            return self.base_url
        return parse_server(self.inference_address, source="The inference address")

    @property
    def login_origin(self) -> str | None:
        """Where the password goes, if a log-in brings the token; raises as :attr:`origins`."""
        if not isinstance(self.token, LoginToken):
            return None
        if self.token.service == "edi" or self.token.address is None:
            return origin_of(self.base_url)
        return parse_origin(self.token.address, source="The address of Cloud Pak for Data")

    @property
    def is_token_bound(self) -> bool:
        """Whether the token was confirmed for the hosts that it would go to; raises as above."""
        wanted = {*self.origins, *filter(None, [self.login_origin])}
        return self.token is not None and wanted <= set(self.token_origins)


class EnvironmentsFile(Settings):
    """The file as a whole; ``current`` is the one that is used when none is named."""

    schema_version: Literal[1] = 1
    current: str | None = None
    environments: dict[str, EnvironmentSettings] = Field(default_factory=dict, max_length=200)

    @model_validator(mode="after")
    def _names_are_names(self) -> Self:
        for name in self.environments:
            if not is_environment_id(name):
                raise ValueError(f"{echo(name)} is no name of an environment")
        return self


def is_environment_id(name: str) -> bool:
    """Tell whether a stored environment may have this name."""
    return name not in _RESERVED and _ID.fullmatch(name) is not None


def check_environment_id(name: str) -> str:
    """Return ``name``, or raise :class:`~edi_labext.errors.InvalidInput` (``invalid_name``)."""
    if is_environment_id(name):
        return name
    what = "is reserved" if name in _RESERVED else "is no name of an environment"
    raise InvalidInput(
        f"{echo(name)} {what}.",
        code="invalid_name",
        field="id",
        hint="Lower-case letters, digits and hyphens, such as wmla-prod.",
    )
