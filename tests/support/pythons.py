"""The Pythons of this machine, and environments made of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_NAME = re.compile(r"python(2\.7|3\.\d+)")


def found() -> dict[str, Path]:
    """Every ``python2.7`` and ``python3.x`` by where it is: PATH, the system's, pyenv's."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += [Path("/usr/bin"), Path("/usr/local/bin")]
    folders += sorted(Path.home().glob(".pyenv/versions/*/bin"))
    pythons: dict[str, Path] = {}
    for folder in folders:
        # A shim runs what pyenv has chosen, which is found below its versions.
        if folder.name == "shims" or folder == Path(sys.executable).parent:
            continue
        for path in sorted(folder.glob("python[23].*")):
            if _NAME.fullmatch(path.name) and path.resolve() not in {
                other.resolve() for other in pythons.values()
            }:
                pythons[str(path)] = path
    return pythons


def minor(path: Path) -> tuple[int, int]:
    """Major and minor version, by the name."""
    major, _, rest = path.name.removeprefix("python").partition(".")
    return int(major), int(rest)


#: Fit for kernels, and too old for them.
FIT = {name: path for name, path in found().items() if minor(path) >= (3, 8)}
OLD = {name: path for name, path in found().items() if minor(path) < (3, 8)}


def make_venv(folder: Path, python: str = sys.executable) -> Path:
    """Make a virtual environment without any package and return its interpreter."""
    subprocess.run(
        [python, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60, env={}
    )
    return folder / "bin" / "python"


def make_conda(home: Path, *names: str, python: str = sys.executable) -> Path:
    """Lay links out as conda does; return the installation's folder."""
    for prefix in (home, *(home / "envs" / name for name in names)):
        (prefix / "bin").mkdir(parents=True)
        (prefix / "conda-meta").mkdir()
        (prefix / "bin" / "python").symlink_to(python)
    return home
