"""Timers and how their times are spread."""

import pytest

from procurator.metrics import Metrics, aggregated, statistics

SPREADS = [
    ([5], {"min": 5, "max": 5, "mean": 5, "median": 5, "75%": 5, "99.99%": 5, "stddev": 0, "count": 1}),
    ([3, 1, 2], {"min": 1, "max": 3, "mean": 2, "median": 2, "75%": 3, "90%": 3, "count": 3}),
    ([4, 1, 2, 3], {"median": 2.5, "75%": 3.75, "90%": 4, "mean": 2.5, "stddev": 1.118033988749895}),
]


@pytest.mark.parametrize(("values", "wanted"), SPREADS)
def test_spreads_are_opas(values: list[int], wanted: dict[str, float]) -> None:
    """Percentiles lie between two values in proportion, the deviation is that of the whole."""
    found = statistics(values)
    assert {name: found[name] for name in wanted} == wanted


def test_times_of_one_name_add_up() -> None:
    metrics = Metrics()
    for name in ("b", "a", "b"):
        with metrics.timer(name):
            pass
    assert list(metrics.all()) == ["timer_a_ns", "timer_b_ns"]
    before = metrics.all()
    with metrics.timer("b"):
        pass
    assert metrics.all()["timer_a_ns"] == before["timer_a_ns"]
    assert metrics.all()["timer_b_ns"] > before["timer_b_ns"]


def test_a_timer_counts_what_ends_in_an_error() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match="x"), metrics.timer("a"):
        raise ValueError("x")
    assert list(metrics.all()) == ["timer_a_ns"]


def test_runs_are_compared_timer_by_timer() -> None:
    found = aggregated([{"a": 1, "b": 5}, {"a": 3}])
    assert (found["a"]["mean"], found["a"]["count"], found["b"]["count"]) == (2, 2, 1)
