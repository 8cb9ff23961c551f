"""The shape of the database, as a list of steps from each version to the next.

``PRAGMA user_version`` counts the steps that a database has had. A step is never changed once it
is released; a new shape is a new step at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from . import m0001_deployments, m0002_runtimes

Migration = Callable[[sqlite3.Connection], None]

#: Step *n* (from 0) brings a database from version *n* to *n* + 1, inside one transaction.
MIGRATIONS: tuple[Migration, ...] = (m0001_deployments.apply, m0002_runtimes.apply)
