"""Whole actions of a person, with progress and cancel; the only place where calls are combined."""

from ..submission import CheckReport, Finding, Fix, apply_fix, check_folder, sample_payload
from .deploy import deploy_folder
from .inference import InferenceAnswer, infer
from .lifecycle import (
    start_and_wait,
    stop_and_wait,
    undeploy,
    wait_until_ready,
    wait_until_stopped,
)
from .next_profile import NextProfile, NextProfiles
from .next_start import apply_next_profile, require_next_profile_current, save_for_next_start
from .notebook_pythons import NotebookPython, notebook_pythons
from .outcome import delete, save_profile, start, stop
from .overview import Deployment, get_deployment, list_deployments
from .profile import edit_profile, view_profile
from .profile_diff import ProfileChange, apply_patch, is_only_kept, parts_acted_on, profile_diff
from .progress import Cancellation, Phase, Progress, Report
from .promote import Promotion, compare_for_promotion, promote
from .replace import replace_folder
from .restart import restart
from .runtimes import create_runtime, delete_runtime, ensure_runtime, update_runtime
from .samples import sample_folder

__all__ = [
    "Cancellation",
    "CheckReport",
    "Deployment",
    "Finding",
    "Fix",
    "InferenceAnswer",
    "NextProfile",
    "NextProfiles",
    "NotebookPython",
    "Phase",
    "ProfileChange",
    "Progress",
    "Promotion",
    "Report",
    "apply_fix",
    "apply_next_profile",
    "apply_patch",
    "check_folder",
    "compare_for_promotion",
    "create_runtime",
    "delete",
    "delete_runtime",
    "deploy_folder",
    "edit_profile",
    "ensure_runtime",
    "get_deployment",
    "infer",
    "is_only_kept",
    "list_deployments",
    "notebook_pythons",
    "parts_acted_on",
    "profile_diff",
    "promote",
    "replace_folder",
    "require_next_profile_current",
    "restart",
    "sample_folder",
    "sample_payload",
    "save_for_next_start",
    "save_profile",
    "start",
    "start_and_wait",
    "stop",
    "stop_and_wait",
    "undeploy",
    "update_runtime",
    "view_profile",
    "wait_until_ready",
    "wait_until_stopped",
]
