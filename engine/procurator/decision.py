"""What deciding gives: a value and the rules behind it."""

from __future__ import annotations

from collections.abc import Sequence

from procurator.compile.plan import RuleInfo
from procurator.values import Value


class Decision:
    """A value and how it came about; never changed once made.

    Attributes:
        value: the value of the term, or UNDEFINED.
    """

    __slots__ = ("_rules", "_trace", "value")

    def __init__(self, value: Value, trace: Sequence[int], rules: Sequence[RuleInfo]) -> None:
        self.value = value
        self._trace = trace
        self._rules = rules

    @property
    def path(self) -> tuple[int, ...]:
        """The numbers of the rules that held, in the order in which they did."""
        return tuple(self._trace)

    @property
    def rules(self) -> tuple[RuleInfo, ...]:
        """The rules that held, each once, in the order in which they first did; resolved on access."""
        return tuple(self._rules[number] for number in dict.fromkeys(self._trace))

    def __repr__(self) -> str:
        return f"Decision({self.value!r}, rules={[rule.path for rule in self.rules]})"
