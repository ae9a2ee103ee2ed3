"""Kill switch and revocation: they stand above policy, and nothing overrides them.

Both are only added to the store, so every process sees them within its next transaction, which is where calls are
decided. What is on or revoked is what the additions come to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from procurator.governance.delegation.chains import Chain
from procurator.governance.refusals import Refused
from procurator.governance.store import Store
from procurator.governance.transactions import Transaction

ALL: Final = "all"

SCOPES: Final = ("agent", "all", "prompt")
"""What the kill switch can be on for; all has no id."""

KINDS: Final = ("agent", "person", "token")
"""What can be revoked; a person has an issuer too."""

MAX_ID: Final = 2048

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE controls (
    seq INTEGER PRIMARY KEY, action TEXT NOT NULL CHECK (action IN ('kill', 'resume', 'revoke')),
    kind TEXT NOT NULL, issuer TEXT NOT NULL, id TEXT NOT NULL
) STRICT;
CREATE TRIGGER controls_once BEFORE INSERT ON controls WHEN EXISTS (SELECT 1 FROM controls WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'kills and revocations are append-only'); END;
CREATE TRIGGER controls_keep BEFORE DELETE ON controls
BEGIN SELECT RAISE(ABORT, 'kills and revocations are append-only'); END;
CREATE TRIGGER controls_stay BEFORE UPDATE ON controls
BEGIN SELECT RAISE(ABORT, 'kills and revocations are append-only'); END
"""

Action = Literal["kill", "resume", "revoke"]
Record = Mapping[str, Any]


class Target(NamedTuple):
    """What is killed or revoked.

    Attributes:
        kind: one of `SCOPES` for the kill switch, of `KINDS` for revocation.
        id: the prompt, the agent, the `jti` of the token, the subject of the person; empty for all.
        issuer: the issuer of the person; empty for others.
    """

    kind: str
    id: str = ""
    issuer: str = ""


EVERYTHING: Final = Target(ALL)


