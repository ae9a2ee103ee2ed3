"""Budgets: what an action costs is reserved in the transaction of its decision, on all accounts of its path or on none.

A report settles what was reserved with what was used. A permit that nobody reports on in time is settled as if all had
been used, by whoever comes next. At a hard limit the prompt is paused until a person lets it go on or ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from procurator.governance.audit.log import AuditLog
from procurator.governance.budget.accounts import SPAWNING, Account, Path, Paths, meter_key, prompt_account
from procurator.governance.budget.funds import Funds, OverLimit, wire
from procurator.governance.budget.stores import ENDED, PAUSED, BudgetStore, Reservation, Standing
from procurator.governance.budget.units import ACTIONS, AGENTS, MONEY, RATE, REPLANS, UNPROVEN
from procurator.governance.budget.windows import LIFE
from procurator.governance.decision import EXPIRED, NOT_ATTEMPTED, SUCCESS
from procurator.governance.delegation.links import DEPTH_EXCEEDED
from procurator.governance.delegation.tokens import Principal
from procurator.governance.delegation.verifying import TooDeep
from procurator.governance.ledger import OPEN, Ledger, Permit
from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import Amount
from procurator.governance.steps.case import Case
from procurator.governance.times import SECOND_NS, time_text
from procurator.governance.transactions import Transaction
from procurator.governance.wire import Report

PATHS_KEPT: Final = 20_000
COSTS_KEPT: Final = 1000

AHEAD_NS: Final = 60 * SECOND_NS
"""By how much more the clock has to be ahead of the time of budgets for people to hear of it."""

TRIPS: Final = frozenset({DEPTH_EXCEEDED, "fan_out_exceeded"})
"""Refusals that pause a prompt beside those of lasting limits."""

_REASONS: Final = {UNPROVEN: "runaway_spawning", REPLANS: "replans_exhausted"}
"""Refusals of limits on some units; others are caps."""

_PLAIN: Final = {ACTIONS: 1}
_HANDED_ON: Final = {ACTIONS: 1, AGENTS: 1, UNPROVEN: 1}
_HANDED_OUT: Final = {AGENTS: 1, UNPROVEN: 1}


class Budgets:
    """The steps of a decision that are about budgets, and what follows from reports."""

    def __init__(
        self,
        store: BudgetStore,
        paths: Paths,
        audit: AuditLog,
        ledger: Ledger,
        *,
        expired: Callable[[Transaction, str, str, int], None],
        told_to_policy: bool,
    ) -> None:
        """Join the parts.

        Args:
            store: the meters.
            paths: who pays.
            audit: the log.
            ledger: the permits.
            expired: is told the permit, the outcome and the entry of what is settled on doubt.
            told_to_policy: whether policies look at `input.budget`.
        """
        self.store = store
        self.units = paths.units
        self._paths = paths
        self._audit = audit
        self._ledger = ledger
        self._expired = expired
        self._told_to_policy = told_to_policy
        self._ahead_ns = 0
        self._costs: dict[tuple[tuple[str, Any], ...] | None, Mapping[str, int]] = {}
        self._known: dict[tuple[bytes, tuple[str, ...]], Path] = {}

    # Steps of a decision

    def look(self, case: Case, tx: Transaction) -> None:
        """See what the action costs, that its prompt goes on, and what is left: the policy is told.

        Raises:
            Refused: `cost_unknown`, `paused`, `ended`.
        """
        if case.now_ns - case.budget_ns > self._ahead_ns + AHEAD_NS:
            self._tell_ahead(case, tx)
        cost = self._cost(case)
        funds = case.funds = Funds(cost, self._path(case, tuple(cost)))
        self._go_on(tx, funds.path.prompt)
        funds.shown = self.store.read(tx, funds.path, case.budget_ns)
        if self._told_to_policy:
            case.document["budget"] = funds.document()

    def told_of_links(self, case: Case, tx: Transaction) -> dict[str, Any]:
        """What the policy is told of budgets when it decides about links of the chain; nothing if it does not look."""
        if not self._told_to_policy:
            return {}
        funds = Funds(_HANDED_ON, self._path(case, tuple(_HANDED_ON)))
        funds.shown = self.store.read(tx, funds.path, case.budget_ns)
        return {"budget": funds.document()}

    def reserve(self, case: Case, tx: Transaction, permit_id: str, deadline_ns: int) -> None:
        """Reserve what an action costs for a permit.

        Raises:
            OverLimit: it does not fit.
        """
        funds = case.funds
        assert funds is not None  # noqa: S101  # it was looked at
        refusing = self.store.reserve(tx, funds.path, funds.cost, case.budget_ns, permit_id, deadline_ns)
        if refusing is not None:
            raise self._over(funds.path, refusing, case, tx)
        funds.permit_id = permit_id

    def warn(self, case: Case, tx: Transaction) -> None:
        """Have people hear of soft limits that are reached, once for each window."""
        funds = case.funds
        assert funds is not None  # noqa: S101  # it was looked at
        funds.near = funds.past_soft(case.budget_ns)
        for line, told in funds.near:
            if self.store.tell(tx, line.key, case.budget_ns, line.window.ends_ns(case.budget_ns)):
                self._tell(case, tx, {"event": "soft_limit", "account": line.account.key, **told})

    def release(self, case: Case, tx: Transaction) -> None:
        """Take back what was reserved for an action that is not to be done."""
        funds = case.funds
        if funds is not None and funds.permit_id is not None:
            self.store.settle(tx, funds.permit_id, None, case.budget_ns)
            funds.permit_id = None

    def use(self, case: Case, tx: Transaction) -> None:
        """Settle what was reserved for an action that is done with its decision."""
        funds = case.funds
        if funds is not None and funds.permit_id is not None:
            self.store.settle(tx, funds.permit_id, {}, case.budget_ns)

    def spawn(self, case: Case, tx: Transaction, count: int) -> None:
        """Count agents that were spawned without asking.

        Raises:
            OverLimit: there are too many.
        """
        self._spend(case, tx, dict.fromkeys(SPAWNING, count))

    def replan(self, case: Case, tx: Transaction) -> None:
        """Count a change of plans.

        Raises:
            OverLimit: there are too many.
        """
        self._spend(case, tx, {REPLANS: 1})

    def check_share(self, case: Case, tx: Transaction, asked: Mapping[str, Amount] | None) -> None:
        """See that what is passed on is left to those who pass it on.

        Raises:
            Refused: `budget_widened`, `cost_unknown`.
        """
        for name, amount in (asked or {}).items():
            unit, wanted = self.units.granted(name, amount)
            path = self._path(case, (name,))
            for line, shown in zip(path.lines, self.store.read(tx, path, case.budget_ns), strict=True):
                if line.unit != unit or line.window.kind != LIFE or shown.remaining is None:
                    continue
                if wanted > shown.remaining:
                    account, left = line.account, unit.text(max(0, shown.remaining))
                    detail = f"{left} {name} are left to the {account.scope} `{account.id}`"
                    raise Refused("budget_widened", f"{detail}, less than what is to be passed on")

    def refused(self, case: Case, refusal: Refused, tx: Transaction) -> None:
        """Take back what was reserved for an action that is refused, and pause its prompt if that is called for."""
        self.release(case, tx)
        is_final = isinstance(refusal, OverLimit) and refusal.is_lasting
        if is_final or refusal.reason in TRIPS:
            account = _prompt_of(case, refusal)
            if account is not None and self.store.standing(tx, account.key) is None:
                why = f"{refusal.reason}: {refusal.detail}"
                self.store.stop(tx, account.key, Standing(PAUSED, why))
                told = {"account": account.key, "prompt_id": account.id, "why": why}
                record = {**told, "action": "pause", "by": "gateway", "time": case.time}
                self._audit.append(tx, "budget", record)
                self._tell(case, tx, {"event": "paused", **told})

    # After the decision

    def actual(self, report: Report) -> dict[str, int] | None:
        """What a report says was used, by unit; None for nothing.

        Raises:
            Refused: `cost_unknown`.
        """
        actual = self.units.cost(report.actual, "actual")
        return None if report.outcome == NOT_ATTEMPTED else actual

    def settle(
        self, tx: Transaction, report: Report, actual: Mapping[str, int] | None, budget_ns: int
    ) -> dict[str, Any] | None:
        """Settle what was reserved for a permit, at an instant in the time of budgets.

        Returns:
            What is booked, by unit; None if nothing was reserved.
        """
        found = self.store.settle(tx, report.permit_id, actual, budget_ns)
        if found is not None and report.outcome == SUCCESS:
            self.store.clear(tx, meter_key(found.prompt, UNPROVEN))
        return None if found is None else self._told(found, actual)

    def prolong(self, tx: Transaction, permit_id: str, deadline_ns: int) -> None:
        """Have what was reserved for a permit settled on doubt later."""
        self.store.prolong(tx, permit_id, deadline_ns)

    def expire(self, tx: Transaction, now_ns: int, budget_ns: int) -> None:
        """Settle on doubt what nobody has reported on in time: as if all of it had been used.

        Args:
            tx: the transaction.
            now_ns: the instant, for the log.
            budget_ns: the same in the time of budgets.
        """
        for permit_id in self.store.overdue(tx, budget_ns):
            self._expire(tx, permit_id, self._ledger.find_permit(tx, permit_id), now_ns, budget_ns)

    def expire_late(self, tx: Transaction, permit_id: str, now_ns: int, budget_ns: int) -> None:
        """Do so with one permit that is past its deadline, even if there was more than `expire` does in one go."""
        permit = self._ledger.find_permit(tx, permit_id)
        if permit is not None and permit.state == OPEN and permit.deadline_ns < budget_ns:
            self._expire(tx, permit_id, permit, now_ns, budget_ns)

    def _expire(self, tx: Transaction, permit_id: str, permit: Permit | None, now_ns: int, budget_ns: int) -> None:
        found = self.store.settle(tx, permit_id, {}, budget_ns)
        if permit is not None and permit.state == OPEN:
            self._ledger.settle_permit(tx, permit_id, EXPIRED)
        elif found is None:
            return
        named = {"permit_id": permit_id, "decision_id": None, "decision_seq": None}
        record = {
            **(named if permit is None else permit.named),
            "outcome": EXPIRED,
            "on_doubt": True,
            "settled": None if found is None else self._told(found, {}),
            "time": time_text(now_ns),
        }
        entry = self._audit.append(tx, "outcome", record)
        self._expired(tx, permit_id, EXPIRED, entry.seq)

    def _tell(self, case: Case, tx: Transaction, notice: Mapping[str, Any]) -> None:
        """Have people hear of something, when it is durable."""
        record = self._audit.mask({**notice, "time": case.time})
        self._audit.append(tx, "notification", record)
        case.notices.append(record)

    def _tell_ahead(self, case: Case, tx: Transaction) -> None:
        """Have people hear that somebody has set the clock forward, and that budgets do not follow."""
        before, self._ahead_ns = self._ahead_ns, case.now_ns - case.budget_ns
        tx.undo(partial(setattr, self, "_ahead_ns", before))
        told = {"ahead_seconds": self._ahead_ns // SECOND_NS, "budget_time": time_text(case.budget_ns)}
        self._tell(case, tx, {"event": "clock_set_forward", **told})

    # Parts of the steps

    def _cost(self, case: Case) -> Mapping[str, int]:
        request = case.request
        assert request is not None  # noqa: S101  # admitted
        if case.kind == "delegation":
            return _HANDED_OUT if case.chain is None else _HANDED_ON
        estimate = request.estimated_cost
        if not estimate:
            return _PLAIN
        key = tuple(estimate.items()) if MONEY not in estimate else None
        cost = self._costs.get(key)
        if cost is None:
            cost = {ACTIONS: 1, **self.units.cost(estimate, "estimated_cost")}
            if key is not None:
                if len(self._costs) >= COSTS_KEPT:
                    self._costs.clear()
                self._costs[key] = cost
        return cost

    def _spend(self, case: Case, tx: Transaction, cost: Mapping[str, int]) -> None:
        path = self._path(case, tuple(cost))
        refusing = self.store.spend(tx, path, cost, case.budget_ns)
        if refusing is not None:
            raise self._over(path, refusing, case, tx)

    def _path(self, case: Case, units: tuple[str, ...]) -> Path:
        chain, request = case.chain, case.request
        if chain is None:
            assert case.person is not None and request is not None  # noqa: PT018, S101  # admitted
            principal = Principal(case.person.issuer, case.person.subject)
            return self._paths.of_person(principal, request.prompt_id, units)
        path = self._known.get((chain.digest, units))
        if path is None:
            if len(self._known) >= PATHS_KEPT:
                self._known.clear()
            path = self._known[chain.digest, units] = self._paths.of_chain(chain, units)
        return path

    def _go_on(self, tx: Transaction, prompt: Account) -> None:
        standing = self.store.standing(tx, prompt.key)
        if standing is not None:
            reason = "ended" if standing.state == ENDED else "paused"
            raise Refused(reason, f"the prompt `{prompt.id}` was {standing.state}: {standing.why}")

    def _over(self, path: Path, number: int, case: Case, tx: Transaction) -> OverLimit:
        line = path.lines[number]
        shown = self.store.read(tx, path, case.budget_ns)[number]
        reason = _REASONS.get(line.unit.name, "cap_rate" if line.unit.dimension == RATE else "cap_value")
        return OverLimit(reason, line, wire(line, shown, case.budget_ns))

    def _told(self, found: Reservation, actual: Mapping[str, int] | None) -> dict[str, Any]:
        used = found.used(actual)
        return {name: unit.number(used.get(name, 0)) for name in sorted(used) if (unit := self.units.find(name))}


def _prompt_of(case: Case, refusal: Refused) -> Account | None:
    """The account of the prompt that is behind a request, as far as that is verified."""
    if isinstance(refusal, TooDeep) and refusal.chain is not None:
        return prompt_account(refusal.chain.principal, refusal.chain.task)
    return case.prompt
