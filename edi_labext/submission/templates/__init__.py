"""Submission folders to begin with: real kernels that pass the checks and run as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...errors import Conflict, InvalidInput, NotFound, StorageFailure, echo, echo_path
from ...models import check_name, suggest_name

#: Templates and what they are for, in the order in which people should meet them.
TEMPLATES: dict[str, str] = {
    "echo": "the shape of a kernel and nothing else",
    "batch": "several requests answered by one call of the model",
    "sklearn": "a scikit-learn model, with the script that trains it",
    "weights": "large weights, fetched and checked when a kernel starts",
}

_NAME_IN_TEMPLATE = "my-service"
_NAMED_IN = ("model.json", "README.md")


def create_submission(template: str, folder: Path, *, name: str | None = None) -> list[str]:
    """Write a template to ``folder``, which must be new or empty.

    Parameters
    ----------
    template:
        One of :data:`TEMPLATES`.
    name:
        Of the deployment; made of the folder's name by default.

    Returns
    -------
    list
        The files written, as paths relative to ``folder``, sorted.

    Raises
    ------
    NotFound
        ``template_not_found``
    InvalidInput
        ``invalid_name``
    Conflict
        ``folder_not_empty``
    StorageFailure
        It cannot be written.
    """
    if template not in TEMPLATES:
        raise NotFound(
            f"There is no template {echo(template)}.",
            code="template_not_found",
            hint=f"There is {', '.join(TEMPLATES)}.",
        )
    called = check_name(name) if name is not None else suggest_name(folder.absolute().name)
    if called is None:
        raise InvalidInput(
            f"No deployment name can be made of the folder name {echo(folder.name)}.",
            code="invalid_name",
            field="name",
            hint="Give one with --name.",
        )
    source = Path(__file__).resolve().parent / template
    files = sorted(
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Conflict(
                f"{echo_path(str(folder))} is there already and not empty.",
                code="folder_not_empty",
                hint="Name a folder that does not exist yet.",
            )
        for file in files:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.as_posix() in _NAMED_IN:
                text = (source / file).read_text(encoding="utf-8")
                target.write_text(text.replace(_NAME_IN_TEMPLATE, called), encoding="utf-8")
            else:
                shutil.copyfile(source / file, target)
    except OSError as error:
        raise StorageFailure(
            f"{echo_path(str(folder))} cannot be written: {error.strerror or 'no reason given'}."
        ) from None
    return [file.as_posix() for file in files]
