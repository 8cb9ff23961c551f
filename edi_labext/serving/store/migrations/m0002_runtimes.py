"""Runtimes that somebody has created, beside those that the engine brings along."""

from __future__ import annotations

import sqlite3


def apply(connection: sqlite3.Connection) -> None:
    """Add the table; a runtime is JSON for the same reasons as a description."""
    connection.execute(
        """
        CREATE TABLE runtime (
            name TEXT PRIMARY KEY NOT NULL,
            document TEXT NOT NULL
        )
        """
    )
