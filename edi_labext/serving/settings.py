"""Every choice and every limit of the engine, in one frozen object.

Sizes are bytes and times are seconds throughout.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from ..errors import InvalidInput, echo

#: Who started the engine, which decides when it ends.
Owner = Literal["jupyter", "background", "terminal"]

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


def _limit(default: float, unit: str, low: float, high: float) -> Any:
    """Declare a limit: its default, its unit, and the range that is accepted."""
    return field(default=default, metadata={"unit": unit, "low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an engine was started with.

    Raises
    ------
    InvalidInput
        ``invalid_option`` with ``field`` set to the option: a number outside its range, an
        address that other machines can reach, an unknown owner.
    """

    #: Directory of records, packages, logs and the token; owned by one engine at a time.
    store: Path
    #: Address to listen on. Only this machine's own: ``localhost``, ``127.x.x.x``, ``::1``.
    host: str = "127.0.0.1"
    #: TCP port; 0 takes a free one.
    port: int = 0
    owner: Owner = "terminal"

    # Defaults of a profile that leaves them out.
    task_execution_timeout: float = _limit(60.0, "s", 0.1, 86_400)
    connection_timeout: float = _limit(90.0, "s", 0.1, 86_400)

    # Bodies.
    inference_body_limit: int = _limit(64 * MIB, "B", 1, 4 * GIB - 1)
    control_body_limit: int = _limit(1 * MIB, "B", 1, 64 * MIB)
    upload_limit: int = _limit(2 * GIB, "B", 1, 1024 * GIB)
    chunk_limit: int = _limit(65_536, "chunks", 1, 1 << 24)

    # Heads.
    header_bytes_limit: int = _limit(64 * KIB, "B", 512, 1 * MIB)
    header_count_limit: int = _limit(200, "headers", 10, 10_000)
    target_bytes_limit: int = _limit(8 * KIB, "B", 128, 64 * KIB)

    # How long a connection may take. See ``http/deadlines.py``.
    header_wait: float = _limit(10.0, "s", 0.05, 3_600)
    body_idle: float = _limit(30.0, "s", 0.05, 3_600)
    request_total: float = _limit(3_600.0, "s", 0.05, 86_400)
    keep_alive_idle: float = _limit(75.0, "s", 0.05, 3_600)
    #: After a refusal: time for the caller to read it before the connection is cut.
    linger: float = _limit(2.0, "s", 0.0, 60)
    #: Distance of two looks at the deadlines; they are kept to about this exactness.
    sweep_interval: float = _limit(1.0, "s", 0.01, 10)

    # Work.
    queue_limit: int = _limit(100, "tasks", 1, 1_000_000)
    in_flight_limit: int = _limit(1_000, "tasks", 1, 1_000_000)
    pipeline_limit: int = _limit(32, "requests", 1, 1_000)
    stop_grace: float = _limit(30.0, "s", 0.0, 3_600)
    #: A background engine with nothing started ends after this.
    background_idle: float = _limit(1_800.0, "s", 1, 604_800)

    # Packages.
    expanded_limit: int = _limit(8 * GIB, "B", 1, 4096 * GIB)
    entry_limit: int = _limit(20_000, "entries", 1, 10_000_000)
    depth_limit: int = _limit(32, "folders", 1, 1_000)
    metadata_record_limit: int = _limit(64 * KIB, "B", 512, 16 * MIB)
    readme_limit: int = _limit(1 * MIB, "B", 1, 64 * MIB)
    #: How many times larger than what was sent a package may unpack to, from 64 MiB on.
    expansion_limit: int = _limit(200, "times", 2, 1_000_000)

    # Logs of one deployment.
    log_file_bytes: int = _limit(10 * MIB, "B", 4 * KIB, 10 * GIB)
    log_files: int = _limit(3, "files", 1, 100)
    log_line_bytes: int = _limit(16 * KIB, "B", 80, 1 * MIB)

    def __post_init__(self) -> None:
        _check_host(self.host)
        _check_number("port", self.port, low=0, high=65_535, unit="", whole=True)
        if self.owner not in get_args(Owner):
            raise _invalid("owner", f"owner must be one of {', '.join(get_args(Owner))}.")
        for item in _limit_fields():
            _check_number(
                item.name,
                getattr(self, item.name),
                low=item.metadata["low"],
                high=item.metadata["high"],
                unit=item.metadata["unit"],
                whole=isinstance(item.default, int),
            )

    def limits(self) -> dict[str, int | float]:
        """Return every limit by name, as ``GET /edi/v1/capabilities`` tells them."""
        return {item.name: getattr(self, item.name) for item in _limit_fields()}


def parse_limits(texts: Sequence[str]) -> dict[str, Any]:
    """Return limits by name from texts of the form ``name=number``; ranges are checked later.

    Raises
    ------
    InvalidInput
        ``invalid_option`` for another form, an unknown or a repeated name.
    """
    known = {item.name: item for item in _limit_fields()}
    limits: dict[str, Any] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name not in known or name in limits:
            close = difflib.get_close_matches(name, known, 1)
            raise _invalid(
                "limit",
                f"There is no limit named {echo(name)}."
                if name not in known
                else f"The limit {name} is given twice.",
                hint=f"Did you mean {close[0]}?" if close and name not in known else None,
            )
        try:
            limits[name] = int(number) if isinstance(known[name].default, int) else float(number)
        except ValueError:
            raise _invalid("limit", f"{name} must be a number, not {echo(number)}.") from None
    return limits


def _limit_fields() -> list[Field[Any]]:
    return [item for item in fields(Settings) if "unit" in item.metadata]


def _check_number(
    name: str, value: object, *, low: float, high: float, unit: str, whole: bool
) -> None:
    # bool is an int in Python, and nobody means True by a number.
    fits = isinstance(value, int) if whole else isinstance(value, int | float)
    if (
        not fits
        or isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        kind = "a whole number" if whole else "a number"
        span = f"{low:g} to {high:g} {unit}".rstrip()
        raise _invalid(name, f"{name} must be {kind} from {span}, not {echo(value)}.")


def _check_host(host: object) -> None:
    if host == "localhost":
        return
    try:
        if isinstance(host, str) and ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise _invalid(
        "host",
        f"host must be an address of this machine alone, not {echo(host)}.",
        hint="Use 127.0.0.1, ::1 or localhost; who deploys a kernel runs code on this machine.",
    )


def _invalid(name: str, message: str, *, hint: str | None = None) -> InvalidInput:
    return InvalidInput(message, code="invalid_option", field=name, hint=hint)
