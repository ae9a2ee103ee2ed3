r"""Regular expressions of RE2 as regular languages, as far as they are regular and simple.

RE2 decides whether a text is an expression at all. What is not read here (flags, `\b`, classes by Unicode property,
anchors in the middle) is still matched, by RE2, but cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from procurator.builtins.re2_patterns import PatternError, compile_test
from procurator.governance.scope.automata import (
    EMPTY,
    MAX_POSITIONS,
    Alt,
    Automaton,
    Chars,
    Language,
    Seq,
    Star,
    Undecided,
    all_but,
    chars,
    optional,
    size,
)

_MAX_NESTING: Final = 40
_DIGITS: Final = ((0x30, 0x39),)
_WORD: Final = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Final = ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20))
_CLASSES: Final = {
    "d": _DIGITS,
    "w": _WORD,
    "s": _SPACE,
    "D": all_but(_DIGITS).ranges,
    "W": all_but(_WORD).ranges,
    "S": all_but(_SPACE).ranges,
}
_CONTROLS: Final = {"n": 0x0A, "t": 0x09, "r": 0x0D, "f": 0x0C, "v": 0x0B, "a": 0x07}
_REPEAT: Final = re.compile(r"\{(\d{1,4})(?:(,)(\d{0,4}))?\}")
_GROUP: Final = re.compile(r"\?(?::|P?<\w+>)")
_HEX: Final = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_BEGIN: Final = re.compile(r"(?:\^|\\A)*")
_DOT: Final = all_but([(0x0A, 0x0A)])

TextTest = Callable[[str], bool]


@lru_cache(maxsize=512)
def compiled(expression: str) -> tuple[Automaton | None, TextTest]:
    """The automaton of an expression, None where it cannot be had, and the test whether it matches a whole text."""
    matcher = compile_test(expression)
    try:
        automaton = Automaton(_Reader(expression).whole())
    except Undecided:
        return None, lambda text: _matches(matcher.fullmatch, text)
    return automaton, automaton.matches


def _matches(fullmatch: Callable[[bytes], object], text: str) -> bool:
    try:
        return fullmatch(text.encode()) is not None
    except UnicodeEncodeError:  # a lone surrogate is no character to RE2
        return False


class _Reader:
    """Reads an expression that RE2 has accepted; gives up on all that has no plain meaning."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> Language:
        """The expression to its end; an anchor at an end of a branch says nothing new about a whole text."""
        branches = [self._branch(0)]
        while self._take("|"):
            branches.append(self._branch(0))
        if self.at < len(self.text):
            raise Undecided
        return branches[0] if len(branches) == 1 else Alt(tuple(branches))

    def _branch(self, depth: int) -> Language:
        if depth == 0 and (anchors := _BEGIN.match(self.text, self.at)):
            self.at = anchors.end()
            if anchors[0] and self._bounds() is not None:
                raise Undecided  # what is repeated is the anchor
        parts = list(self._parts(depth))
        return parts[0] if len(parts) == 1 else Seq(tuple(parts))

    def _parts(self, depth: int) -> Iterator[Language]:
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            if depth == 0 and self._ends():
                continue
            yield self._repeated(self._atom(depth))

    def _ends(self) -> bool:
        for anchor in ("$", r"\z"):
            after = self.at + len(anchor)
            if self.text.startswith(anchor, self.at) and self.text[after : after + 1] in ("", "|"):
                self.at = after
                return True
        return False

    def _atom(self, depth: int) -> Language:
        char = self._next()
        read = _ATOMS.get(char)
        return read(self, depth) if read else _single(ord(char))

    def group(self, depth: int) -> Language:
        if self.text.startswith("?", self.at):
            head = _GROUP.match(self.text, self.at)
            if head is None:
                raise Undecided
            self.at = head.end()
        if depth == _MAX_NESTING:
            raise Undecided
        branches = [self._branch(depth + 1)]
        while self._take("|"):
            branches.append(self._branch(depth + 1))
        if not self._take(")"):
            raise Undecided
        return Alt(tuple(branches))

    def dot(self, _depth: int) -> Language:
        return _DOT

    def unreadable(self, _depth: int) -> Language:
        raise Undecided

    def escape(self, _depth: int) -> Language:
        return Chars(self._escaped())

    def members(self, _depth: int) -> Language:
        """A class of characters, after its bracket."""
        negated = self._take("^")
        ranges = list(self._member())
        while not self._take("]"):
            ranges += self._member()
        return all_but(ranges) if negated else chars(ranges)

    def _member(self) -> tuple[tuple[int, int], ...]:
        if self.text.startswith("[:", self.at):
            raise Undecided
        low = self._one_or_class()
        if not (self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] != "]"):
            return low
        self.at += 1
        high = self._one_or_class()
        if not (_is_single(low) and _is_single(high)):
            raise Undecided
        return ((low[0][0], high[0][0]),)

    def _one_or_class(self) -> tuple[tuple[int, int], ...]:
        char = self._next()
        return self._escaped() if char == "\\" else ((ord(char), ord(char)),)

    def _escaped(self) -> tuple[tuple[int, int], ...]:
        if found := _HEX.match(self.text, self.at):
            self.at = found.end()
            code = int(found[1] or found[2], 16)
            return ((code, code),)
        char = self._next()
        if char in _CLASSES:
            return _CLASSES[char]
        if (char.isalnum() and char not in _CONTROLS) or not char.isascii():
            raise Undecided
        code = _CONTROLS.get(char, ord(char))
        return ((code, code),)

    def _repeated(self, part: Language) -> Language:
        while (bounds := self._bounds()) is not None:
            least, most = bounds
            if max(least, most or 0, 1) * size(part) > MAX_POSITIONS:
                raise Undecided
            more: tuple[Language, ...] = (Star(part),) if most is None else (_up_to(part, most - least),)
            part = Seq((part,) * least + more)
            self._take("?")
        return part

    def _bounds(self) -> tuple[int, int | None] | None:
        if found := _REPEAT.match(self.text, self.at):
            self.at = found.end()
            most = found[3] if found[2] else found[1]
            return int(found[1]), int(most) if most else None
        known = _QUANTIFIERS.get(self.text[self.at : self.at + 1])
        self.at += known is not None
        return known

    def _next(self) -> str:
        if self.at == len(self.text):
            raise Undecided
        self.at += 1
        return self.text[self.at - 1]

    def _take(self, char: str) -> bool:
        found = self.text.startswith(char, self.at)
        self.at += found
        return found


def _single(code: int) -> Chars:
    return Chars(((code, code),))


def _is_single(ranges: tuple[tuple[int, int], ...]) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _up_to(part: Language, count: int) -> Language:
    return Seq((optional(part),) * count) if count else EMPTY


_QUANTIFIERS: Final[Mapping[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}

_ATOMS: Final[Mapping[str, Callable[[_Reader, int], Language]]] = {
    "(": _Reader.group,
    "[": _Reader.members,
    ".": _Reader.dot,
    "\\": _Reader.escape,
    "^": _Reader.unreadable,
    "$": _Reader.unreadable,
}

__all__ = ["PatternError", "compiled"]
