"""What evaluations came to, as the formats of `procurator eval` print it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procurator.cli.answers import Answer
from procurator.cli.eval_run import Outcome
from procurator.metrics import aggregated
from procurator.runtime.coverage import Coverage
from procurator.runtime.explanation import Entry
from procurator.runtime.profile import ProfileLine, ProfileSpread, spread
from procurator_rules.errors import PolicyError


@dataclass(frozen=True)
class Report:
    """All there is to print; what nobody asked for is empty.

    Attributes:
        answers: the ways in which the query holds.
        errors: what went wrong.
        metrics: the times of a single run.
        aggregated_metrics: how the times of several are spread.
    """

    answers: Sequence[Answer]
    errors: Sequence[PolicyError]
    metrics: Mapping[str, int]
    aggregated_metrics: Mapping[str, Mapping[str, float]]
    explanation: Sequence[Entry]
    profile: Sequence[ProfileLine]
    aggregated_profile: Sequence[ProfileSpread]
    coverage: Coverage | None


def report_of(outcomes: Sequence[Outcome]) -> Report:
    """The first outcome, and the times of all."""
    first = outcomes[0]
    several = len(outcomes) > 1
    return Report(
        first.answers,
        first.errors,
        {} if several else first.metrics,
        aggregated([outcome.metrics for outcome in outcomes]) if several else {},
        first.explanation,
        () if several else first.profile,
        spread([outcome.profile for outcome in outcomes]) if several else (),
        first.coverage,
    )
