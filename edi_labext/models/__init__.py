"""The words of the product: wire shapes and the rules for single values.

Pydantic models here are the only schema: Python types, validation messages and the generated
TypeScript types (``src/_schema.ts``) all come from them. Imports nothing of ours but ``errors``.
"""

from .description import (
    MODEL_JSON,
    README,
    Attribute,
    EnvironmentVariable,
    ModelDescription,
    SubmissionDescription,
    check_relative_path,
    describe_deployment,
    parse_submission,
)
from .instance import Container, InstanceState, ModelInstance, ServingService
from .names import MAX_NAME_LENGTH, NAME_PATTERN, NAME_RULE, check_name, is_valid_name, suggest_name
from .profile import GpuMode, KernelProfile, Policy, Profile
from .status import Capabilities, DeploymentState, DeploymentStatus

__all__ = [
    "MAX_NAME_LENGTH",
    "MODEL_JSON",
    "NAME_PATTERN",
    "NAME_RULE",
    "README",
    "Attribute",
    "Capabilities",
    "Container",
    "DeploymentState",
    "DeploymentStatus",
    "EnvironmentVariable",
    "GpuMode",
    "InstanceState",
    "KernelProfile",
    "ModelDescription",
    "ModelInstance",
    "Policy",
    "Profile",
    "ServingService",
    "SubmissionDescription",
    "check_name",
    "check_relative_path",
    "describe_deployment",
    "is_valid_name",
    "parse_submission",
    "suggest_name",
]
