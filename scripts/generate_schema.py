"""Write the JSON Schema of the façade (``edi_labext/extension/api.py``) as one document.

``src/_schema.ts`` is made from it, so that both sides speak of the same shapes::

    python scripts/generate_schema.py            # writes schema-gen/api.schema.json
    python scripts/generate_schema.py --check    # exits 1 when that file is out of date
    python scripts/generate_schema.py -          # prints
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from pydantic.json_schema import GenerateJsonSchema, models_json_schema  # noqa: E402

from edi_labext.extension.api import BODIES, REPLIES  # noqa: E402

_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")

DEFAULT_TARGET = REPOSITORY / "schema-gen" / "api.schema.json"


class _PlainSchema(GenerateJsonSchema):
    """What goes out is always there; and fields have no titles.

    Each title would become a TypeScript type of its own.
    """

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Tell whether a field is always there: in a body by its default, in a reply always."""
        return self.mode == "serialization" or super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False


def api_schema() -> dict[str, Any]:
    """Return the document: ``$defs`` with one entry a model, each a property of the whole."""
    _, document = models_json_schema(
        [
            *((model, "validation") for model in BODIES),
            *((model, "serialization") for model in REPLIES),
        ],
        ref_template="#/$defs/{model}",
        schema_generator=_PlainSchema,
    )
    definitions = _plain_descriptions(document["$defs"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "EdiApi",
        "description": "Every shape of the façade below <base>/edi/.",
        "type": "object",
        "additionalProperties": False,
        "required": sorted(definitions),
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in sorted(definitions)},
        "$defs": dict(sorted(definitions.items())),
    }


def _plain_descriptions(value: Any) -> Any:
    """Return ``value`` with Sphinx roles in descriptions cut down to the name they refer to."""
    if isinstance(value, dict):
        return {
            key: _ROLE.sub(r"`\1`", item)
            if key == "description" and isinstance(item, str)
            else _plain_descriptions(item)
            for key, item in value.items()
        }
    return [_plain_descriptions(item) for item in value] if isinstance(value, list) else value


def main(arguments: list[str] | None = None) -> int:
    """Write, print or check the schema; return the exit status."""
    parser = argparse.ArgumentParser(description="JSON Schema of the façade.")
    parser.add_argument(
        "target", nargs="?", default=str(DEFAULT_TARGET), help="file, or - = stdout"
    )
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args(arguments)
    text = json.dumps(api_schema(), indent=2, ensure_ascii=False) + "\n"
    if options.target == "-":
        sys.stdout.write(text)
        return 0
    target = Path(options.target)
    if options.check:
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            return 0
        print(f"{target} is out of date; run: python scripts/generate_schema.py", file=sys.stderr)
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
