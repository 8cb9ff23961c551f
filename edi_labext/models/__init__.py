"""The words of the product: wire shapes and the rules for single values.

Pydantic models here are the only schema: Python types, validation messages and the generated
TypeScript types (``src/_schema.ts``) all come from them. Imports nothing of ours but ``errors``.
"""

from .answers import (
    Done,
    ErrorAnswer,
    ModelExtension,
    ModelPlan,
    Readme,
    RuntimeList,
    ServiceToken,
    StreamingAddress,
    Success,
    Token,
)
from .description import (
    MODEL_JSON,
    README,
    REQUIRED_FIELDS,
    Attribute,
    EnvironmentVariable,
    ModelBody,
    ModelDescription,
    SubmissionDescription,
    check_relative_path,
    describe_deployment,
    parse_description,
    parse_submission,
    submission_errors,
)
from .instance import Container, InstanceState, ModelInstance, ServingService
from .names import MAX_NAME_LENGTH, NAME_PATTERN, NAME_RULE, check_name, is_valid_name, suggest_name
from .profile import (
    GPU_SENTENCES,
    GpuMode,
    KernelProfile,
    Policy,
    Profile,
)
from .profile_check import check_profile, parse_profile, profile_revision, refuse_problems
from .profile_time import profile_time, seconds_of
from .resources import COUNTING_KEYS, DEFAULT_RESOURCES, Resources, parse_resources
from .runtime import (
    CPP_RUNTIME,
    DEFAULT_RUNTIME,
    KERNELSPEC_ATTRIBUTE,
    PYTHON_ATTRIBUTE,
    PYTHON_LAUNCHER,
    WMLA_RUNTIMES,
    Runtime,
    is_runtime_name,
)
from .runtime_check import parse_runtime, refuse_cpp
from .status import (
    NO_GPU,
    Capabilities,
    DeploymentState,
    DeploymentStatus,
    LogLine,
    LogPage,
)
from .variables import RESERVED_VARIABLES, variable_problems

__all__ = [
    "COUNTING_KEYS",
    "CPP_RUNTIME",
    "DEFAULT_RESOURCES",
    "DEFAULT_RUNTIME",
    "GPU_SENTENCES",
    "KERNELSPEC_ATTRIBUTE",
    "MAX_NAME_LENGTH",
    "MODEL_JSON",
    "NAME_PATTERN",
    "NAME_RULE",
    "NO_GPU",
    "PYTHON_ATTRIBUTE",
    "PYTHON_LAUNCHER",
    "README",
    "REQUIRED_FIELDS",
    "RESERVED_VARIABLES",
    "WMLA_RUNTIMES",
    "Attribute",
    "Capabilities",
    "Container",
    "DeploymentState",
    "DeploymentStatus",
    "Done",
    "EnvironmentVariable",
    "ErrorAnswer",
    "GpuMode",
    "InstanceState",
    "KernelProfile",
    "LogLine",
    "LogPage",
    "ModelBody",
    "ModelDescription",
    "ModelExtension",
    "ModelInstance",
    "ModelPlan",
    "Policy",
    "Profile",
    "Readme",
    "Resources",
    "Runtime",
    "RuntimeList",
    "ServiceToken",
    "ServingService",
    "StreamingAddress",
    "SubmissionDescription",
    "Success",
    "Token",
    "check_name",
    "check_profile",
    "check_relative_path",
    "describe_deployment",
    "is_runtime_name",
    "is_valid_name",
    "parse_description",
    "parse_profile",
    "parse_resources",
    "parse_runtime",
    "parse_submission",
    "profile_revision",
    "profile_time",
    "refuse_cpp",
    "refuse_problems",
    "seconds_of",
    "submission_errors",
    "suggest_name",
    "variable_problems",
]
