"""What the fields of a profile are made of: their words for the form, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import PydanticCustomError

from .base import WireModel

#: Validation context in which a wrong value is kept as it came.
TOLERANT = "tolerant"


def _no_limit_or_positive(value: float) -> float:
    if value == -1 or value > 0:
        return value
    raise PydanticCustomError("no_limit_or_positive", "-1 or above 0")


def _whole_if_possible(value: float) -> int | float:
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Seconds; whole ones are written without a decimal point, as EDI does.
Seconds = Annotated[float, PlainSerializer(_whole_if_possible)]

#: For numbers of which -1 means "no limit" and 0 makes no sense.
NoLimitOrPositive = AfterValidator(_no_limit_or_positive)


def field(
    default: Any,
    title: str,
    *,
    section: str,
    rule: str,
    about: str = "",
    extra: Mapping[str, Any] | None = None,
    **constraints: Any,
) -> Any:
    """Declare a field of a profile.

    Parameters
    ----------
    section:
        Of the form.
    rule:
        What is allowed, to be put behind "Must be".
    about:
        One sentence or two for people.
    extra:
        Further keys of its JSON Schema.
    constraints:
        As pydantic names them.
    """
    return Field(
        default,
        title=title,
        description=about or None,
        json_schema_extra={"section": section, "rule": rule, **(extra or {})},
        **constraints,
    )


def whole(
    default: int,
    low: int,
    high: int,
    title: str,
    *,
    section: str,
    about: str,
    extra: Mapping[str, Any] | None = None,
) -> Any:
    """Declare a whole number from ``low`` to ``high``, see :func:`field`."""
    rule = f"a whole number from {low} to {high}"
    return field(
        default, title, section=section, rule=rule, about=about, extra=extra, ge=low, le=high
    )


def text(default: str, title: str, about: str = "", *, read_only: bool = False) -> Any:
    """Declare a text of the section ``advanced``, see :func:`field`."""
    extra = {"readOnly": True} if read_only else None
    return field(default, title, section="advanced", rule="text", about=about, extra=extra)


class ProfileSection(WireModel):
    """Base of a profile and its parts."""

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_what_came(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        try:
            return handler(value)
        except ValidationError:
            if info.context == TOLERANT:
                return value
            raise
