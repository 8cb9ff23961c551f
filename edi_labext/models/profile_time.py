"""Times as profiles write them."""

from __future__ import annotations

from datetime import UTC, datetime

_FORM = "%a %b %d %H:%M:%S %Y GMT"


def profile_time(seconds: int) -> str:
    """Return Unix ``seconds`` as profiles write times: ``Wed Aug 10 08:17:46 2022 GMT``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    # Not strftime, whose names follow the locale.
    text = moment.ctime()
    return f"{text[:8]}{moment.day:02d}{text[10:]} GMT"


def seconds_of(text: str) -> int | None:
    """Return the Unix seconds of a :func:`profile_time`, ``None`` if it is none."""
    try:
        return int(datetime.strptime(text, _FORM).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
