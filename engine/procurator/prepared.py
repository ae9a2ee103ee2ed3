"""A term compiled once, to be evaluated over many inputs."""

from dataclasses import dataclass
from functools import cached_property

from procurator.compile.plan import RuleInfo
from procurator.query import CompiledQuery, only, rules_of
from procurator.values import UNDEFINED, Value


@dataclass(frozen=True)
class Decision:
    """A value and how it came about.

    Attributes:
        value: the value of the term, or UNDEFINED.
        rules: the rules that held, in the order in which they did.
    """

    value: Value
    _query: CompiledQuery
    _trace: list[int]

    @cached_property
    def rules(self) -> tuple[RuleInfo, ...]:
        """The rules that held; resolved to names on access."""
        return rules_of(self._query.program, self._trace)


class Prepared:
    """`prepared(input)` is the value of the term for an input."""

    def __init__(self, query: CompiledQuery) -> None:
        self.query = query

    def __call__(self, document: Value = UNDEFINED) -> Value:
        return only(self.query.rows(document))

    def decide(self, document: Value = UNDEFINED) -> Decision:
        """The value for an input, with the rules that held."""
        trace: list[int] = []
        return Decision(only(self.query.rows(document, trace=trace)), self.query, trace)


def prepared(query: CompiledQuery) -> Prepared:
    """A compiled term, callable.

    A term that names a rule calls the generated function directly: a method between the two would cost as much as a
    small policy. That takes a class of its own, because Python looks `__call__` up in the class.
    """
    entry, traced = query.entry(), query.entry(traced=True)
    if entry is None or traced is None:
        return Prepared(query)

    def decide(self: Prepared, document: Value = UNDEFINED) -> Decision:
        trace: list[int] = []
        return Decision(traced(self, document, trace), query, trace)

    return type("Prepared", (Prepared,), {"__call__": entry, "decide": decide})(query)  # type: ignore[no-any-return]
