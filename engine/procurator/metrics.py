"""How long the parts of a query take, named as OPA names them."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

LOAD_FILES: Final = "rego_load_files"
LOAD_BUNDLES: Final = "rego_load_bundles"
MODULE_PARSE: Final = "rego_module_parse"
MODULE_COMPILE: Final = "rego_module_compile"
QUERY_PARSE: Final = "rego_query_parse"
QUERY_COMPILE: Final = "rego_query_compile"
QUERY_EVAL: Final = "rego_query_eval"
CODE_MAKE: Final = "procurator_code_make"
"""Making and loading Python code, a part of `QUERY_COMPILE` that OPA has not."""


class Metrics:
    """Timers by name; the times of one name add up."""

    def __init__(self) -> None:
        self._spent: dict[str, int] = {}

    @contextmanager
    def timer(self, name: str) -> Iterator[None]:
        """Count the time of what runs inside."""
        start = time.perf_counter_ns()
        try:
            yield
        finally:
            self._spent[name] = self._spent.get(name, 0) + time.perf_counter_ns() - start

    def all(self) -> dict[str, int]:
        """The nanoseconds by the names that reports have, sorted."""
        return {f"timer_{name}_ns": self._spent[name] for name in sorted(self._spent)}


PERCENTILES: Final = {"75%": 0.75, "90%": 0.9, "95%": 0.95, "99%": 0.99, "99.9%": 0.999, "99.99%": 0.9999}


def statistics(values: Sequence[int]) -> dict[str, float]:
    """How values of one timer are spread, as OPA reports it."""
    ordered = sorted(values)
    mean = sum(ordered) / len(ordered)
    told: dict[str, float] = {name: _percentile(ordered, share) for name, share in PERCENTILES.items()}
    return told | {
        "count": len(ordered),
        "max": ordered[-1],
        "mean": mean,
        "median": _percentile(ordered, 0.5),
        "min": ordered[0],
        "stddev": math.sqrt(sum((value - mean) ** 2 for value in ordered) / len(ordered)),
    }


def _percentile(ordered: Sequence[int], share: float) -> float:
    place = share * (len(ordered) + 1)
    if place < 1:
        return ordered[0]
    if place >= len(ordered):
        return ordered[-1]
    lower, upper = ordered[int(place) - 1], ordered[int(place)]
    return lower + (place - int(place)) * (upper - lower)


def aggregated(runs: Sequence[Mapping[str, int]]) -> dict[str, dict[str, float]]:
    """The spread of each timer over several runs."""
    return {name: statistics([run[name] for run in runs if name in run]) for name in runs[0]}
