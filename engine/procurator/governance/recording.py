"""The records of decisions, as canonical JSON text.

A record is put together from texts that mostly exist already: the request as it was digested, the chain as it was
cached, the rules of a path. Its members are in the order in which canonical JSON has them.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from procurator.governance.case import Case
from procurator.governance.chains import Chain
from procurator.governance.policy import PolicyOutcome
from procurator.governance.records import Mask, masks
from procurator.governance.strict_json import canonical
from procurator.values import dumps, loads

SECOND_NS: Final = 1_000_000_000
TEXTS_KEPT: Final = 10_000
DETAILS: Final = "authorization_details"

_TRACE_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Revision:
    """What decided, the same in every record until something is loaded anew.

    Attributes:
        entrypoint: the rule that is asked.
        policy: names the policies: the revision of their bundle, or a digest of their texts.
        data: a digest of the base documents.
        engine: the version of the product.
        schema: the version of the records.
    """

    entrypoint: str
    policy: str
    data: str
    engine: str
    schema: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a record says about the end of a case.

    Attributes:
        verdict: the verdict.
        reason: the code.
        message: the sentence.
        decision_id: 32 hex digits.
        permit_id: what a report names, or None.
        obligations: what the permit obliges to.
        budget: the amounts before, reserved and after for each scope, or None.
        approval: what became of the approval that was named, or None.
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
    budget: Mapping[str, Any] | None = None
    approval: Mapping[str, Any] | None = None
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
            patterns: regular expressions of what is masked in any text.
        """
        keys, paths, patterns = tuple(keys), tuple(paths), tuple(patterns)
        self._mask: Mask = masks(keys, paths, patterns)
        self._suspect = _suspect(keys) if not (paths or patterns) else re.compile("")
        self._data = dumps(revision.data)
        self._engine = f'{dumps(revision.engine)},"entrypoint":{dumps(revision.entrypoint)}'
        self._policy = dumps(revision.policy)
        self._schema = dumps(revision.schema)
        self._chains: dict[bytes, str] = {}
        self._paths: dict[tuple[int, ...], tuple[str, str]] = {}

    def text(self, case: Case, result: Result, duration_ns: int) -> str:
        """The record of a case, masked."""
        outcome = case.outcome
        value = "null" if outcome is None else dumps(outcome.value)
        message = dumps(result.message)
        trace, span = _trace(case, result.decision_id)
        path, rules = ("[]", "[]") if outcome is None else self._told(outcome)
        text = (
            f'{{"approval":{_or_null(result.approval)},"budget":{_or_null(result.budget)},'
            f'"child":{_or_null(result.child)},"data_revision":{self._data},'
            f'"decision_id":"{result.decision_id}","delegation":{self._chain(case.chain)},"duration_ns":{duration_ns},'
            f'"engine_version":{self._engine},"field":{_or_null(result.field)},"input":{case.input_text},'
            f'"link":{_or_null(result.link)},"message":{message},'
            f'"nondeterministic":{"{}" if outcome is None else _nondeterministic(outcome.nondeterministic)},'
            f'"obligations":{_obligations(result.obligations)},'
            f'"path":{path},"permit_id":{_or_null(result.permit_id)},'
            f'"policy_revision":{self._policy},"proven":{"true" if case.proven else "false"},'
            f'"reason":{dumps(result.reason)},"request_id":{_or_null(case.request_id)},'
            f'"rules":{rules},"schema_version":{self._schema},'
            f'"span_id":"{span}","time":"{time_text(case.now_ns)}","trace_id":"{trace}","value":{value},'
            f'"verdict":"{result.verdict}"}}'
        )
        found = self._suspect.search
        if found(case.input_text) or found(value) or found(message):
            return canonical(self._mask(loads(text)))
        return text

    def _chain(self, chain: Chain | None) -> str:
        if chain is None:
            return "null"
        text = self._chains.get(chain.digest)
        if text is None:
            text = canonical(self._mask(chain_record(chain)))
            _keep(self._chains, chain.digest, text)
        return text

    def _told(self, outcome: PolicyOutcome) -> tuple[str, str]:
        """The path of an outcome and the rules on it; there are as many as there are ways through the policy."""
        texts = self._paths.get(outcome.path)
        if texts is None:
            texts = dumps(list(outcome.path)), canonical(list(outcome.rules))
            _keep(self._paths, outcome.path, texts)
        return texts


K = TypeVar("K", bound=Hashable)


def _keep(texts: dict[K, Any], key: K, text: Any) -> None:
    if len(texts) >= TEXTS_KEPT:
        texts.clear()
    texts[key] = text


def chain_record(chain: Chain) -> dict[str, Any]:
    """What a record says of a chain; what each link allows is in the entry of the delegation that made it."""
    document = chain.document
    links = [{name: part for name, part in link.items() if name != DETAILS} for link in document["chain"]]
    said = {name: document[name] for name in ("root", "task", "depth", "max_depth", "expires")}
    return {**said, "chain": links, "token_digest": chain.digest.hex()}


def _suspect(keys: tuple[str, ...]) -> re.Pattern[str]:
    """Finds JSON texts that have a member of one of the names; all that is found is looked at closely."""
    names = "|".join(re.escape(dumps(key)[1:-1]) for key in keys)
    return re.compile(f'"(?:{names})":' if keys else "(?!)", re.IGNORECASE)


def _or_null(value: Any) -> str:
    return "null" if value is None else dumps(value)


def _trace(case: Case, decision_id: str) -> tuple[str, str]:
    """The trace and the span the decision belongs to: the caller's, as W3C trace context has them, or its own."""
    parent = case.request.context.get("traceparent") if case.request is not None else None
    found = _TRACE_PARENT.fullmatch(parent) if isinstance(parent, str) else None
    return (found[1], found[2]) if found else (decision_id, decision_id[:16])


def time_text(now_ns: int) -> str:
    """An instant as RFC 3339 has it, in UTC with nanoseconds."""
    seconds, rest = divmod(now_ns, SECOND_NS)
    return f"{_second(seconds)}.{rest:09d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _obligations(obligations: tuple[Mapping[str, Any], ...]) -> str:
    return dumps([dict(obligation) for obligation in obligations]) if obligations else "[]"


def _nondeterministic(answers: Mapping[str, Any]) -> str:
    return dumps(dict(answers)) if answers else "{}"
