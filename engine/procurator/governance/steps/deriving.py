"""Links that agents have derived by themselves: delegating is an action, so the policy decides about each of them too.

It does so when the gateway sees a link for the first time, on what the parent allowed. What the policy would not have
permitted is refused, and is asked about again with the next call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from procurator.governance.decision import PERMIT, PROPOSE
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.tokens import Link, budget_to_json
from procurator.governance.refusals import REASONS, Refused
from procurator.governance.scope.authorization_details import authority_to_json
from procurator.governance.state import State
from procurator.governance.steps.budgets import Budgets
from procurator.governance.steps.case import Case
from procurator.governance.steps.minting import TOOL
from procurator.governance.steps.obligations import checked
from procurator.governance.steps.policy import PolicyOutcome, PolicyStep
from procurator.governance.transactions import Transaction


class Deriving:
    """Has the policy decide about links that nobody has asked for."""

    def __init__(self, state: State, policy: PolicyStep, budgets: Budgets) -> None:
        self._state = state
        self._policy = policy
        self._budgets = budgets

    def judge(self, case: Case, tx: Transaction, new: Sequence[int]) -> list[dict[str, Any]]:
        """See that the policy permits links of a chain, and count them.

        Args:
            case: the request that came with the chain.
            tx: the transaction.
            new: which links, from the root on.

        Returns:
            What the log has to say of each.

        Raises:
            Refused: the policy does not permit one, whatever it says instead; a limit is reached.
        """
        chain = case.chain
        assert chain is not None  # noqa: S101  # admitted
        budget = self._budgets.told_of_links(case, tx)
        told = [_permitted(self._asked(case, tx, chain, at, budget), chain.links[at], at) for at in new]
        self._budgets.spawn(case, tx, len(new))
        return told

    def _asked(self, case: Case, tx: Transaction, chain: Chain, at: int, budget: Mapping[str, Any]) -> PolicyOutcome:
        parent, action = chain.links[at - 1], _action(chain.links[at])
        document = {
            "request_id": case.request_id,
            "prompt_id": chain.task,
            "action": action,
            "context": {},
            "estimated_cost": {},
            "time": case.time,
            "actor": {"id": parent.agent, "key": parent.key.jkt},
            "delegation": Chain(chain.links[:at], b"").document,
            **budget,
        }
        if self._policy.reads_history and case.prompt is not None:
            document["history"] = self._state.history.document(tx, case.prompt.key, action)
        return self._policy.decide(document, now_ns=case.now_ns)


def _action(link: Link) -> dict[str, Any]:
    """The action that it would have been to ask the gateway for a link."""
    parameters: dict[str, Any] = {
        "tools": authority_to_json(link.authority),
        "ttl_seconds": link.expires - link.issued_at,
        "max_depth": link.max_depth,
    }
    if link.budget is not None:
        parameters["budget"] = budget_to_json(link.budget)
    return {"operation": "delegate", "tool": TOOL, "target_resource": link.agent, "parameters": parameters}


def _permitted(outcome: PolicyOutcome, link: Link, at: int) -> dict[str, Any]:
    if outcome.verdict == PERMIT and not outcome.needs_approval:
        checked(outcome.obligations)
        return {"reason": outcome.reason, "message": outcome.message, "rules": list(outcome.rules)}
    if outcome.verdict not in (PERMIT, PROPOSE):
        raise Refused(outcome.reason, outcome.message, link=at)
    detail = f"{REASONS['approval_required']}: the token of `{link.agent}` has to be asked for"
    raise Refused("approval_required", detail, link=at)
