"""The records of decisions, as canonical JSON text.

A record is put together from texts that mostly exist already: the request as it was digested, the chain as it was
cached, the rules of a path. Its members are in the order in which canonical JSON has them.
"""

from __future__ import annotations

import json.encoder
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from procurator.governance.approvals.proposals import Sought
from procurator.governance.audit.masking import hidden
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.tokens import Principal
from procurator.governance.steps.case import Case
from procurator.governance.steps.obligations import USUAL
from procurator.governance.steps.policy import PolicyOutcome
from procurator.governance.strict_json import canonical
from procurator.values import dumps, loads

TEXTS_KEPT: Final = 10_000

_quoted: Final = json.encoder.encode_basestring
"""A text as JSON has it."""

_TRACE_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Revision:
    """What decided, the same in every record until something is loaded anew.

    Attributes:
        entrypoint: the rule that is asked.
        policy: a digest of the texts of the policies.
        data: a digest of the base documents.
        engine: the version of the product.
        schema: the version of the records.
    """

    entrypoint: str
    policy: str
    data: str
    engine: str
    schema: str


class Result(NamedTuple):
    """What a record says about the end of a case.

    Attributes:
        verdict: the verdict.
        reason: the code.
        message: the sentence.
        decision_id: 32 hex digits.
        permit_id: what a report names, or None.
        obligations: what the permit obliges to.
        budget: the amounts before, reserved and after for each scope, as canonical JSON.
        left: what is left of a limit that refuses, or None.
        warnings: the same of limits that are nearly reached.
        child: the link that a delegation made, or None.
        field: the part of a malformed request, or None.
        link: the link that refused, or None.
    """

    verdict: str
    reason: str
    message: str
    decision_id: str
    permit_id: str | None = None
    obligations: tuple[Mapping[str, Any], ...] = ()
    budget: str = "null"
    left: Mapping[str, Any] | None = None
    warnings: tuple[Mapping[str, Any], ...] = ()
    child: Mapping[str, Any] | None = None
    field: str | None = None
    link: int | None = None


class Recorder:
    """Writes records of decisions under one revision of policies and data."""

    def __init__(self, revision: Revision, keys: Iterable[str], paths: Iterable[str], patterns: Iterable[str]) -> None:
        """Keep what does not change from record to record.

        Args:
            revision: what decides.
            keys: names of members whose values are masked.
            paths: JSON pointers into the record of values that are masked.
            patterns: regular expressions of what is masked in any text, number or name.
        """
        self._mask, self._is_suspect = hidden(keys, paths, patterns)
        self._data = dumps(revision.data)
        self._engine = f'{dumps(revision.engine)},"entrypoint":{dumps(revision.entrypoint)}'
        self._policy = dumps(revision.policy)
        self._schema = dumps(revision.schema)
        self._chains: dict[bytes, str] = {}
        self._paths: dict[tuple[int, ...], tuple[str, str]] = {}

    def text(self, case: Case, result: Result, duration_ns: int) -> str:
        """The record of a case, masked."""
        outcome, request_id, permit_id = case.outcome, case.request_id, result.permit_id
        value, path, rules, answers = _NO_OUTCOME if outcome is None else self._told(outcome)
        trace, span = _trace(case, result.decision_id)
        seen = _seen(case)
        obligations, child = _obligations(result.obligations), _or_null(result.child)
        text = (
            f'{{"approval":{_approval(case)},"budget":{result.budget},'
            f'"child":{child},"data_revision":{self._data},'
            f'"decision_id":"{result.decision_id}","delegation":{self._delegation(case)},"duration_ns":{duration_ns},'
            f'"engine_version":{self._engine},"field":{_or_null(result.field)},"input":{case.input_text},'
            f'"link":{_or_null(result.link)},"message":{_quoted(result.message)},"nondeterministic":{answers},'
            f'"obligations":{obligations},"path":{path},'
            f'"permit_id":{"null" if permit_id is None else _quoted(permit_id)},'
            f'"policy_revision":{self._policy},"proven":{"true" if case.proven else "false"},'
            f'"reason":{_quoted(result.reason)},"request_id":{"null" if request_id is None else _quoted(request_id)},'
            f'"rules":{rules},"schema_version":{self._schema},"seen":{seen},'
            f'"span_id":"{span}","time":"{case.time}","trace_id":"{trace}","value":{value},'
            f'"verdict":"{result.verdict}"}}'
        )
        told = f"{case.input_text}{value}{result.message}{answers}{obligations}{child}{seen}"
        return canonical(self._mask(loads(text))) if self._is_suspect(told) else text

    def _delegation(self, case: Case) -> str:
        """The chain; or the person, where there is no chain and the policy was not shown them."""
        if case.chain is not None:
            return self._chain(case.chain)
        if case.person is None or case.outcome is not None:
            return "null"
        root = Principal(case.person.issuer, case.person.subject, case.person.act).document
        task = None if case.request is None else case.request.prompt_id
        return canonical(self._mask({"delegation": {"root": root, "task": task, "chain": []}})["delegation"])

    def _chain(self, chain: Chain) -> str:
        text = self._chains.get(chain.digest)
        if text is None:
            text = canonical(self._mask({"delegation": chain_record(chain)})["delegation"])
            _keep(self._chains, chain.digest, text)
        return text

    def _told(self, outcome: PolicyOutcome) -> tuple[str, str, str, str]:
        """The value of an outcome, its path, the rules on it, and the answers from outside.

        There are only as many paths as there are ways through the policy.
        """
        texts = self._paths.get(outcome.path)
        if texts is None:
            texts = canonical(list(outcome.path)), canonical(list(outcome.rules))
            _keep(self._paths, outcome.path, texts)
        answers = dumps(dict(outcome.nondeterministic)) if outcome.nondeterministic else "{}"
        return canonical(outcome.value), *texts, answers


