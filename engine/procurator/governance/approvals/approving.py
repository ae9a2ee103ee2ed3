"""What people do about approvals: see what waits for them, approve it, deny it. Each answer is an entry of the log."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from procurator.governance.approvals.approvers import CLAIMS, Approvers
from procurator.governance.approvals.proposals import APPROVED, DENIED, EXPIRED, PENDING, STATES, Approval, Proposals
from procurator.governance.audit.log import AuditLog
from procurator.governance.config.settings import Approvals as Settings
from procurator.governance.controls import Controls, Target
from procurator.governance.identity.persons import Person, Persons
from procurator.governance.refusals import REASONS, Refused
from procurator.governance.state import Clock
from procurator.governance.store import Store
from procurator.governance.times import SECOND_NS, time_text
from procurator.governance.transactions import Transaction

MAX_WHY: Final = 4096


class Approvals:
    """The approvals of a gateway, for the people who answer them; threads may share it.

    Attributes:
        proposals: the table.
        usual: who may approve where the policy does not say.
        ttl_ns: how long an approval can be answered and used, in nanoseconds.
    """

    def __init__(
        self, store: Store, audit: AuditLog, controls: Controls, persons: Persons, clock: Clock, settings: Settings
    ) -> None:
        """Join the parts.

        Args:
            store: the file.
            audit: the log.
            controls: kill switch and revocations.
            persons: verifies tokens of persons.
            clock: nanoseconds since 1970.
            settings: for how long, and by whom.
        """
        self.proposals = Proposals(store)
        self.usual = Approvers(settings.self_approval == "allow", (settings.roles,) if settings.roles else ())
        self.ttl_ns = settings.ttl_seconds * SECOND_NS
        self._store = store
        self._audit = audit
        self._controls = controls
        self._persons = persons
        self._clock = clock

    def list(self, state: str | None = PENDING, *, prompt_id: str | None = None) -> list[Approval]:
        """The approvals in a state, those that wait by default, or all with None; the oldest first.

        Raises:
            Refused: `malformed`, for a state that there is not.
        """
        if state is not None and state not in STATES:
            raise Refused("malformed", f"`{state}` is none of {', '.join(STATES)}", field="state")
        return self.proposals.all(self._clock(), state=state, prompt_id=prompt_id)

    def show(self, approval_id: str) -> Approval:
        """One approval, with all that is granted by it.

        Raises:
            Refused: `approval_unknown`.
        """
        found = self._store.transact(lambda tx: self.proposals.find(tx, approval_id, self._clock()))
        return found or _unknown(approval_id)

    def approve(self, approval_id: str, token: str, *, why: str = "") -> Approval:
        """Allow an action to be carried out once, if the policy still has nothing against it then.

        Args:
            approval_id: which.
            token: the ID or access token of the person who approves.
            why: for the log.

        Raises:
            Refused: `person_not_verified`, `impersonation_not_allowed`; `approval_unknown`, `approval_answered`,
                `approval_expired`; `self_approval`, `approver_not_allowed`; `kill_switch`, `revoked`; `malformed`.
        """
        return self._answer(APPROVED, approval_id, token, why)

    def deny(self, approval_id: str, token: str, *, why: str = "") -> Approval:
        """Forbid an action; the person behind it always may.

        Raises:
            Refused: as `approve`, but for `self_approval`.
        """
        return self._answer(DENIED, approval_id, token, why)

    def stands(self, approval: Approval, approvers: Approvers) -> bool:
        """Whether the one who has approved may still approve, after all that has happened since."""
        approver = approval.approver
        if approver is None or approvers.problem(approver, approval.principal) is not None:
            return False
        try:
            self._controls.refuse_any(approval.prompt_id, persons=_targets(approver))
        except Refused:
            return False
        return True

    def log(self, tx: Transaction, action: str, approval: Approval, **more: Any) -> None:
        """Write down what was done about an approval."""
        told = {"action": action, "approval_id": approval.approval_id, "prompt_id": approval.prompt_id}
        self._audit.append(tx, "approval", {**told, **more})

    def _answer(self, state: str, approval_id: str, token: str, why: str) -> Approval:
        if len(why) > MAX_WHY:
            raise Refused("malformed", f"a reason has {MAX_WHY} characters at most", field="why")
        now_ns = self._clock()
        person = self._persons.verify(token, now_ns // SECOND_NS)
        answer = {"by": _by(person), "at": time_text(now_ns), "why": why}
        found = self._store.transact(partial(self._answered, state, approval_id, person, answer, now_ns))
        if isinstance(found, Refused):
            raise found
        return found

    def _answered(
        self, state: str, approval_id: str, person: Person, answer: Mapping[str, Any], now_ns: int, tx: Transaction
    ) -> Approval | Refused:
        """The approval after the answer; who tried in vain is in the log too."""
        approval = self.proposals.find(tx, approval_id, now_ns) or _unknown(approval_id)
        told = {"by": answer["by"], "why": answer["why"], "time": answer["at"]}
        try:
            self._check(state, approval, person)
        except Refused as refusal:
            self.log(tx, "refused", approval, wanted=state, reason=refusal.reason, **told)
            return refusal
        self.log(tx, state, approval, **told)
        return self.proposals.answer(tx, approval, state, answer)

    def _check(self, state: str, approval: Approval, person: Person) -> None:
        self._controls.refuse_any(approval.prompt_id, persons=_targets(person))
        problem = approval.approvers.problem(person, approval.principal)
        if problem is not None and not (state == DENIED and problem == "self_approval"):
            raise Refused(problem, f"`{person.subject}`: {REASONS[problem]}")
        if approval.state == EXPIRED:
            raise Refused("approval_expired", f"the approval `{approval.approval_id}` has expired")
        if approval.state != PENDING:
            raise Refused("approval_answered", f"the approval `{approval.approval_id}` is {approval.state}")


def _unknown(approval_id: str) -> Approval:
    raise Refused("approval_unknown", f"there is no approval `{approval_id[:64]}`")


def _by(person: Person) -> dict[str, Any]:
    """Who answers, as it is kept: with the claims that say what they may approve."""
    act = {"act": list(person.act)} if person.act else {}
    claims = {name: person.claims[name] for name in CLAIMS if name in person.claims}
    return {"issuer": person.issuer, "subject": person.subject, **act, **({"claims": claims} if claims else {})}


def _targets(person: Person) -> list[Target]:
    return [Target("person", subject, person.issuer) for subject in (person.subject, *person.act)]
