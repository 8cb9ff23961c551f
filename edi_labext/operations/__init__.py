"""Whole actions of a person, with progress and cancel; the only place where calls are combined."""

from .deploy import deploy_folder
from .inference import InferenceAnswer, infer
from .lifecycle import start_and_wait, stop_and_wait, undeploy
from .overview import Deployment, get_deployment, list_deployments
from .payload import sample_payload
from .progress import Cancellation, Phase, Progress, Report
from .samples import sample_folder

__all__ = [
    "Cancellation",
    "Deployment",
    "InferenceAnswer",
    "Phase",
    "Progress",
    "Report",
    "deploy_folder",
    "get_deployment",
    "infer",
    "list_deployments",
    "sample_folder",
    "sample_payload",
    "start_and_wait",
    "stop_and_wait",
    "undeploy",
]
