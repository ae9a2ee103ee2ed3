"""Bounds on an evaluation: what a policy may take before it is stopped."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NoReturn

from procurator.values import Set, Value, value_of
from procurator_rules.errors import PolicyError

CANCELLED: Final = "eval_cancel_error"

CLOCK_INTERVAL: Final = 10_000
"""Steps after which the clock is looked at again."""

BOUNDLESS: Final = 1 << 62

TEXT: Final = 64
"""Characters that a built-in may make for one step."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may take; None is no limit. What takes more ends in `eval_cancel_error`.

    Attributes:
        steps: members of collections that loops visit, calls of functions of the policy, and what built-ins make that
            can grow without end: a step for each member, or for 64 characters.
        seconds: time on the clock.
        depth: levels of collections in the result.
        output: size of the result: one for each value in it, and one for each character of its strings.
    """

    steps: int | None = None
    seconds: float | None = None
    depth: int | None = None
    output: int | None = None

    @property
    def of_work(self) -> bool:
        """Whether there is a limit on what an evaluation does."""
        return self.steps is not None or self.seconds is not None

    @property
    def of_result(self) -> bool:
        """Whether there is a limit on what an evaluation gives."""
        return self.depth is not None or self.output is not None


class Meter:
    """Counts what an evaluation takes.

    Generated code counts down `left` by itself and calls `stop` below zero.

    Attributes:
        left: steps until the next look at the limits.
    """

    __slots__ = ("_before", "_deadline", "_given", "_limits", "left")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._before = 0
        self._deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
        self._give()

    def _give(self) -> None:
        steps = self._limits.steps
        left = BOUNDLESS if steps is None else steps - self._before
        self.left = self._given = left if self._deadline is None else min(left, CLOCK_INTERVAL)

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            PolicyError: `eval_cancel_error`, a limit is passed.
        """
        self.left -= steps
        if self.left < 0:
            self.stop()

    def stop(self) -> None:
        """Stop the evaluation if a limit is passed; otherwise there is more to spend."""
        self._before += self._given - self.left
        steps = self._limits.steps
        if steps is not None and self._before > steps:
            _stopped(f"it took more than {steps} steps")
        self.look()
        self._give()

    def look(self) -> None:
        """Look at the clock."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            _stopped(f"it took more than {self._limits.seconds:g} seconds")

    def grown(self, value: Value) -> Value:
        """Count what a built-in has made."""
        self.spend(_steps_of(value))
        return value

    def each(self, values: Iterator[Value]) -> Iterator[Value]:
        """Count values that come one by one."""
        for value in values:
            self.spend(1)
            yield value


class LargerError(Exception):
    """There is more than was foreseen where steps are not counted."""


def few(most: int, collection: Value) -> Value:
    """What a loop is about to visit.

    Raises:
        LargerError: it has more members than foreseen.
    """
    if not isinstance(collection, (list, dict, Set)):
        if not isinstance(collection, Iterator):
            return collection
        # A relation, such as `walk`, gives its outcomes one by one.
        collection = list(islice(collection, most + 1))
    if len(collection) > most:
        raise LargerError
    return collection


def grown(most: int, value: Value) -> Value:
    """What a built-in has made.

    Raises:
        LargerError: it is larger than foreseen.
    """
    if _steps_of(value) > most:
        raise LargerError
    return value


def _steps_of(value: Value) -> int:
    """What a built-in has taken to make a value."""
    if type(value) is str:
        return len(value) // TEXT
    return len(value) if type(value) in (list, dict, Set) else 0


def check_result(limits: Limits, value: Value) -> Value:
    """The value, if it is within the limits of results.

    Raises:
        PolicyError: `eval_cancel_error`, it is too large or nested too deeply.
    """
    check_results(limits, (value,))
    return value


def check_results(limits: Limits, values: Iterable[Value]) -> None:
    """Stop where several values together are beyond the limits of results."""
    left = BOUNDLESS if limits.output is None else limits.output
    deepest = BOUNDLESS if limits.depth is None else limits.depth
    waiting = [(value, 0) for value in values]
    while waiting:
        current, depth = waiting.pop()
        left -= 1 + (len(current) if type(current) is str else 0)
        if type(current) in (list, dict, Set):
            # What is waiting counts too: it must not become large itself.
            if left < len(current):
                left = -1
            elif depth >= deepest:
                _stopped(f"the result has more than {deepest} levels")
            else:
                waiting += [(member, depth + 1) for member in _members(current)]
        if left < 0:
            _stopped(f"the result is larger than {limits.output}")


def _members(value: Value) -> Iterator[Value]:
    if type(value) is list:
        yield from value
    elif type(value) is Set:
        yield from value.items.values()
    else:
        yield from map(value_of, value)
        yield from value.values()


def _stopped(reason: str) -> NoReturn:
    raise PolicyError(CANCELLED, f"evaluation stopped: {reason}")
