"""Actions that wait for a person's approval: each is bound to exactly what is to be done, by whom and for whom.

An approval is asked for (`pending`), answered (`approved`, `denied`), and used once (`consumed`). One that is neither
answered nor used in time is `expired`, which nobody has to write down: it is what the time says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from procurator.governance.approvals.approvers import Approvers, read_approvers
from procurator.governance.identity.persons import Person
from procurator.governance.store import Store
from procurator.governance.strict_json import canonical
from procurator.governance.times import time_text
from procurator.governance.transactions import Transaction
from procurator.values import loads

PENDING: Final = "pending"
APPROVED: Final = "approved"
DENIED: Final = "denied"
EXPIRED: Final = "expired"
CONSUMED: Final = "consumed"

STATES: Final = (PENDING, APPROVED, DENIED, EXPIRED, CONSUMED)

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE approvals (
    seq INTEGER PRIMARY KEY, approval_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'consumed')),
    prompt_id TEXT NOT NULL, principal TEXT NOT NULL, digest TEXT NOT NULL, approvers TEXT NOT NULL,
    created_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL, shown TEXT NOT NULL, answer TEXT, permit_id TEXT
) STRICT;
CREATE INDEX approvals_pending ON approvals (digest, expires_ns) WHERE state = 'pending'
"""

COLUMNS: Final = (
    "approval_id, state, prompt_id, principal, digest, approvers, created_ns, expires_ns, shown, answer, permit_id"
)
SELECT: Final = f"SELECT {COLUMNS} FROM approvals"  # noqa: S608  # names alone
INSERT: Final = f"INSERT INTO approvals ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)"  # noqa: S608  # same
FIND: Final = f"{SELECT} WHERE approval_id = ?"
FIND_PENDING: Final = f"{SELECT} WHERE state = 'pending' AND digest = ? AND expires_ns > ? AND approvers = ?"
ANSWER: Final = "UPDATE approvals SET state = ?, answer = ? WHERE approval_id = ?"
CONSUME: Final = "UPDATE approvals SET state = 'consumed', permit_id = ? WHERE approval_id = ?"


@dataclass(frozen=True, slots=True)
class Approval:
    """An action that waits, or has waited, for a person's approval.

    Attributes:
        approval_id: names it; what an agent gives as `approval_ref`.
        state: one of `STATES`.
        prompt_id: the prompt that the action is for.
        principal: the issuer, the subject and the actors of the person behind it.
        digest: SHA-256 of what is approved, in hex.
        approvers: who may answer.
        created_ns: since when it waits, nanoseconds since 1970.
        expires_ns: until when it can be answered and used.
        shown: what is granted, as people are shown it; masked like the log.
        answer: who answered, when and why, or None.
        permit_id: the permit that it was used for, or None.
    """

    approval_id: str
    state: str
    prompt_id: str
    principal: tuple[str, ...]
    digest: str
    approvers: Approvers
    created_ns: int
    expires_ns: int
    shown: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None
    permit_id: str | None = None

    def shows(self, shown: Mapping[str, Any]) -> Approval:
        """The same, with what is granted."""
        return replace(self, shown=shown)

    @property
    def approver(self) -> Person | None:
        """Who has answered, with the claims that count for it."""
        if self.answer is None:
            return None
        by = self.answer["by"]
        return Person(by["issuer"], by["subject"], tuple(by.get("act", ())), by.get("claims", {}))

    @property
    def document(self) -> dict[str, Any]:
        """All of it for people and programs, as JSON."""
        return {
            "approval_id": self.approval_id,
            "state": self.state,
            "prompt_id": self.prompt_id,
            "created": time_text(self.created_ns),
            "expires": time_text(self.expires_ns),
            "digest": self.digest,
            "approvers": self.approvers.document,
            **self.shown,
            "answer": self.answer,
            "permit_id": self.permit_id,
        }

    @property
    def input(self) -> dict[str, Any]:
        """What policies see of one that is good, as `input.approval`."""
        answer = self.answer or {}
        return {
            "id": self.approval_id,
            "status": self.state,
            "requested_at": time_text(self.created_ns),
            "approved_by": answer.get("by"),
            "approved_at": answer.get("at"),
            "expires": time_text(self.expires_ns),
            "reason": self.shown.get("reason"),
        }


