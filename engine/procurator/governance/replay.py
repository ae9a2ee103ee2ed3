"""Decisions taken once more, from what the log says of them: the same policies have to come to the same answer.

What a policy was shown is put together again from the record, the entries of the delegations that made its chain, and
those of the actions before it. So entries have to be taken in from the first on, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from procurator.governance.audit.masking import MASKED
from procurator.governance.audit.records import Entry
from procurator.governance.budget.accounts import prompt_account
from procurator.governance.decision import PERMIT
from procurator.governance.delegation.tokens import Principal
from procurator.governance.history import Prompt, action_digest, logged_action, logged_replan
from procurator.governance.steps.policy import PolicyOutcome, PolicyStep
from procurator.governance.steps.recording import Revision
from procurator.governance.strict_json import canonical
from procurator.governance.times import time_ns
from procurator.values import loads

Json: TypeAlias = Any
Record: TypeAlias = Mapping[str, Json]

_DECIDING: Final = frozenset({"decision", "delegation"})
_SAID: Final = ("request_id", "prompt_id", "action", "context", "estimated_cost", "reasoning")
_OF_LINKS: Final = frozenset({"max_depth", "root", "parent"})


@dataclass(frozen=True, slots=True)
class Difference:
    """What a decision comes to now that it did not come to then.

    Attributes:
        what: `value` or `path`.
        then: what the record has.
        now: what the policy says.
    """

    what: str
    then: Json
    now: Json


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision that was taken once more.

    Attributes:
        seq: its entry.
        decision_id: its id.
        differences: what is not as it was.
        unknown: why it could not be taken once more; None if it was.
    """

    seq: int
    decision_id: str
    differences: tuple[Difference, ...] = ()
    unknown: str | None = None


class UnknownError(Exception):
    """The log does not hold all that a policy was shown; the argument says what is missing."""


