"""The error of complete rules and functions that do not agree: what each of them gives, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from procurator.compile.plan import FUNCTION, Unit
from procurator.render import render
from procurator.runtime.support import CONFLICT
from procurator.values import Value
from procurator_rules.checks.text import ref_text
from procurator_rules.errors import PolicyError
from procurator_rules.nodes import String, Var
from procurator_rules.spans import Span

MOST_VALUES: Final = 10
"""Values that an error names."""

LONGEST: Final = 80
"""Characters of a value that it shows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value, and the rule that gives it."""

    value: Value
    span: Span

    @property
    def order(self) -> tuple[str, int]:
        """By file, then by place."""
        return self.span.source.name, self.span.start

    def __str__(self) -> str:
        text = " ".join(render(self.value).split())
        shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
        source, row = self.span.source, self.span.row
        return f"{shown} at {source.name}:{row}" if source.name else f"{shown} at {row}:{self.span.column}"


def conflict_error(unit: Unit, found: Sequence[Outcome], span: Span) -> PolicyError:
    """The error of rules that give several values.

    Args:
        unit: the rules.
        found: the value of the first rule, then those that differ from it, in the order of the rules.
        span: where it is if fewer than two values could be found.
    """
    path = ref_text((Var("data"), *map(String, unit.key.path)))
    kind, inputs = ("function", " for the same inputs") if unit.kind == FUNCTION else ("rule", "")
    message = f"{kind} {path} produced conflicting values{inputs}"
    if len(found) < 2:
        return PolicyError(CONFLICT, message, at=span)
    shown = [f"\n  {outcome}" for outcome in sorted(found[:MOST_VALUES], key=lambda one: one.order)]
    more = "\n  ..." if len(found) > MOST_VALUES else ""
    return PolicyError(CONFLICT, f"{message}:{''.join(shown)}{more}", at=found[1].span)