class Controls:
    """What is killed and what is revoked; threads may share it, and several processes one store."""

    def __init__(self, store: Store) -> None:
        """Load what a store says.

        Raises:
            StoreError: it could not be read.
        """
        self._killed: set[Target] = set()
        self._revoked: set[Target] = set()
        # The ids of both, whatever they are of: what has none of them is clear.
        self._ids: set[str] = set()
        self._seen = 0
        store.define("controls", VERSION, SCHEMA)
        store.add_mirror(self)

    # What is on

    def killed(self) -> list[Target]:
        """What the kill switch is on for."""
        return sorted(self._killed.copy())

    def revoked(self) -> list[Target]:
        """What was revoked."""
        return sorted(self._revoked.copy())

    def refuse(self, chain: Chain, prompt_id: str) -> None:
        """Refuse a call when it, or anything that its chain descends from, was killed or revoked.

        To be asked within the transaction of the decision, or what another process did is missed.

        Raises:
            Refused: `kill_switch`, `revoked`.
        """
        if self._is_clear(chain, prompt_id):
            return
        principal = chain.principal
        persons = [Target("person", subject, principal.issuer) for subject in (principal.subject, *principal.act)]
        self.refuse_any(prompt_id, chain.agents, persons, chain.ids)
        self.refuse_any(chain.task)

    def _is_clear(self, chain: Chain, prompt_id: str) -> bool:
        """Whether nothing has the id of what was killed or revoked; every call asks, and most are."""
        ids = self._ids
        if not ids:
            return True
        principal = chain.principal
        named = (EVERYTHING.id, prompt_id, chain.task, principal.subject, *principal.act, *chain.agents)
        return ids.isdisjoint(named) and ids.isdisjoint(chain.ids)

    def refuse_any(
        self,
        prompt_id: str,
        agents: Iterable[str] = (),
        persons: Iterable[Target] = (),
        tokens: Iterable[str] = (),
    ) -> None:
        """Refuse what is begun before there is a chain, such as a first token.

        Args:
            prompt_id: the prompt it is for.
            agents: who is to act.
            persons: for whom, and who acts as them.
            tokens: the `jti` of tokens that it rests on.

        Raises:
            Refused: `kill_switch`, `revoked`.
        """
        acting = [Target("agent", agent) for agent in agents]
        for target in (EVERYTHING, Target("prompt", prompt_id), *acting):
            if target in self._killed:
                raise Refused("kill_switch", f"the kill switch is on for {named(target)}")
        for target in (*persons, *acting, *(Target("token", token) for token in sorted(tokens))):
            if target in self._revoked:
                raise Refused("revoked", f"{named(target)} was revoked")

    # Changes

    def kill(self, tx: Transaction, target: Target, *, by: str, why: str = "") -> Record:
        """Turn the kill switch on.

        Args:
            tx: the transaction.
            target: for what.
            by: who does it, for the log.
            why: for the log.

        Returns:
            What the log has to say; `changed` is false where it was on.

        Raises:
            Refused: `malformed`.
        """
        _check(target, SCOPES)
        return self._change(tx, "kill", target, by, why)

    def resume(self, tx: Transaction, target: Target, *, by: str, why: str = "") -> Record:
        """Turn the kill switch off again, for exactly what it was turned on for.

        Returns:
            What the log has to say.

        Raises:
            Refused: `not_killed`, `malformed`.
        """
        _check(target, SCOPES)
        if target not in self._killed:
            raise Refused("not_killed", f"the kill switch is not on for {named(target)}")
        record = self._change(tx, "resume", target, by, why)
        self._count_ids()
        return record

    def revoke(self, tx: Transaction, target: Target, *, by: str, why: str = "") -> Record:
        """Revoke a token, an agent or a person, for ever, with every token below.

        Returns:
            What the log has to say; `changed` is false where it was revoked.

        Raises:
            Refused: `malformed`.
        """
        _check(target, KINDS)
        return self._change(tx, "revoke", target, by, why)

    def _change(self, tx: Transaction, action: Action, target: Target, by: str, why: str) -> Record:
        held = self._revoked if action == "revoke" else self._killed
        changed = (target in held) is (action == "resume")
        if changed:
            self._add(tx, action, target)
        told = {name: value for name, value in target._asdict().items() if value}
        return {"action": action, "by": by, "changed": changed, "why": why, **told}

    def _add(self, tx: Transaction, action: Action, target: Target) -> None:
        row = (action, target.kind, target.issuer, target.id)
        query = "INSERT INTO controls (action, kind, issuer, id) VALUES (?, ?, ?, ?)"
        seq, seen = tx.execute(query, row).lastrowid, self._seen

        def take_back() -> None:
            self._take(action, target, back=True)
            self._seen = seen

        tx.undo(take_back)
        self._take(action, target)
        self._seen = seq or 0

    def _take(self, action: str, target: Target, *, back: bool = False) -> None:
        """Do what an action does, or take it back."""
        held = self._revoked if action == "revoke" else self._killed
        if (action == "resume") is back:
            held.add(target)
            self._ids.add(target.id)
        else:
            # Its id may be that of something else too; to keep one too many costs time alone.
            held.discard(target)

    def _count_ids(self) -> None:
        self._ids = {target.id for target in self._killed | self._revoked}

    # What the store calls

    def reload(self, connection: sqlite3.Connection) -> None:
        """Take in what other processes have killed, resumed and revoked."""
        query = "SELECT seq, action, kind, id, issuer FROM controls WHERE seq > ? ORDER BY seq"
        rows = connection.execute(query, (self._seen,)).fetchall()
        for seq, action, *target in rows:
            self._take(action, Target(*target))
            self._seen = seq
        if rows:
            self._count_ids()


def _check(target: Target, kinds: tuple[str, ...]) -> None:
    if target.kind not in kinds:
        raise Refused("malformed", f"`{target.kind}` is none of {', '.join(kinds)}", field="kind")
    if (target.kind == ALL) is bool(target.id) or len(target.id) > MAX_ID:
        raise Refused("malformed", "all has no id, and others have one", field="id")
    if (target.kind == "person") is not bool(target.issuer) or len(target.issuer) > MAX_ID:
        raise Refused("malformed", "a person has an issuer, and others have none", field="issuer")


def named(target: Target) -> str:
    """What people call a target."""
    issuer = f" of `{target.issuer}`" if target.issuer else ""
    return f"{target.kind} `{target.id}`{issuer}" if target.id else "everything"
