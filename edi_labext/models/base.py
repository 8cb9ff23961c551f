"""What all wire shapes share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class WireModel(BaseModel):
    """Base of the shapes that EDI defines: unknown fields are kept and written back.

    Releases of EDI add and rename fields, so a field that we do not know must survive a
    read-modify-write round trip (``reference/rest-api.md``).
    """

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    def to_wire(self) -> dict[str, object]:
        """Return the JSON object, unknown fields included; unset optional fields are left out."""
        return self.model_dump(mode="json", exclude_none=True)
