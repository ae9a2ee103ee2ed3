"""What stands beside the entries of a log in its file, and has to agree with them.

The triggers that refuse changes, the edge of the tree, and the tables of what every decision asks first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from procurator.governance.audit.masking import MASKED
from procurator.governance.audit.merkle import HASH_BYTES, Frontier


def unguarded(connection: sqlite3.Connection, schema: str) -> str | None:
    """What is wrong with the triggers of a schema in a file; None if all are there as they were made."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    found = {name: _plain(sql) for name, sql in connection.execute(query)}
    for name, sql in _triggers(schema):
        if found.get(name) != sql:
            return f"the trigger `{name}`, which refuses changes, is not there as it was made"
    return None


def off_edge(connection: sqlite3.Connection, root: bytes) -> str | None:
    """What is wrong with the edge of the tree that a log goes on from, if its entries have this root."""
    found: tuple[int, Any] = connection.execute("SELECT size, peaks FROM frontier").fetchone() or (0, None)
    size, peaks = found
    whole = isinstance(peaks, bytes) and len(peaks) == HASH_BYTES * int(size).bit_count()
    if whole and Frontier.unpacked(size, peaks).root() == root:
        return None
    return "the edge of the tree that the log goes on from is not that of its entries"


def _triggers(schema: str) -> Iterator[tuple[str, str]]:
    for part in schema.split(_BEGIN)[1:]:
        text = _plain(_BEGIN + part[: part.index(_END) + len(_END)])
        yield text.split()[2], text


def _plain(sql: str) -> str:
    return " ".join(sql.split())


_BEGIN: Final = "CREATE TRIGGER"
_END: Final = "END"


def unlogged(connection: sqlite3.Connection) -> str | None:
    """What stands in the way of agents, and who is registered, if it is not what the log tells; None if it is.

    Where entries of it were pruned, nobody can tell.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for told in _TOLD:
        logged = _logged(connection, told)
        if told.table not in tables or logged is None:
            continue
        query = f"SELECT {', '.join(told.members)} FROM {told.table} ORDER BY seq"  # noqa: S608  # names alone
        stored = connection.execute(query).fetchall()
        if len(stored) != len(logged) or not all(map(_agree, stored, logged)):
            return f"the {told.what} that the gateway goes by are not those of the log"
    return None


class _Told(NamedTuple):
    """What the log tells of a table: entries of some kinds, and the members of their records that are its columns."""

    table: str
    what: str
    kinds: tuple[str, ...]
    members: tuple[str, ...]


_TOLD: Final = (
    _Told("controls", "kills and revocations", ("kill", "resume", "revocation"), ("action", "kind", "issuer", "id")),
    _Told("agent_keys", "agents", ("registration",), ("agent", "jkt")),
)


def _logged(connection: sqlite3.Connection, told: _Told) -> list[tuple[str, ...]] | None:
    places = ", ".join("?" * len(told.kinds))
    query = f"SELECT body FROM entries WHERE kind IN ({places}) ORDER BY seq"  # noqa: S608  # question marks alone
    bodies = [body for (body,) in connection.execute(query, told.kinds)]
    if None in bodies:
        return None
    records = [json.loads(body) for body in bodies]
    return [tuple(record.get(name, "") for name in told.members) for record in records if record.get("changed", True)]


def _agree(stored: tuple[str, ...], logged: tuple[str, ...]) -> bool:
    """Whether a row is what an entry says, as far as that is not masked."""
    return all(MASKED in said or said == kept for said, kept in zip(logged, stored, strict=True))
