"""The clock: one instant for the whole query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.runtime.context import Evaluation
from procurator.values import Value


def now_ns(evaluation: Evaluation) -> Value:
    """The instant of the query in nanoseconds since 1970."""
    return evaluation.now_ns


CONTEXT_TABLE: Final[Mapping[str, Callable[..., Value]]] = {"time.now_ns": now_ns}
