"""The steps of a decision that are about approval: one that was given is looked at, one that is needed is asked for.

The policy stays the authority: it is asked whether there is an approval or not, and what it denies is denied.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from procurator.governance.approvals.approvers import Approvers
from procurator.governance.approvals.approving import Approvals
from procurator.governance.approvals.proposals import APPROVED, CONSUMED, PENDING, Approval, Sought
from procurator.governance.audit.log import AuditLog
from procurator.governance.decision import PERMIT, PROPOSE
from procurator.governance.refusals import REASONS
from procurator.governance.steps.admission import new_id
from procurator.governance.steps.case import Case
from procurator.governance.steps.policy import PolicyOutcome
from procurator.governance.steps.recording import Result
from procurator.governance.strict_json import canonical
from procurator.governance.times import time_text
from procurator.governance.transactions import Transaction
from procurator.values import loads

HONORED: Final = "honored"
UNKNOWN: Final = "unknown"
PRINCIPAL_MISMATCH: Final = "principal_mismatch"
ACTION_MISMATCH: Final = "action_mismatch"
APPROVER_REFUSED: Final = "approver_refused"

TRACE: Final = frozenset({"traceparent", "tracestate", "baggage"})
"""What a request's context has of tracing; it is another one each time, and no policy should decide on it."""

_NAMES: Final = ("action", "context", "estimated_cost", "reasoning")


class Proposing:
    """What a decision has to do with approvals."""

    def __init__(self, approvals: Approvals, audit: AuditLog, *, dry_run: bool = False) -> None:
        """Join the parts.

        Args:
            approvals: the approvals.
            audit: the log, which masks what people are shown too.
            dry_run: whether all is only tried out; nobody is asked to approve anything then.
        """
        self._approvals = approvals
        self._audit = audit
        self._dry_run = dry_run

    # Steps

    def look(self, case: Case, tx: Transaction) -> None:
        """Look at the approval that a request names, and tell the policy if it is good."""
        ref = case.request.approval_ref if case.request is not None else None
        if ref is None:
            return
        approval = self._approvals.proposals.find(tx, ref, case.now_ns)
        sought = case.approval = Sought(ref, self._status(case, approval))
        if approval is not None and sought.status == HONORED:
            sought.granted = approval
            case.document["approval"] = approval.input

    def judge(self, case: Case, tx: Transaction) -> None:
        """Ask for an approval where the policy wants one, or where what is done cannot be undone.

        What is proposed is permitted if it was approved.
        """
        assert case.outcome is not None  # noqa: S101  # the policy was asked
        outcome = _bounded(case.outcome)
        if outcome.verdict != PROPOSE:
            return
        sought = case.approval = case.approval or Sought()
        approvers = outcome.approvers.within(self._approvals.usual)
        granted = sought.granted
        if granted is not None and not self._approvals.stands(granted, approvers):
            sought.status, sought.granted = APPROVER_REFUSED, None
        if sought.granted is not None:
            outcome = _approved(outcome, sought.granted)
        elif not self._dry_run:
            self._ask(case, sought, approvers, tx)
        case.outcome = outcome

    def note(self, case: Case, result: Result, seq: int, tx: Transaction) -> str | None:
        """Keep what a decision has come to: an approval was used for a permit, or one is asked for.

        Returns:
            The approval that is waited for, or None.
        """
        sought = case.approval
        if sought is None:
            return None
        if result.permit_id is not None and sought.granted is not None:
            self._approvals.proposals.consume(tx, sought.granted, result.permit_id)
            told = {"permit_id": result.permit_id, "decision_seq": seq, "time": case.time}
            self._approvals.log(tx, CONSUMED, sought.granted, **told)
        if result.verdict != PROPOSE or sought.asked is None:
            return None
        if sought.is_new:
            self._propose(case, sought.asked, result, seq, tx)
        return sought.asked.approval_id

    # Parts

    def _status(self, case: Case, approval: Approval | None) -> str:
        """What an approval is to a request; all but `HONORED` count as none."""
        if approval is None:
            return UNKNOWN
        if approval.principal != _principal(case):
            return PRINCIPAL_MISMATCH
        if approval.digest != _digest(case):
            return ACTION_MISMATCH
        if approval.state != APPROVED:
            return approval.state
        return HONORED if self._approvals.stands(approval, approval.approvers) else APPROVER_REFUSED

    def _ask(self, case: Case, sought: Sought, approvers: Approvers, tx: Transaction) -> None:
        request, digest = case.request, _digest(case)
        assert request is not None  # noqa: S101  # admitted
        sought.asked = self._approvals.proposals.pending(tx, digest, approvers, case.now_ns)
        if sought.asked is None:
            sought.is_new = True
            principal, expires = _principal(case), case.now_ns + self._approvals.ttl_ns
            sought.asked = Approval(
                new_id(), PENDING, request.prompt_id, principal, digest, approvers, case.now_ns, expires, {}
            )

    def _propose(self, case: Case, asked: Approval, result: Result, seq: int, tx: Transaction) -> None:
        shown = self._shown(case, result)
        approval = asked.shows(shown)
        self._approvals.proposals.add(tx, approval)
        told = {"expires": time_text(approval.expires_ns), "time": case.time}
        approvers, envelope = approval.approvers.document, shown["envelope"]
        self._approvals.log(tx, "proposed", approval, decision_seq=seq, approvers=approvers, envelope=envelope, **told)
        notice = self._audit.mask({**_notice(approval), "time": case.time})
        self._audit.append(tx, "notification", notice)
        case.notices.append(notice)

    def _shown(self, case: Case, result: Result) -> dict[str, Any]:
        """What is granted, for the eyes of a person."""
        outcome, delegation = case.outcome, case.document["delegation"]
        record = {"input": loads(case.input_text), "delegation": delegation}
        # All at once: what is hidden in one place is hidden where another one quotes it.
        masked = self._audit.mask({**record, "message": result.message})
        delegation, given = masked["delegation"], masked["input"]
        root = delegation["root"]
        rules = [] if outcome is None else outcome.rules
        return {
            "agent": case.document["actor"]["id"],
            "intent": root.pop("intent", None) if isinstance(root, dict) else None,
            "person": root,
            "chain": delegation["chain"],
            "envelope": delegation["effective"],
            **{name: given.get(name) for name in _NAMES},
            "request_id": case.request_id,
            "decision_id": result.decision_id,
            "reason": result.reason,
            "message": masked["message"],
            "rules": [{"path": rule["path"], "title": rule["title"]} for rule in rules],
        }


