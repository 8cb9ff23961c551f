"""The ``edi`` command: dlim's verbs and flags for any EDI, and the engine of this machine.

What it prints on stdout, and its exit codes, follow ``reference/dlim-cli.md``; scripts written for
dlim compare those lines. Everything else that people read goes to stderr. Nothing heavy is
imported here: each command imports what it needs once it is called.
"""

from __future__ import annotations

import click

from .. import __version__
from .options import connection_options
from .program import Program

_EXAMPLES = """\b
Examples:
  edi check digits                      # is the folder "digits" fit to be deployed?
  edi model deploy -p digits            # upload it
  edi model start digits
  edi model view digits -s              # its state
  edi infer digits --payload eight.json
  edi model viewprofile digits -j > profile.json
  edi model stop -f digits
  edi model undeploy -f digits

\b
Which EDI: this machine's own engine ("local"), unless EDI_REST_SERVER (with USER_ACCESS_TOKEN)
or --rest-server names another one. "-e local" always means this machine.
Exit codes: 0 done, 1 refused or failed, 2 wrong use, 130 interrupted.
"""


@click.command(
    cls=Program,
    # One line registers a verb: module of this package, colon, name of its command.
    verbs={
        "config": "config:config",
        "model": "model:model",
        "new": "new:new",
        "runtime": "runtime:runtime",
        "check": "check:check",
        "pack": "pack:pack",
        "infer": "infer:infer",
        "logs": "logs:logs",
        "plan": "declared:plan",
        "apply": "declared:apply",
        "promote": "promote:promote",
        "export": "export:export",
        "import": "import_script:import_",
        "serve": "serve:serve",
        "env": "env:env",
        "completion": "completion:completion",
    },
    headings={
        "As dlim has them": ("config", "model", "runtime"),
        "One folder, one service": ("new", "check", "pack", "infer", "logs", "promote"),
        "Services as a file": ("plan", "apply", "export", "import"),
        "This machine and the way to others": ("serve", "env", "completion"),
    },
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@connection_options
@click.version_option(__version__, prog_name="edi", message="%(prog)s %(version)s")
def main() -> None:
    """Deploy, run and look after EDI inference services."""
