"""edi_labext: deploy, run and look after Elastic Distributed Inference services in JupyterLab.

Only entry points live here; nothing heavy is imported at import time.
"""

from __future__ import annotations

from ._version import __version__

# Known to type checkers by its name; the typing module alone costs more than all the rest here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "edi_labext"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from .extension.app import EdiLabext

    return [{"module": "edi_labext", "app": EdiLabext}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Serve ``%load_ext edi_labext``."""
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Serve ``%unload_ext edi_labext``."""
    from .magics import unload

    unload(shell)
