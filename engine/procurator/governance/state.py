"""What the gateway keeps between decisions, all in one file: the log, the ledger, agents, controls, delegations."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from procurator.governance.audit.log import AuditLog
from procurator.governance.controls import Controls
from procurator.governance.delegation.lineage import Lineage
from procurator.governance.history import History
from procurator.governance.identity.agents import Agents
from procurator.governance.ledger import Ledger
from procurator.governance.store import Store

Clock = Callable[[], int]


class BudgetTime:
    """The time by which budgets come back: the clock's, but no faster than the machine runs.

    Whoever sets the machine's clock forward, even for a moment, ends approvals and tokens early, which is safe; budgets
    of a day that is not there yet are not opened. What was right when this began cannot be told from what was not.
    """

    __slots__ = ("_last", "_running", "_start")

    def __init__(self, running: Clock, now_ns: int) -> None:
        """Begin at an instant that is taken to be right.

        Args:
            running: nanoseconds since some instant, by a clock that nobody sets.
            now_ns: nanoseconds since 1970.
        """
        self._running = running
        self._start = now_ns - running()
        self._last = 0

    def __call__(self, now_ns: int) -> int:
        """The time of budgets at a time of the clock; it never goes back."""
        self._last = max(self._last, min(now_ns, self._start + self._running()))
        return self._last


def running_ns() -> int:
    """How long the machine has run, in nanoseconds; with the time that it slept, where that is known."""
    return time.monotonic_ns() if _RUNNING is None else time.clock_gettime_ns(_RUNNING)


_RUNNING: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


@dataclass(frozen=True, slots=True)
class State:
    """The parts, over one store.

    Attributes:
        store: the file.
        audit: the log.
        ledger: requests and permits.
        agents: who is registered, with which key.
        controls: kill switch and revocations.
        lineage: the children of each token.
        history: what was permitted for each prompt.
        clock: nanoseconds since 1970; it never goes back.
        budget_time: the time of budgets at a time of the clock.
    """

    store: Store
    audit: AuditLog
    ledger: Ledger
    agents: Agents
    controls: Controls
    lineage: Lineage
    history: History
    clock: Clock
    budget_time: BudgetTime

    def close(self) -> None:
        """Sign the last checkpoint and close the file, unless that was done."""
        if self.store.is_closed:
            return
        self.audit.close()
        self.store.close()


class ForwardClock:
    """A clock that never goes back: what has expired stays expired when somebody sets the machine's clock.

    As a mirror of the store it is never before the last entry of the log, whichever process wrote it.
    """

    __slots__ = ("_clock", "_last")

    def __init__(self, clock: Clock = time.time_ns) -> None:
        """Follow another clock."""
        self._clock = clock
        self._last = 0

    def reload(self, connection: sqlite3.Connection) -> None:
        """Never be earlier than the last entry of the log."""
        row = connection.execute("SELECT time_ns FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        if row is not None:
            self._last = max(self._last, row[0])

    def __call__(self) -> int:
        """Nanoseconds since 1970."""
        now = self._clock()
        if now > self._last:
            self._last = now
            return now
        return self._last
