"""Which requests were decided, and which permits are open: what makes a request and a report count once.

Ids of requests are random, and a place in an index for each would cost more than the rest of a decision. So the last
few thousand are kept in memory, and enter the index together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from procurator.governance.refusals import Refused
from procurator.governance.store import Store
from procurator.governance.transactions import Rows, Transaction

OPEN: Final = "open"
INDEX_AT: Final = 4096
"""How many requests enter the index together."""
KEY_BYTES: Final = 8

VERSION: Final = 2
SCHEMA: Final = """
CREATE TABLE requests (
    seq INTEGER PRIMARY KEY, request_id TEXT NOT NULL, digest BLOB NOT NULL, prompt TEXT NOT NULL
) STRICT;
CREATE TABLE request_index (key BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE request_index_end (id INTEGER PRIMARY KEY CHECK (id = 0), seq INTEGER NOT NULL) STRICT;
INSERT INTO request_index_end VALUES (0, 0);
CREATE TABLE permits (
    permit_id TEXT PRIMARY KEY, decision_id TEXT NOT NULL, seq INTEGER NOT NULL, deadline_ns INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""

FIND_KEY: Final = "SELECT 1 FROM request_index WHERE key = ? LIMIT 1"
FIND_REQUEST: Final = """
SELECT requests.seq, request_id, digest FROM request_index JOIN requests USING (seq)
WHERE key = ? AND request_id = ?
"""
FIND_PERMIT: Final = "SELECT permit_id, decision_id, seq, deadline_ns, state FROM permits WHERE permit_id = ?"


class DecidedRequest(NamedTuple):
    """A request that was decided.

    Attributes:
        seq: the entry of the audit log that holds the decision.
        request_id: its id.
        digest: what it said, as a hash of its body.
    """

    seq: int
    request_id: str
    digest: bytes


class Permit(NamedTuple):
    """A permit that was given.

    Attributes:
        permit_id: its id.
        decision_id: the decision that gave it.
        seq: the entry of the audit log that holds the decision.
        deadline_ns: until when its outcome has to be reported, nanoseconds since 1970 in the time of budgets.
        state: `OPEN`, or the outcome.
    """

    permit_id: str
    decision_id: str
    seq: int
    deadline_ns: int
    state: str

    @property
    def named(self) -> dict[str, str | int]:
        """How entries of the log name it, and the decision that gave it."""
        return {"permit_id": self.permit_id, "decision_id": self.decision_id, "decision_seq": self.seq}


class Ledger:
    """The requests and permits of a store."""

    def __init__(self, store: Store) -> None:
        self._recent: dict[str, Sequence[Any]] = {}  # those the index has not
        self._last = -1  # the number of the newest of all
        self._enters_index = False
        self._requests: Rows[str] = Rows("INSERT INTO requests VALUES (?, ?, ?, ?)")
        self._permits: Rows[str] = Rows("INSERT INTO permits VALUES (?, ?, ?, ?, ?)")
        self._settled: Rows[str] = Rows("UPDATE permits SET state = ? WHERE permit_id = ?")
        store.define("ledger", VERSION, SCHEMA)
        for rows in (self._requests, self._permits, self._settled):
            store.collect(rows)
        store.before_commit(self._before_commit)
        store.after_commit(self._after_commit)
        store.add_mirror(self)

    # Requests

    def find_request(self, tx: Transaction, request_id: str) -> DecidedRequest | None:
        """The decided request with an id."""
        row = self._requests.pending.get(request_id) or self._recent.get(request_id)
        if row is None:
            key = _key(request_id)
            # Most are new: the short query is enough for them.
            row = tx.stored(FIND_KEY, (key,)) and tx.stored(FIND_REQUEST, (key, request_id))
        return None if row is None else DecidedRequest(*row[:3])

    def add_request(self, tx: Transaction, request_id: str, digest: bytes, seq: int, prompt: str) -> None:
        """Note that a request was decided; `find_request` has to have found none.

        Args:
            tx: the transaction.
            request_id: its id.
            digest: what it said, as a hash of its body.
            seq: the entry of the audit log that holds the decision; later requests have later ones.
            prompt: the key of the account of the prompt it is for; entries of the log may hide whose that is.
        """
        tx.add(self._requests, request_id, (seq, request_id, digest, prompt))

    def reload(self, connection: sqlite3.Connection) -> None:
        """Take in what other processes have written."""
        end = connection.execute("SELECT seq FROM request_index_end").fetchone()[0]
        newer = connection.execute("SELECT * FROM requests WHERE seq > ?", (max(self._last, end - 1),)).fetchall()
        known = [row for row in self._recent.values() if row[0] >= end]
        self._recent = {row[1]: row for row in (*known, *newer)}
        if newer:
            self._last = newer[-1][0]

    def _before_commit(self, connection: sqlite3.Connection) -> None:
        # A commit before this one may have failed after it had entered them.
        self._enters_index = len(self._recent) + len(self._requests.pending) >= INDEX_AT
        if self._enters_index:
            rows = sorted((_key(row[1]), row[0]) for row in (*self._recent.values(), *self._requests.pending.values()))
            connection.executemany("INSERT INTO request_index VALUES (?, ?)", rows)
            connection.execute("UPDATE request_index_end SET seq = ?", (max(seq for _, seq in rows) + 1,))

    def _after_commit(self) -> None:
        if pending := self._requests.pending:
            self._recent.update(pending)
            self._last = next(reversed(pending.values()))[0]
        if self._enters_index:
            self._recent.clear()

    # Permits

    def open_permit(self, tx: Transaction, permit_id: str, decision_id: str, seq: int, deadline_ns: int) -> None:
        """Note that a permit was given; ids that grow with time keep the table fast.

        Args:
            tx: the transaction.
            permit_id: its id.
            decision_id: the decision that gives it.
            seq: the entry of the audit log that holds the decision.
            deadline_ns: until when its outcome has to be reported, nanoseconds since 1970 in the time of budgets.
        """
        tx.add(self._permits, permit_id, (permit_id, decision_id, seq, deadline_ns, OPEN))

    def find_permit(self, tx: Transaction, permit_id: str) -> Permit | None:
        """The permit with an id."""
        row = self._permits.pending.get(permit_id) or tx.stored(FIND_PERMIT, (permit_id,))
        if row is None:
            return None
        permit, settled = Permit(*row), self._settled.pending.get(permit_id)
        return permit if settled is None else permit._replace(state=settled[0])

    def prompt_of(self, tx: Transaction, permit: Permit) -> str:
        """The key of the account of the prompt that a permit was given for."""
        row = tx.execute("SELECT prompt FROM requests WHERE seq = ?", (permit.seq,)).fetchone()
        return str(row[0])

    def settle_permit(self, tx: Transaction, permit_id: str, outcome: str) -> Permit:
        """End a permit with the outcome of its action, exactly once.

        Returns:
            The permit as it was.

        Raises:
            Refused: `permit_unknown`, or `permit_settled` if it was ended before.
        """
        permit = self._open(tx, permit_id)
        tx.add(self._settled, permit_id, (outcome, permit_id))
        return permit

    def _open(self, tx: Transaction, permit_id: str) -> Permit:
        permit = self.find_permit(tx, permit_id)
        if permit is None:
            raise Refused("permit_unknown", f"there is no permit `{permit_id}`")
        if permit.state != OPEN:
            raise Refused("permit_settled", f"the permit `{permit_id}` was settled as `{permit.state}`")
        return permit

    def prolong_permit(self, tx: Transaction, permit_id: str, deadline_ns: int) -> Permit:
        """Let an open permit be reported on until later.

        Returns:
            The permit as it is now.

        Raises:
            Refused: as `settle_permit`.
        """
        permit = self._open(tx, permit_id)
        prolonged = permit._replace(deadline_ns=max(permit.deadline_ns, deadline_ns))
        tx.execute("UPDATE permits SET deadline_ns = ? WHERE permit_id = ?", (prolonged.deadline_ns, permit_id))
        return prolonged


def _key(request_id: str) -> bytes:
    """Where a request stands in the index; several may have one place."""
    return sha256(request_id.encode()).digest()[:KEY_BYTES]
