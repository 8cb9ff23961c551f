"""The first shape: deployments, and the counter that orders all changes."""

from __future__ import annotations

import sqlite3


def apply(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty database."""
    # Descriptions and profiles are JSON: fields that we do not know must survive, and nothing is
    # ever searched here, since all reads come from memory.
    connection.execute(
        """
        CREATE TABLE deployment (
            name TEXT PRIMARY KEY NOT NULL,
            description TEXT NOT NULL,
            profile TEXT NOT NULL,
            readme TEXT NOT NULL,
            desired TEXT NOT NULL CHECK (desired IN ('started', 'stopped')),
            generation INTEGER NOT NULL,
            directory TEXT NOT NULL UNIQUE
        )
        """
    )
    # One row. It outlives the deployments, so that generations also grow over a delete.
    connection.execute("CREATE TABLE last_generation (value INTEGER NOT NULL)")
    connection.execute("INSERT INTO last_generation VALUES (0)")
