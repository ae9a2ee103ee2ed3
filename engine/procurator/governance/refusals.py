"""Why the gateway answers what it does: the reason codes, and the refusal that carries one from a step to the decision.

Codes that AADP registers keep their names (draft-saha-aadp, section 5.2); the others are of identity and delegation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    # The request
    "malformed": "the request, or a part of it, is not what the protocol says",
    "request_id_reused": "the request id was used before, with another body",
    "internal_error": "something unexpected went wrong while deciding",
    # Controls above policy
    "kill_switch": "the kill switch is on for the prompt, the agent or all",
    "not_killed": "the kill switch is not on for what it is to be turned off for",
    "revoked": "the token, an agent of its chain or its person was revoked",
    # Identity
    "agent_exists": "the agent is registered with another key",
    "agent_unknown": "the agent is not registered, or not with the key of its token",
    "impersonation_not_allowed": "the token acts for somebody else, which the configuration does not allow",
    "key_not_allowed": "the key is of a kind that agents may not use",
    "person_not_verified": "the token of the person could not be verified",
    "registration_not_allowed": "the agent, or its key, is for the configuration alone to set",
    "shared_key": "another agent is registered with the key",
    # The chain of delegation
    "agent_loop": "an agent occurs twice in the chain",
    "algorithm_not_allowed": "the algorithm of a signature is not that of the key, or none that is allowed",
    "audience_widened": "a link is meant for somebody its parent is not meant for",
    "bad_signature": "the signature of a link does not match",
    "budget_widened": "a link has a larger budget than its parent",
    "capability_widened": "a link allows what its parent does not allow",
    "delegation_not_allowed": "the delegation is not within its bounds",
    "depth_exceeded": "the chain is longer than it may be",
    "depth_mismatch": "the depth of a link is not one more than its parent's",
    "expiry_exceeds_parent": "a link ends later than its parent",
    "fan_out_exceeded": "the token was delegated too many times",
    "malformed_token": "a link is no token of the shape that is expected",
    "max_depth_raised": "a link allows a longer chain than its parent",
    "missing_parent_key": "the key that a link has to be signed with is not known",
    "par_hash_mismatch": "a link was made for another parent",
    "task_mismatch": "a link, or the request, is of another task",
    "token_expired": "a link has expired",
    "token_not_yet_valid": "a link is not valid yet",
    "unknown_constraint": "a link has a constraint of a kind that is not known",
    "unknown_token_type": "the token is of no type that is accepted",
    "wrong_audience": "the token is meant for somebody else",
    "wrong_issuer": "a link was issued by somebody who does not hold its parent",
    # Proof of possession
    "proof_expired": "the proof of possession is too old, or from the future",
    "proof_invalid": "the proof of possession is not one of this call, this token and its key",
    "proof_missing": "the call has no proof of possession",
    "proof_replayed": "the proof of possession was used before",
    # What the chain admits
    "argument_missing": "an argument that the chain demands is missing",
    "constraint_not_satisfied": "an argument is not what the chain allows",
    "operation_not_allowed": "the chain does not allow the operation",
    "resource_not_allowed": "the chain does not allow the resource",
    "tool_not_allowed": "the chain does not allow the tool",
    "unknown_field": "the chain does not allow the argument",
    # Budgets
    "cap_rate": "a limit on how often something is done, or on how many agents there are, is reached",
    "cap_value": "a limit on what is spent is reached",
    "cost_unknown": "what the action costs cannot be told: a unit or a currency is not known, or an amount is none",
    "ended": "the prompt was ended by a person",
    "paused": "the prompt is paused until a person lets it go on",
    "runaway_spawning": "too many agents were spawned without any action that succeeded",
    # Approvals
    "approval_answered": "the approval was answered before",
    "approval_expired": "the approval was not answered in time",
    "approval_unknown": "there is no such approval",
    "approver_not_allowed": "the person has none of the roles that may approve the action",
    "self_approval": "the person behind an action may not approve it",
    # Replanning
    "permit_not_failed": "the permit is not one of an action that failed",
    "plan_unchanged": "the new plan is the old one",
    "replan_repeated": "the plan was changed for this failure before",
    "replanned": "the plan was changed",
    "replans_exhausted": "the plan for the prompt was changed as often as it may be",
    "retry_without_replan": "an action that failed is repeated, and the plan was not changed since",
    # Reports
    "permit_settled": "the permit was reported on before",
    "permit_unknown": "there is no such permit",
    # Policy
    "approved": "the policy wants a person to approve the action, and one has",
    "approval_required": "the policy wants a person to approve the action",
    "default_deny": "no rule permits the action",
    "dry_run": "the action would be permitted, but is only tried out",
    "no_compensating_command": "the action cannot be undone, and no command makes up for it: it needs approval",
    "passed": "the policy permits the action",
    "policy_denied": "a rule of the policy denies the action",
    "policy_error": "the policy could not be evaluated",
    "policy_output_invalid": "the policy answered something that is no decision",
    "unknown_obligation": "the policy demands an obligation that is not known",
}
"""Reason codes and what they mean; a policy may answer with others of its own."""


class Refused(Exception):  # noqa: N818  # it says what happened, and is no error of the program
    """A step of the gateway says no.

    Attributes:
        reason: one of `REASONS`.
        detail: a sentence for people; never a secret.
        field: which part of a malformed request, as a JSON path.
        link: which link of the chain, from the root on.
    """

    def __init__(self, reason: str, detail: str, *, field: str | None = None, link: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.field = field
        self.link = link
