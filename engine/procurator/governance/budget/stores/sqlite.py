"""Budgets in the file of state, in the transaction of the decision; several processes may share the file.

Meters are in memory, and those that have changed are written once for all decisions that share a commit. Each row has
the number of the change that wrote it, so that another process reads no more than what is new.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from procurator.governance.budget.accounts import Path
from procurator.governance.budget.meters import Meter, Saved
from procurator.governance.budget.stores import OVERDUE_AT_ONCE, Reservation, Standing
from procurator.governance.budget.stores.memory import MemoryBudgets
from procurator.governance.budget.windows import NEVER
from procurator.governance.store import Store
from procurator.governance.transactions import Rows, Transaction

METERS_KEPT: Final = 100_000

VERSION: Final = 2
SCHEMA: Final = """
CREATE TABLE budget_meters (
    key TEXT PRIMARY KEY, used INTEGER NOT NULL, reserved INTEGER NOT NULL, extra INTEGER NOT NULL,
    slot INTEGER NOT NULL, told_ns INTEGER NOT NULL, slots TEXT, change INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_meters_change ON budget_meters (change);
CREATE TABLE budget_paths (id INTEGER PRIMARY KEY, prompt TEXT NOT NULL, keys TEXT NOT NULL) STRICT;
CREATE TABLE budget_reservations (
    permit_id TEXT PRIMARY KEY, path INTEGER NOT NULL, cost TEXT NOT NULL, at_ns INTEGER NOT NULL,
    deadline_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_reservations_due ON budget_reservations (deadline_ns);
CREATE TABLE budget_stops (
    prompt TEXT PRIMARY KEY, state TEXT, why TEXT, change INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_stops_change ON budget_stops (change)
"""

COLUMNS: Final = "used, reserved, extra, slot, told_ns, slots"
FIND_METER: Final = f"SELECT {COLUMNS} FROM budget_meters WHERE key = ?"  # noqa: S608  # names alone
NEW_METERS: Final = f"SELECT key, {COLUMNS} FROM budget_meters WHERE change > ?"  # noqa: S608  # names alone
WRITE_METER: Final = f"INSERT OR REPLACE INTO budget_meters (key, {COLUMNS}, change) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # names alone
FIND_KEYS: Final = "SELECT key FROM budget_meters WHERE key >= ? AND key < ?"
FIND_RESERVATION: Final = "SELECT path, cost, at_ns, deadline_ns FROM budget_reservations WHERE permit_id = ?"
PROLONG: Final = "UPDATE budget_reservations SET deadline_ns = ? WHERE permit_id = ?"
FIND_PATH: Final = "SELECT prompt, keys FROM budget_paths WHERE id = ?"
FIND_OVERDUE: Final = "SELECT permit_id FROM budget_reservations WHERE deadline_ns < ? ORDER BY deadline_ns LIMIT ?"
FIND_DUE: Final = "SELECT min(deadline_ns) FROM budget_reservations"
LAST_CHANGE: Final = """
SELECT max(coalesce((SELECT max(change) FROM budget_meters), 0), coalesce((SELECT max(change) FROM budget_stops), 0))
"""


class SqliteBudgets(MemoryBudgets):
    """A `BudgetStore` on the file of state; to be used in its transactions alone."""

    def __init__(self, store: Store) -> None:
        """Open the tables.

        Raises:
            StoreError: they could not be read.
        """
        super().__init__()
        self._dirty: set[Meter] = set()
        self._moved: dict[str, Standing | None] = {}
        self._seen = 0
        self._change = 0
        self._due = NEVER
        self._numbers: dict[Path, int] = {}
        self._paths: dict[int, tuple[str, tuple[str, ...]]] = {}
        self._new_paths: Rows[int] = Rows("INSERT OR IGNORE INTO budget_paths VALUES (?, ?, ?)")
        self._kept: Rows[str] = Rows("INSERT INTO budget_reservations VALUES (?, ?, ?, ?, ?)")
        self._dropped: Rows[str] = Rows("DELETE FROM budget_reservations WHERE permit_id = ?")
        store.define("budget", VERSION, SCHEMA)
        for rows in (self._new_paths, self._kept, self._dropped):
            store.collect(rows)
        store.before_commit(self._before_commit)
        store.after_commit(self._after_commit)
        store.add_mirror(self)

    # What the store calls

    def reload(self, connection: sqlite3.Connection) -> None:
        """Take in what other processes have written."""
        self._dirty.clear()
        self._moved.clear()
        for key, *row in connection.execute(NEW_METERS, (self._seen,)):
            meter = self._meters.get(key)
            if meter is not None:
                meter.restore(_saved(row))
        query = "SELECT prompt, state, why FROM budget_stops WHERE change > ?"
        for prompt, state, why in connection.execute(query, (self._seen,)):
            super()._set_stop(prompt, None if state is None else Standing(state, why))
        self._seen = self._change = connection.execute(LAST_CHANGE).fetchone()[0]
        self._due = connection.execute(FIND_DUE).fetchone()[0] or NEVER

    def _before_commit(self, connection: sqlite3.Connection) -> None:
        if not (self._dirty or self._moved):
            return
        self._change = change = self._seen + 1
        connection.executemany(WRITE_METER, [_row(meter, change) for meter in self._dirty])
        moved = [(prompt, *(now or (None, None)), change) for prompt, now in self._moved.items()]
        connection.executemany("INSERT OR REPLACE INTO budget_stops VALUES (?, ?, ?, ?)", moved)

    def _after_commit(self) -> None:
        self._dirty.clear()
        self._moved.clear()
        self._seen = self._change
        for number, (_, prompt, keys) in self._new_paths.pending.items():
            self._paths[number] = prompt, tuple(json.loads(keys))
        if len(self._meters) > METERS_KEPT:
            self._meters.clear()
            self._routes.clear()
        if len(self._paths) > METERS_KEPT:
            self._paths.clear()
        if len(self._numbers) > METERS_KEPT:
            self._numbers.clear()

    def prolong(self, tx: Transaction | None, permit_id: str, deadline_ns: int) -> None:
        """Have a reservation settled on doubt later, if there still is one."""
        _in(tx).execute(PROLONG, (deadline_ns, permit_id))

    # What is different from memory

    def _load(self, tx: Transaction | None, meter: Meter) -> None:
        row = _in(tx).stored(FIND_METER, (meter.key,))
        if row is not None:
            meter.restore(_saved(row))

    def _touch(self, meters: Iterable[Meter]) -> None:
        self._dirty.update(meters)

    def _set_stop(self, prompt: str, standing: Standing | None) -> None:
        super()._set_stop(prompt, standing)
        self._moved[prompt] = standing

    def _known(self, tx: Transaction | None, prefix: str) -> list[str]:
        rows = _in(tx).execute(FIND_KEYS, (prefix, f"{prefix}\U0010ffff"))
        return sorted({key for (key,) in rows} | {meter.key for meter in self._dirty if meter.key.startswith(prefix)})

    def _keep(
        self,
        tx: Transaction | None,
        path: Path,
        cost: Mapping[str, int],
        now_ns: int,
        permit_id: str,
        deadline_ns: int,
    ) -> None:
        tx = _in(tx)
        text = ",".join([f'"{unit}":{amount}' for unit, amount in cost.items()])
        tx.add(self._kept, permit_id, (permit_id, self._path_id(tx, path), f"{{{text}}}", now_ns, deadline_ns))
        if deadline_ns < self._due:
            self._due = deadline_ns

    def _forget(self, permit_id: str) -> None:
        """Its row is dropped by the transaction."""

    def _drop(self, tx: Transaction | None, permit_id: str) -> Reservation | None:
        tx = _in(tx)
        if permit_id in self._dropped.pending:
            return None
        kept = self._kept.pending.get(permit_id)
        row: Sequence[Any] | None = kept[1:] if kept is not None else tx.stored(FIND_RESERVATION, (permit_id,))
        if row is None:
            return None
        tx.add(self._dropped, permit_id, (permit_id,))
        prompt, keys = self._path(tx, row[0])
        return Reservation(keys, prompt, json.loads(row[1]), row[2], row[3])

    def _overdue(self, tx: Transaction | None, now_ns: int) -> list[str]:
        if now_ns <= self._due:
            return []
        rows = _in(tx).execute(FIND_OVERDUE, (now_ns, OVERDUE_AT_ONCE)).fetchall()
        if not rows:
            self._due = _in(tx).execute(FIND_DUE).fetchone()[0] or NEVER
        return [permit for (permit,) in rows]

    # Paths: which meters a reservation is on

    def _path_id(self, tx: Transaction, path: Path) -> int:
        number = self._numbers.get(path)
        if number is None:
            digest = sha256(json.dumps((path.prompt_key, path.keys)).encode()).digest()
            number = self._numbers[path] = int.from_bytes(digest[:8], signed=True)
        if number not in self._paths and number not in self._new_paths.pending:
            tx.add(self._new_paths, number, (number, path.prompt_key, json.dumps(path.keys)))
        return number

    def _path(self, tx: Transaction, number: int) -> tuple[str, tuple[str, ...]]:
        found = self._paths.get(number)
        if found is None:
            pending = self._new_paths.pending.get(number)
            row = pending[1:] if pending is not None else tx.stored(FIND_PATH, (number,))
            assert row is not None  # noqa: S101  # it was written with the reservation
            found = row[0], tuple(json.loads(row[1]))
            if pending is None:
                self._paths[number] = found
        return found


def _in(tx: Transaction | None) -> Transaction:
    assert tx is not None  # noqa: S101  # as the class says
    return tx


def _saved(row: Sequence[Any]) -> Saved:
    used, reserved, extra, slot, told_ns, slots = row
    kept = None if slots is None else {int(number): amounts for number, amounts in json.loads(slots).items()}
    return Saved(used, reserved, extra, slot, told_ns, kept)


def _row(meter: Meter, change: int) -> tuple[Any, ...]:
    saved = meter.saved()
    slots = None if saved.slots is None else json.dumps(saved.slots)
    return (meter.key, *saved[:-1], slots, change)
