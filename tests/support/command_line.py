"""The ``edi`` command as tests call it: inside this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from edi_labext.cli import main

#: Never taken over from whoever runs the tests.
_UNSET = ("EDI_REST_SERVER", "USER_ACCESS_TOKEN", "NO_COLOR", "REQUESTS_CA_BUNDLE")
#: A token that occurs nowhere else, so that a leak is seen.
TOKEN = "canary-0f3b9c-of-the-command-line"
_PROGRAM = "import sys; from edi_labext.cli import main; sys.argv[0] = {!r}; main()"


@dataclass(frozen=True)
class CommandLine:
    """``edi`` with a store, and variables of its own."""

    store: Path
    variables: tuple[tuple[str, str], ...] = ()
    #: The name under which it is called.
    called: str = "edi"

    def set(self, **variables: str) -> CommandLine:
        return replace(self, variables=(*self.variables, *variables.items()))

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Result:
        """Run in this process: fast, and with both streams apart."""
        env: dict[str, str | None] = dict.fromkeys(_UNSET)
        env |= {**self._own(), **dict(self.variables)}
        return CliRunner().invoke(
            main, list(arguments), input=stdin, env=env, prog_name=self.called
        )

    def lines(self, *arguments: str) -> list[str]:
        """Run, insist on exit code 0 and silence on stderr, and return the lines of stdout."""
        result = self(*arguments)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout.splitlines()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", _PROGRAM.format(self.called), *arguments]

    def environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if name not in _UNSET}
        return {**env, **self._own(), **dict(self.variables)}

    def _own(self) -> dict[str, str]:
        settings = self.store.parent / "jupyter-config"
        return {"EDI_STORE": str(self.store), "JUPYTER_CONFIG_DIR": str(settings)}

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run as a process, by default with stdin closed at once."""
        options.setdefault("stdin", subprocess.DEVNULL)
        for stream in ("stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            text=True,
            timeout=25,
            check=False,
            **options,
        )

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start as a process."""
        return subprocess.Popen(
            self.command(*arguments), env=self.environment(), text=True, **options
        )
