"""Flags and arguments that several verbs share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from .connection import Target
from .suggestions import suggest_environments, suggest_services

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Check = Callable[[click.Context, click.Parameter, Any], Any]


_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")
#: Stands for the number of seconds that was left out.
_USUAL = "usual"


class Once(click.Option):
    """An option that may be given once; click alone would quietly take the last of several.

    Its ``callback`` is called with the one value, and only when there is one.
    """

    def __init__(self, *args: Any, callback: Check | None = None, **kwargs: Any) -> None:
        kwargs["multiple"] = True
        super().__init__(*args, **kwargs)
        self._check = callback

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the one value, or ``None``."""
        values = super().process_value(ctx, value)
        if len(values) > 1:
            raise twice(self.opts[-1], ctx)
        if not values:
            return None
        return values[0] if self._check is None else self._check(ctx, self, values[0])


class _Connection(Once):
    """A flag that may stand at any level; its value is kept in the :class:`Target`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, expose_value=False, **kwargs)

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        given = super().process_value(ctx, value)
        target = ctx.ensure_object(Target)
        assert self.name is not None
        if given is not None:
            if getattr(target, self.name) is not None:
                raise twice(self.opts[-1], ctx)
            setattr(target, self.name, given)
        return given


def connection_options(command: Decorated) -> Decorated:
    """Add the global flags; dlim takes them after a verb's own arguments, so each verb has them."""
    for option in (
        click.option(
            "--jwt-token",
            cls=_Connection,
            metavar="TOKEN",
            help="Token for --rest-server. Better: USER_ACCESS_TOKEN, or @FILE.",
        ),
        click.option(
            "--rest-server",
            cls=_Connection,
            metavar="URL",
            help="Address of an EDI, with or without /dlim/v1/.",
        ),
        click.option(
            "-e",
            "--environment",
            cls=_Connection,
            metavar="ID",
            shell_complete=suggest_environments,
            help='Which EDI: "local", "wmla" (of EDI_REST_SERVER), or one of "edi env list".',
        ),
    ):
        command = option(command)
    return command


class Waiting(click.Command):
    """A command with ``--wait``, whose number of seconds may be left out.

    click would take whatever follows for the number; here only a number is.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Bind a number to the flag before it, and the usual time to a flag without one."""
        flags = list(args)
        end = flags.index("--") if "--" in flags else len(flags)
        for index in reversed(range(end)):
            if flags[index] != "--wait":
                continue
            number = flags[index + 1] if index + 1 < end else ""
            if _NUMBER.fullmatch(number):
                flags[index : index + 2] = [f"--wait={number}"]
            else:
                flags[index] = f"--wait={_USUAL}"
        return super().parse_args(ctx, flags)


def wait_option(what: str, usual: float) -> Callable[[Decorated], Decorated]:
    """Return ``--wait[=SECONDS]``, for a command of class :class:`Waiting`.

    Parameters
    ----------
    what:
        What is waited for, for the help.
    usual:
        Seconds when none are given.
    """

    def check(ctx: click.Context, param: click.Parameter, value: str) -> float:
        return usual if value == _USUAL else seconds(ctx, param, value)

    return click.option(
        "--wait",
        cls=Once,
        callback=check,
        metavar="[SECONDS]",
        help=f"{what} At most {usual:.0f} seconds if none are given.",
    )


def form_option(*forms: str) -> Callable[[Decorated], Decorated]:
    """Return ``-o``, the form of a result: ``None`` when it is not given."""
    return click.option(
        "-o",
        "--output",
        "form",
        cls=Once,
        type=click.Choice(forms),
        help="Another form of the result.",
    )


def twice(option: str, ctx: click.Context) -> click.UsageError:
    """Return the error for an option that is given more than once."""
    return click.UsageError(f"{option} is given more than once.", ctx)


def seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Return a positive number of seconds, at most a day; the check of an option."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    # Written so that "nan" does not pass.
    if not 0 < number <= 86_400:
        raise click.BadParameter(
            "It must be a number of seconds above 0, at most 86400.", ctx, param
        )
    return number


def deployment_argument(command: Decorated) -> Decorated:
    """Add the argument ``NAME``, a deployment's name, checked before anything is sent."""
    return click.argument("name", callback=_name, metavar="NAME", shell_complete=suggest_services)(
        command
    )


def _name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    from ..errors import InvalidInput
    from ..models import check_name

    try:
        return check_name(value)
    except InvalidInput as error:
        raise click.BadParameter(
            f"{error.message} {error.hint or ''}".strip(), ctx, param
        ) from None


def force_option(meaning: str) -> Callable[[Decorated], Decorated]:
    """Return the flag ``-f``, whose meaning differs from verb to verb."""
    return click.option("-f", "--force", is_flag=True, help=meaning)
