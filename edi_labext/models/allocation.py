"""Where a deployment runs and what it is given there: two sections of a profile."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ..errors import InvalidInput
from .profile_field import ProfileSection, field, text
from .resources import COUNTING_KEYS, DEFAULT_RESOURCES, parse_resources


def _readable_resources(value: str) -> str:
    try:
        parse_resources(value)
    except InvalidInput as error:
        raise PydanticCustomError(
            "said", "{said}", {"said": f"{error.message} {error.hint}"}
        ) from None
    return value


class Ssl(ProfileSection):
    """TLS of the service's endpoint."""

    enable: bool = field(True, "TLS", section="advanced", rule="true or false")
    server_crt: str = text("${REDHARE_TOP}/security/tls.crt", "Certificate file")
    server_key: str = text("${REDHARE_TOP}/security/tls.key", "Key file")


class Security(ProfileSection):
    """How the service's endpoint is secured."""

    ssl: Ssl = Field(default_factory=Ssl)


class ServiceAllocation(ProfileSection):
    """Where the serving service runs."""

    type: str = text("k8s", "Service: type")
    namespace: str = text("", "Service: namespace")
    image_name: str = text("", "Service: image", "Empty is the product's own.")
    node_selector: str = text("", "Service: node selector")


class KernelAllocation(ProfileSection):
    """Where kernels run, and what of a machine each gets."""

    type: str = text("msd", "Kernel: type")
    namespace: str = text("", "Kernel: namespace")
    image_name: str = text("", "Kernel: image", "Empty is the product's own.")
    resource_plan: str = text(
        "sample-project/inference", "Resource plan", "Plan of the scheduler that is charged."
    )
    resources: Annotated[str, AfterValidator(_readable_resources)] = field(
        DEFAULT_RESOURCES,
        "CPU and memory",
        section="resources",
        about="CPUs and memory in MB of each kernel: what is asked for, and the limits.",
        rule=f"text like {DEFAULT_RESOURCES}",
        extra={"counts": {mode: list(keys) for mode, keys in COUNTING_KEYS.items()}},
    )
    accelerator_resources: str = text("", "Accelerator resources")
    gpu_pack_id: str = field(
        "",
        "GPU pack",
        section="gpu",
        about="Kernels of the same pack share one GPU; empty is a pack of this deployment alone.",
        rule="text",
        extra={"advanced": True},
    )
    node_selector: str = text("", "Kernel: node selector")
    scheduler: str = text("", "Scheduler")


class ResourceAllocation(ProfileSection):
    """Where service and kernels run."""

    service: ServiceAllocation = Field(default_factory=ServiceAllocation)
    kernel: KernelAllocation = Field(default_factory=KernelAllocation)
