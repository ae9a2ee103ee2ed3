"""What an instrumented evaluation tells: which rules were entered, which expressions were tried and failed, what held.

Events come in the order of evaluation. An expression is a step of the plan, so a line of a policy is told as its parts:
`input.age >= limit` as the look-up of `input.age` and then the comparison, each with its own span.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from procurator.values import Value
from procurator_rules.spans import Span


@dataclass(frozen=True, slots=True)
class Used:
    """A value that an expression uses, and the text that gave it."""

    span: Span
    value: Value


@dataclass(frozen=True, slots=True)
class RuleEntered:
    """A body of a rule is begun.

    Attributes:
        rule: the number of the rule in the program's table of rules.
        span: the rule, or that `else` of it.
        depth: how many rules are being evaluated around it.
    """

    rule: int
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Tried:
    """An expression is evaluated; `used` has the values that are known before it."""

    span: Span
    used: tuple[Used, ...]
    depth: int

    @property
    def goes_on(self) -> bool:
        """Whether the text was evaluated in the step before, and its value is only looked at."""
        return any(used.span == self.span for used in self.used)


@dataclass(frozen=True, slots=True)
class Failed:
    """An expression is false or undefined, or has no members to try, and so ends the attempt."""

    span: Span
    used: tuple[Used, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class RuleHeld:
    """A body of a rule holds in one more way, and gives a value: below the keys, in a partial document."""

    rule: int
    span: Span
    keys: tuple[Value, ...]
    value: Value
    depth: int


@dataclass(frozen=True, slots=True)
class DefaultUsed:
    """No rule of a document or function holds, and its default gives the value.

    Attributes:
        path: what the rules define, without `data`.
        span: the first of the rules.
    """

    path: tuple[str, ...]
    span: Span
    depth: int


Event: TypeAlias = RuleEntered | Tried | Failed | RuleHeld | DefaultUsed

Recorder: TypeAlias = Callable[[Event], None]
"""Takes the events while they happen, so that a profile can look at the clock."""
