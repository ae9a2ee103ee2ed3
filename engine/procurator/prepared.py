"""A term compiled once, to be evaluated over many inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, cast

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


LARGE: Final = 1 << 20
"""Characters of code from which on the build that records rules is made only when it is asked for a decision."""


def prepared(query: CompiledQuery) -> Prepared:
    """A compiled term as a function; a term that names a rule is the generated function itself."""
    entry = query.entry(traced=False) or _by_rows(query)
    decide = None if len(query.loaded(steps=query.entry_steps).code.text) > LARGE else query.entry(traced=True)
    function = cast("Prepared", entry)
    function.query = query
    function.decide = decide or _decide_by_rows(query)  # type: ignore[method-assign]  # a function's attribute
    return function


def _by_rows(query: CompiledQuery) -> Callable[..., Value]:
    def evaluate(document: Value = UNDEFINED, /) -> Value:
        return only(query.rows(document))

    return evaluate


def _decide_by_rows(query: CompiledQuery) -> Callable[..., Decision]:
    def decide(document: Value = UNDEFINED, /) -> Decision:
        trace: list[int] = []
        return Decision(only(query.rows(document, trace=trace)), trace, query.made.rules)

    return decide
