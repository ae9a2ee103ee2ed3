"""What the gateway answers, and the record of it that the audit log keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from procurator.values import loads

PERMIT: Final = "permit"
DENY: Final = "deny"
PROPOSE: Final = "propose"
DRY_RUN: Final = "dry_run"

VERDICTS: Final = (PERMIT, DENY, PROPOSE, DRY_RUN)
"""What a decision can be; every verdict but `permit` means that the action must not be carried out."""

SUCCESS: Final = "success"
FAILURE: Final = "failure"
TIMEOUT: Final = "timeout"
NOT_ATTEMPTED: Final = "not_attempted"
EXPIRED: Final = "expired"
"""How an action went; `expired` where nobody has said so in time."""

PROTOCOL: Final = "aadp/0.2"


class GatewayDecision:
    """The answer to a request; never changed once made.

    Attributes:
        verdict: one of `VERDICTS`.
        reason: a code: `passed`, one of `refusals.REASONS`, or one of the policy's own.
        message: a sentence for people.
        decision_id: names the decision in the log.
        request_id: what was asked; None if the request could not even be read that far.
        permit_id: what `report` takes; None unless permitted.
        obligations: what the permit obliges to.
        field: which part of a malformed request, as a JSON path.
        link: which link of the chain refused, from the root on.
        replayed: whether this is the first answer again to a request that was repeated.
        record_text: the record as JSON text, masks applied; empty if none could be written.
        budget: for a limit that refuses, what is left: dimension, unit, window, limit, consumed, remaining,
            window_resets_at.
        warnings: the same of limits that are nearly reached.
        approval_id: the approval that is waited for; when it was given, it is the `approval_ref` of a new request.
    """

    __slots__ = (
        "approval_id",
        "budget",
        "decision_id",
        "field",
        "link",
        "message",
        "obligations",
        "permit_id",
        "reason",
        "record_text",
        "replayed",
        "request_id",
        "verdict",
        "warnings",
    )

    def __init__(
        self,
        verdict: str,
        reason: str,
        message: str,
        decision_id: str,
        request_id: str | None,
        permit_id: str | None = None,
        obligations: tuple[Mapping[str, Any], ...] = (),
        record_text: str = "",
        field: str | None = None,
        link: int | None = None,
        replayed: bool = False,
        budget: Mapping[str, Any] | None = None,
        warnings: Sequence[Mapping[str, Any]] = (),
        approval_id: str | None = None,
    ) -> None:
        self.verdict = verdict
        self.reason = reason
        self.message = message
        self.decision_id = decision_id
        self.request_id = request_id
        self.permit_id = permit_id
        self.obligations = obligations
        self.record_text = record_text
        self.field = field
        self.link = link
        self.replayed = replayed
        self.budget = budget
        self.warnings = tuple(warnings)
        self.approval_id = approval_id

    @property
    def permitted(self) -> bool:
        """Whether the action may be carried out."""
        return self.verdict == PERMIT

    @property
    def record(self) -> dict[str, Any]:
        """The record that the audit log keeps."""
        record: dict[str, Any] = loads(self.record_text) if self.record_text else {}
        return record

    def to_json(self) -> dict[str, Any]:
        """The answer as it goes over the wire (AADP, decide response)."""
        answer: dict[str, Any] = {
            "protocol": PROTOCOL,
            "request_id": self.request_id,
            "verdict": self.verdict,
            "reason": self.reason,
            "detail": self.message,
            "evidence_id": self.decision_id,
        }
        found = {"permit_id": self.permit_id, "field": self.field, "link": self.link, "budget": self.budget}
        found["approval_id"] = self.approval_id
        answer |= {name: value for name, value in found.items() if value is not None}
        if self.permitted:
            answer["obligations"] = [dict(obligation) for obligation in self.obligations]
        if self.warnings:
            answer["warnings"] = [dict(warning) for warning in self.warnings]
        return answer | ({"replayed": True} if self.replayed else {})

    def __repr__(self) -> str:
        return f"GatewayDecision({self.verdict!r}, {self.reason!r}, {self.message!r})"


class Denied(Exception):  # noqa: N818  # it says what happened, and is no error of the program
    """A governed call was not permitted.

    Attributes:
        decision: why.
    """

    def __init__(self, decision: GatewayDecision) -> None:
        super().__init__(f"{decision.verdict}: {decision.reason}: {decision.message}")
        self.decision = decision


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """What came of a report.

    Attributes:
        accepted: whether it counts; the second report for a permit does not.
        reason: why not, or None.
        evidence_id: the entry of the log that holds it, as a number; None if it was not accepted.
    """

    accepted: bool
    reason: str | None = None
    evidence_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReplanAnswer:
    """What came of a change of plans.

    Attributes:
        accepted: whether it counts.
        reason: a code: `replanned`, or why not.
        message: a sentence for people.
        evidence_id: names it in the log.
    """

    accepted: bool
    reason: str
    message: str
    evidence_id: str


def read_decision(record_text: str) -> GatewayDecision:
    """The decision of a record, as it was given before."""
    record = loads(record_text)
    budget = record["budget"] or {}
    return GatewayDecision(
        record["verdict"],
        record["reason"],
        record["message"],
        record["decision_id"],
        record["request_id"],
        record["permit_id"],
        tuple(record["obligations"]),
        record_text,
        record["field"],
        record["link"],
        replayed=True,
        budget=budget.get("refused"),
        warnings=budget.get("warnings", ()),
        approval_id=(record["approval"] or {}).get("id"),
    )
