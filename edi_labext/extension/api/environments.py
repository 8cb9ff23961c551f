"""What this server half is, and what it can reach."""

from __future__ import annotations

from typing import Literal

from .base import ErrorInfo, Reply

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
    """

    id: str
    title: str
    kind: Literal["local", "remote"]
    host: str | None = None
    problem: ErrorInfo | None = None
    token_expires: float | None = None


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


class Info(Reply):
    """What this server half is and can reach."""

    version: str
    server_extension: ServerExtension
    environments: list[EnvironmentInfo]
    limits: Limits


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
