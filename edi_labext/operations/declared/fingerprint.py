"""Tell whether the package of a deployment is the one that a folder would give.

An EDI tells nothing of a package but its size. So ``edi apply`` puts a fingerprint of the package
into the deployment's attributes, which every release of EDI keeps and shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...models import MODEL_JSON, ModelDescription
from ...models.strict_json import parse_object
from ...submission import Submission, read_files

#: Key of the attribute.
ATTRIBUTE = "edi.package"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of the package that a folder gives.

    Attributes
    ----------
    value:
        Of the content: names, executable bits and bytes of all files, and the description. It is
        the same on every machine, whatever compresses the package there.
    sizes:
        What EDI would show as the deployment's size, without and with the attribute.
    description:
        What to deploy with, so that the deployment carries the attribute.
    """

    value: str
    sizes: tuple[int, int]
    description: Mapping[str, Any]

    def matches(self, model: ModelDescription) -> bool | None:
        """Tell whether ``model`` has this package; ``None`` where only its size says so."""
        for attribute in model.attributes:
            if attribute.key == ATTRIBUTE:
                return attribute.value == self.value
        return None if model.size in self.sizes else False


def take_fingerprint(submission: Submission, name: str, changes: Mapping[str, Any]) -> Fingerprint:
    """Return the fingerprint of a folder deployed as ``name`` with a changed description.

    Raises
    ------
    Conflict
        ``changed_while_packed``
    """
    digest = hashlib.sha256()
    plain = stamped = 0
    description: dict[str, Any] = {}
    for file, executable, blocks in read_files(submission):
        inner = hashlib.sha256()
        if file.path == MODEL_JSON:
            content = b"".join(blocks)
            description = {**parse_object(content, what=MODEL_JSON), **changes, "name": name}
            inner.update(json.dumps(description, sort_keys=True).encode())
            plain += len(content)
        else:
            for block in blocks:
                inner.update(block)
            plain += file.size
            stamped += file.size
        digest.update(f"{file.path}\0{int(executable)}\0{inner.hexdigest()}\n".encode())
    value = f"sha256:{digest.hexdigest()}"
    attributes = [
        item for item in description.get("attributes", []) if item.get("key") != ATTRIBUTE
    ]
    carried = {**changes, "attributes": [*attributes, {"key": ATTRIBUTE, "value": value}]}
    stamped += described_size({**description, **carried})
    return Fingerprint(value, (plain, stamped), carried)


def described_size(description: Mapping[str, Any]) -> int:
    """Return the bytes of a ``model.json`` that is written anew."""
    return len(json.dumps(description, indent=2, ensure_ascii=False).encode()) + 1
