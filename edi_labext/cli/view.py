"""``edi model view``: what a service is, and how it does."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from . import output
from .connection import connected
from .endings import about
from .options import connection_options, deployment_argument, form_option

if TYPE_CHECKING:
    from ..client import EdiClient
    from ..models import DeploymentStatus, ModelDescription, ModelInstance, ServingService

# Widths and rule as observed (reference/dlim-cli.md section 6).
_FIRST, _SECOND = 18, 22
_RULE = "=" * 60
_KERNEL_RULE = "-" * 60

#: What dlim calls the states of an EDI; the other words are ours.
_INSTANCE_STATES = {
    "enabled": "Started",
    "not-available": "Starting",
    "disabled": "Stopped",
}


@click.command(short_help="Show a service, or with -s how it does.")
@deployment_argument
@click.option("-s", "--status", "status", is_flag=True, help="How it does: state and load.")
@click.option("-a", "--all", "everything", is_flag=True, help="Every kernel too (implies -s).")
@form_option("json", "yaml")
@connection_options
def view(name: str, *, status: bool, everything: bool, form: str | None) -> None:
    """Show a service: what it is, or with -s how it does.

    With -s -a there is a block for each kernel; its line "Status: IDLE" says that it is ready.
    With -o everything is shown, whatever the other flags say.
    """
    with connected() as client, about(name):
        if form is not None:
            output.emit(form, _document(client, name))
            return
        if not (status or everything):
            output_lines(description_lines(client.get_model(name)))
            return
        seen = client.status(name)
        instance = client.instance(name)
    output_lines(status_lines(instance, seen, everything=everything))


def _document(client: EdiClient, name: str) -> dict[str, Any]:
    """Return all that can be seen of a service: the EDI's own objects, and our engine's state."""
    seen = client.status(name)
    return {
        "model": client.get_model(name).to_wire(),
        "instance": client.instance(name).to_wire(),
        "status": seen and seen.model_dump(mode="json"),
    }


def output_lines(lines: Iterable[str]) -> None:
    """Print lines of a view."""
    for line in lines:
        output.say(line)


def description_lines(model: ModelDescription) -> Iterator[str]:
    """Yield the lines of ``view``; dlim's layout is unknown, so only its label width is kept."""
    rows: list[tuple[str, object]] = [
        ("Name", model.name),
        ("REST URI", model.service_uri or "-"),
        ("Tag", model.tag or "-"),
        ("Runtime", model.runtime),
        ("Kernel file", model.kernel_path),
        ("Weights", model.weight_path or "-"),
        ("Folder", model.model_path or "-"),
        ("Size", f"{model.size:,} bytes"),
        ("Creator", model.creator or "-"),
        ("Created", time_text(model.create_time)),
        ("Last updated", time_text(model.last_updated_time)),
        ("Last started", time_text(model.started_at)),
        ("UID", model.uid or "-"),
    ]
    rows += [("Attribute", f"{item.key}={item.value}") for item in model.attributes]
    # Names alone: what people put into variables is often a secret.
    rows += [("Variable", item.name) for item in model.mk_environments]
    for label, value in rows:
        yield label_line(label, value, _FIRST)


def status_lines(
    instance: ModelInstance, seen: DeploymentStatus | None, *, everything: bool
) -> Iterator[str]:
    """Yield the lines of ``view -s``, and with ``everything`` a block for each kernel.

    Parameters
    ----------
    seen:
        What our engine tells beyond EDI's instance, ``None`` from another EDI. A state that dlim
        does not know is named with its reason.
    """
    services = instance.instances or []
    yield label_line("Name", instance.name, _FIRST)
    yield label_line("State", _state(instance, seen), _FIRST)
    if seen is not None and seen.reason:
        yield label_line("Reason", seen.reason, _FIRST)
    yield label_line("Serving replica", len(services), _FIRST)
    for service in services:
        yield _RULE
        yield from _service_lines(service)
        if everything:
            yield from _kernel_lines(service)
    if everything and seen is not None and seen.state == "failed" and seen.log_tail:
        yield _KERNEL_RULE
        yield "Last lines of the log:"
        yield from (f"  {line}" for line in seen.log_tail[-20:])


def _state(instance: ModelInstance, seen: DeploymentStatus | None) -> str:
    if seen is None:
        return _INSTANCE_STATES.get(instance.state, str(instance.state))
    return "Started" if seen.state == "ready" else seen.state.capitalize()


def _service_lines(service: ServingService) -> Iterator[str]:
    rows: list[tuple[str, object]] = [
        ("Serving service ID", service.isd_uid),
        ("Service JobID", service.pj_jobid),
        ("GPU Mode", service.gpu_mode),
        ("Served clients", service.client_number),
        ("Pending requests", service.pending_tasks),
        ("Requests per second", f"{service.request_per_sec:.2f}"),
        ("Data per second", f"{service.data_size_per_sec:.2f}"),
        ("Kernel started", len(service.isd_container)),
    ]
    for label, value in rows:
        yield label_line(label, value, _SECOND)


def _kernel_lines(service: ServingService) -> Iterator[str]:
    for kernel in service.isd_container:
        yield _KERNEL_RULE
        rows: list[tuple[str, object]] = [
            ("Kernel ID", kernel.container_uid),
            ("Host", kernel.container_host),
            # Scripts look for a line that starts with this word, and for IDLE after its colon.
            ("Status", kernel.container_status),
            ("Running tasks", kernel.running_task),
            ("Finished tasks", kernel.finished_task),
            ("Failed tasks", kernel.failed_task),
            ("Total tasks", kernel.total_task),
        ]
        for label, value in rows:
            yield label_line(label, value, _SECOND)


def label_line(label: str, value: object, width: int) -> str:
    """Return one line of a view; ``width`` is the column at which values begin."""
    return f"{label + ':':<{width}}{value}"


def time_text(seconds: int) -> str:
    """Return Unix seconds as local time, ``-`` for 0."""
    if seconds <= 0:
        return "-"
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return str(seconds)
