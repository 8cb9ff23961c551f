"""Runtimes of an EDI: have one there that is known here."""

from __future__ import annotations

from ..client import EdiClient
from ..errors import Conflict, NotFound
from ..models import KERNELSPEC_ATTRIBUTE, Runtime


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
            client.create_runtime(wanted)
        except Conflict as error:
            # Somebody was faster.
            if error.code != "exists":
                raise
        return
    origin = wanted.attribute(KERNELSPEC_ATTRIBUTE)
    if current.attribute(KERNELSPEC_ATTRIBUTE) == origin and current.python != wanted.python:
        client.update_runtime(current.with_python(wanted.python))