_NO_OUTCOME: Final = ("null", "[]", "[]", "{}")

K = TypeVar("K", bound=Hashable)


def _keep(texts: dict[K, Any], key: K, text: Any) -> None:
    if len(texts) >= TEXTS_KEPT:
        texts.clear()
    texts[key] = text


def chain_record(chain: Chain) -> dict[str, Any]:
    """What a record says of a chain; the entry of the delegation that made a link says what the link allows."""
    return {
        "root": chain.principal.document,
        "task": chain.task,
        "depth": chain.leaf.depth,
        "expires": chain.expires,
        "chain": [{"agent": link.agent, "id": link.token_id} for link in chain.links],
        "token_digest": chain.digest.hex(),
    }


def child_record(chain: Chain, at: int = -1) -> dict[str, Any]:
    """What the entry of a delegation says of the link that was made: all that policies see of it.

    Args:
        chain: the chain with the link.
        at: which link; the last one by default.
    """
    link = {**chain.document["chain"][at], "max_depth": chain.links[at].max_depth}
    if link["depth"] == 0:
        return {**link, "root": chain.document["root"]}
    return {**link, "parent": chain.links[link["depth"] - 1].token_id}


def _seen(case: Case) -> str:
    """What the policy was shown that neither the rest of the record nor an earlier entry holds; null if not asked."""
    if case.outcome is None:
        return "null"
    document = case.document
    names = _BESIDE if case.chain is not None else _WITHOUT_CHAIN
    seen = {name: document[name] for name in names if name in document}
    return canonical(seen) if seen else "{}"


_BESIDE: Final = ("approval", "budget")
_WITHOUT_CHAIN: Final = (*_BESIDE, "actor", "delegation")


def _approval(case: Case) -> str:
    """What became of the approval that was named; null if it was refused before anybody looked at that."""
    if case.approval is not None:
        return canonical(case.approval.record)
    return _ABSENT if case.request is None or case.request.approval_ref is None else "null"


_ABSENT: Final = canonical(Sought().record)


def _or_null(value: Any) -> str:
    return "null" if value is None else canonical(value)


def _trace(case: Case, decision_id: str) -> tuple[str, str]:
    """The trace and the span the decision belongs to: the caller's, as W3C trace context has them, or its own."""
    if case.request is not None and case.request.context:
        parent = case.request.context.get("traceparent")
        found = _TRACE_PARENT.fullmatch(parent) if isinstance(parent, str) else None
        if found:
            return found[1], found[2]
    return decision_id, decision_id[:16]


def _obligations(obligations: tuple[Mapping[str, Any], ...]) -> str:
    if obligations is USUAL:
        return _USUAL_TEXT
    return canonical([dict(obligation) for obligation in obligations])


_USUAL_TEXT: Final = canonical(list(USUAL))
