"""Whether two glob-like regular expressions have a text in common.

The expressions are sequences of characters, `.` and `[...]`, each possibly with `*` or `+`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_LAST: Final = 0x10FFFF
_MAX_STATES: Final = 1_000_000


class GlobError(ValueError):
    """A text is no glob-like expression, or the two are too long to be compared."""


class _Token(NamedTuple):
    ranges: tuple[tuple[int, int], ...]
    optional: bool = False
    repeated: bool = False

    def meets(self, other: _Token) -> bool:
        return any(low <= end and start <= high for low, high in self.ranges for start, end in other.ranges)


_Tokens = tuple[_Token, ...]
_ANY: Final = _Token(((0, _LAST),))


def intersects(first: str, second: str) -> bool:
    """Whether some text, not the empty one, matches both expressions; two empty ones count as meeting."""
    a, b = _tokens(first), _tokens(second)
    if not a and not b:
        return True
    if len(a) * len(b) > _MAX_STATES:
        raise GlobError("expressions too long to be compared")
    # A state is how far each expression has been walked, and whether a character has been taken.
    seen = {(0, 0, False)}
    pending = [(0, 0, False)]
    while pending:
        i, j, taken = pending.pop()
        if taken and i == len(a) and j == len(b):
            return True
        fresh = set(_steps(a, b, i, j, taken)) - seen
        seen |= fresh
        pending.extend(fresh)
    return False


def _steps(
    a: tuple[_Token, ...], b: tuple[_Token, ...], i: int, j: int, taken: bool
) -> Iterator[tuple[int, int, bool]]:
    if i < len(a) and a[i].optional:
        yield i + 1, j, taken
    if j < len(b) and b[j].optional:
        yield i, j + 1, taken
    if i < len(a) and j < len(b) and a[i].meets(b[j]):
        yield i + (not a[i].repeated), j + (not b[j].repeated), True


@lru_cache(maxsize=128)
def _tokens(text: str) -> _Tokens:
    return tuple(_Reader(text).tokens())


class _Reader:
    """Reads an expression; positions count characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def tokens(self) -> Iterator[_Token]:
        while self.at < len(self.text):
            char, escaped = self._next()
            if escaped:
                token = _Token(((ord(char), ord(char)),))
            elif char in "+*":
                raise self._refusal(f"flag '{char}' must be preceded by a non-flag")
            elif char == "]":
                raise self._refusal("set-close ']' with no preceding '['")
            else:
                token = _ANY if char == "." else self._set() if char == "[" else _Token(((ord(char), ord(char)),))
            yield from self._flagged(token)

    def _flagged(self, token: _Token) -> Iterator[_Token]:
        flag = self.text[self.at : self.at + 1]
        if flag == "+":
            yield token
        if flag in ("+", "*") and flag:
            self.at += 1
            token = token._replace(optional=True, repeated=True)
        yield token

    def _set(self) -> _Token:
        ranges: list[tuple[int, int]] = []
        low: int | None = None
        while self.at < len(self.text):
            char, escaped = self._next()
            if not escaped and char == "]":
                return _Token(tuple(ranges))
            if not escaped and char == "-":
                ranges.append((self._low(low), self._high(self._low(low))))
                low = None
            else:
                low = ord(char)
                ranges.append((low, low))
        raise self._refusal("found [ without matching ]")

    def _low(self, low: int | None) -> int:
        if low is None:
            raise self._refusal("range character '-' must be preceded by a Unicode character")
        return low

    def _high(self, low: int) -> int:
        if self.at >= len(self.text) - 1:
            raise self._refusal("range character '-' must be followed by a Unicode character")
        char, escaped = self._next()
        if not escaped and char in "]-":
            raise self._refusal("range character '-' cannot be followed by a special symbol")
        if ord(char) < low:
            raise self._refusal(f"range is out of order: '{char}' comes before '{chr(low)}' in Unicode")
        return ord(char)

    def _next(self) -> tuple[str, bool]:
        escaped = self.text[self.at] == "\\"
        if escaped and self.at == len(self.text) - 1:
            raise self._refusal("input ends with a \\ (escape) character")
        self.at += 1 + escaped
        return self.text[self.at - 1], escaped

    def _refusal(self, problem: str) -> GlobError:
        return GlobError(f"input:{self.text}, pos:{self.at}, {problem}: the input provided is invalid")