def _bounded(outcome: PolicyOutcome) -> PolicyOutcome:
    """What cannot be undone is only proposed."""
    if outcome.verdict != PERMIT or not outcome.needs_approval:
        return outcome
    reason = "no_compensating_command"
    return outcome._replace(verdict=PROPOSE, reason=reason, message=f"{outcome.message}: {REASONS[reason]}")


def _approved(outcome: PolicyOutcome, granted: Approval) -> PolicyOutcome:
    by = granted.approver
    said = f"{outcome.message}; approved by `{by.subject if by is not None else ''}`"
    return outcome._replace(verdict=PERMIT, reason="approved", message=said)


def _principal(case: Case) -> tuple[str, ...]:
    """The person behind a request: issuer, subject, actors."""
    root = case.document["delegation"]["root"]
    return root["issuer"], root["subject"], *root.get("act", ())


def _digest(case: Case) -> str:
    """SHA-256 of what is approved: the action and what it is decided on, by whom, for whom, on what authority."""
    request, delegation = case.request, case.document["delegation"]
    assert request is not None  # noqa: S101  # admitted
    bound = {
        "action": request.action.document,
        "actor": case.document["actor"]["id"],
        "chain": [[link["agent"], link["authorization_details"]] for link in delegation["chain"]],
        "context": {name: value for name, value in request.context.items() if name not in TRACE},
        "estimated_cost": request.estimated_cost,
        "principal": _principal(case),
        "task": delegation["task"],
    }
    return sha256(canonical(bound).encode()).hexdigest()


def _notice(approval: Approval) -> dict[str, Any]:
    shown = approval.shown
    action = shown["action"]
    target = action.get("target_resource")
    on = "" if target is None else f" on `{target}`"
    message = f"agent `{shown['agent']}` asks to {action['operation']} `{action['tool']}`{on}: {shown['message']}"
    return {
        "event": "proposed",
        "approval_id": approval.approval_id,
        "prompt_id": approval.prompt_id,
        "message": message,
        "expires": time_text(approval.expires_ns),
        **{name: shown[name] for name in ("agent", "person", "intent", "reason")},
    }
