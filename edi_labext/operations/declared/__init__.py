"""``edi.yaml``: services as they are to be, and the way from what is to what is to be."""

from .apply import Applied, apply_manifest
from .export import export_manifest
from .manifest import MANIFEST, Manifest, ServiceEntry, read_manifest
from .plan import Plan, ServicePlan, change_line, describe, make_plan

__all__ = [
    "MANIFEST",
    "Applied",
    "Manifest",
    "Plan",
    "ServiceEntry",
    "ServicePlan",
    "apply_manifest",
    "change_line",
    "describe",
    "export_manifest",
    "make_plan",
    "read_manifest",
]
