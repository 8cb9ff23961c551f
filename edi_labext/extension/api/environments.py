"""What this server half is, and what it can reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Body, ErrorInfo, Reply

#: Who offers a runtime: the engine itself, a notebook kernel of this server, another EDI.
RuntimeSource = Literal["engine", "kernelspec", "edi"]


class EnvironmentInfo(Reply):
    """One EDI that can be used.

    Attributes
    ----------
    problem:
        Why it cannot be used just now, as far as that is known without asking it.
    token_expires:
        Unix seconds at which its token ends, ``None`` when the token does not say.
    source:
        ``stored`` ones can be changed here; the others are given.
    address, inference_address:
        Base URLs, ``None`` when they are unusable or it is Local.
    token_source:
        Where its token comes from: ``variable``, ``file``, ``command``, ``login``, ``session``;
        ``engine`` for Local; ``None`` when none was chosen.
    token_pasted:
        Whether a pasted token goes before that.
    token_variable:
        The environment variable that it is read from, if it is read from one.
    token_advice:
        What to do once it is refused or has ended, ``""`` when there is none.
    insecure:
        Whether its certificate is not checked.
    own_authorities, client_certificate:
        Whether it has such files; which is not told.
    production:
        Whether confirmations are to be stricter.
    """

    id: str
    title: str
    kind: Literal["local", "remote"]
    host: str | None = None
    problem: ErrorInfo | None = None
    token_expires: float | None = None
    source: Literal["built-in", "variable", "stored"] = "built-in"
    address: str | None = None
    inference_address: str | None = None
    token_source: str | None = None
    token_pasted: bool = False
    token_variable: str | None = None
    token_advice: str = ""
    insecure: bool = False
    own_authorities: bool = False
    client_certificate: bool = False
    upload: Literal["auto", "raw", "multipart"] = "auto"
    production: bool = False


class EnvironmentRequest(Body):
    """An environment to add, or what to change one to.

    Attributes
    ----------
    inference_address:
        ``None``: the one that belongs to the address.
    ca_bundle, client_certificate, client_key, proxy:
        Left out: as they are. Paths on the server.
    confirmed_hosts:
        The hosts that the person has agreed to, each as ``host[:port]``.
    """

    title: str
    address: str
    inference_address: str | None = None
    verify: bool = True
    ca_bundle: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    upload: Literal["auto", "raw", "multipart"] = "auto"
    production: bool = False
    confirmed_hosts: list[str] = Field(default_factory=list)


class VariableToken(Body):
    """The server's ``USER_ACCESS_TOKEN``."""

    kind: Literal["variable"]


class FileToken(Body):
    """A file on the server that only its owner may read."""

    kind: Literal["file"]
    path: str


class PastedToken(Body):
    """A token for this session; never written anywhere."""

    kind: Literal["session"]
    token: str = Field(max_length=16 << 10, repr=False)


class TokenRequest(Body):
    """Where the token comes from. Programs and log-ins are set up with ``edi env add`` only."""

    source: Annotated[VariableToken | FileToken | PastedToken, Field(discriminator="kind")]
    confirmed_hosts: list[str] = Field(default_factory=list)


class ConnectionStep(Reply):
    """One step of a connection test; ``ok`` is ``None`` where nothing safe can tell."""

    name: str
    ok: bool | None
    text: str
    hint: str | None
    seconds: float


class ConnectionReport(Reply):
    """The steps until the first that fails."""

    ok: bool
    steps: list[ConnectionStep]


class Limits(Reply):
    """What the façade takes, in bytes and entries."""

    body_bytes: int
    payload_bytes: int
    answer_bytes: int
    inspected_files: int


class ServerExtension(Reply):
    """Which versions the server has, so that a page of another one can tell the next step.

    Attributes
    ----------
    running:
        Of the server half that answers; the same as ``Info.version``.
    installed:
        Of the package on disk. Another one than ``running``: restart Jupyter.
    frontend:
        Of the front half on disk, which the next page load gets. The same as ``running``, but not
        that of the page: reload it.
    """

    running: str
    installed: str | None
    frontend: str | None


class UnsafePackage(Reply):
    """A package of the server that has known security faults, and what brings a better one."""

    name: str
    version: str
    floor: str
    command: str


class Info(Reply):
    """What this server half is and can reach.

    Attributes
    ----------
    default_environment:
        The one that is meant where none is named.
    environments_problem:
        Why the stored environments are missing, if they are.
    token_available:
        Whether the server has ``USER_ACCESS_TOKEN``, as in Watson Studio.
    unsafe_packages:
        What the server runs that is below its security floor.
    """

    version: str
    server_extension: ServerExtension
    environments: list[EnvironmentInfo]
    limits: Limits
    default_environment: str = "local"
    environments_problem: ErrorInfo | None = None
    token_available: bool = False
    unsafe_packages: list[UnsafePackage] = Field(default_factory=list)


class RuntimeInfo(Reply):
    """A Python environment that kernels can run in.

    Attributes
    ----------
    type:
        Its name in ``model.json``.
    title:
        For people.
    note:
        What one should know before choosing it, ``""`` when there is nothing.
    """

    type: str
    title: str
    description: str = ""
    source: RuntimeSource
    note: str = ""


class RuntimeList(Reply):
    """The runtimes of an environment; ``default`` is that of a ``model.json`` that names none."""

    runtimes: list[RuntimeInfo]
    default: str | None
