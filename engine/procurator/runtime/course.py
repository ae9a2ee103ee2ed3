"""The course of an evaluation as counts: how often each piece of the policies was evaluated, and how often it held."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from procurator.runtime.pieces import Kind, Piece
from procurator.runtime.trace import DefaultUsed, Event, Failed, RuleEntered, RuleHeld, Tried
from procurator_rules.spans import Source, Span


@dataclass
class Tally:
    """Counts by text.

    Attributes:
        tried: evaluations.
        failed: those that gave nothing.
        entered: beginnings of rules and of their `else`s.
        held: how often these gave a value.
        defaults: how often, by path, the default of a document gave its value.
    """

    tried: Counter[Span] = field(default_factory=Counter)
    failed: Counter[Span] = field(default_factory=Counter)
    entered: Counter[Span] = field(default_factory=Counter)
    held: Counter[Span] = field(default_factory=Counter)
    defaults: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, DefaultUsed):
            self.defaults[event.path] += 1
        else:
            self._table(event)[event.span] += 1

    def _table(self, event: Tried | Failed | RuleEntered | RuleHeld) -> Counter[Span]:
        return {Tried: self.tried, Failed: self.failed, RuleEntered: self.entered, RuleHeld: self.held}[type(event)]


@dataclass
class _Attempt:
    """The events of one evaluation of a body, and whether OPA's index would have spared it."""

    depth: int
    events: list[Event]
    spared: bool = False


class Course:
    """Takes the events of an evaluation and counts them.

    Attributes:
        tally: what was evaluated.
        spared: what OPA would not have evaluated, as its index tells in advance that the rule cannot hold.
        spent: nanoseconds from each evaluation of a text to the next evaluation of any.
    """

    def __init__(self, pieces: Iterable[Piece] = ()) -> None:
        self.tally = Tally()
        self.spared = Tally()
        self.spent: Counter[Span] = Counter()
        self._indexed = frozenset(span for piece in pieces for span in piece.indexed)
        self._attempts: list[_Attempt] = []
        self._last: tuple[Span, int] | None = None

    def __call__(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, Tried):
            if event.goes_on:
                return
            self._clock(time.perf_counter_ns())
        # A body that is begun, or a default in its place, is the end of the body before it.
        ended = event.depth - isinstance(event, RuleEntered | DefaultUsed)
        while self._attempts and self._attempts[-1].depth > ended:
            self._close(self._attempts.pop())
        if isinstance(event, RuleEntered):
            self._attempts.append(_Attempt(event.depth, []))
        self._note(event)
        if isinstance(event, Tried):
            self._last = (event.span, time.perf_counter_ns())

    def end(self) -> None:
        """Note that the evaluation is over."""
        self._clock(time.perf_counter_ns())
        self._last = None
        while self._attempts:
            self._close(self._attempts.pop())

    def _note(self, event: Event) -> None:
        if not self._attempts:
            self.tally.add(event)
            return
        attempt = self._attempts[-1]
        attempt.events.append(event)
        attempt.spared |= isinstance(event, Failed) and event.span in self._indexed

    def _close(self, attempt: _Attempt) -> None:
        tally = self.spared if attempt.spared else self.tally
        for event in attempt.events:
            tally.add(event)

    def _clock(self, now: int) -> None:
        if self._last is not None:
            span, since = self._last
            self.spent[span] += now - since


class Counts(NamedTuple):
    """How often a piece was evaluated, and how often it held."""

    evaluated: int
    held: int


NEVER = Counts(0, 0)


class Reading:
    """What a tally says of pieces."""

    def __init__(self, tally: Tally, pieces: Sequence[Piece]) -> None:
        self.tally = tally
        self._pieces = pieces
        self._own = _owners(tally.tried, pieces)
        self._known: dict[Piece, Counts] = {}

    def owned(self, spans: Iterable[Span]) -> dict[Piece, list[Span]]:
        """The texts by the smallest line or part around them."""
        return _owners(spans, self._pieces)

    def counts(self, piece: Piece) -> Counts:
        """How often a piece was evaluated."""
        if piece not in self._known:
            self._known[piece] = counts = self._counted(piece)
            self._known.update({part: counts for part in piece.parts if not part.spans})
        return self._known[piece]

    def _counted(self, piece: Piece) -> Counts:
        tally = self.tally
        if piece.kind in (Kind.HEAD, Kind.BODY):
            table = tally.held if piece.kind is Kind.HEAD else tally.entered
            times = table[piece.rule] if piece.default is None else tally.defaults[piece.default]
            return Counts(times, times)
        for span in piece.spans:
            if tally.tried[span]:
                return Counts(tally.tried[span], tally.tried[span] - tally.failed[span])
        return NEVER if piece.kind is Kind.PART else self._implied(piece)

    def _implied(self, line: Piece) -> Counts:
        """What is known of a line that is no step of the plan: by its own steps, its parts, or what precedes it."""
        own = self._own.get(line)
        if own:
            tried = max(self.tally.tried[span] for span in own)
            return Counts(tried, max(tried - sum(self.tally.failed[span] for span in own), 0))
        parts = [self.counts(part).held for part in line.parts if any(map(self.tally.tried.get, part.spans))]
        if parts:
            return Counts(min(parts), min(parts))
        if not line.silent:
            return NEVER
        times = self._reached(line)
        return Counts(times, times)

    def _reached(self, line: Piece) -> int:
        if line.before is not None:
            return self.counts(line.before).held
        return self.tally.entered[line.rule] if line.around is None else self.counts(line.around).evaluated


def _owners(spans: Iterable[Span], pieces: Sequence[Piece]) -> dict[Piece, list[Span]]:
    """For each line and part the texts that stand in it and in no smaller one."""
    by_source: dict[Source, list[Piece]] = defaultdict(list)
    for piece in pieces:
        if piece.kind not in (Kind.HEAD, Kind.BODY):
            by_source[piece.whole.source].append(piece)
    ordered = {source: _Nested(found) for source, found in by_source.items()}
    owners: dict[Piece, list[Span]] = defaultdict(list)
    for span in spans:
        owner = ordered[span.source].around(span) if span.source in ordered else None
        if owner is not None:
            owners[owner].append(span)
    return owners


class _Nested:
    """The pieces of one text, to find the smallest around a span."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = sorted(pieces, key=lambda piece: (piece.whole.start, -piece.whole.end))

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.whole.start for piece in self._pieces]

    def around(self, span: Span) -> Piece | None:
        for index in range(bisect_right(self._starts, span.start) - 1, -1, -1):
            if self._pieces[index].whole.end >= span.end:
                return self._pieces[index]
        return None
