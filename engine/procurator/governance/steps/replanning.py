"""Changes of plans: an agent whose action failed says what it has learnt and that its plan is another one now.

Without one, doing the same again is a blind retry, which policies can see in `input.history.current`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from procurator.governance.decision import EXPIRED, FAILURE, PERMIT, TIMEOUT
from procurator.governance.refusals import REASONS, Refused
from procurator.governance.state import State
from procurator.governance.steps.case import Case
from procurator.governance.steps.recording import Result
from procurator.governance.transactions import Transaction

REPLAN: Final = "replan"
"""The kind of its entry in the log."""

TOOL: Final = "procurator.replan"
"""The tool of the action that changing a plan is."""

FAILED: Final = frozenset({FAILURE, TIMEOUT, EXPIRED})
"""Outcomes after which a plan can be changed; a permit that nobody has reported on may have failed."""

MAX_LEARNT: Final = 8192
_DIGEST: Final = re.compile(r"(?:sha256:)?([0-9A-Fa-f]{64})")

VERSION: Final = 2
SCHEMA: Final = """
CREATE TABLE replans (permit_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID
"""


@dataclass(frozen=True)
class Replan:
    """A change of plans.

    Attributes:
        permit_id: of the action that failed.
        learnt: what the failure has taught.
        old_plan_digest: SHA-256 of the plan so far, in hex.
        new_plan_digest: the same of the new one.
        prompt_id: the prompt; None for that of the token.
    """

    permit_id: str
    learnt: str
    old_plan_digest: str
    new_plan_digest: str
    prompt_id: str | None = None

    def action(self) -> dict[str, Any]:
        """The action that it is logged as, and that its proof is of: the permit is its resource."""
        names = ("learnt", "old_plan_digest", "new_plan_digest")
        parameters = {name: getattr(self, name) for name in names}
        return {"operation": "execute", "tool": TOOL, "target_resource": self.permit_id, "parameters": parameters}


class Replanning:
    """Sees whether a plan may be changed, and remembers that it was."""

    def __init__(self, state: State, *, told_to_policy: bool = True) -> None:
        """Open the table.

        Args:
            state: what is kept between decisions.
            told_to_policy: whether policies look at the history of a prompt.
        """
        self._state = state
        self._told_to_policy = told_to_policy
        state.store.define("replanning", VERSION, SCHEMA)

    def check(self, case: Case, tx: Transaction) -> None:
        """See that a change of plans has a failure behind it, one of its own, and is one.

        Raises:
            Refused: `malformed`, `plan_unchanged`, `permit_unknown`, `permit_not_failed`, `replan_repeated`.
        """
        permit_id, parameters = _parts(case)
        _check_plan(parameters)
        ledger, prompt = self._state.ledger, _prompt(case)
        permit = ledger.find_permit(tx, permit_id)
        if permit is None or ledger.prompt_of(tx, permit) != prompt:
            raise Refused("permit_unknown", f"there is no permit `{permit_id}` of this prompt")
        if permit.state not in FAILED:
            raise Refused("permit_not_failed", f"the permit `{permit_id}` is `{permit.state}`")
        if tx.execute("SELECT 1 FROM replans WHERE permit_id = ?", (permit_id,)).fetchone():
            raise Refused("replan_repeated", f"the plan was changed for the permit `{permit_id}` before")

    def note(self, case: Case, seq: int, tx: Transaction) -> None:
        """Remember a change of plans.

        Args:
            case: the request.
            seq: its entry in the log.
            tx: the transaction.
        """
        permit_id, parameters = _parts(case)
        tx.execute("INSERT INTO replans VALUES (?)", (permit_id,))
        if self._told_to_policy and case.chain is not None:
            told = {"agent": case.chain.leaf.agent, "time": case.time, "permit_id": permit_id}
            self._state.history.replan(tx, _prompt(case), {**parameters, **told}, seq)


def replanned(decision_id: str) -> Result:
    """The end of a change of plans that counts; it permits nothing else, and has no permit."""
    return Result(PERMIT, "replanned", REASONS["replanned"], decision_id)


def _parts(case: Case) -> tuple[str, Mapping[str, Any]]:
    assert case.request is not None  # noqa: S101  # admitted
    action = case.request.action
    return action.target_resource or "", action.parameters


def _prompt(case: Case) -> str:
    assert case.prompt is not None  # noqa: S101  # admitted
    return case.prompt.key


def _check_plan(parameters: Mapping[str, Any]) -> None:
    learnt = parameters["learnt"]
    if not isinstance(learnt, str) or not 0 < len(learnt) <= MAX_LEARNT:
        raise Refused("malformed", f"`learnt` is a text of 1 to {MAX_LEARNT} characters", field="learnt")
    digests = [_digest(name, parameters[name]) for name in ("old_plan_digest", "new_plan_digest")]
    if digests[0] == digests[1]:
        raise Refused("plan_unchanged", "the new plan has the digest of the old one")


def _digest(name: str, value: Any) -> str:
    found = _DIGEST.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Refused("malformed", f"`{name}` is no SHA-256 in hex", field=name)
    return found[1].lower()
