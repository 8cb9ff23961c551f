"""The command as a whole: verbs found when they are needed, and every way it can end."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from . import output
from .endings import INTERRUPTED, WRONG_USE, ending_of

#: Longer than any first sentence of a help.
_WHOLE = 1_000
#: The variable by which a shell asks for completions, with the name of the program in capitals.
COMPLETE_VARIABLE = "_{}_COMPLETE"


class Verbs(click.Group):
    """A group whose commands are imported when they are called.

    Parameters
    ----------
    verbs:
        Name of a command → ``module:attribute``, the module relative to this package.
    headings:
        Heading of the help → the names below it; by default all are below one.
    """

    def __init__(
        self,
        *args: Any,
        verbs: Mapping[str, str] | None = None,
        headings: Mapping[str, Sequence[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = dict(verbs or {})
        self._headings = dict(headings or {"Commands": tuple(self._verbs)})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; where nothing is asked for, show what there is and end as for wrong use."""
        if not args and not ctx.resilient_parsing:
            output.note(ctx.get_help())
            ctx.exit(WRONG_USE)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they were declared."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        where = self._verbs.get(cmd_name)
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        command = getattr(importlib.import_module(f".{module}", __package__), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what there is, each with its whole short help: click alone cuts sentences."""
        shown = {
            name: command.get_short_help_str(_WHOLE)
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None and not command.hidden
        }
        # The same columns below every heading.
        width = max(map(len, shown))
        for heading, names in self._headings.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:<{width}}", shown[name]) for name in names])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples with the name under which the command was called."""
        if self.epilog:
            called = ctx.find_root().info_name or "edi"
            text = self.epilog.replace("edi ", f"{called} ")
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(text)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` begins with; for a typing error, say what is near."""
        word = args[0]
        if word not in self._verbs and not word.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(word, self._verbs, n=1)
            known = f'Did you mean "{near[0]}"?' if near else f"There is {', '.join(self._verbs)}."
            ctx.fail(f"No such command {word[:80]!r}. {known}")
        return super().resolve_command(ctx, args)


class Program(Verbs):
    """The whole command. However it ends, it ends with an exit code and without a traceback.

    It goes by the name under which it was called, so that a link named ``dlim`` helps as dlim.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and, unless ``standalone_mode`` is off, leave the interpreter."""

        def run() -> Any:
            return super(Program, self).main(
                args, prog_name, complete_var, standalone_mode=False, **extra
            )

        if not standalone_mode:
            return run()
        output.prepare()
        sys.exit(output.finish(_status_of(run)))


def _status_of(run: Callable[[], Any]) -> int:
    try:
        result = run()
    except (click.Abort, KeyboardInterrupt):
        output.note("Interrupted.")
        return INTERRUPTED
    except Exception as error:
        # The one place where every failure ends; what is not foreseen is told as such.
        return ending_of(error)
    # Of a command that calls ``ctx.exit``; ours return nothing.
    return result if isinstance(result, int) else 0
