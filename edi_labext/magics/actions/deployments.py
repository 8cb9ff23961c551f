"""List, view, deploy, start, stop, restart, undeploy, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from ... import operations
from ...errors import Conflict, NotFound
from ...operations.lifecycle import START_TIMEOUT, STOP_TIMEOUT
from ..display.deployments import DeploymentCard, DeploymentTable, Gone, LogLines
from .call import Call

if TYPE_CHECKING:
    from ...operations import Cancellation, Deployment, Report


def list_(call: Call) -> DeploymentTable:
    """Show all deployments."""
    return DeploymentTable(operations.list_deployments(call.client()), call.where)


def view(call: Call) -> DeploymentCard:
    """Show one."""
    name = call.name
    return DeploymentCard(operations.get_deployment(call.client(), name), call.where)


def deploy(call: Call) -> DeploymentCard:
    """Deploy a folder, and start it unless told otherwise."""
    arguments, folder = call.arguments, call.folder
    if arguments.replace and arguments.name:
        raise UsageError("%edi deploy: --replace takes the name of model.json; leave --name out.")
    client = call.client()

    def action(report: Report, cancellation: Cancellation) -> Deployment:
        if arguments.replace:
            try:
                row = operations.replace_folder(
                    client, folder, report=report, cancellation=cancellation
                )
            except NotFound as error:
                if error.code == "folder_not_found":
                    raise
            else:
                if arguments.no_start:
                    return row
                return operations.start_and_wait(
                    client,
                    row.name,
                    report=report,
                    cancellation=cancellation,
                    timeout=call.timeout(START_TIMEOUT),
                )
        return operations.deploy_folder(
            client,
            folder,
            name=arguments.name,
            start=not arguments.no_start,
            report=report,
            cancellation=cancellation,
            start_timeout=call.timeout(START_TIMEOUT),
        )

    try:
        return DeploymentCard(call.run(action, f"deploying {folder}"), call.where)
    except Conflict as error:
        if error.code == "exists":
            error.hint = "Deploy with --replace to put this folder in its place, or with --name."
        raise


def start(call: Call) -> DeploymentCard:
    """Start one and wait until it is ready."""
    name, client = call.name, call.client()
    return DeploymentCard(
        call.run(
            lambda report, cancellation: operations.start_and_wait(
                client,
                name,
                report=report,
                cancellation=cancellation,
                timeout=call.timeout(START_TIMEOUT),
            ),
            f"starting {name}",
        ),
        call.where,
    )


def stop(call: Call) -> DeploymentCard:
    """Stop one and wait until its kernels are gone."""
    name, client = call.name, call.client()
    return DeploymentCard(
        call.run(
            lambda report, cancellation: operations.stop_and_wait(
                client,
                name,
                report=report,
                cancellation=cancellation,
                timeout=call.timeout(STOP_TIMEOUT),
            ),
            f"stopping {name}",
        ),
        call.where,
    )


def restart(call: Call) -> DeploymentCard:
    """Stop one and start it again."""
    name, client = call.name, call.client()
    return DeploymentCard(
        call.run(
            lambda report, cancellation: operations.restart(
                client,
                name,
                report=report,
                cancellation=cancellation,
                timeout=call.timeout(START_TIMEOUT),
            ),
            f"restarting {name}",
        ),
        call.where,
    )


def undeploy(call: Call) -> Gone:
    """Stop one and remove it for good."""
    name, client = call.name, call.client()
    client.get_model(name)  # The operation itself is content when there is none.
    call.run(
        lambda report, cancellation: operations.undeploy(
            client, name, report=report, cancellation=cancellation
        ),
        f"undeploying {name}",
    )
    return Gone(name, call.where)


def logs(call: Call) -> LogLines:
    """Show the last lines of the log."""
    name, client = call.name, call.client()
    status = client.status(name)
    if status is None:
        client.get_model(name)
        raise NotFound(
            f"{call.where} has no route for logs.",
            code="no_logs",
            hint="Look in the web console of WMLA.",
        )
    return LogLines(name, tuple(status.log_tail[-(call.arguments.lines or 100) :]))
