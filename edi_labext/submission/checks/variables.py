"""Checks of the environment variables that ``model.json`` gives to every kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import echo
from ...models import MODEL_JSON, RESERVED_VARIABLES
from .description_file import DescriptionFile
from .findings import Finding
from .reasons import finding
from .secrets import is_secret_value

#: Names that change how the kernel's process starts, or that EDI sets to its own values.
_RISKY = frozenset(
    {
        "CUDA_VISIBLE_DEVICES",
        "HOME",
        "HOSTNAME",
        "IS_K8S",
        "PATH",
        "PWD",
        "TASK_JOB_ID",
    }
)
_RISKY_PREFIXES = ("LD_", "DYLD_", "PYTHON")
_USUAL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SECRET_NAME = re.compile(r"TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_?KEY", re.IGNORECASE)


def check_variables(file: DescriptionFile) -> Iterator[Finding]:
    """Yield what is to be said about ``mk_environments``; its types are checked elsewhere."""
    variables = (file.raw or {}).get("mk_environments")
    for index, variable in enumerate(variables if isinstance(variables, list) else []):
        name = variable.get("name") if isinstance(variable, dict) else None
        if not isinstance(name, str) or not name:
            continue
        value = variable.get("value")
        field = f"mk_environments.{index}.name"
        place = file.place(field)
        if name.startswith(RESERVED_VARIABLES):
            yield finding(
                "variable-reserved",
                "error",
                MODEL_JSON,
                place,
                f"{echo(name)} is a variable that only EDI sets.",
                hint=f"Choose a name that does not start with {' or '.join(RESERVED_VARIABLES)}.",
                field=field,
            )
        elif _is_risky(name):
            yield finding(
                "variable-risky",
                "warning",
                MODEL_JSON,
                place,
                f"{echo(name)} is a variable that the kernel's process needs itself.",
                hint="Leave it out unless you know what it does on the other side.",
                field=field,
            )
        if isinstance(value, str) and _SECRET_NAME.search(name) and is_secret_value(value):
            yield finding(
                "secret-like",
                "warning",
                MODEL_JSON,
                file.place(f"mk_environments.{index}.value"),
                f"The value of {echo(name)} looks like a password or token.",
                hint="Give it to the kernel in another way, and change it if it was real.",
                field=f"mk_environments.{index}.value",
            )


def _is_risky(name: str) -> bool:
    return (
        name in _RISKY or name.startswith(_RISKY_PREFIXES) or _USUAL.fullmatch(name) is None
    ) and not {"=", "\0"} & set(name)