class Sought:
    """What is known about approval of a request that is being decided.

    Attributes:
        ref: the approval that the request names, or None.
        status: what became of that: `absent` without one, `honored`, or why it counts as none.
        granted: the approval, where it is honored.
        asked: the approval that is asked for now, or is waited for already.
        is_new: whether it is asked for now.
    """

    __slots__ = ("asked", "granted", "is_new", "ref", "status")

    def __init__(self, ref: str | None = None, status: str = "absent") -> None:
        self.ref = ref
        self.status = status
        self.granted: Approval | None = None
        self.asked: Approval | None = None
        self.is_new = False

    @property
    def record(self) -> dict[str, Any]:
        """What the record of the decision says of it."""
        asked = {} if self.asked is None else {"id": self.asked.approval_id}
        return {**asked, "ref": self.ref, "status": self.status}


class Proposals:
    """The table of approvals; whoever changes it writes to the log what was done."""

    def __init__(self, store: Store) -> None:
        """Open the table."""
        self._store = store
        store.define("approvals", VERSION, SCHEMA)

    def find(self, tx: Transaction, approval_id: str, now_ns: int) -> Approval | None:
        """The approval with an id, as it is at a time."""
        row = tx.execute(FIND, (approval_id,)).fetchone()
        return None if row is None else _read(row, now_ns)

    def pending(self, tx: Transaction, digest: str, approvers: Approvers, now_ns: int) -> Approval | None:
        """The approval that is waited for already, of the same action by the same people."""
        row = tx.execute(FIND_PENDING, (digest, now_ns, canonical(approvers.document))).fetchone()
        return None if row is None else _read(row, now_ns)

    def add(self, tx: Transaction, approval: Approval) -> None:
        """Keep one that is asked for."""
        tx.execute(
            INSERT,
            (
                approval.approval_id,
                approval.state,
                approval.prompt_id,
                canonical(list(approval.principal)),
                approval.digest,
                canonical(approval.approvers.document),
                approval.created_ns,
                approval.expires_ns,
                canonical(dict(approval.shown)),
            ),
        )

    def answer(self, tx: Transaction, approval: Approval, state: str, answer: Mapping[str, Any]) -> Approval:
        """Keep what somebody has answered."""
        tx.execute(ANSWER, (state, canonical(dict(answer)), approval.approval_id))
        return replace(approval, state=state, answer=answer)

    def consume(self, tx: Transaction, approval: Approval, permit_id: str) -> None:
        """Note for which permit one was used; it is good for no other."""
        tx.execute(CONSUME, (permit_id, approval.approval_id))

    def all(self, now_ns: int, *, state: str | None = None, prompt_id: str | None = None) -> list[Approval]:
        """The approvals in a state, and of a prompt, or all; the oldest first."""
        wanted = {"state": PENDING} if state == PENDING else {}
        wanted |= {} if prompt_id is None else {"prompt_id": prompt_id}
        where = "".join(f" AND {name} = ?" for name in wanted)
        query = f"{SELECT} WHERE TRUE{where} ORDER BY seq"
        rows = self._store.read(lambda connection: connection.execute(query, tuple(wanted.values())).fetchall())
        return [found for found in (_read(row, now_ns) for row in rows) if state in (None, found.state)]


def _read(row: Sequence[Any], now_ns: int) -> Approval:
    approval_id, state, prompt_id, principal, digest, approvers, created_ns, expires_ns, shown, answer, permit_id = row
    if state in (PENDING, APPROVED) and now_ns >= expires_ns:
        state = EXPIRED
    return Approval(
        approval_id,
        state,
        prompt_id,
        tuple(loads(principal)),
        digest,
        read_approvers(loads(approvers)),
        created_ns,
        expires_ns,
        loads(shown),
        None if answer is None else loads(answer),
        permit_id,
    )
