"""Time that has passed for tickets: nobody waits for hours in a test."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

from tests.support.server import Server


def grow_old(server: Server, by: timedelta) -> None:
    """Move everything that is known of tickets into the past. A running server notices at its next look."""
    columns = {"tickets": ("created_at", "updated_at", "escalate_at"), "ticket_history": ("at",)}
    with closing(sqlite3.connect(server.data / "site.db")) as database, database:
        for table, names in columns.items():
            for row, *values in database.execute(f"SELECT rowid, {', '.join(names)} FROM {table}").fetchall():
                past = [value and str(datetime.fromisoformat(value) - by) for value in values]
                sets = ", ".join(f"{name} = ?" for name in names)
                database.execute(f"UPDATE {table} SET {sets} WHERE rowid = ?", (*past, row))
