"""One evaluation of a query: its clock, its randomness, its view of the outside, and a log of the answers it got.

Replay is a second evaluation whose `memo` already holds the logged answers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from procurator.runtime.cache import SharedCache
from procurator.values import Key, Value, key_of
from procurator_rules.spans import Span

Call: TypeAlias = tuple[str, Key]
Printer: TypeAlias = Callable[[str, Span], None]
"""Takes what a `print` shows, and where in the policy it stands."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a policy may reach beyond its input and data; by default nothing."""

    allow_hosts: frozenset[str] = frozenset()
    """Hosts `http.send` and `net.lookup_ip_addr` may reach, without port; `"*"` allows every host."""
    runtime_env: bool = False
    """Whether `opa.runtime()` shows the environment variables of the process."""
    config: Mapping[str, Value] = field(default_factory=dict)
    """The configuration `opa.runtime()` shows, without credentials and keys."""
    seed: int | None = None
    """Makes `rand.intn` and `uuid.rfc4122` repeat; without it they are unpredictable."""

    def allows(self, host: str) -> bool:
        """Whether a request to this host may leave the process."""
        return host in self.allow_hosts or "*" in self.allow_hosts


NOTHING_ALLOWED: Final = Options()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer from outside that the evaluation used."""

    name: str
    operands: tuple[Value, ...]
    result: Value


class Evaluation:
    """The state of one query: one instant, one source of randomness, one answer per nondeterministic call."""

    __slots__ = ("_now_ns", "_random", "answers", "memo", "note", "options", "print", "shared")

    def __init__(
        self,
        options: Options = NOTHING_ALLOWED,
        *,
        now_ns: int | None = None,
        memo: Mapping[Call, Value] | None = None,
        shared: SharedCache | None = None,
        note: Callable[[str], None] | None = None,
        print_to: Printer | None = None,
    ) -> None:
        self.options = options
        self._now_ns = now_ns
        self.memo: dict[Call, Value] = {} if memo is None else dict(memo)
        self.shared = shared
        self.note = note
        self.print = print_to
        self.answers: list[Answer] = []
        self._random: random.Random | None = None

    @classmethod
    def replay(cls, answers: Iterable[Answer], options: Options = NOTHING_ALLOWED) -> Evaluation:
        """An evaluation that gives the recorded answers instead of asking again."""
        return cls(options, memo={(answer.name, key_of(list(answer.operands))): answer.result for answer in answers})

    @property
    def now_ns(self) -> int:
        """The instant of the query in nanoseconds since 1970: the clock is read, and logged, on first use."""
        now: int = self.once("time.now_ns", (), self._read_clock)
        return now

    def _read_clock(self) -> int:
        return time.time_ns() if self._now_ns is None else self._now_ns

    @property
    def random(self) -> random.Random:
        """The source of randomness, of the operating system unless a seed is given."""
        if self._random is None:
            seed = self.options.seed
            self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311
        return self._random

    def record(self, name: str, operands: tuple[Value, ...], result: Value) -> None:
        """Log an answer from outside, so that the evaluation can be replayed."""
        self.answers.append(Answer(name, operands, result))

    def once(self, name: str, operands: tuple[Value, ...], ask: Callable[[], Value]) -> Value:
        """Give the answer this call got before in this query; ask and log it the first time."""
        key = (name, key_of(list(operands)))
        if key not in self.memo:
            self.memo[key] = result = ask()
            self.record(name, operands, result)
        return self.memo[key]
