"""What was permitted for a prompt so far, how it went, and how often the plan was changed: `input.history`.

It is what the log says, kept in memory for the prompts that are at work, and read from the log again when a prompt is
met for the first time, or another process has written. What is read from the log is masked as the log is.

Two persons may call their prompts the same, so a prompt is named by the key of its account (`accounts.prompt_account`).
The log may hide who the person was; the ledger knows which prompt the request of an entry was for.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any, Final

from procurator.governance.audit.masking import HIDES_NOTHING, Hidden
from procurator.governance.decision import NOT_ATTEMPTED, PERMIT, SUCCESS
from procurator.governance.store import Store
from procurator.governance.strict_json import canonical
from procurator.governance.transactions import Rows, Transaction
from procurator.values import loads

ACTIONS_KEPT: Final = 1000
"""Actions that policies see of a prompt, the last ones."""

PROMPTS_KEPT: Final = 4096
LAST: Final = (1 << 63) - 1
"""No entry has a greater number."""

VERSION: Final = 2
SCHEMA: Final = """
CREATE TABLE prompts (prompt TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID
"""

_BEGIN: Final = "SELECT seq FROM prompts WHERE prompt = ?"
_AFTER: Final = """
SELECT seq, kind, body, prompt FROM entries LEFT JOIN requests USING (seq)
WHERE seq > ? AND kind IN ('decision', 'outcome', 'replan') ORDER BY seq
"""
_OF_PROMPT: Final = """
SELECT seq, kind, body, prompt FROM entries LEFT JOIN requests USING (seq)
WHERE seq BETWEEN ? AND ? AND (kind = 'outcome' OR kind IN ('decision', 'replan') AND prompt = ?) ORDER BY seq
"""

Json = Any


@dataclass(slots=True)
class Tries:
    """What has become of an action since it failed, as long as the plan stays the same and it does not succeed.

    Attributes:
        outcomes: how often it went wrong, by outcome.
        again: how often it was permitted again.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    again: int = 0


@dataclass(slots=True)
class Prompt:
    """The history of one prompt; only the thread that holds the store's transaction changes it.

    Attributes:
        document: what policies see: `actions`, each with `tool`, `operation`, `target_resource`, `parameters`,
            `digest`, `agent`, `time`, `retry` (whether it had failed before, and the plan was not changed since) and
            `outcome` (null until it is reported); `counts` by tool and by outcome; `replans`.
        permits: the actions by their permit.
        tries: the actions that have failed, by their digest.
    """

    document: dict[str, Json] = field(
        default_factory=lambda: {"actions": [], "counts": {"tools": {}, "outcomes": {}}, "replans": []}
    )
    permits: dict[str, dict[str, Json]] = field(default_factory=dict)
    tries: dict[str, Tries] = field(default_factory=dict)

    def current(self, digest: str) -> dict[str, Json]:
        """What policies see of the past of the very action that is decided."""
        tries = self.tries.get(digest)
        if tries is None:
            return {"digest": digest, "failures_since_replan": 0, "outcomes": {}, "blind_retries": 0}
        outcomes = dict(tries.outcomes)
        failures = sum(outcomes.values())
        return {
            "digest": digest,
            "failures_since_replan": failures,
            "outcomes": outcomes,
            "blind_retries": tries.again,
        }

    def add(self, permit_id: str, action: dict[str, Json]) -> None:
        """A permitted action."""
        tries = self.tries.get(action["digest"])
        action["retry"] = tries is not None
        if tries is not None:
            tries.again += 1
        actions = self.document["actions"]
        actions.append(action)
        self.permits[permit_id] = action
        _count(self.document["counts"]["tools"], action["tool"], 1)
        if len(actions) > ACTIONS_KEPT:
            del actions[0]

    def settle(self, permit_id: str, outcome: str) -> None:
        """How an action went."""
        action = self.permits.pop(permit_id, None)
        if action is not None:
            action["outcome"] = outcome
            _count(self.document["counts"]["outcomes"], outcome, 1)
            self._try(action, outcome)

    def _try(self, action: dict[str, Json], outcome: str) -> None:
        digest = action["digest"]
        if outcome == SUCCESS:
            self.tries.pop(digest, None)
        elif outcome != NOT_ATTEMPTED:
            _count(self.tries.setdefault(digest, Tries()).outcomes, outcome, 1)
        elif action["retry"] and digest in self.tries:
            self.tries[digest].again -= 1

    def replan(self, replan: dict[str, Json]) -> None:
        """A change of the plan: what has failed may be tried again."""
        self.document["replans"].append(replan)
        self.tries.clear()


def _count(counts: dict[str, int], name: str, by: int) -> None:
    counts[name] = counts.get(name, 0) + by


def action_digest(action: Json) -> str:
    """SHA-256 of what an action does: operation, tool, resource, parameters."""
    return sha256(canonical(action).encode()).hexdigest()


class History:
    """The histories of the prompts that are at work."""

    def __init__(self, store: Store, hidden: Hidden = HIDES_NOTHING) -> None:
        """Open the table that says where in the log each prompt begins; those of log and ledger have to be there.

        Args:
            store: the file.
            hidden: what is masked in the log.
        """
        self._hidden = hidden
        self._rows: Rows[str] = Rows("INSERT OR IGNORE INTO prompts VALUES (?, ?)")
        self._prompts: OrderedDict[str, Prompt] = OrderedDict()
        self._prompt_of: dict[str, str] = {}
        self._seen = -1
        store.define("history", VERSION, SCHEMA)
        store.collect(self._rows)
        store.after_commit(self._make_room)
        store.add_mirror(self)

    def document(self, tx: Transaction, prompt: str, action: Json) -> dict[str, Json]:
        """What policies see of a prompt before an action.

        It grows as the prompt goes on, and must not be changed by others.
        """
        past = self._of(tx, prompt)
        return {**past.document, "current": past.current(self._digest(action))}

    def _digest(self, action: Json) -> str:
        """Of the action as the log has it, where parts are masked: it is read from there again."""
        text = canonical(action)
        if self._hidden.may_be_in(text):
            text = canonical(self._hidden.mask({"input": {"action": action}})["input"]["action"])
        return sha256(text.encode()).hexdigest()

    def note(self, tx: Transaction, prompt: str, permit_id: str, action: dict[str, Json], seq: int) -> None:
        """Add an action that was permitted.

        Args:
            tx: the transaction.
            prompt: for which prompt.
            permit_id: its permit.
            action: what is done, and `agent` and `time`.
            seq: its entry in the log.
        """
        past = self._of(tx, prompt, seq - 1)
        if not past.permits and not past.document["actions"]:
            tx.add(self._rows, prompt, (prompt, seq))
        self._add(prompt, past, permit_id, action)
        self._see(tx, prompt, seq)

    def settle(self, tx: Transaction, permit_id: str, outcome: str, seq: int) -> None:
        """Say how a permitted action went."""
        prompt = self._prompt_of.get(permit_id)
        if prompt is None:
            return  # the prompt is not at work here; its history is read from the log when it is
        self._of(tx, prompt, seq - 1).settle(permit_id, outcome)
        self._see(tx, prompt, seq)

    def replan(self, tx: Transaction, prompt: str, replan: dict[str, Json], seq: int) -> None:
        """Say that the plan for a prompt was changed."""
        self._of(tx, prompt, seq - 1).replan(replan)
        self._see(tx, prompt, seq)

    def _see(self, tx: Transaction, prompt: str, seq: int) -> None:
        """Note that an entry was taken in; if it comes to nothing, the prompt is read from the log again."""
        seen, self._seen = self._seen, max(self._seen, seq)

        def take_back() -> None:
            self._prompts.pop(prompt, None)
            self._seen = seen

        tx.undo(take_back)

    def _add(self, prompt: str, past: Prompt, permit_id: str, action: dict[str, Json]) -> None:
        self._prompt_of[permit_id] = prompt
        past.add(permit_id, {**action, "outcome": None})

    def _of(self, tx: Transaction, prompt: str, until: int = LAST) -> Prompt:
        """A prompt that is at work now; if it was not, what the log says of it until an entry is taken in."""
        past = self._prompts.get(prompt)
        if past is None:
            past = self._prompts[prompt] = Prompt()
            tx.undo(partial(self._prompts.pop, prompt, None))  # what it was read from may come to nothing
            if prompt in self._rows.pending or tx.stored(_BEGIN, (prompt,)) is not None:
                self._read(tx, prompt, until)
        else:
            self._prompts.move_to_end(prompt)
        return past

    # What the log says

    def _read(self, tx: Transaction, prompt: str, until: int) -> None:
        """Take in what there is about a prompt, what other works of the batch have written too."""
        (begin,) = tx.execute(_BEGIN, (prompt,)).fetchone()
        for _, kind, body, found in tx.execute(_OF_PROMPT, (begin, until, prompt)).fetchall():
            self._take(kind, body, found, prompt)

    def _take(self, kind: str, body: str | None, prompt: str | None, wanted: str | None = None) -> None:
        """Take in an entry, if it is about a prompt that is at work, or about the one that is wanted."""
        record = loads(body or "null")
        if not isinstance(record, dict):
            return  # pruned
        permit_id = record["permit_id"]
        if kind == "outcome":
            prompt = self._prompt_of.get(permit_id)
        past = None if prompt is None or wanted not in (None, prompt) else self._prompts.get(prompt)
        if past is None or prompt is None:
            return
        if kind == "outcome":
            past.settle(permit_id, record["outcome"])
        elif record["verdict"] == PERMIT and kind == "replan":
            past.replan(logged_replan(record))
        elif record["verdict"] == PERMIT and permit_id not in past.permits:
            self._add(prompt, past, permit_id, logged_action(record))

    def reload(self, connection: sqlite3.Connection) -> None:
        """Take in what other processes have permitted and been told."""
        if self._prompts:
            for seq, kind, body, prompt in connection.execute(_AFTER, (self._seen,)).fetchall():
                self._take(kind, body, prompt)
                self._seen = seq
        else:
            last = connection.execute("SELECT max(seq) FROM entries").fetchone()[0]
            self._seen = -1 if last is None else last

    def _make_room(self) -> None:
        while len(self._prompts) > PROMPTS_KEPT:
            _, past = self._prompts.popitem(last=False)
            for permit_id in past.permits:
                self._prompt_of.pop(permit_id, None)


def logged_action(record: dict[str, Json]) -> dict[str, Json]:
    """The action that the record of a permit tells of, as `Prompt.add` takes it."""
    action = record["input"]["action"]
    agent = record["delegation"]["chain"][-1]["agent"]
    return {**action, "digest": action_digest(action), "agent": agent, "time": record["time"]}


def logged_replan(record: dict[str, Json]) -> dict[str, Json]:
    """The change of a plan that a record tells of, as `Prompt.replan` takes it."""
    action, agent = record["input"]["action"], record["delegation"]["chain"][-1]["agent"]
    told = {"agent": agent, "time": record["time"], "permit_id": action["target_resource"]}
    return {**action["parameters"], **told}
