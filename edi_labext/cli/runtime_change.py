"""``edi runtime create`` and ``update``: by flags, or by a file with the whole object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import InvalidInput, NotFound, echo
from . import output
from .connection import connected
from .endings import WrongUse, wrong_use
from .given import describe, read_given
from .options import Decorated, Once, connection_options
from .runtime import about_runtime

if TYPE_CHECKING:
    from ..client import EdiClient
    from ..models import Runtime

#: What names the Python; one of them at a time.
_PYTHONS = ("python", "kernelspec", "conda_home")


def _changes(command: Decorated) -> Decorated:
    """Add the flags by which a runtime is described."""
    options: list[Callable[[Decorated], Decorated]] = [
        click.option(
            "-f",
            "--file",
            cls=Once,
            type=click.Path(dir_okay=False, allow_dash=True),
            metavar="FILE",
            help='The whole runtime as JSON, as "runtime view NAME -j" writes it; "-" is stdin.',
        ),
        click.option("--python", cls=Once, metavar="PATH",
                     help="A Python, or the folder of a virtual environment (this product's "
                     "engine alone)."),
        click.option("--kernelspec", cls=Once, metavar="NAME",
                     help="The Python of this notebook kernel (this product's engine alone)."),
        click.option("--conda-home", cls=Once, metavar="DIR", help="A conda installation."),
        click.option("--conda-env", cls=Once, metavar="NAME",
                     help="An environment of --conda-home; without it the base."),
        click.option("--pre-exec", cls=Once, metavar="TEXT",
                     help="Shell that runs before the kernel, or @FILE."),
        click.option("--env", "variables", multiple=True, metavar="NAME=VALUE",
                     help="A variable of every kernel; may be given several times."),
        click.option("--description", cls=Once, metavar="TEXT", help="One line for people."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command(short_help="Create a runtime.")
@click.argument("name", metavar="NAME", required=False)
@_changes
@connection_options
def create(name: str | None, *, file: str | None, **flags: Any) -> None:
    """Create a runtime by flags, or with -f from a file, which holds its name as "type"."""
    from ..models import PYTHON_LAUNCHER, Runtime
    from ..operations import create_runtime

    _refuse_both(file, flags)
    if file is not None:
        wanted = _read(file, name)
    elif name is None:
        raise click.UsageError("Give a NAME, or -f FILE.")
    else:
        wanted = _changed(Runtime(type=name, launcher=PYTHON_LAUNCHER), flags)
    with connected() as client:
        _refuse_elsewhere(client, flags)
        create_runtime(client, wanted)
    output.say(f"Runtime <{wanted.type}> is created successfully")


@click.command(short_help="Change a runtime.")
@click.argument("name", metavar="NAME")
@_changes
@connection_options
def update(name: str, *, file: str | None, **flags: Any) -> None:
    """Change a runtime: what the flags name, or with -f the whole of it.

    A service that runs goes on in the old one until it is stopped and started again.
    """
    from ..operations import update_runtime

    _refuse_both(file, flags)
    if file is None and not _given(flags):
        raise click.UsageError("Nothing to change: give a flag, or -f FILE.")
    wanted = _read(file, name) if file is not None else None
    with connected() as client, about_runtime(name):
        _refuse_elsewhere(client, flags)
        if wanted is None:
            wanted = _changed(client.runtime(name), flags)
        update_runtime(client, wanted)
    output.say("Runtime is updated successfully")


def _given(flags: dict[str, Any]) -> list[str]:
    return [name for name, value in flags.items() if value not in (None, ())]


def _refuse_both(file: str | None, flags: dict[str, Any]) -> None:
    given = _given(flags)
    if file is not None and given:
        raise click.UsageError("-f FILE holds the whole runtime; leave the other flags out.")
    if len([name for name in given if name in _PYTHONS]) > 1:
        raise click.UsageError("Give one of --python, --kernelspec and --conda-home.")


def _refuse_elsewhere(client: EdiClient, flags: dict[str, Any]) -> None:
    """Refuse what WMLA would keep and not look at."""
    if (flags["python"] or flags["kernelspec"]) and client.capabilities() is None:
        raise click.UsageError(
            f"{client.host} knows no Python by path; give --conda-home and --conda-env."
        )


def _read(file: str, name: str | None) -> Runtime:
    from pydantic import ValidationError

    from ..models import Runtime
    from ..models.strict_json import MAX_JSON_BYTES, parse_object

    data = read_given(file, limit=MAX_JSON_BYTES)
    with wrong_use():
        document = parse_object(data, what=describe(file))
        if name is not None:
            document.setdefault("type", name)
        try:
            found = Runtime.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(step) for step in first["loc"])
            raise InvalidInput(
                f"{describe(file)} is no runtime: {path}: {first['msg']}.", field=path
            ) from None
        if name not in (None, found.type):
            raise InvalidInput(
                f"{describe(file)} is the runtime {echo(found.type)}, not {echo(name)}.",
                field="type",
                hint="Its name stands in type and does not change.",
            )
        return found


def _changed(current: Runtime, flags: dict[str, Any]) -> Runtime:
    """Return ``current`` with what the flags say."""
    runtime = current
    if flags["python"]:
        runtime = runtime.with_conda("", "").with_python(_absolute(flags["python"]))
    if flags["kernelspec"]:
        found = _notebook_python(flags["kernelspec"]).runtime(runtime.type)
        plain = runtime.with_conda("", "")
        runtime = plain.model_copy(update={"attributes": [*found.attributes, *plain.attributes]})
        if not runtime.description:
            runtime = runtime.model_copy(update={"description": found.description})
    if flags["conda_home"]:
        runtime = runtime.with_conda(_absolute(flags["conda_home"]), flags["conda_env"] or "")
    elif flags["conda_env"]:
        if not runtime.conda_home:
            raise click.UsageError("--conda-env needs --conda-home.")
        runtime = runtime.with_conda(runtime.conda_home, flags["conda_env"])
    texts = {
        "description": flags["description"],
        "pre_exec": None if flags["pre_exec"] is None else _text(flags["pre_exec"]),
    }
    runtime = runtime.model_copy(
        update={key: value for key, value in texts.items() if value is not None}
    )
    return runtime.with_variables(_variables(flags["variables"]))


def _absolute(path: str) -> str:
    """Return a path as the service needs it; a bare command stays one. Links are kept."""
    if "/" not in path and not Path(path).exists():
        return path
    return str(Path.cwd() / Path(path).expanduser())


def _text(given: str) -> str:
    if not given.startswith("@"):
        return given
    try:
        return read_given(given[1:], limit=1 << 20).decode("utf-8")
    except UnicodeDecodeError:
        error = InvalidInput(f"{describe(given[1:])} is not UTF-8 text.", code="not_utf8")
        raise WrongUse(error) from None


def _variables(given: tuple[str, ...]) -> dict[str, str]:
    variables = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.UsageError("--env must be of the form NAME=VALUE.")
        variables[name] = value
    return variables


def _notebook_python(name: str) -> Any:
    import logging

    from jupyter_client.kernelspec import KernelSpecManager

    from ..operations import notebook_pythons

    log = logging.getLogger(__name__)
    found = {item.name: item for item in notebook_pythons(KernelSpecManager(), log=log)}
    with wrong_use():
        if name not in found:
            raise NotFound(
                f"There is no notebook kernel {echo(name)} in Python on this machine.",
                hint=f"There is {', '.join(found)}." if found else "Install one with ipykernel.",
            )
        return found[name]
