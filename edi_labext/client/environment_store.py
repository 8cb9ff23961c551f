"""The file that keeps the named environments: no secrets, ours alone, never half written."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ..errors import EdiError, InvalidInput, NotConfigured, NotFound, StorageFailure, echo
from ..models.strict_json import parse_object
from .environment_settings import (
    CommandToken,
    EnvironmentSettings,
    EnvironmentsFile,
    FileSecret,
    LoginToken,
    SessionToken,
    VariableSecret,
    check_environment_id,
)

#: Name of the file in the Jupyter configuration directory.
SETTINGS_FILE = Path("edi_labext") / "environments.json"

# Windows has neither owners nor these locks and flags; a profile is its user's alone there.
_HAS_OWNERS = hasattr(os, "geteuid")

_KNOWN: tuple[type[BaseModel], ...] = (
    EnvironmentsFile,
    EnvironmentSettings,
    VariableSecret,
    FileSecret,
    CommandToken,
    LoginToken,
    SessionToken,
)


def default_settings_file(env: Mapping[str, str] = os.environ) -> Path:
    """Return the file in ``$JUPYTER_CONFIG_DIR``, or in Jupyter's usual directory."""
    directory = env.get("JUPYTER_CONFIG_DIR")
    if not directory:
        from jupyter_core.paths import jupyter_config_dir

        directory = jupyter_config_dir()
    return Path(directory).absolute() / SETTINGS_FILE


class EnvironmentStore:
    """Reads the file anew at every use, and changes it under a lock.

    Parameters
    ----------
    path:
        Created at the first change, with mode 0600 in a directory with mode 0700.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, ...], EnvironmentsFile] | None = None

    def __repr__(self) -> str:
        return f"EnvironmentStore({self.path})"

    def load(self) -> EnvironmentsFile:
        """Return what is kept; nothing when there is no file.

        Raises
        ------
        NotConfigured
            ``bad_environments_file``: others may write to it, or it says what is not known.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _flags("O_NONBLOCK", "O_CLOEXEC"))
        except (FileNotFoundError, NotADirectoryError):
            return EnvironmentsFile()
        except OSError as error:
            raise self._bad(f"cannot be read: {error.strerror}") from None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise self._bad("is not a plain file")
            if _HAS_OWNERS and (status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o022):
                raise self._bad("may be written to by others, who could redirect your token")
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._read is None or self._read[0] != version:
                self._read = (version, self._parse(file.read()))
        return self._read[1]

    def get(self, environment: str) -> EnvironmentSettings:
        """Return one; raises :class:`~edi_labext.errors.NotFound` or as :meth:`load`."""
        found = self.load().environments.get(environment)
        if found is None:
            raise NotFound(
                f"There is no stored environment {echo(environment)}.",
                code="environment_not_found",
            )
        return found

    def put(
        self,
        environment: str,
        change: Callable[[EnvironmentSettings | None], EnvironmentSettings],
    ) -> EnvironmentSettings:
        """Add or replace one by what ``change`` makes of it, and return that.

        Raises
        ------
        InvalidInput
            ``invalid_name``
        StorageFailure
            The file cannot be written.
        EdiError
            What ``change`` or :meth:`load` raises; nothing was changed.
        """
        check_environment_id(environment)
        with self._locked():
            file = self.load()
            made = change(file.environments.get(environment))
            self._write(
                file.model_copy(update={"environments": {**file.environments, environment: made}})
            )
        return made

    def remove(self, environment: str) -> None:
        """Forget one; raises :class:`~edi_labext.errors.NotFound` or as :meth:`put`."""
        with self._locked():
            self.get(environment)
            file = self.load()
            rest = {name: kept for name, kept in file.environments.items() if name != environment}
            current = None if file.current == environment else file.current
            self._write(file.model_copy(update={"environments": rest, "current": current}))

    def choose(self, environment: str | None) -> None:
        """Use that one when none is named; whether there is one is for the caller to know."""
        with self._locked():
            self._write(self.load().model_copy(update={"current": environment}))

    def _parse(self, data: bytes) -> EnvironmentsFile:
        try:
            return EnvironmentsFile.model_validate(parse_object(data, what=self.path.name))
        except ValidationError as error:
            raise self._bad(describe(error)) from None
        except EdiError as error:
            raise self._bad(f"cannot be used: {error.message}") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(
                self.path.with_suffix(".lock"),
                os.O_RDWR | os.O_CREAT | _flags("O_NOFOLLOW", "O_CLOEXEC"),
                0o600,
            )
        except OSError as error:
            raise self._unwritable(error) from None
        with os.fdopen(descriptor, "rb"):
            if _HAS_OWNERS:
                # Closing the file gives the lock back.
                fcntl = importlib.import_module("fcntl")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    def _write(self, file: EnvironmentsFile) -> None:
        text = json.dumps(file.model_dump(mode="json", exclude_none=True), indent=2)
        # A link stays one: people keep their settings in another place.
        target = Path(os.path.realpath(self.path))
        fresh = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flags("O_CLOEXEC")
            descriptor = os.open(fresh, flags, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                    if _HAS_OWNERS:
                        os.fchmod(descriptor, 0o600)
                    out.write(f"{text}\n")
                    out.flush()
                    os.fsync(descriptor)
                fresh.replace(target)
            except OSError:
                fresh.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._unwritable(error) from None

    def _bad(self, what: str) -> NotConfigured:
        return NotConfigured(
            f"The file of environments {what}.",
            code="bad_environments_file",
            hint=f"Correct or remove {self.path}.",
        )

    def _unwritable(self, error: OSError) -> StorageFailure:
        return StorageFailure(
            f"The file of environments cannot be written: {error.strerror}.",
            hint=f"It is {self.path}; JUPYTER_CONFIG_DIR names another directory.",
        )


def _flags(*names: str) -> int:
    """Return those flags of the operating system that it has."""
    return sum(getattr(os, name, 0) for name in names)


def describe(error: ValidationError) -> str:
    """Return the first fault of settings in words, with the nearest key for an unknown one."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # The name of a variant of a union is no key of the file.
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        keys = sorted({name for model in _KNOWN for name in model.model_fields})
        near = difflib.get_close_matches(key, keys, n=1)
        return f"has an unknown key {echo(where)}" + (f" (did you mean {near[0]}?)" if near else "")
    what = first["msg"].removeprefix("Value error, ")
    return f"is wrong at {echo(where)}: {what}" if where else f"is wrong: {what}"


def invalid_settings(error: ValidationError) -> InvalidInput:
    """Return the first fault of settings as an error about what was given."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = str(first["loc"][0]) if first["loc"] else None
    return InvalidInput(f"What was given {describe(error)}.", code="invalid_field", field=field)
