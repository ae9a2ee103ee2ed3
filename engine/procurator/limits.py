"""Bounds on an evaluation: what a policy may take before it is stopped."""

import time
from dataclasses import dataclass

from procurator_rules.errors import PolicyError

CANCELLED = "eval_cancel_error"
CLOCK_INTERVAL = 10_000
"""Steps after which the clock is looked at again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may take; None is no limit.

    Attributes:
        steps: members of collections visited by loops.
        seconds: time on the clock.
        output: members of collections in the result.
    """

    steps: int | None = None
    seconds: float | None = None
    output: int | None = None


class Meter:
    """Counts what an evaluation has taken."""

    __slots__ = ("_deadline", "_limits", "_next", "spent")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.spent = 0
        self._deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
        self._next = 0 if limits.seconds is not None else limits.steps or 0

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            PolicyError: `eval_cancel_error`, a limit is passed.
        """
        self.spent += steps
        if self.spent >= self._next:
            self._check()

    def _check(self) -> None:
        steps = self._limits.steps
        if steps is not None and self.spent > steps:
            raise PolicyError(CANCELLED, f"evaluation stopped: it took more than {steps} steps")
        if self._deadline is not None:
            if time.monotonic() > self._deadline:
                seconds = self._limits.seconds
                raise PolicyError(CANCELLED, f"evaluation stopped: it took more than {seconds:g} seconds")
            self._next = min(self.spent + CLOCK_INTERVAL, steps if steps is not None else self.spent + CLOCK_INTERVAL)
