"""What runs inside a kernel process: standard library only, Python 3.8 and newer.

The engine imports two files of it: the frame codec (``path/_edi_host/frames.py``) and the look for
processes (``strays.py``).
"""

from __future__ import annotations

from pathlib import Path

#: The one folder that goes on the ``PYTHONPATH`` of a user's interpreter.
KERNEL_PATH = Path(__file__).resolve().parent / "path"
