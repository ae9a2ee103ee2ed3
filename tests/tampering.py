"""Changes to a file of state that the product would never make."""

import sqlite3
from pathlib import Path


def tamper(file: Path, *statements: str) -> None:
    """Change the file as somebody would who can write it: the triggers are no obstacle."""
    with sqlite3.connect(file) as connection:
        for name in ("entries_keep", "entries_stay", "checkpoints_keep", "checkpoints_stay"):
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()
