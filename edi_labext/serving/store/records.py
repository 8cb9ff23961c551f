"""Deployments in memory: what every read of the engine is answered from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ...models import ModelDescription, Profile, Runtime
from .manifest import seal, unseal

#: What the person asked for last; what is, follows.
Desired = Literal["started", "stopped"]


@dataclass(frozen=True, slots=True)
class Record:
    """One deployment as the store keeps it; a change makes a new record.

    Attributes
    ----------
    description:
        What EDI calls *Model*; ``model_path`` equals ``directory``.
    readme:
        Text of the submission's ``README.md``.
    generation:
        Grows with every change of any deployment, so it tells a change even over a delete and a
        new deployment of the same name.
    directory:
        Absolute path of the submission's files.
    """

    description: ModelDescription
    profile: Profile
    readme: str
    desired: Desired
    generation: int
    directory: Path

    @property
    def name(self) -> str:
        """Name of the deployment, unique in the store."""
        return self.description.name

    def manifest(self) -> bytes:
        """Return the record as JSON, from which a lost database is rebuilt."""
        return seal(
            {
                "description": self.description.model_dump(mode="json"),
                "profile": self.profile.model_dump(mode="json"),
                "readme": self.readme,
                "desired": self.desired,
                "generation": self.generation,
                "directory": self.directory.name,
            }
        )

    @classmethod
    def from_manifest(cls, data: bytes, directory: Path) -> Record | None:
        """Return the record of which ``data`` is the manifest; ``None`` if it is not intact.

        Parameters
        ----------
        directory:
            Where the files lie now; the store may have been moved since.
        """
        value = unseal(data)
        if value is None:
            return None
        try:
            description = ModelDescription.model_validate(value["description"])
            description.model_path = str(directory)
            return cls(
                description=description,
                profile=Profile.model_validate(value["profile"]),
                readme=value["readme"],
                desired=value["desired"],
                generation=value["generation"],
                directory=directory,
            )
        except (KeyError, ValidationError):
            return None


@dataclass(frozen=True, slots=True)
class RuntimeList:
    """All created runtimes, sorted by name, and the generation of their last change."""

    runtimes: tuple[Runtime, ...] = ()
    generation: int = 0

    def manifest(self) -> bytes:
        """Return the list as JSON, from which a lost database is rebuilt."""
        runtimes = [runtime.model_dump(mode="json") for runtime in self.runtimes]
        return seal({"runtimes": runtimes, "generation": self.generation})

    @classmethod
    def from_manifest(cls, data: bytes) -> RuntimeList | None:
        """Return the list of which ``data`` is the manifest; ``None`` if it is not intact."""
        value = unseal(data)
        if value is None:
            return None
        try:
            runtimes = tuple(Runtime.model_validate(item) for item in value["runtimes"])
            return cls(runtimes, value["generation"])
        except (KeyError, TypeError, ValidationError):
            return None


class Records:
    """The records of one store by name. Owned by the loop."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_name = {record.name: record for record in records}
        self._sorted: tuple[Record, ...] | None = None

    def get(self, name: str) -> Record | None:
        """Return the record of that name, if there is one."""
        return self._by_name.get(name)

    def put(self, record: Record) -> None:
        """Take a record, in place of an earlier one of its name."""
        self._by_name[record.name] = record
        self._sorted = None

    def remove(self, name: str) -> None:
        """Forget a record."""
        del self._by_name[name]
        self._sorted = None

    def all(self) -> tuple[Record, ...]:
        """Return all records, sorted by name as EDI lists them."""
        if self._sorted is None:
            self._sorted = tuple(self._by_name[name] for name in sorted(self._by_name))
        return self._sorted
