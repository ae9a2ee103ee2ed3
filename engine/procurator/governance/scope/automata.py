"""Regular languages over code points: built from four shapes, matched in linear time, compared by their product.

A language becomes the automaton of its positions (Glushkov): one bit for each place where a character is read. A set of
positions is an int, so that a step is two look-ups and an `and`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import getitem
from typing import Final, TypeAlias

LAST: Final = 0x10FFFF
MAX_POSITIONS: Final = 1000

_MAX_CACHED: Final = 20_000
_START: Final = 1

Ranges: TypeAlias = "tuple[tuple[int, int], ...]"


class Undecided(Exception):  # noqa: N818  no mistake of anyone: the answer is not known within the budget
    """A question takes more steps than it was given."""


class Steps:
    """How much work may still be spent on a question."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Take steps off the budget."""
        self.left -= count
        if self.left < 0:
            raise Undecided


# Languages


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of these ranges, which are sorted and apart."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Seq:
    """One language after the other."""

    parts: tuple[Language, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """Any of several languages."""

    parts: tuple[Language, ...]


@dataclass(frozen=True, slots=True)
class Star:
    """Any number of repetitions."""

    part: Language


Language: TypeAlias = "Chars | Seq | Alt | Star"

EMPTY: Final = Seq(())
ANY_CHAR: Final = Chars(((0, LAST),))


def literal(text: str) -> Language:
    """Just this text."""
    return Seq(tuple(Chars(((ord(char), ord(char)),)) for char in text))


def optional(part: Language) -> Language:
    """The language, or nothing."""
    return Alt((part, EMPTY))


def chars(ranges: Iterable[tuple[int, int]]) -> Chars:
    """The characters of ranges in any order, which may overlap."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return Chars(tuple(merged))


def all_but(ranges: Iterable[tuple[int, int]]) -> Chars:
    """Every character that is in none of the ranges."""
    edges = [(-1, -1), *chars(ranges).ranges, (LAST + 1, LAST + 1)]
    return Chars(tuple((a[1] + 1, b[0] - 1) for a, b in pairwise(edges) if a[1] + 1 < b[0]))


def size(language: Language) -> int:
    """How many positions the automaton of a language has."""
    if isinstance(language, Chars):
        return 1
    parts = (language.part,) if isinstance(language, Star) else language.parts
    return sum(map(size, parts))


# Automata


@dataclass(frozen=True, slots=True)
class _Span:
    """What is known of a part: whether it can be empty, and the positions it begins and ends with."""

    empty: bool
    first: int
    last: int


class _Positions:
    """Numbers the positions of a language from 1, and notes which may follow which."""

    def __init__(self) -> None:
        self.ranges: list[Ranges] = [()]
        self.follow: list[int] = [0]

    def span(self, language: Language) -> _Span:
        match language:
            case Chars(ranges):
                return self._char(ranges)
            case Seq(parts):
                return reduce(self._after, map(self.span, parts), _Span(True, 0, 0))
            case Alt(parts):
                return reduce(_either, map(self.span, parts), _Span(False, 0, 0))
            case Star(part):
                inner = self.span(part)
                self._join(inner.last, inner.first)
                return _Span(True, inner.first, inner.last)

    def _char(self, ranges: Ranges) -> _Span:
        bit = 1 << len(self.ranges)
        self.ranges.append(ranges)
        self.follow.append(0)
        return _Span(False, bit, bit)

    def _after(self, a: _Span, b: _Span) -> _Span:
        self._join(a.last, b.first)
        first = a.first | b.first if a.empty else a.first
        last = a.last | b.last if b.empty else b.last
        return _Span(a.empty and b.empty, first, last)

    def _join(self, ends: int, begins: int) -> None:
        for position in _bits(ends):
            self.follow[position] |= begins


def _either(a: _Span, b: _Span) -> _Span:
    return _Span(a.empty or b.empty, a.first | b.first, a.last | b.last)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class _Group(dict[int, int]):
    """What may follow eight positions, by which of them are held; filled as it is asked."""

    def __init__(self, follow: Sequence[int]) -> None:
        super().__init__({0: 0})
        self.follow = follow

    def __missing__(self, bits: int) -> int:
        ahead = 0
        for position in _bits(bits):
            ahead |= self.follow[position]
        self[bits] = ahead
        return ahead


class _State(dict[str, "_State"]):
    """A set of positions; the next ones are found when a character is met for the first time."""

    __slots__ = ("accepting", "automaton", "mask")

    def __init__(self, automaton: Automaton, mask: int) -> None:
        super().__init__()
        self.automaton = automaton
        self.mask = mask
        self.accepting = automaton.accepts(mask)

    def __missing__(self, char: str) -> _State:
        state = self[char] = self.automaton.next_state(self.mask, char)
        return state


class Automaton:
    """A language that is ready to be matched; safe to share between threads."""

    def __init__(self, language: Language) -> None:
        if size(language) > MAX_POSITIONS:
            raise Undecided
        positions = _Positions()
        span = positions.span(language)
        self._follow = [span.first, *positions.follow[1:]]
        self._accepting = span.last | (_START if span.empty else 0)
        self.boundaries, self._masks = _alphabet(positions.ranges)
        self._groups = [_Group(self._follow[at : at + 8]) for at in range(0, len(self._follow), 8)]
        self._reach: dict[int, int] = {}
        self._forget()

    def matches(self, text: str) -> bool:
        """Whether the whole text is in the language."""
        return reduce(getitem, text, self._initial).accepting

    def accepts(self, mask: int) -> bool:
        """Whether a text that leads to these positions is in the language."""
        return mask & self._accepting != 0

    def reach(self, mask: int) -> int:
        """The positions that may come after these."""
        known = self._reach.get(mask)
        if known is None:
            if len(self._reach) > _MAX_CACHED:
                self._reach = {}
            known = 0
            for group, bits in zip(self._groups, mask.to_bytes(len(self._groups), "little"), strict=True):
                known |= group[bits]
            self._reach[mask] = known
        return known

    def reading(self, code: int) -> int:
        """The positions that read a character."""
        return self._masks[bisect_right(self.boundaries, code) - 1]

    def example(self) -> str | None:
        """A shortest text of the language; None if none was found soon."""
        seen = {_START}
        words = deque([(_START, "")])
        while words and not self.accepts(words[0][0]):
            mask, word = words.popleft()
            ahead = self.reach(mask)
            for code in self.boundaries:
                following = ahead & self.reading(code)
                if following not in seen and len(seen) < MAX_POSITIONS:
                    seen.add(following)
                    words.append((following, word + chr(code)))
        return words[0][1] if words else None

    def next_state(self, mask: int, char: str) -> _State:
        """The state after a character."""
        # What a match met is kept for the next one, but texts of strangers must not fill the memory.
        self._met += 1
        if self._met > _MAX_CACHED:
            self._forget()
        mask = self.reach(mask) & self.reading(ord(char))
        state = self._states.get(mask)
        if state is None:
            state = self._states[mask] = _State(self, mask)
        return state

    def _forget(self) -> None:
        self._met = 0
        self._states: dict[int, _State] = {}
        self._initial = _State(self, _START)


def _alphabet(positions: Sequence[Ranges]) -> tuple[list[int], list[int]]:
    """Pieces of the alphabet, of which a position reads all or nothing: where they begin, and who reads them."""
    together: dict[Ranges, int] = {}
    for position, ranges in enumerate(positions):
        together[ranges] = together.get(ranges, 0) | 1 << position
    cuts = {0, *(edge for ranges in together for low, high in ranges for edge in (low, high + 1))}
    boundaries = sorted(cuts - {LAST + 1})
    masks = [0] * len(boundaries)
    for ranges, mask in together.items():
        for low, high in ranges:
            for piece in range(bisect_right(boundaries, low) - 1, bisect_right(boundaries, high)):
                masks[piece] |= mask
    return boundaries, masks


def memberships(automata: Sequence[Automaton], steps: Steps) -> set[tuple[bool, ...]]:
    """In which of the languages a text can be at the same time: one tuple for each combination that some text has."""
    codes = sorted({code for automaton in automata for code in automaton.boundaries} | {0})
    steps.spend(len(codes) * len(automata))
    # Characters that nobody tells apart are tried once.
    letters = list(dict.fromkeys(tuple(automaton.reading(code) for automaton in automata) for code in codes))
    start = (_START,) * len(automata)
    seen = {start}
    pending = [start]
    found = set()
    while pending:
        state = pending.pop()
        found.add(tuple(a.accepts(mask) for a, mask in zip(automata, state, strict=True)))
        reach = [a.reach(mask) for a, mask in zip(automata, state, strict=True)]
        steps.spend(len(letters) * len(automata))
        for letter in letters:
            following = tuple(ahead & reads for ahead, reads in zip(reach, letter, strict=True))
            if following not in seen:
                seen.add(following)
                pending.append(following)
    return found
