"""Bodies and answers of the façade: the one schema of both sides.

``scripts/generate_schema.py`` writes the JSON Schema of these models, from which
``src/_schema.ts`` is made. Bodies refuse unknown fields; answers never hold a token or an
absolute path of the server.

Times are Unix seconds UTC, sizes are bytes, fractions go from 0 to 1.
"""

from pydantic import BaseModel

from ...operations import Deployment
from .base import Body, ErrorInfo, ErrorReply, FieldProblem, NoBody, Reply
from .deployments import (
    MAX_ANSWER_BYTES,
    MAX_PAYLOAD_BYTES,
    Answer,
    DeploymentList,
    DeployRequest,
    FolderSource,
    InferRequest,
    Job,
    JobKind,
    JobList,
    JobState,
    Lease,
    LeaseRequest,
    SamplePayload,
    SampleSource,
)
from .environments import (
    ConnectionReport,
    ConnectionStep,
    EnvironmentInfo,
    EnvironmentRequest,
    FileToken,
    Info,
    Limits,
    PastedToken,
    RuntimeInfo,
    RuntimeList,
    RuntimeSource,
    ServerExtension,
    TokenRequest,
    UnsafePackage,
    VariableToken,
)
from .profiles import (
    FieldChange,
    NextProfile,
    NextProfileRequest,
    ProfileDiff,
    ProfileDiffRequest,
    ProfileRequest,
    ProfileView,
)
from .submissions import (
    MAX_INSPECTED_FILES,
    FindingInfo,
    FixInfo,
    FixRequest,
    IgnoredPath,
    InspectedFile,
    Inspection,
    InspectRequest,
    Problem,
)

#: Models that come in, described as they are validated.
BODIES: tuple[type[BaseModel], ...] = (
    DeployRequest,
    EnvironmentRequest,
    FixRequest,
    InferRequest,
    InspectRequest,
    LeaseRequest,
    NextProfileRequest,
    ProfileDiffRequest,
    ProfileRequest,
    TokenRequest,
)
#: Models that go out, described as they are serialised.
REPLIES: tuple[type[BaseModel], ...] = (
    Answer,
    ConnectionReport,
    Deployment,
    DeploymentList,
    ErrorReply,
    Info,
    Inspection,
    Job,
    JobList,
    Lease,
    ProfileDiff,
    ProfileView,
    RuntimeList,
    SamplePayload,
)

__all__ = [
    "BODIES",
    "MAX_ANSWER_BYTES",
    "MAX_INSPECTED_FILES",
    "MAX_PAYLOAD_BYTES",
    "REPLIES",
    "Answer",
    "Body",
    "ConnectionReport",
    "ConnectionStep",
    "DeployRequest",
    "DeploymentList",
    "EnvironmentInfo",
    "EnvironmentRequest",
    "ErrorInfo",
    "ErrorReply",
    "FieldChange",
    "FieldProblem",
    "FileToken",
    "FindingInfo",
    "FixInfo",
    "FixRequest",
    "FolderSource",
    "IgnoredPath",
    "InferRequest",
    "Info",
    "InspectRequest",
    "InspectedFile",
    "Inspection",
    "Job",
    "JobKind",
    "JobList",
    "JobState",
    "Lease",
    "LeaseRequest",
    "Limits",
    "NextProfile",
    "NextProfileRequest",
    "NoBody",
    "PastedToken",
    "Problem",
    "ProfileDiff",
    "ProfileDiffRequest",
    "ProfileRequest",
    "ProfileView",
    "Reply",
    "RuntimeInfo",
    "RuntimeList",
    "RuntimeSource",
    "SamplePayload",
    "SampleSource",
    "ServerExtension",
    "TokenRequest",
    "UnsafePackage",
    "VariableToken",
]
