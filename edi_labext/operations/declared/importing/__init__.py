"""Read a script that drives dlim, and say what it does as an ``edi.yaml``."""

from .reading import Imported, import_script

__all__ = ["Imported", "import_script"]
