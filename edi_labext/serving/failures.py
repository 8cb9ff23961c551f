"""The errors that an inference request can end with, and their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..errors import Conflict, EdiError, KernelFailure, Overloaded, TaskTimeout, Unavailable
from ..models import DeploymentState

#: Longest reason taken from a kernel, in characters.
REASON_LIMIT: Final = 600

#: Bounds of the advice when to come again, in seconds.
_RETRY_MIN: Final = 1.0
_RETRY_MAX: Final = 60.0

#: By the code of a FAILED frame: our code, the message, the next step.
_OF_KERNEL: Final = {
    "exception": (
        "kernel_exception",
        "The kernel raised {reason}",
        "The log of the deployment has the traceback.",
    ),
    "no_output": (
        "no_output",
        "{reason}",
        "on_task_invoke should call set_output_data for every task of the batch.",
    ),
    "not_text": ("output_not_text", "{reason}", "Answer with text that UTF-8 can carry, or bytes."),
    "too_large": ("output_too_large", "{reason}", "Answer with less, or with a place to fetch it."),
}
_OTHER: Final = ("kernel_failed", "The kernel failed: {reason}", None)


def reason_text(payload: bytes) -> str:
    """Return what a kernel says, as one line without control characters."""
    text = payload[: 4 * REASON_LIMIT].decode("utf-8", "replace")[:REASON_LIMIT]
    return "".join(c if c.isprintable() else " " for c in text).strip()


def kernel_failure(payload: bytes) -> KernelFailure:
    """Return the error that the payload of a FAILED frame stands for."""
    token, _, reason = payload.partition(b"\n")
    code, message, hint = _OF_KERNEL.get(token.decode("ascii", "replace"), _OTHER)
    return KernelFailure(message.format(reason=reason_text(reason)), code=code, hint=hint)


def stopping(name: str) -> Unavailable:
    """Return why a deployment that drains takes nothing new."""
    return Unavailable(
        f"Deployment {name} is stopping.",
        code="stopping",
        hint="Start it again once it has stopped.",
    )


def no_files(name: str) -> Conflict:
    """Return why a deployment without a package cannot be started."""
    return Conflict(
        f"Model <{name}> has no files: it was registered without a package.",
        code="no_files",
        hint=f"Send a package to POST /dlim/v1/deployment/model/{name}, then start it.",
    )


def not_started(name: str) -> Conflict:
    """Return why a deployment that nobody wants to run takes nothing."""
    return Conflict(
        f"Model <{name}> is not started.",
        code="not_started",
        hint=f"Start it first: PUT /dlim/v1/model/{name}/operation/start.",
    )


def pending(reason: str) -> Unavailable:
    """Return why a deployment takes nothing for which the machine lacks something."""
    return Unavailable(reason, code="pending")


def failed(name: str, reason: str, tail: Sequence[str]) -> Unavailable:
    """Return why a failed deployment takes nothing; ``tail`` is the end of its log."""
    return Unavailable(
        f"Model <{name}> has failed: {reason}",
        code="deployment_failed",
        hint="Mend what the log says, deploy it again and start it.",
        detail="\n".join(tail) or None,
    )


def refusing(name: str, state: DeploymentState, reason: str, tail: Sequence[str]) -> EdiError:
    """Return why a deployment in ``state`` takes nothing; ``reason`` is that of the state."""
    match state:
        case "failed":
            return failed(name, reason, tail)
        case "pending":
            return pending(reason)
        case "stopping":
            return stopping(name)
    return not_started(name)


def unavailable(reason: EdiError) -> Unavailable:
    """Return a fresh error with the words of ``reason``, for a request that was not accepted."""
    return Unavailable(
        reason.message,
        code=reason.code,
        hint=reason.hint,
        detail=reason.detail,
        retry_after=reason.retry_after,
    )


def overloaded(name: str, waiting: int, rate: float) -> Overloaded:
    """Return why a full queue takes nothing new.

    Parameters
    ----------
    name:
        The deployment's.
    waiting:
        How many tasks wait.
    rate:
        Tasks per second that its kernels are good for, 0.0 when unknown.
    """
    wait = waiting / rate if rate > 0.0 else _RETRY_MIN
    return Overloaded(
        f"The queue of deployment {name} is full: {waiting} tasks wait.",
        hint="Send again later, or let the deployment have more kernels.",
        retry_after=min(max(wait, _RETRY_MIN), _RETRY_MAX),
    )


def no_kernel_in_time(name: str, timeout: float) -> TaskTimeout:
    """Return why a task ended that no kernel had begun; ``timeout`` in seconds."""
    return TaskTimeout(
        f"No kernel of deployment {name} was free within {timeout:g} s (task_execution_timeout).",
        hint="Look at the deployment's state, or let it have more kernels.",
    )


def no_answer_in_time(name: str, timeout: float) -> TaskTimeout:
    """Return why a task ended that a kernel still works on; ``timeout`` in seconds."""
    return TaskTimeout(
        f"The kernel of deployment {name} did not answer within {timeout:g} s "
        "(task_execution_timeout).",
        hint="Look at the log of the deployment, or raise the timeout in its profile.",
    )
