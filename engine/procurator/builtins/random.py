"""Random numbers and UUIDs: the same arguments give the same answer for the whole query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from procurator.builtins.operands import integer, string
from procurator.runtime.context import Evaluation
from procurator.values import Value


def intn(evaluation: Evaluation, label: Value, bound: Value) -> Value:
    """A number from 0 up to the bound, without it."""
    name, limit = string(label, 1), abs(integer(bound, 2))
    if limit == 0:
        return 0
    return evaluation.once("rand.intn", (name, limit), lambda: evaluation.random.randrange(limit))


def rfc4122(evaluation: Evaluation, label: Value) -> Value:
    """A UUID of version 4."""
    return evaluation.once("uuid.rfc4122", (label,), lambda: _version_4(evaluation))


def _version_4(evaluation: Evaluation) -> str:
    return str(UUID(int=evaluation.random.getrandbits(128), version=4))


CONTEXT_TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "rand.intn": intn,
    "uuid.rfc4122": rfc4122,
}