class Replay:
    """Takes decisions once more, entry by entry."""

    def __init__(self, policy: PolicyStep, revision: Revision, *, keeps_reasoning: bool = True) -> None:
        """Begin before the first entry.

        Args:
            policy: the policies.
            revision: what they are.
            keeps_reasoning: whether the log has what agents gave as their reasons.
        """
        self._policy = policy
        self._revision = revision
        self._blind = policy.reads_reasoning and not keeps_reasoning
        self._links: dict[str, Record] = {}
        self._prompts: dict[str, Prompt] = {}
        self._prompt_of: dict[str, Prompt] = {}
        self._masked: set[str] = set()
        self._ids_masked: set[str] = set()

    def entries(self, entries: Iterable[Entry]) -> Iterator[Replayed]:
        """Take decisions once more, those in which a policy was asked."""
        for entry in entries:
            if entry.body is None:
                continue  # what was pruned is missed where it is needed
            record = loads(entry.body)
            if entry.kind in _DECIDING and record.get("seen") is not None:
                yield self._again(entry.seq, record)
            self._take(entry.kind, record)

    # What the log says

    def _take(self, kind: str, record: Record) -> None:
        if kind == "delegation" and record.get("child") is not None:
            self._links[record["child"]["id"]] = record["child"]
        elif kind == "outcome":
            prompt = self._prompt_of.pop(record["permit_id"], None)
            if prompt is not None:
                prompt.settle(record["permit_id"], record["outcome"])
        elif kind in ("decision", "replan") and record["verdict"] == PERMIT and self._policy.reads_history:
            self._remember(kind, record)

    def _remember(self, kind: str, record: Record) -> None:
        whose, permit_id = _prompt_of(record), record["permit_id"]
        prompt = self._prompts.setdefault(whose, Prompt())
        if MASKED in canonical(record["input"]["action"]):
            self._masked.add(whose)
        if MASKED in whose:
            # It may be that of any person who has a prompt with the id, and theirs may be another one's.
            self._ids_masked.add(record["input"]["prompt_id"])
        if kind == "replan":
            prompt.replan(logged_replan(dict(record)))
        else:
            prompt.add(permit_id, {**logged_action(dict(record)), "outcome": None})
            self._prompt_of[permit_id] = prompt

    # A decision

    def _again(self, seq: int, record: Record) -> Replayed:
        try:
            document = self._document(record)
        except UnknownError as error:
            return Replayed(seq, record["decision_id"], unknown=str(error))
        now_ns, answers = time_ns(record["time"]), record["nondeterministic"]
        outcome = self._policy.decide(document, now_ns=now_ns, replayed=answers)
        return Replayed(seq, record["decision_id"], tuple(_differences(record, outcome)))

    def _document(self, record: Record) -> dict[str, Json]:
        """What the policy was shown.

        Raises:
            UnknownError: the log does not hold all of it.
        """
        said, seen = record["input"], record["seen"]
        self._check(record, said)
        document = {name: said[name] for name in _SAID if said[name] is not None}
        document["time"] = record["time"]
        if record["delegation"] is not None:
            links = [self._link(link["id"]) for link in record["delegation"]["chain"]]
            document["actor"] = {"id": links[-1]["agent"], "key": links[-1]["key"]}
            document["delegation"] = _delegation(record["delegation"], links)
        document |= seen
        if self._policy.reads_history:
            document["history"] = self._history(record)
        return document

    def _check(self, record: Record, said: Record) -> None:
        revision = self._revision
        then = record["entrypoint"], record["policy_revision"], record["data_revision"]
        if then != (revision.entrypoint, revision.policy, revision.data):
            raise UnknownError("it was decided by other policies or documents")
        told = [said, record["value"], record["seen"], record["nondeterministic"]]
        if MASKED in canonical(told) or (self._policy.reads_history and self._is_masked(_prompt_of(record), said)):
            raise UnknownError("parts of what the policy was shown are masked")
        if self._blind:
            raise UnknownError("the policy looks at the reasoning, which is not kept")

    def _link(self, token_id: str) -> Record:
        link = self._links.get(token_id)
        if link is None:
            raise UnknownError(f"the log does not have the delegation of the token `{token_id}`")
        if MASKED in canonical(dict(link)):
            raise UnknownError(f"parts of the delegation of the token `{token_id}` are masked")
        return link

    def _is_masked(self, whose: str, said: Record) -> bool:
        """Whether the history of a prompt is: an action, or whose it is, so that it cannot be told from others'."""
        return MASKED in whose or whose in self._masked or said["prompt_id"] in self._ids_masked

    def _history(self, record: Record) -> dict[str, Json]:
        prompt = self._prompts.get(_prompt_of(record)) or Prompt()
        return {**prompt.document, "current": prompt.current(action_digest(record["input"]["action"]))}


def _prompt_of(record: Record) -> str:
    """The prompt of a record, as the gateway names it: it is that of a person, before whom there may be no chain."""
    root = (record["delegation"] or record["seen"]["delegation"])["root"]
    person = Principal(MASKED, MASKED) if root == MASKED else Principal(root["issuer"], root["subject"])
    return prompt_account(person, record["input"]["prompt_id"]).key


def _delegation(told: Record, links: list[Record]) -> dict[str, Json]:
    """`input.delegation`, as `Chain.document` made it."""
    leaf = links[-1]
    effective = {name: leaf[name] for name in ("tools", "authorization_details", "budget") if name in leaf}
    return {
        "root": links[0]["root"],
        "task": told["task"],
        "depth": told["depth"],
        "max_depth": leaf["max_depth"],
        "expires": told["expires"],
        "chain": [{name: part for name, part in link.items() if name not in _OF_LINKS} for link in links],
        "effective": effective,
    }


def _differences(record: Record, outcome: PolicyOutcome) -> Iterator[Difference]:
    if canonical(record["value"]) != canonical(outcome.value):
        yield Difference("value", record["value"], outcome.value)
    if list(record["path"]) != list(outcome.path):
        yield Difference("path", record["path"], list(outcome.path))
