"""From a script to an ``edi.yaml``, with what was understood and what was not."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ....errors import EdiError
from ....models import is_valid_name, parse_submission, suggest_name
from ....models.strict_json import MAX_JSON_BYTES, parse_object
from ..export import write_manifest
from .profile_edits import find_edits, patch_of, set_at
from .source import read_source
from .traps import Trap, find_traps
from .words import Command, find_commands


@dataclass
class Imported:
    """What a script was found to do.

    Attributes
    ----------
    services:
        The entries of an ``edi.yaml``.
    recognised:
        Place and meaning of each command that was understood.
    unclear:
        Place of, and what is not clear about, the others.
    traps:
        What goes wrong in it.
    """

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    recognised: list[tuple[str, str]] = field(default_factory=list)
    unclear: list[tuple[str, str]] = field(default_factory=list)
    traps: list[Trap] = field(default_factory=list)

    def manifest(self, script: str) -> str:
        """Return the text of the ``edi.yaml``."""
        head = f"# Made of {script}. Look through it, then: edi plan; edi apply --wait\n"
        return write_manifest(self.services, head=head)


def import_script(path: Path, *, beside: Path | None = None) -> Imported:
    """Read a shell script, a Python script or a notebook that drives dlim; nothing is run.

    Parameters
    ----------
    beside:
        The folder that ``edi.yaml`` is for; folders are named relative to it. The script's by
        default.

    Raises
    ------
    InvalidInput
        The script cannot be read.
    """
    source = read_source(path)
    words = find_commands(source)
    found = Imported(traps=find_traps(source, words.commands))
    reader = _Reader(found, path.absolute().parent, (beside or path.parent).absolute())
    for command in words.commands:
        reader.take(command)
    reader.take_edits(list(find_edits(source)))
    return found


class _Reader:
    """Takes command after command; what counts is how things are at the end of the script."""

    def __init__(self, found: Imported, here: Path, beside: Path) -> None:
        self._found = found
        self._here = here
        self._beside = beside
        self._profile_files: dict[str, str] = {}

    def take(self, command: Command) -> None:
        group, verb = command.verb.split(" ", 1)
        if group == "model" and verb == "deploy":
            self._deploy(command)
        elif group == "model" and verb in _STATES:
            self._state(command, verb)
        elif group == "model" and verb == "updateprofile":
            self._profile(command)
        elif (group, verb) in _READ_ONLY:
            if verb == "viewprofile" and command.redirect and command.name:
                self._profile_files[command.redirect] = command.name
            self._found.recognised.append((command.place, _READ_ONLY[group, verb]))
        else:
            self._found.unclear.append((command.place, f"{command.verb} has no place in edi.yaml."))

    def take_edits(self, edits: list[tuple[str, tuple[str, ...], Any]]) -> None:
        """Put changes of a profile into the one service that they can be for."""
        names = [name for name, entry in self._found.services.items() if entry["state"] != "absent"]
        for place, path, value in edits:
            shown = ".".join(path)
            if len(names) != 1:
                self._found.unclear.append(
                    (place, f"It sets {shown}; which service that is for is not clear.")
                )
                continue
            set_at(self._entry(names[0]).setdefault("profile", {}), path, value)
            self._found.recognised.append((place, f"{names[0]}: sets {shown} of the profile"))

    def _entry(self, name: str) -> dict[str, Any]:
        return self._found.services.setdefault(name, {"state": "stopped"})

    def _deploy(self, command: Command) -> None:
        given = command.flags.get("-p") or command.flags.get("--path") or ""
        if not given or "$" in given or "{" in given:
            self._found.unclear.append(
                (command.place, f"It deploys a folder that is not known here ({given or 'none'}).")
            )
            return
        folder = Path(os.path.normpath(self._here / Path(given).expanduser()))
        name = self._name_in(folder) or suggest_name(folder.name)
        if name is None:
            self._found.unclear.append((command.place, f"No name can be made of {given}."))
            return
        entry = self._entry(name)
        relative = os.path.relpath(folder, self._beside)
        self._found.services[name] = {"folder": relative, **entry, "state": "stopped"}
        self._found.recognised.append((command.place, f"{name}: deploys {given}"))
        if not folder.is_dir():
            self._found.unclear.append(
                (command.place, f"{given} is not there, so the name {name} is a guess.")
            )

    @staticmethod
    def _name_in(folder: Path) -> str | None:
        try:
            return parse_submission((folder / "model.json").read_bytes()).name
        except (OSError, EdiError):
            return None

    def _state(self, command: Command, verb: str) -> None:
        if not is_valid_name(command.name):
            self._found.unclear.append(
                (command.place, f"The service of {verb} is not known here ({command.name}).")
            )
            return
        entry = self._entry(command.name)
        entry["state"] = _STATES[verb]
        if verb == "undeploy":
            entry.pop("folder", None)
            entry.pop("profile", None)
        self._found.recognised.append((command.place, f"{command.name}: {_STATES[verb]}"))

    def _profile(self, command: Command) -> None:
        name = command.name
        given = command.flags.get("-f", command.flags.get("--file", ""))
        if not is_valid_name(name):
            self._found.unclear.append(
                (command.place, f"The service of updateprofile is not known here ({name}).")
            )
            return
        entry = self._entry(name)
        try:
            with (self._here / given).open("rb") as file:
                document = parse_object(file.read(MAX_JSON_BYTES + 1), what=given)
        except (OSError, ValueError, EdiError):
            self._found.recognised.append((command.place, f"{name}: saves a profile"))
            self._found.unclear.append(
                (
                    command.place,
                    f"The profile {given} is not there to be read: add to edi.yaml what it sets, "
                    "unless that is listed above.",
                )
            )
            return
        patch = patch_of(document, name)
        if patch:
            entry["profile"] = patch
        self._found.recognised.append((command.place, f"{name}: sets the profile of {given}"))


_STATES = {"start": "started", "stop": "stopped", "undeploy": "absent"}
_READ_ONLY = {
    ("model", "list"): "looks at the list; nothing to do",
    ("model", "view"): "looks at a service; edi apply --wait waits by itself",
    ("model", "viewprofile"): "reads a profile; edi.yaml names only what is to change",
    ("config", "-c"): "says where the EDI is; that belongs to an environment",
    ("config", "-t"): "logs in; that belongs to an environment",
    ("config", "-s"): "asks for a token; that belongs to an environment",
}
