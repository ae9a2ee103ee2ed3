"""Who asks, and for what: from what came in to a request with a verified chain and a proof that its holder makes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Protocol, TypeAlias

from procurator.governance.budget.accounts import prompt_account
from procurator.governance.config.settings import Proof
from procurator.governance.controls import Target
from procurator.governance.decision import DENY, PERMIT
from procurator.governance.delegation.chains import Chain, ChainCache
from procurator.governance.delegation.proofs import SESSION, Call, Session, verify_proof
from procurator.governance.delegation.sessions import OPEN, Sessions
from procurator.governance.delegation.tokens import Principal
from procurator.governance.delegation.verifying import TooDeep
from procurator.governance.identity.persons import Person
from procurator.governance.refusals import Refused
from procurator.governance.state import State
from procurator.governance.steps.case import Case
from procurator.governance.steps.recording import child_record
from procurator.governance.strict_json import canonical
from procurator.governance.times import SECOND_NS, time_text
from procurator.governance.transactions import Transaction
from procurator.governance.wire import Opening, Request, check_size, read_opening, read_request

Judge: TypeAlias = Callable[[Case, Transaction, Sequence[int]], Sequence[Mapping[str, Any]]]
"""Decides about links of the chain of a request, and says what the log has to say of each."""


class Asking(Protocol):
    """What an agent asks for by calling a method of the gateway, which makes the request."""

    @property
    def prompt_id(self) -> str | None:
        """The prompt; None for that of the token."""

    def action(self) -> dict[str, Any]:
        """The action that it is decided as."""


class Admission:
    """Reads requests, verifies chains and proofs, and builds what the policy sees."""

    def __init__(
        self,
        state: State,
        verify: Callable[[str, int], Chain],
        sessions: Sessions,
        rules: Proof,
        *,
        keep_reasoning: bool = True,
        chains_kept: int = 10_000,
    ) -> None:
        """Join the parts.

        Args:
            state: kill switch, revocations, agents.
            verify: verifies a token at a time in seconds since 1970.
            sessions: the open proof sessions.
            rules: which calls need a proof.
            keep_reasoning: whether the agents' reasons go into the records.
            chains_kept: how many verified chains are remembered.
        """
        self._state = state
        self._verify = verify
        self.sessions = sessions
        self._rules = rules
        self._keep_reasoning = keep_reasoning
        self._chains = ChainCache(chains_kept)

    def admit(self, case: Case, given: Any) -> None:
        """Fill in what is known of a request before any policy is asked.

        Raises:
            Refused: the request is malformed, its chain or its proof is not good, or something stands above it.
        """
        request = case.request = read_request(given)
        case.request_id = request.request_id
        document = case.document = request.document
        case.input_text, said = self._texts(request, document)
        chain = self.chain(request.token, case.now_ns // SECOND_NS)
        if chain.task != request.prompt_id:
            detail = f"the token is for the prompt `{chain.task}`, the request for `{request.prompt_id}`"
            raise Refused("task_mismatch", detail)
        case.chain, case.prompt = chain, prompt_account(chain.principal, chain.task)
        self._prove(case, request, chain)
        case.key = f"{request.request_id} {chain.leaf.agent}"
        case.digest = sha256(f"{chain.token_hash}{said}".encode()).digest()
        # The input of the policy: what the caller says, and beside it what the gateway knows.
        document["time"] = case.time
        document["actor"] = {"id": chain.leaf.agent, "key": chain.leaf.key.jkt}
        document["delegation"] = chain.document

    def chain(self, token: str, now: int) -> Chain:
        """The verified chain of a token, at a time in seconds since 1970.

        Raises:
            Refused: it is not good, or not any more.
        """
        chain = self._chains.get(token)
        if chain is None:
            chain = self._verify(token, now)
            self._chains.put(token, chain)
        chain.check_time(now)
        return chain

    def admit_agent(
        self,
        case: Case,
        token: str,
        asked: Asking,
        given: Mapping[str, Any],
        prove: Callable[[Mapping[str, Any]], str] | None,
    ) -> None:
        """Fill in the same for what an agent asks of the gateway itself.

        Args:
            case: to be filled in.
            token: of the agent.
            asked: for what.
            given: more of the request.
            prove: makes the proof of possession for the request.

        Raises:
            Refused: as `admit`.
        """
        task = self.chain(token, case.now_ns // SECOND_NS).task
        request = {**given, "request_id": new_id(), "prompt_id": asked.prompt_id or task, "token": token}
        request["action"] = asked.action()
        if prove is not None:
            request["proof"] = prove(request)
        self.admit(case, request)

    def admit_person(self, case: Case, given: Any, person: Person) -> None:
        """Fill in what is known of a first delegation: there is no chain yet, and the person was verified.

        Raises:
            Refused: the request is malformed.
        """
        request = case.request = read_request(given)
        case.request_id = request.request_id
        document = case.document = request.document
        case.input_text, said = self._texts(request, document)
        case.key = f"{request.request_id} {person.issuer} {person.subject}"
        case.digest = sha256(said.encode()).digest()
        principal = Principal(person.issuer, person.subject, person.act)
        case.prompt = prompt_account(principal, request.prompt_id)
        document["time"] = case.time
        document["actor"] = {"id": person.subject, "issuer": person.issuer, "claims": dict(person.claims)}
        document["delegation"] = {
            "root": principal.document,
            "task": request.prompt_id,
            "chain": [],
            "effective": {"tools": []},
        }

    def open_session(self, token: str, proof: str, request_id: str) -> Session:
        """Open a proof session, as `Gateway.open_session` says.

        Raises:
            Refused: the token or the proof is not good; the log says so.
            StoreError: the log could not be written.
        """
        now_ns = self._state.clock()
        told = {"action": OPEN, "time": time_text(now_ns)}
        try:
            opening = read_opening({"token": token, "proof": proof, "request_id": request_id})
            chain = self.chain(opening.token, now_ns // SECOND_NS)
            told |= {"agent": chain.leaf.agent, "prompt_id": chain.task}
            return self._state.store.transact(partial(self._open_session, opening, chain, told, now_ns // SECOND_NS))
        except Refused as refusal:
            denial = {**told, "verdict": DENY, "reason": refusal.reason, "message": refusal.detail}
            self._state.store.transact(lambda tx: self._state.audit.append(tx, "session", denial))
            raise

    def _open_session(
        self, opening: Opening, chain: Chain, told: Mapping[str, Any], now: int, tx: Transaction
    ) -> Session:
        self._state.controls.refuse(chain, chain.task)
        self._state.agents.check(chain)
        sessions, ledger = self.sessions, self._state.ledger
        session = sessions.open(chain, opening.proof, opening.request_id, now)
        tx.undo(lambda: sessions.end(session.id))
        # A slash is in no request id, so this names no request. It holds for all processes, and outlasts them.
        used = f"/{OPEN}/{chain.leaf.key.jkt}/{opening.request_id}"
        if ledger.find_request(tx, used) is not None:
            raise Refused("proof_replayed", "the proof has opened a session before")
        entry = self._state.audit.append(
            tx, "session", {**told, "verdict": PERMIT, "reason": "passed", "expires": session.expires}
        )
        ledger.add_request(tx, used, chain.digest, entry.seq, prompt_account(chain.principal, chain.task).key)
        return session

    def stand(self, case: Case, tx: Transaction, judge: Judge) -> None:
        """See that nothing stands above the request at the very instant of its decision.

        Links of its chain that nobody has seen before go into the log.

        Args:
            case: the request.
            tx: the transaction.
            judge: decides about links that nobody has seen before, and says what the log has to say of each.

        Raises:
            Refused: a kill switch, a revocation, an agent that is not registered with its key, too many children, or a
                link that is not permitted.
        """
        chain = case.chain
        assert chain is not None  # noqa: S101  # admitted
        state = self._state
        state.controls.refuse(chain, chain.task)
        if case.kind == "delegation" and case.request is not None:
            state.controls.refuse_any(chain.task, (case.request.action.target_resource or "",))
        state.agents.check(chain)
        new = state.lineage.unknown(chain)
        if not new:
            return
        judged = judge(case, tx, new)
        state.lineage.note(tx, chain)
        for at, why in zip(new, judged, strict=True):
            told = {"derived": True, "child": child_record(chain, at), "time": case.time, "prompt_id": chain.task}
            state.audit.append(tx, "delegation", {**told, **why})

    def within(self, case: Case, _tx: Transaction) -> None:
        """See that every link of the chain admits the call, and that it is spelt as policies know it.

        Raises:
            Refused: it is not so.
        """
        assert case.chain is not None and case.request is not None  # noqa: PT018, S101  # admitted
        action, effective = case.request.action, case.chain.effective
        tool, resource, parameters = action.tool, action.target_resource, action.parameters
        refusal = effective.refusal(tool, action.operation, resource, parameters) or effective.misspelling(
            tool, resource, parameters
        )
        if refusal is not None:
            raise Refused(refusal.code, refusal.detail, link=refusal.link)

    def stand_above(self, case: Case, refusal: Refused) -> None:
        """See that nothing stands above a request that was not admitted, as far as it is known who makes it.

        Raises:
            Refused: a kill switch; of a chain that is too deep, a revocation, or an agent that is not registered.
        """
        if case.request is not None:
            self._state.controls.refuse_any(case.request.prompt_id)
        if isinstance(refusal, TooDeep) and refusal.chain is not None:
            self._state.controls.refuse(refusal.chain, refusal.chain.task)
            self._state.agents.check(refusal.chain)

    def stand_person(self, case: Case, person: Person) -> None:
        """See that nothing stands above a person's delegation.

        Raises:
            Refused: a kill switch, or a revocation.
        """
        request = case.request
        assert request is not None  # noqa: S101  # admitted
        persons = [Target("person", subject, person.issuer) for subject in (person.subject, *person.act)]
        agent = request.action.target_resource or ""
        self._state.controls.refuse_any(request.prompt_id, (agent,), persons)

    def _prove(self, case: Case, request: Request, chain: Chain) -> None:
        proof, rules, now = request.proof, self._rules, case.now_ns // SECOND_NS
        if proof is None:
            if rules.is_required(chain.leaf.agent):
                raise Refused("proof_missing", f"agent `{chain.leaf.agent}` has to prove that it makes the call")
            return
        action = request.action
        call = Call(request.request_id, action.operation, action.tool, action.target_resource, action.parameters)
        if proof.startswith(f"{SESSION}."):
            self.sessions.verify(proof, call, chain, now)
        else:
            verify_proof(proof, call, chain, now=now, window=rules.window_seconds)
        case.proven = True

    def _texts(self, request: Request, said: Mapping[str, Any]) -> tuple[str, str]:
        """The canonical JSON of what the record keeps of a request, and of all that was said.

        Raises:
            Refused: `malformed`, where there is too much of it.
        """
        members = {
            "action": said["action"],
            "approval_ref": request.approval_ref,
            "context": request.context,
            "estimated_cost": request.estimated_cost,
            "prompt_id": request.prompt_id,
            "reasoning": said.get("reasoning"),
            "request_id": request.request_id,
        }
        whole = check_size(canonical(members))
        return whole if self._keep_reasoning else canonical({**members, "reasoning": None}), whole


def new_id() -> str:
    """32 random hex digits."""
    return os.urandom(16).hex()
