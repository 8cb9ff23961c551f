"""Write what the front end takes from the Python side: shapes, and a profile to test with.

``schema-gen/api.schema.json`` is the JSON Schema of the façade (``edi_labext/extension/api``);
``src/_schema.ts`` is made from it, so that both sides speak of the same shapes.
``src/profile/__tests__/profileView.json`` is what the façade answers about the profile of a new
deployment on our engine, which the tests of the form work with::

    python scripts/generate_schema.py            # writes both
    python scripts/generate_schema.py --check    # exits 1 when one is out of date
    python scripts/generate_schema.py -          # prints the schema
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

from edi_labext.extension.api import BODIES, REPLIES, ProfileView  # noqa: E402
from edi_labext.models import Profile  # noqa: E402
from edi_labext.serving.honoured import HONOURED  # noqa: E402

_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")

DEFAULT_TARGET = REPOSITORY / "schema-gen" / "api.schema.json"
EXAMPLE_TARGET = REPOSITORY / "src" / "profile" / "__tests__" / "profileView.json"
#: When the profile of the example was written.
_WRITTEN = "Wed Feb 11 08:17:46 2026 GMT"


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


def profile_example() -> dict[str, Any]:
    """Return the façade's answer about the profile of a new, stopped deployment ``digits``."""
    document = Profile(name="digits", create_time=_WRITTEN, last_update_time=_WRITTEN).to_wire()
    view = ProfileView(
        profile=document,
        json_schema=Profile.model_json_schema(mode="validation"),
        honoured=list(HONOURED),
        text=json.dumps(document, indent=2, ensure_ascii=False),
        started=False,
        revision="r1",
        next=None,
    )
    return view.model_dump(mode="json", by_alias=True)


def main(arguments: list[str] | None = None) -> int:
    """Write, print or check; return the exit status."""
    parser = argparse.ArgumentParser(description="What the front end takes from the Python side.")
    parser.add_argument(
        "target", nargs="?", default=str(DEFAULT_TARGET), help="file of the schema, or - = stdout"
    )
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args(arguments)
    schema = _text(api_schema())
    if options.target == "-":
        sys.stdout.write(schema)
        return 0
    wanted = {Path(options.target): schema}
    if options.target == str(DEFAULT_TARGET):
        wanted[EXAMPLE_TARGET] = _text(profile_example())
    if options.check:
        # Every one that is out of date is told.
        current = [_is_current(target, text) for target, text in wanted.items()]
        return 0 if all(current) else 1
    for target, text in wanted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return 0


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _is_current(target: Path, text: str) -> bool:
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return True
    print(f"{target} is out of date; run: python scripts/generate_schema.py", file=sys.stderr)
    return False


if __name__ == "__main__":
    sys.exit(main())
