"""Runtimes of an EDI: make, change and remove them, and have one there that is known here."""

from __future__ import annotations

from ..client import EdiClient
from ..errors import Conflict, NotFound
from ..models import KERNELSPEC_ATTRIBUTE, Runtime
from .outcome import settle


def create_runtime(client: EdiClient, runtime: Runtime) -> None:
    """Publish a runtime; raises as :func:`.settle` and :meth:`.EdiClient.create_runtime`."""

    def now() -> tuple[bool, str]:
        try:
            return _says(client.runtime(runtime.type), runtime), f"{runtime.type} is another one"
        except NotFound:
            return False, f"there is no runtime {runtime.type}"

    settle(lambda: client.create_runtime(runtime), f"runtime {runtime.type} was created", now)


def update_runtime(client: EdiClient, runtime: Runtime) -> None:
    """Replace a whole runtime; raises as :func:`.settle` and :meth:`.EdiClient.update_runtime`."""

    def now() -> tuple[bool, str]:
        return _says(client.runtime(runtime.type), runtime), f"{runtime.type} is another one"

    settle(lambda: client.update_runtime(runtime), f"runtime {runtime.type} was changed", now)


def delete_runtime(client: EdiClient, name: str) -> None:
    """Remove a runtime; raises as :func:`.settle` and :meth:`.EdiClient.delete_runtime`."""

    def now() -> tuple[bool, str]:
        try:
            client.runtime(name)
        except NotFound:
            return True, f"there is no runtime {name}"
        return False, f"{name} is still there"

    settle(lambda: client.delete_runtime(name), f"runtime {name} was removed", now)


def _says(there: Runtime, wanted: Runtime) -> bool:
    """Tell whether a runtime is as wanted, but for the times, which an EDI sets itself."""
    times = {"epoch_created": 0, "epoch_updated": 0}
    return there.model_copy(update=times) == wanted.model_copy(update=times)


def ensure_runtime(client: EdiClient, wanted: Runtime) -> None:
    """Have the EDI keep the Python of a notebook kernel, so that deployments can run in it.

    A runtime of that name that somebody made in another way stays as it is. One that was taken
    from the same notebook kernel follows it to another Python; what else was changed in it stays.

    Parameters
    ----------
    wanted:
        With the name of its kernelspec in :data:`~edi_labext.models.KERNELSPEC_ATTRIBUTE`.

    Raises
    ------
    EdiError
        What the EDI says.
    """
    try:
        current = client.runtime(wanted.type)
    except NotFound:
        current = None
    if current is None or current.is_stand_in:
        try:
            create_runtime(client, wanted)
        except Conflict as error:
            # Somebody was faster.
            if error.code != "exists":
                raise
        return
    origin = wanted.attribute(KERNELSPEC_ATTRIBUTE)
    if current.attribute(KERNELSPEC_ATTRIBUTE) == origin and current.python != wanted.python:
        update_runtime(client, current.with_python(wanted.python))
