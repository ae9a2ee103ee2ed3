"""The policy decision point for agents: every action is decided before it happens, in one atomic step.

`Gateway.decide` is the list of the steps a request goes through. A step returns or refuses with a reason; one boundary
turns anything unexpected into a deny. Nothing is permitted before that is durable in the audit log.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from procurator.governance import guard
from procurator.governance.assembly.assemble import assemble
from procurator.governance.assembly.parts import Parts
from procurator.governance.budget.funds import OverLimit
from procurator.governance.config.loading import load_config
from procurator.governance.config.settings import GatewayConfig
from procurator.governance.decision import (
    DENY,
    DRY_RUN,
    PERMIT,
    SUCCESS,
    Denied,
    GatewayDecision,
    ReplanAnswer,
    ReportAnswer,
    read_decision,
)
from procurator.governance.delegation.proofs import Session
from procurator.governance.ledger import DecidedRequest
from procurator.governance.people.administration import Administration
from procurator.governance.refusals import Refused
from procurator.governance.steps.admission import new_id
from procurator.governance.steps.case import Case
from procurator.governance.steps.minting import Asked, Tools, is_chain
from procurator.governance.steps.obligations import USUAL, checked
from procurator.governance.steps.recording import Result, child_record
from procurator.governance.steps.replanning import REPLAN, Replan, replanned
from procurator.governance.store import StoreError
from procurator.governance.strict_json import canonical
from procurator.governance.times import SECOND_NS
from procurator.governance.transactions import Transaction
from procurator.governance.wire import Request

F = TypeVar("F", bound=Callable[..., Any])
Step: TypeAlias = Callable[[Case, Transaction], None]
"""A step of a decision inside its transaction; raises `Refused`."""

Given: TypeAlias = "Mapping[str, Any] | str | bytes | Request"


class Gateway:
    """Decides actions of agents; safe to share between threads, and several processes may share its state."""

    def __init__(self, parts: Parts) -> None:
        """Join parts that `assemble` has made; `from_config` is the usual way."""
        self.state = parts.state
        self.admission = parts.admission
        self.admin = Administration(parts.state, parts.admission.sessions, parts.prompts)
        self._parts = parts
        self.budgets = parts.budgets
        self.approvals = parts.approvals
        proposing = self._proposing = parts.proposing
        self._judge: tuple[Step, ...] = (
            proposing.look,
            self.budgets.look,
            self._ask,
            proposing.judge,
            self._reserve,
        )
        self._steps: tuple[Step, ...] = (self._stand, self.admission.within, *self._judge)

    @classmethod
    def from_config(cls, config: GatewayConfig | str | Path | None = None) -> Gateway:
        """The gateway of a configuration, or of the file that holds one; without any, everything is denied.

        Raises:
            ConfigError: the configuration is wrong.
            PolicyError: a policy is.
            StoreError: the state cannot be opened.
        """
        if not isinstance(config, GatewayConfig):
            config = GatewayConfig() if config is None else load_config(config)
        return cls(assemble(config))

    def close(self) -> None:
        """Send what is to be told, sign the last checkpoint and close the state."""
        self._parts.notifier.close()
        self.budgets.store.close()
        self.state.close()

    def __enter__(self) -> Gateway:
        """The gateway itself, to be closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # Deciding

    def decide(self, request: Given) -> GatewayDecision:
        """Decide whether an action may be carried out; durable in the log when it returns.

        Args:
            request: a `wire.Request`, as an object or as JSON text.

        Returns:
            The decision. Whatever goes wrong is a deny with a reason, never an exception.
        """
        case = self._case("decision")
        return self._transact(case, self._work(case, self._steps, partial(self.admission.admit, case, request)))

    def decide_many(self, requests: Sequence[Given]) -> list[GatewayDecision]:
        """Decide several actions, one after the other, and write them to the log together."""
        cases = [self._case("decision") for _ in requests]
        works = [
            self._work(case, self._steps, partial(self.admission.admit, case, request))
            for case, request in zip(cases, requests, strict=True)
        ]
        try:
            decisions = self.state.store.transact(lambda tx: [work(tx) for work in works])
        except Exception as error:  # as in `_transact`
            return [self._broken(case, error) for case in cases]
        for case in cases:
            if case.notices:
                self._parts.notifier.send(case.notices)
        return decisions

    def _case(self, kind: str) -> Case:
        now_ns = self.state.clock()
        return Case(kind, time.perf_counter_ns(), now_ns, self.state.budget_time(now_ns))

    def _transact(self, case: Case, work: Callable[[Transaction], GatewayDecision]) -> GatewayDecision:
        try:
            decision = self.state.store.transact(work)
        except Exception as error:  # the one boundary: whatever is unexpected is a deny
            return self._broken(case, error)
        if case.notices:
            self._parts.notifier.send(case.notices)
        return decision

    def _broken(self, case: Case, error: Exception) -> GatewayDecision:
        """The denial of a request of which nothing was written; it is in the log, unless that cannot be written."""
        refusal = _internal(error)
        if not isinstance(error, StoreError):  # what was to be written was at fault
            blank = self._case(case.kind)
            blank.request_id = case.request_id
            with suppress(Exception):
                return self.state.store.transact(partial(self._refuse, blank, refusal))
        return GatewayDecision(DENY, refusal.reason, refusal.detail, new_id(), case.request_id)

    def _work(
        self, case: Case, steps: Sequence[Step], admit: Callable[[], None]
    ) -> Callable[[Transaction], GatewayDecision]:
        """What has to be done about a request inside a transaction; what needs none is done before."""
        try:
            admit()
        except Refused as refusal:
            return partial(self._turn_down, case, refusal)
        except Exception as error:  # as in `_transact`; the denial goes into the log
            return partial(self._turn_down, case, _internal(error))
        return partial(self._conclude, case, steps)

    def _turn_down(self, case: Case, refusal: Refused, tx: Transaction) -> GatewayDecision:
        """Deny what was not admitted; the kill switch is above everything else, even above who asks."""
        try:
            self.admission.stand_above(case, refusal)
        except Refused as killed:
            refusal = killed
        return self._refuse(case, refusal, tx)

    def _conclude(self, case: Case, steps: Sequence[Step], tx: Transaction) -> GatewayDecision:
        """Decide an admitted request, unless it was decided before."""
        prior = self.state.ledger.find_request(tx, case.key)
        if prior is not None:
            return self._again(case, prior, tx)
        try:
            self.budgets.expire(tx, case.now_ns, case.budget_ns)
            for step in steps:
                step(case, tx)
            result = self._result(case)
        except Refused as refusal:
            return self._refuse(case, refusal, tx)
        except Exception as error:  # as in `_transact`; the denial goes into the log
            return self._refuse(case, _internal(error), tx)
        return self._record(case, result, tx)

    # The steps of a decision

    def _stand(self, case: Case, tx: Transaction) -> None:
        """Nothing above policy stands against it: no kill switch, no revocation, no expiry."""
        if case.person is not None:
            self.admission.stand_person(case, case.person)
            return
        self.admission.stand(case, tx, self._parts.deriving.judge)

    def _ask(self, case: Case, tx: Transaction) -> None:
        """The policy says what it thinks of it."""
        policy = self._parts.policy
        if policy.reads_history:
            assert case.request is not None and case.prompt is not None  # noqa: PT018, S101  # admitted
            action = case.request.action.document
            case.document["history"] = self.state.history.document(tx, case.prompt.key, action)
        case.outcome = policy.decide(case.document, now_ns=case.now_ns)

    def _reserve(self, case: Case, tx: Transaction) -> None:
        """What it costs is there, and is kept for it; where all is only tried out, it is given back."""
        if case.outcome is not None and case.outcome.verdict == PERMIT:
            self.budgets.reserve(case, tx, _permit_id(case), self._parts.reporting.deadline(case.budget_ns))
            if self._parts.dry_run:
                self.budgets.release(case, tx)
            else:
                self.budgets.warn(case, tx)

    def _result(self, case: Case) -> Result:
        outcome = case.outcome
        if case.kind == REPLAN:
            return replanned(new_id())
        assert outcome is not None  # noqa: S101  # the policy was asked
        decision_id = new_id()
        if outcome.verdict != PERMIT:
            return Result(outcome.verdict, outcome.reason, outcome.message, decision_id)
        obligations = checked(outcome.obligations) if outcome.obligations else USUAL
        if self._parts.dry_run:
            return Result(DRY_RUN, "dry_run", outcome.message, decision_id)
        child = None if case.child is None else child_record(case.child[0])
        funds = case.funds
        assert funds is not None  # noqa: S101  # it was paid for
        return Result(
            PERMIT,
            outcome.reason,
            outcome.message,
            decision_id,
            funds.permit_id,
            obligations,
            budget=funds.record(),
            warnings=funds.warnings,
            child=child,
        )

    # Delegating

    def delegate(
        self,
        parent_token: str,
        *,
        agent: str,
        tools: Tools,
        budget: Mapping[str, Any] | None = None,
        ttl: int | None = None,
        max_depth: int | None = None,
        prompt_id: str | None = None,
        intent: str | None = None,
        context: Mapping[str, Any] | None = None,
        approval_ref: str | None = None,
        prove: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> str:
        """Pass authority on: from a person to an agent, or from an agent to another. The policy decides.

        Args:
            parent_token: the ID or access token of the person, or the token of the agent that delegates.
            agent: who gets it; it has to be registered.
            tools: what may be done: names of tools, AAT's `tools`, a whole `authorization_details` or an authority.
            budget: what may be spent, by unit; None for what the parent has.
            ttl: how many seconds the token lives; the configuration's by default, and at most.
            max_depth: how deep it may be delegated further; None for what the parent has.
            prompt_id: the prompt, where the parent is a person; None for a new one.
            intent: the person's prompt, where the parent is a person.
            context: what the policy may look at.
            approval_ref: a person's approval of this; a first delegation needs the same `prompt_id` then.
            prove: makes the proof of possession for the request, where the parent is an agent.

        Returns:
            The token of the agent.

        Raises:
            Denied: with the decision.
        """
        asked = Asked(
            agent, tools, budget, self._parts.minting.max_ttl if ttl is None else ttl, max_depth, prompt_id, intent
        )
        case = self._case("delegation")
        given = {"context": dict(context or {}), "approval_ref": approval_ref}
        if is_chain(parent_token):
            admit = partial(self.admission.admit_agent, case, parent_token, asked, given, prove)
        else:
            admit = partial(self._admit_person, case, parent_token, asked, given)
        steps: Sequence[Step] = (self._stand, *self._judge, partial(self._mint, asked))
        decision = self._transact(case, self._work(case, steps, admit))
        if not decision.permitted or decision.replayed or case.child is None:
            raise Denied(decision)
        return case.child[1]

    def _admit_person(self, case: Case, token: str, asked: Asked, given: Mapping[str, Any]) -> None:
        case.person = self._parts.persons.verify(token, case.now_ns // SECOND_NS)
        request = {**given, "request_id": new_id(), "prompt_id": asked.prompt_id or new_id(), "token": token}
        self.admission.admit_person(case, {**request, "action": asked.action()}, case.person)

    def _mint(self, asked: Asked, case: Case, tx: Transaction) -> None:
        """Make the token that was decided upon, and see that it is good before it is given away."""
        if case.outcome is None or case.outcome.verdict != PERMIT or self._parts.dry_run:
            return
        assert case.request is not None  # noqa: S101  # admitted
        now, minting, key = case.now_ns // SECOND_NS, self._parts.minting, self.state.agents.key_of(asked.agent)
        self.budgets.check_share(case, tx, asked.amounts())
        if case.chain is not None:
            token = minting.child(asked, key, case.request.token, case.chain, now)
        else:
            assert case.person is not None  # noqa: S101  # admitted
            token = minting.root(asked, key, case.person, case.request.prompt_id, now)
        chain = self.admission.chain(token, now)
        self.state.lineage.note(tx, chain)
        case.child = chain, token
        self.budgets.use(case, tx)

    def open_session(self, token: str, proof: str, request_id: str) -> Session:
        """Open a proof session: one signed proof, then cheap ones with a key made for this token alone.

        Args:
            token: of the agent.
            proof: a signed proof of `sessions.opening(request_id)`.
            request_id: its nonce, good once.

        Raises:
            Refused: the token or the proof is not good; the log says so.
            StoreError: the log could not be written.
        """
        return self.admission.open_session(token, proof, request_id)

    # Recording

    def _record(self, case: Case, result: Result, tx: Transaction) -> GatewayDecision:
        text = self._parts.recorder.text(case, result, time.perf_counter_ns() - case.started_ns)
        entry = self.state.audit.append(tx, case.kind, text)
        ledger = self.state.ledger
        if case.key:
            assert case.prompt is not None  # noqa: S101  # admitted
            ledger.add_request(tx, case.key, case.digest, entry.seq, case.prompt.key)
        if result.permit_id is not None:
            ledger.open_permit(
                tx, result.permit_id, result.decision_id, entry.seq, self._parts.reporting.deadline(case.budget_ns)
            )
            if case.child is not None:  # it is done already
                ledger.settle_permit(tx, result.permit_id, SUCCESS)
            self._remember(case, result.permit_id, entry.seq, tx)
        elif case.kind == REPLAN and result.verdict == PERMIT:
            self._parts.replanning.note(case, entry.seq, tx)
        approval_id = self._proposing.note(case, result, entry.seq, tx)
        return GatewayDecision(
            result.verdict,
            result.reason,
            result.message,
            result.decision_id,
            case.request_id,
            result.permit_id,
            result.obligations if result.verdict == PERMIT else (),
            text,
            result.field,
            result.link,
            budget=result.left,
            warnings=result.warnings,
            approval_id=approval_id,
        )

    def _remember(self, case: Case, permit_id: str, seq: int, tx: Transaction) -> None:
        """Keep a permitted action for policies that look at the history of the prompt."""
        request, chain, prompt = case.request, case.chain, case.prompt
        if self._parts.policy.reads_history and case.kind == "decision":
            assert request is not None and chain is not None and prompt is not None  # noqa: PT018, S101  # admitted
            digest = case.document["history"]["current"]["digest"]
            told = {"digest": digest, "agent": chain.leaf.agent, "time": case.time}
            self.state.history.note(tx, prompt.key, permit_id, {**request.action.document, **told}, seq)

    def _refuse(self, case: Case, refusal: Refused, tx: Transaction) -> GatewayDecision:
        self.budgets.refused(case, refusal, tx)
        left = refusal.budget if isinstance(refusal, OverLimit) else None
        told = "null" if left is None else f'{{"refused":{canonical(dict(left))}}}'
        result = Result(
            DENY,
            refusal.reason,
            refusal.detail,
            new_id(),
            budget=told,
            left=left,
            field=refusal.field,
            link=refusal.link,
        )
        return self._record(case, result, tx)

    def _again(self, case: Case, prior: DecidedRequest, tx: Transaction) -> GatewayDecision:
        """The first answer to a request that is repeated; a deny when it is another under the same id."""
        case.key = ""  # the id stays with the first
        try:
            self._stand(case, tx)  # what stands above policy stands above an answer of before too
        except Refused as refusal:
            return self._refuse(case, refusal, tx)
        if prior.digest != case.digest:
            detail = f"the request id `{case.request_id}` was used before, for another request"
            return self._refuse(case, Refused("request_id_reused", detail), tx)
        body = self.state.audit.entry(tx, prior.seq).body
        if body is None:
            return self._refuse(case, Refused("request_id_reused", "the first answer was pruned from the log"), tx)
        return read_decision(body)

    # After the decision

    def replan(
        self,
        token: str,
        permit_id: str,
        *,
        learnt: str,
        old_plan_digest: str,
        new_plan_digest: str,
        prompt_id: str | None = None,
        prove: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> ReplanAnswer:
        """Say that the plan for a prompt was changed because an action failed; what failed may be tried again then.

        Args:
            token: of the agent.
            permit_id: of the action that failed.
            learnt: what the failure has taught.
            old_plan_digest: SHA-256 of the plan so far, in hex.
            new_plan_digest: the same of the new one.
            prompt_id: the prompt; None for that of the token.
            prove: makes the proof of possession for the request.

        Returns:
            Whether it counts. Whatever goes wrong is a no with a reason, never an exception.
        """
        replan = Replan(permit_id, learnt, old_plan_digest, new_plan_digest, prompt_id)
        case = self._case(REPLAN)
        admit = partial(self.admission.admit_agent, case, token, replan, {}, prove)
        steps = (self._stand, self._parts.replanning.check, self.budgets.replan)
        decision = self._transact(case, self._work(case, steps, admit))
        accepted = decision.permitted and not decision.replayed
        return ReplanAnswer(accepted, decision.reason, decision.message, decision.decision_id)

    def report(
        self,
        permit_id: str,
        outcome: str,
        *,
        actual: Mapping[str, Any] | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> ReportAnswer:
        """Say how a permitted action went, exactly once.

        Args:
            permit_id: of the decision.
            outcome: `success`, `failure`, `timeout` or `not_attempted`.
            actual: what was spent, by unit.
            payload: evidence, such as what discharged the obligations.

        Returns:
            Whether it counts. A malformed report, an unknown permit and a second report do not.

        Raises:
            StoreError: the report could not be written.
        """
        return self._parts.reporting.report(permit_id, outcome, actual or {}, payload or {})

    def extend(self, permit_id: str, *, seconds: int | None = None) -> ReportAnswer:
        """Have more time to report on a permitted action that takes longer; what was reserved stays so.

        Args:
            permit_id: of the decision.
            seconds: from now on; `quotas.report_seconds` by default, and at most.

        Returns:
            Whether it counts. An unknown permit, and one that was reported on or has expired, cannot be extended.

        Raises:
            StoreError: it could not be written.
        """
        return self._parts.reporting.extend(permit_id, seconds)

    def governed(
        self, *, tool: str, operation: str = "execute", resource: str | Callable[..., str | None] | None = None
    ) -> Callable[[F], F]:
        """A decorator for functions that run only when permitted; see `guard.governed`."""
        return guard.governed(self, tool=tool, operation=operation, resource=resource)  # type: ignore[return-value]


def _internal(error: Exception) -> Refused:
    # What an error says may hold parts of the request; its name does not.
    return Refused("internal_error", f"the gateway failed with `{type(error).__name__}`")


def _permit_id(case: Case) -> str:
    """An id that nobody guesses, and that grows with time, so that it comes at the end of its index."""
    return f"{case.now_ns:016x}{os.urandom(12).hex()}"
