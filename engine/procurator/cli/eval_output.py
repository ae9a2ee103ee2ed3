"""What `procurator eval` prints, in each of its formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from procurator.builtins.floats import VERBS
from procurator.cli.answers import Answer, records
from procurator.cli.eval_report import Report
from procurator.cli.json_values import compact, indented, json_tree
from procurator.cli.report import error_records
from procurator.cli.tables import table
from procurator.runtime.explanation import trace_text
from procurator.runtime.profile import ProfileLine
from procurator.values import Value
from procurator_rules.errors import PolicyError

STATISTICS: Final = ("min", "max", "mean", "90%", "99%")


def show(report: Report, style: str) -> None:
    """Print a report; errors go to standard error unless the format is JSON."""
    FORMATS[style](report)


def report_errors(errors: Sequence[PolicyError]) -> None:
    """Print errors for people."""
    for error in errors:
        click.echo(error.render(), err=True)


# JSON


def _json(report: Report) -> None:
    click.echo(indented(_tree(report)))


def _discard(report: Report) -> None:
    tree = _tree(report)
    if "result" in tree:
        tree["result"] = "discarded"
    click.echo(indented({key: tree[key] for key in sorted(tree)}))


def _tree(report: Report) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "errors": [record for error in report.errors for record in error_records(error)],
        "result": records(report.answers, json_tree),
        "metrics": report.metrics,
        "aggregated_metrics": report.aggregated_metrics,
        "explanation": [entry.record() for entry in report.explanation],
        "profile": [line.record() for line in report.profile],
        "aggregated_profile": [line.record() for line in report.aggregated_profile],
        "coverage": report.coverage and report.coverage.record(),
    }
    return {name: part for name, part in parts.items() if part}


# Lines for other programs


def _values(report: Report) -> None:
    for answer in _answers(report):
        click.echo(indented([json_tree(value) for _, value in answer.values]))


def _bindings(report: Report) -> None:
    for answer in _answers(report):
        click.echo(indented({name: json_tree(value) for name, value in answer.bindings.items()}))


def _raw(report: Report) -> None:
    for answer in _answers(report):
        click.echo(" ".join(value if isinstance(value, str) else compact(value) for _, value in answer.values))


def _answers(report: Report) -> Sequence[Answer]:
    report_errors(report.errors)
    return () if report.errors else report.answers


# For people


def _pretty(report: Report) -> None:
    click.echo(trace_text(report.explanation), nl=False)
    if report.errors:
        report_errors(report.errors)
    elif not report.answers:
        click.echo("undefined")
    else:
        _pretty_answers(report.answers)
    for part in (
        _metrics(report.metrics),
        _profile(report),
        _aggregated_metrics(report.aggregated_metrics),
        _aggregated_profile(report),
        _coverage(report),
    ):
        click.echo(part, nl=False)


def _pretty_answers(answers: Sequence[Answer]) -> None:
    first = answers[0]
    if len(answers) == 1 and not first.bindings:
        values = [value for _, value in first.values]
        if len(values) == 1 or all(isinstance(value, bool) for value in values):
            click.echo(indented(json_tree(values[0])))
            return
    shown = [
        index for index, (_, value) in enumerate(first.values) if not first.bindings or not isinstance(value, bool)
    ]
    header = [*(first.values[index][0].span.text for index in shown), *first.bindings]
    click.echo(table([_cells(answer, shown) for answer in answers], header), nl=False)


def _cells(answer: Answer, shown: Sequence[int]) -> list[str]:
    values: list[Value] = [*(answer.values[index][1] for index in shown), *answer.bindings.values()]
    return [compact(value) for value in values]


def _metrics(metrics: Mapping[str, int]) -> str:
    if not metrics:
        return ""
    return table([(name, str(value)) for name, value in metrics.items()], ("Metric", "Value"))


def _aggregated_metrics(metrics: Mapping[str, Mapping[str, float]]) -> str:
    if not metrics:
        return ""
    rows = [(name, *(number_text(spread[key]) for key in STATISTICS)) for name, spread in metrics.items()]
    return table(rows, ("Metric", *map(str.title, STATISTICS)))


def number_text(value: float) -> str:
    """A number as Go prints it."""
    return str(value) if isinstance(value, int) else VERBS["v"](value, None)


def _profile(report: Report) -> str:
    if not report.profile:
        return ""
    return table([(duration(line.time_ns), *_counts(line)) for line in report.profile], ("Time", *COUNTS))


COUNTS: Final = ("Num Eval", "Num Redo", "Num Gen Expr", "Location")


def _counts(line: ProfileLine) -> tuple[str, ...]:
    return str(line.evaluated), str(line.redone), str(line.pieces), line.place


def _aggregated_profile(report: Report) -> str:
    if not report.aggregated_profile:
        return ""
    rows = [
        (*(duration(int(each.times[key])) for key in STATISTICS), *_counts(each.line))
        for each in report.aggregated_profile
    ]
    return table(rows, (*map(str.title, STATISTICS), *COUNTS))


def duration(nanoseconds: int) -> str:
    """A time as Go prints it: `1.5µs`."""
    for unit, size in UNITS.items():
        if nanoseconds >= size:
            return f"{nanoseconds / size:.9f}".rstrip("0").rstrip(".") + unit
    return "0s"


UNITS: Final = {"s": 10**9, "ms": 10**6, "µs": 10**3, "ns": 1}


def _coverage(report: Report) -> str:
    if report.coverage is None:
        return ""
    return table([("Overall Coverage", f"{report.coverage.percentage:.2f}")])


FORMATS: Final[Mapping[str, Callable[[Report], None]]] = {
    "json": _json,
    "values": _values,
    "bindings": _bindings,
    "pretty": _pretty,
    "raw": _raw,
    "discard": _discard,
}
