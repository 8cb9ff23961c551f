"""The magic itself: read the line, do it, tell mistakes and failures in one line."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..errors import Cancelled, EdiError
from .failures import in_one_line, with_next_step
from .line import no_verb, parse
from .secrets import refuse_secrets
from .session import Session
from .verbs import VERBS, overview


@magics_class
class EdiMagics(Magics):
    """``%edi`` and ``%%edi``; one session per shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.session = Session()

    @no_var_expand
    @line_cell_magic
    def edi(self, line: str, cell: str | None = None) -> object:
        """Deploy, run and look after EDI inference services."""
        shell: Any = self.shell
        refuse_secrets(line, self.session.env, shell)
        request = parse(line, shell.user_ns, in_cell=cell is not None)
        if request.wants_help:
            print(request.verb.help)
            return None
        if request.verb.name == "help":
            _help(request.arguments.verb)
            return None
        try:
            from .actions import ACTIONS, Call

            call = Call(self.session, shell, request.arguments, cell)
            return ACTIONS[request.verb.name](call)
        except KeyboardInterrupt:
            raise in_one_line(
                Cancelled("Interrupted.", hint="%edi list shows how things stand.")
            ) from None
        except EdiError as error:
            raise in_one_line(with_next_step(error, request.arguments, self.session)) from None


def _help(verb: str | None) -> None:
    if verb is not None and verb not in VERBS:
        raise no_verb(verb)
    print(VERBS[verb].help if verb else overview())


EdiMagics.edi.__doc__ = f"""{overview()}

Examples
--------
::

    %edi deploy examples/digits
    %edi infer digits -f payloads/three.json -o answer

    %%edi infer digits -o answer
    {{"image": {{image}}}}

    %%edi profile digits --restart
    {{"kernel": {{"gpu": "exclusive"}}}}

``{{image}}`` is filled with the value of the variable ``image`` as JSON; ``{{{{image}}}}`` keeps
the braces. The EDI is the one of ``EDI_REST_SERVER`` and ``USER_ACCESS_TOKEN``, else the engine
of this machine; ``%edi env`` shows and changes it.
"""
