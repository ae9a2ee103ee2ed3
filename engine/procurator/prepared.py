"""A term compiled once, to be evaluated over many inputs."""

from __future__ import annotations

from typing import Protocol, cast

from procurator.decision import Decision
from procurator.query import CompiledQuery, only
from procurator.values import UNDEFINED, Value


class Prepared(Protocol):
    """`prepared(input)` is the value of the term for an input, or UNDEFINED.

    It is a plain function: a method between the caller and the generated code would cost as much as a small policy.

    Attributes:
        query: the compiled query behind it.
    """

    query: CompiledQuery

    def __call__(self, document: Value = UNDEFINED, /) -> Value:
        """The value for an input.

        Raises:
            PolicyError: the evaluation fails.
        """

    def decide(self, document: Value = UNDEFINED, /) -> Decision:
        """The value for an input, with the rules that held."""


def prepared(query: CompiledQuery) -> Prepared:
    """A compiled term as a function; a term that names a rule is the generated function itself."""
    entry, decide = query.entry("entry"), query.entry("decide")
    if entry is None or decide is None:

        def entry(document: Value = UNDEFINED, /) -> Value:
            return only(query.rows(document))

        def decide(document: Value = UNDEFINED, /) -> Decision:
            trace: list[int] = []
            return Decision(only(query.rows(document, trace=trace)), trace, query.program.rules)

    function = cast("Prepared", entry)
    function.query = query
    function.decide = decide  # type: ignore[method-assign]  # a function's attribute, not a method
    return function
