"""What all wire shapes share."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class WireModel(BaseModel):
    """Base of the shapes that EDI defines: unknown fields are kept and written back.

    Releases of EDI add and rename fields, so a field that we do not know must survive a
    read-modify-write round trip (``reference/rest-api.md``).
    """

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    def to_wire(self) -> dict[str, object]:
        """Return the JSON object, unknown fields included; unset optional fields are left out."""
        return self.model_dump(mode="json", exclude_none=True)


class TolerantModel(WireModel):
    """Base of shapes that are only read: what an EDI has no value for may be ``null``."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            return {key: item for key, item in value.items() if item is not None}
        return value
