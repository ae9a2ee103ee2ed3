"""What becomes of a permit: its holder reports how the action went, exactly once, or asks for more time to do so.

A permit that is past its deadline is settled on doubt before anything is said about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from procurator.governance.decision import ReportAnswer
from procurator.governance.refusals import Refused
from procurator.governance.state import State
from procurator.governance.steps.budgets import Budgets
from procurator.governance.times import SECOND_NS, time_text
from procurator.governance.transactions import Transaction
from procurator.governance.wire import Report, read_report


class Reporting:
    """Takes reports; threads may share it."""

    def __init__(self, state: State, budgets: Budgets, seconds: int) -> None:
        """Join the parts.

        Args:
            state: the permits, the log, the histories.
            budgets: what was reserved for the permits.
            seconds: how long the outcome of a permit may take to be reported.
        """
        self._state = state
        self._budgets = budgets
        self._seconds = seconds

    def deadline(self, budget_ns: int) -> int:
        """Until when a permit of an instant has to be reported on, both in the time of budgets."""
        return budget_ns + self._seconds * SECOND_NS

    def report(
        self, permit_id: str, outcome: str, actual: Mapping[str, Any], payload: Mapping[str, Any]
    ) -> ReportAnswer:
        """Settle a permit, as `Gateway.report` says."""
        members = {"permit_id": permit_id, "outcome": outcome, "actual": actual, "payload": payload}
        try:
            work = partial(self._settle, read_report(members))
        except Refused as refusal:
            work = partial(self._no_report, None, refusal)
        return self._state.store.transact(work)

    def extend(self, permit_id: str, seconds: int | None) -> ReportAnswer:
        """Move the deadline of a permit, as `Gateway.extend` says."""
        wanted = self._seconds if seconds is None else seconds
        is_id = type(permit_id) is str and permit_id.isascii()
        if not is_id or type(wanted) is not int or not 0 < wanted <= self._seconds:
            return ReportAnswer(False, "malformed")
        return self._state.store.transact(partial(self._extend, permit_id, wanted * SECOND_NS))

    def _settle(self, report: Report, tx: Transaction) -> ReportAnswer:
        now_ns, budget_ns = self._expired(tx, report.permit_id)
        try:
            actual = self._budgets.actual(report)
            permit = self._state.ledger.settle_permit(tx, report.permit_id, report.outcome)
        except Refused as refusal:  # what was overdue stays settled
            return self._no_report(report, refusal, tx)
        record = {
            **permit.named,
            "outcome": report.outcome,
            "actual": report.actual,
            "settled": self._budgets.settle(tx, report, actual, budget_ns),
            "payload": report.payload,
            "time": time_text(now_ns),
        }
        entry = self._state.audit.append(tx, "outcome", record)
        self._state.history.settle(tx, report.permit_id, report.outcome, entry.seq)
        return ReportAnswer(True, None, entry.seq)

    def _no_report(self, report: Report | None, refusal: Refused, tx: Transaction) -> ReportAnswer:
        """Write down that a report does not count, and why; what came with it is nobody's evidence."""
        record = {
            "permit_id": None if report is None else report.permit_id,
            "outcome": None if report is None else report.outcome,
            "reason": refusal.reason,
            "message": refusal.detail,
            "time": time_text(self._state.clock()),
        }
        self._state.audit.append(tx, "report", record)
        return ReportAnswer(False, refusal.reason)

    def _extend(self, permit_id: str, more_ns: int, tx: Transaction) -> ReportAnswer:
        now_ns, budget_ns = self._expired(tx, permit_id)
        try:
            permit = self._state.ledger.prolong_permit(tx, permit_id, budget_ns + more_ns)
        except Refused as refusal:  # as in `_settle`
            return ReportAnswer(False, refusal.reason)
        self._budgets.prolong(tx, permit_id, permit.deadline_ns)
        told = {"deadline": time_text(permit.deadline_ns), "time": time_text(now_ns)}
        entry = self._state.audit.append(tx, "extension", {**permit.named, **told})
        return ReportAnswer(True, None, entry.seq)

    def _expired(self, tx: Transaction, permit_id: str) -> tuple[int, int]:
        """The instant, and the same in the time of budgets, after what is overdue was settled: that permit surely."""
        now_ns = self._state.clock()
        budget_ns = self._state.budget_time(now_ns)
        self._budgets.expire(tx, now_ns, budget_ns)
        self._budgets.expire_late(tx, permit_id, now_ns, budget_ns)
        return now_ns, budget_ns
