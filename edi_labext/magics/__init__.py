"""The ``%edi`` and ``%%edi`` magics of IPython.

``%load_ext edi_labext`` costs a few milliseconds: whatever is heavy (pydantic, requests) is
imported by the first verb that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .completion import add_matcher, remove_matcher
from .magic import EdiMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["EdiMagics", "load", "unload"]


def load(shell: InteractiveShell) -> None:
    """Register the magics and their completion with ``shell``."""
    magics = EdiMagics(shell)
    shell.register_magics(magics)
    add_matcher(shell, magics.session)


def unload(shell: InteractiveShell) -> None:
    """Take back what :func:`load` did. An engine in the background goes on running."""
    magics = shell.magics_manager.registry.pop(EdiMagics.__name__, None)
    if isinstance(magics, EdiMagics):
        magics.session.close()
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("edi", None)
    remove_matcher(shell)
