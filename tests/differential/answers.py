"""What an engine answers, in a form in which answers of different engines can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from policy_strategies.policies import Policy
from procurator.values import dumps, loads

WHOLE_RULE = re.compile(r"x = data[.\w]+")


@dataclass(frozen=True, slots=True)
class Rows:
    """The bindings of a query in each way in which it holds: JSON texts, sorted, sets as arrays."""

    rows: tuple[str, ...]

    @classmethod
    def of(cls, bindings: Iterable[Mapping[str, Any]]) -> Rows:
        """Rows from binding objects; numbers are spelled as this product spells them."""
        return cls(tuple(sorted(dumps(loads(dumps(dict(row)))) for row in bindings)))


@dataclass(frozen=True, slots=True)
class Refused:
    """The policy or the query does not pass the checks."""

    errors: tuple[tuple[str, str, str], ...]
    """Code, message and place of each error."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The evaluation ends in an error; an engine without codes leaves them empty."""

    code: str
    message: str
    place: str


Answer = Rows | Refused | Failed


@dataclass(frozen=True, slots=True)
class Question:
    """One evaluation.

    Attributes:
        number: of the policy.
        query: what is asked.
        document: the input.
        strict: whether errors of built-ins end it.
    """

    number: int
    query: str
    document: Any
    strict: bool


def questions(number: int, policy: Policy) -> Iterable[Question]:
    """All that is asked of a policy; with strict errors only whole rules, which is all that OPA's server can do."""
    for query in policy.queries:
        for document in policy.inputs:
            yield Question(number, query, document, strict=False)
            if WHOLE_RULE.fullmatch(query):
                yield Question(number, query, document, strict=True)


class Oracle(Protocol):
    """An engine to compare with.

    Attributes:
        name: what it is called in the report.
        tells_codes: whether its errors have OPA's codes, messages and places.
    """

    name: str
    tells_codes: bool

    def takes(self, policy: Policy, question: Question, /) -> bool:
        """Whether the engine can be asked this."""
        ...

    def answers(self, policies: Sequence[Policy], asked: Sequence[Question]) -> Sequence[Answer]:
        """The answers to questions about policies."""
        ...


def file_name(number: int, module: int) -> str:
    """The name under which a module of a policy is reported."""
    return f"p{number}_{module}.rego"


def difference(ours: Answer, theirs: Answer, tells_codes: bool) -> str:
    """In what two answers differ; the empty string when they agree."""
    if type(ours) is not type(theirs):
        return f"{type(ours).__name__.lower()} here, {type(theirs).__name__.lower()} there"
    if isinstance(ours, Rows):
        return "" if ours == theirs else "rows"
    if not tells_codes:
        return ""
    if isinstance(ours, Failed) and isinstance(theirs, Failed):
        parts = [name for name in ("code", "message", "place") if getattr(ours, name) != getattr(theirs, name)]
        return f"{parts[0]} of the error" if parts else ""
    return "" if ours == theirs else "mistakes found"
