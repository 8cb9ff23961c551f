"""``edi completion``: what a shell needs to complete verbs, flags and names."""

from __future__ import annotations

import click

from . import output
from .program import COMPLETE_VARIABLE


@click.command(short_help="Print what your shell needs to complete commands.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
      bash:  eval "$(edi completion bash)"            in ~/.bashrc
      zsh:   eval "$(edi completion zsh)"             in ~/.zshrc
      fish:  edi completion fish | source             in ~/.config/fish/config.fish
    """  # noqa: D301 - \b is click's mark for lines that are kept
    from click.shell_completion import get_completion_class

    root = context.find_root()
    kind = get_completion_class(shell)
    assert kind is not None
    called = root.info_name or "edi"
    script = kind(root.command, {}, called, COMPLETE_VARIABLE.format(called.upper()))
    # Not source(): that asks for the version of the bash of this machine.
    text = script.source_template % script.source_vars()
    # click's own function for fish ends a description at its first comma.
    output.say_all(text.replace('string split ","', 'string split --max 1 ","'))
