"""Checks of ``model.json``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ...errors import EdiError, InvalidInput, echo
from ...models import MODEL_JSON, check_name, is_valid_name, submission_errors, suggest_name
from ..folder import why_missing
from .description_file import DescriptionFile, new_description
from .findings import Finding, Fix, make_fix
from .reasons import finding
from .runtimes import KNOWN_RUNTIMES, is_known_runtime, is_python_runtime
from .snapshot import Snapshot, kernel_file
from .spelling import nearest
from .variables import check_variables

#: Keys of the submissions that EDI is known to take (``reference/kernel-api.md`` section 1).
KNOWN_KEYS = (
    "name",
    "kernel_path",
    "runtime",
    "weight_path",
    "schema_version",
    "tag",
    "attributes",
    "mk_environments",
    "model_path",
    "readme",
    "framework",
)


class ModelJsonCheck:
    """One check of ``model.json``; :meth:`findings` may be asked once.

    Parameters
    ----------
    snapshot:
        The folder.
    name:
        The name to deploy under, if it is not to be ``model.json``'s.
    """

    def __init__(self, snapshot: Snapshot, name: str | None) -> None:
        self._snapshot = snapshot
        self._name = name
        data = snapshot.read(MODEL_JSON)
        self.file = None if data is None else DescriptionFile(data)

    @property
    def runs_python(self) -> bool:
        """Whether the kernel file is a Python program."""
        runtime = self.file.value("runtime") if self.file else None
        return runtime is None or is_python_runtime(runtime)

    @property
    def kernel(self) -> str | None:
        """The kernel file: the one that is named, else the one that was probably meant."""
        wanted = self.file.value("kernel_path") if self.file else None
        path = kernel_file(wanted) if wanted else None
        if path in self._snapshot.files:
            return path
        return self._snapshot.likely_kernel(wanted)

    @property
    def own_name(self) -> str | None:
        """The name that the file has, if it is a deployment name."""
        name = self.file.value("name") if self.file else None
        return name if is_valid_name(name) else None

    @property
    def proposed_name(self) -> str | None:
        """A deployment name made of what the file says, else of the folder's name."""
        written = self.file.value("name") if self.file else None
        folder = self._snapshot.submission.folder.name
        return (suggest_name(written) if written else None) or suggest_name(folder)

    def findings(self) -> Iterator[Finding]:
        """Yield what is to be said about the file."""
        if self._name is not None:
            yield from self._given_name(self._name)
        if self.file is None:
            yield from self._missing()
            return
        if self.file.has_mark:
            yield finding(
                "byte-order-mark",
                "warning",
                MODEL_JSON,
                (1, 1),
                f"{MODEL_JSON} starts with a byte order mark.",
                hint="Save it as UTF-8 without BOM.",
                fix=self._fix(
                    "Remove the mark",
                    f"Takes 3 bytes from the start of {MODEL_JSON}.",
                    self.file.without_mark(),
                ),
            )
        if self.file.raw is None:
            yield self._unreadable(self.file)
            return
        raw = self.file.raw
        if is_valid_name(self._name):
            raw = {**raw, "name": self._name}
        for error in submission_errors(raw):
            yield self._field_error(self.file, error)
        yield from self._kernel_not_found(self.file)
        yield from self._oddities(self.file)
        yield from check_variables(self.file)

    # --- the file as a whole --------------------------------------------------------------------

    def _given_name(self, name: str) -> Iterator[Finding]:
        try:
            check_name(name)
        except InvalidInput as error:
            yield finding(
                "invalid-name", "error", None, None, error.message, hint=error.hint, field="name"
            )
            return
        own = self.file.value("name") if self.file else None
        if self.file is not None and own is not None and own != name:
            yield finding(
                "name-mismatch",
                "warning",
                MODEL_JSON,
                self.file.place("name"),
                f"{MODEL_JSON} has the name {echo(own)}; it will be deployed as {name!r}.",
                hint=f"Write {name!r} into {MODEL_JSON} if that is the name from now on.",
                # A good name may be meant to stay, however this one deployment is called.
                fix=None if is_valid_name(own) else self._set(self.file, "name", name),
                field="name",
            )

    def _missing(self) -> Iterator[Finding]:
        found = [
            problem for problem in self._snapshot.submission.problems if problem.path == MODEL_JSON
        ]
        for problem in found:
            fix = self._new_file() if problem.code == "missing_file" else None
            yield finding(
                problem.code.replace("_", "-"),
                "error",
                MODEL_JSON,
                None,
                problem.message,
                hint=problem.hint,
                fix=fix,
            )

    def _new_file(self) -> Fix | None:
        name = self._name if is_valid_name(self._name) else self.proposed_name
        kernel = self.kernel
        if name is None or kernel is None or not self._snapshot.can_create(MODEL_JSON):
            return None
        return self._fix(
            f"Write {MODEL_JSON}",
            f"A new file with the name {name!r} and the kernel file {kernel!r}.",
            new_description(name, kernel),
        )

    def _unreadable(self, file: DescriptionFile) -> Finding:
        error = file.error
        assert error is not None
        fix = None
        if error.code == "invalid_json" and (mended := file.without_trailing_comma()):
            fix = self._fix("Remove the comma", "Takes one comma away.", mended)
        return finding(
            error.code.replace("_", "-"),
            "error",
            MODEL_JSON,
            file.fault_place(),
            error.message,
            hint=error.hint,
            fix=fix,
        )

    # --- its values -----------------------------------------------------------------------------

    def _field_error(self, file: DescriptionFile, error: EdiError) -> Finding:
        field = error.field or ""
        return finding(
            error.code.replace("_", "-"),
            "error",
            MODEL_JSON,
            file.place(field),
            error.message,
            hint=error.hint,
            fix=self._other_value(file, field),
            field=field,
        )

    def _other_value(self, file: DescriptionFile, field: str) -> Fix | None:
        """Offer a value that would do for a field that is missing or wrong."""
        present = file.scalar(field)
        if present is not None and not isinstance(present, str):
            # 3 where a text is wanted, and the like.
            written = file.written(field)
            return self._set(file, field, written) if written else None
        if field == "name":
            folder = self._snapshot.submission.folder.name
            return self._set(file, field, suggest_name(present or folder))
        if field == "kernel_path":
            return self._set(file, field, self._snapshot.likely_kernel(present))
        return None

    def _set(self, file: DescriptionFile, field: str, value: str | None) -> Fix | None:
        after = file.with_value(field, value) if value is not None else None
        if after is None:
            return None
        return self._fix(f"Set {field} to {echo(value)}", f"Writes {field} in {MODEL_JSON}.", after)

    def _kernel_not_found(self, file: DescriptionFile) -> Iterator[Finding]:
        wanted = file.value("kernel_path")
        path = kernel_file(wanted) if wanted else None
        if wanted is None or path is None or path in self._snapshot.files:
            return
        submission = self._snapshot.submission
        hint = why_missing(path, self._snapshot.files.values(), submission.ignored)
        if path in submission.folders:
            hint = "It is a folder."
        yield finding(
            "kernel-not-found",
            "error",
            MODEL_JSON,
            file.place("kernel_path"),
            f"The kernel file {echo(path)} that {MODEL_JSON} names is not in the folder.",
            hint=hint or f"Add the file, or correct kernel_path in {MODEL_JSON}.",
            fix=self._set(file, "kernel_path", self._snapshot.likely_kernel(path)),
            field="kernel_path",
        )

    # --- what is accepted, but odd --------------------------------------------------------------

    def _oddities(self, file: DescriptionFile) -> Iterator[Finding]:
        raw = file.raw or {}
        version = raw.get("schema_version")
        if type(version) is int and version == 1:
            yield self._version(file, "is a number; EDI's own is the text")
        elif "schema_version" not in raw:
            yield self._version(file, "is missing; it should be")
        runtime = file.value("runtime")
        if runtime is not None and not is_known_runtime(runtime):
            near = nearest(runtime, KNOWN_RUNTIMES)
            yield finding(
                "runtime-unknown",
                "warning",
                MODEL_JSON,
                file.place("runtime"),
                f"{echo(runtime)} is none of the runtimes that WMLA brings along.",
                hint=f"Is {near!r} meant?"
                if near
                else f"The EDI must have one of this name. WMLA's are {', '.join(KNOWN_RUNTIMES)}.",
                fix=self._set(file, "runtime", near),
                field="runtime",
            )
        for key in raw:
            if key not in KNOWN_KEYS:
                yield self._unknown_key(file, key)
        yield from self._weights(file)

    def _version(self, file: DescriptionFile, what: str) -> Finding:
        return finding(
            "schema-version",
            "warning",
            MODEL_JSON,
            file.place("schema_version"),
            f'schema_version {what} "1".',
            fix=self._set(file, "schema_version", "1"),
            field="schema_version",
        )

    def _unknown_key(self, file: DescriptionFile, key: str) -> Finding:
        raw = file.raw or {}
        free = (known for known in KNOWN_KEYS if raw.get(known) is None)
        near = nearest(key, free, limit=3)
        fix = None
        if near is not None and near not in raw:
            fix = self._fix(
                f"Rename to {near}",
                f"Writes {near!r} instead of {echo(key)} in {MODEL_JSON}.",
                file.with_key(key, near),
            )
        return finding(
            "unknown-key",
            "warning",
            MODEL_JSON,
            file.key_place((key,)),
            f"{echo(key)} is not a key of {MODEL_JSON}.",
            hint=f"Is {near!r} meant?" if near else "It is kept, but nothing reads it.",
            fix=fix,
            field=key if key.isidentifier() and key.isascii() else None,
        )

    def _weights(self, file: DescriptionFile) -> Iterator[Finding]:
        wanted = file.value("weight_path") or ""
        path = PurePosixPath(wanted).as_posix()
        for entry in self._snapshot.submission.ignored:
            if path == entry.path.rstrip("/") or (
                entry.path[-1] == "/" and path.startswith(entry.path)
            ):
                yield finding(
                    "weights-left-out",
                    "warning",
                    MODEL_JSON,
                    file.place("weight_path"),
                    f"weight_path names {echo(wanted)}, which is left out: {entry.reason}.",
                    hint=f"Take it back in with a line such as !{entry.path} in .ediignore.",
                    field="weight_path",
                )

    def _fix(self, title: str, description: str, after: bytes) -> Fix:
        return make_fix(title, description, self._snapshot.change(MODEL_JSON, after))
