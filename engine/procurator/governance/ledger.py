"""Which requests were decided, and which permits are open: what makes a request and a report count once."""

from __future__ import annotations

from typing import Final, NamedTuple

from procurator.governance.refusals import Refused
from procurator.governance.store import Rows, Store, Transaction

OPEN: Final = "open"

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE requests (
    request_id TEXT PRIMARY KEY, digest BLOB NOT NULL, seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE permits (
    permit_id TEXT PRIMARY KEY, request_id TEXT NOT NULL, seq INTEGER NOT NULL, deadline_ns INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX permits_open ON permits (deadline_ns) WHERE state = 'open'
"""


class DecidedRequest(NamedTuple):
    """A request that was decided.

    Attributes:
        request_id: its id.
        digest: what it said, as a hash of its body.
        seq: the entry of the audit log that holds the decision.
    """

    request_id: str
    digest: bytes
    seq: int


class Permit(NamedTuple):
    """A permit that was given.

    Attributes:
        permit_id: its id.
        request_id: the request it answers.
        seq: the entry of the audit log that holds the decision.
        deadline_ns: until when its outcome has to be reported, nanoseconds since 1970.
        state: `OPEN`, or the outcome.
    """

    permit_id: str
    request_id: str
    seq: int
    deadline_ns: int
    state: str


class Ledger:
    """The requests and permits of a store."""

    def __init__(self, store: Store) -> None:
        self._requests: Rows[str] = Rows("INSERT INTO requests (request_id, digest, seq) VALUES (?, ?, ?)")
        self._permits: Rows[str] = Rows(
            "INSERT INTO permits (permit_id, request_id, seq, deadline_ns, state) VALUES (?, ?, ?, ?, ?)"
        )
        self._settled: Rows[str] = Rows("UPDATE permits SET state = ? WHERE permit_id = ?")
        store.define("ledger", VERSION, SCHEMA)
        for rows in (self._requests, self._permits, self._settled):
            store.collect(rows)

    def find_request(self, tx: Transaction, request_id: str) -> DecidedRequest | None:
        """The decided request with an id."""
        row = self._requests.pending.get(request_id)
        if row is None:
            query = "SELECT request_id, digest, seq FROM requests WHERE request_id = ?"
            row = tx.stored(query, (request_id,)).fetchone()
        return None if row is None else DecidedRequest(*row)

    def add_request(self, tx: Transaction, request_id: str, digest: bytes, seq: int) -> None:
        """Note that a request was decided; `find_request` has to have found none.

        Args:
            tx: the transaction.
            request_id: its id.
            digest: what it said, as a hash of its body.
            seq: the entry of the audit log that holds the decision.
        """
        tx.add(self._requests, request_id, (request_id, digest, seq))

    def open_permit(self, tx: Transaction, permit_id: str, request_id: str, seq: int, deadline_ns: int) -> None:
        """Note that a permit was given, which has to be reported on until a time in nanoseconds since 1970."""
        tx.add(self._permits, permit_id, (permit_id, request_id, seq, deadline_ns, OPEN))

    def find_permit(self, tx: Transaction, permit_id: str) -> Permit | None:
        """The permit with an id."""
        row = self._permits.pending.get(permit_id)
        if row is None:
            query = "SELECT permit_id, request_id, seq, deadline_ns, state FROM permits WHERE permit_id = ?"
            row = tx.stored(query, (permit_id,)).fetchone()
        if row is None:
            return None
        permit, settled = Permit(*row), self._settled.pending.get(permit_id)
        return permit if settled is None else permit._replace(state=settled[0])

    def settle_permit(self, tx: Transaction, permit_id: str, outcome: str) -> Permit:
        """End a permit with the outcome of its action, exactly once.

        Returns:
            The permit as it was.

        Raises:
            Refused: `permit_unknown`, or `permit_settled` if it was ended before.
        """
        permit = self.find_permit(tx, permit_id)
        if permit is None:
            raise Refused("permit_unknown", f"there is no permit `{permit_id}`")
        if permit.state != OPEN:
            raise Refused("permit_settled", f"the permit `{permit_id}` was settled as `{permit.state}`")
        tx.add(self._settled, permit_id, (outcome, permit_id))
        return permit

    def overdue(self, tx: Transaction, now_ns: int) -> list[Permit]:
        """The open permits whose deadline has passed, the oldest first."""
        query = "SELECT permit_id, request_id, seq, deadline_ns, state FROM permits"
        rows = tx.execute(f"{query} WHERE state = 'open' AND deadline_ns < ? ORDER BY deadline_ns", (now_ns,))
        return [Permit(*row) for row in rows]
