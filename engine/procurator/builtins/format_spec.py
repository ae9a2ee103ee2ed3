"""Formats of `sprintf` taken apart: texts, and directives with flags, width, precision, operand indexes and verb."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

__all__ = ["NO_VERB", "STAR", "Directive", "Format", "Style", "parse"]

STAR: Final = -1  # a width or precision that an operand gives
NO_VERB: Final = ""
_SIMPLE: Final = frozenset("dsv")
# A number with more digits behind it than this ends the format.
_MAX_NUMBER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Style:
    """How a value is laid out. `value_flags` are the flags that mean something else to `%v` than to other verbs."""

    flags: str = ""
    width: int | None = None
    precision: int | None = None
    value_flags: str = ""

    @property
    def go_syntax(self) -> bool:
        """Whether `%#v` asks for the value as Go source."""
        return "#" in self.value_flags

    def for_value(self) -> Style:
        """The style as `%v` reads it."""
        kept = self.flags.replace("#", "").replace("+", "")
        return self if kept == self.flags else replace(self, flags=kept, value_flags=self.flags)

    def pad(self, text: str, *, zeros: bool = True) -> str:
        """The text at the width, filled with spaces, or on the left with zeros where the flags say so."""
        if self.width is None:
            return text
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if zeros and "0" in self.flags else " ")

    def cut(self, text: str) -> str:
        """The text at the precision."""
        return text if self.precision is None else text[: self.precision]

    def sign(self, *, negative: bool) -> str:
        """The sign that a number shows."""
        if negative:
            return "-"
        return "+" if "+" in self.flags else " " if " " in self.flags else ""


@dataclass(frozen=True, slots=True)
class Directive:
    """One `%…`. The indexes, counted from 0, say where width, precision and verb find their operands."""

    verb: str
    style: Style
    width_index: int | None
    precision_index: int | None
    verb_index: int | None
    bad: bool
    reorders: bool

    @property
    def adjusts(self) -> bool:
        """Whether width or precision depend on the operands."""
        return self.reorders or STAR in (self.style.width, self.style.precision)


@dataclass(frozen=True, slots=True)
class Format:
    """A format taken apart. A simple one takes one operand after the other and lays none of them out."""

    pieces: tuple[str | Directive, ...]
    operands: int
    simple: bool
    reorders: bool


@lru_cache(maxsize=1024)
def parse(text: str) -> Format:
    """The texts and directives of a format."""
    pieces = _pieces(text)
    directives = [piece for piece in pieces if isinstance(piece, Directive)]
    plain = Style()
    simple = all(each.verb in _SIMPLE and each.style == plain and not each.reorders for each in directives)
    return Format(pieces, len(directives), simple, any(each.reorders for each in directives))


def _pieces(text: str) -> tuple[str | Directive, ...]:
    pieces: list[str | Directive] = []
    reader = _Reader(text)
    while reader.place < len(text):
        start = reader.place
        end = text.find("%", start)
        reader.place = len(text) if end < 0 else end + 1
        if literal := text[start:end] if end >= 0 else text[start:]:
            pieces.append(literal)
        if end >= 0:
            pieces.append(reader.directive())
    return tuple(pieces)


class _Reader:
    """Reads one directive at a time from `place` on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self._bad = False
        self._indexed = False
        self._reorders = False

    def directive(self) -> Directive:
        """The directive that begins behind its per cent sign."""
        self._bad = self._indexed = self._reorders = False
        flags = self._take("#0+- ")
        width_index = self._index()
        width = self._amount()
        if self._indexed and width not in (None, STAR):
            self._bad = True
        self._indexed = self._indexed and width != STAR
        precision_index, precision = self._precision()
        verb_index = None if self._indexed else self._index()
        verb = self.text[self.place : self.place + 1]
        self.place += 1
        style = Style(flags, width, precision)
        return Directive(verb, style, width_index, precision_index, verb_index, self._bad, self._reorders)

    def _take(self, characters: str) -> str:
        start = self.place
        while self.text[self.place : self.place + 1] in characters and self.place < len(self.text):
            self.place += 1
        return self.text[start : self.place]

    def _amount(self) -> int | None:
        if self.text.startswith("*", self.place):
            self.place += 1
            return STAR
        digits = self._take("0123456789")
        if len(digits) > 1 and int(digits[:-1]) > _MAX_NUMBER:
            self.place = len(self.text)
            return None
        return int(digits) if digits else None

    def _precision(self) -> tuple[int | None, int | None]:
        if not self.text.startswith(".", self.place) or self.place + 1 >= len(self.text):
            return None, None
        self.place += 1
        self._bad = self._bad or self._indexed
        index = self._index()
        amount = self._amount()
        self._indexed = self._indexed and amount != STAR
        return index, amount or 0

    def _index(self) -> int | None:
        """An operand index in brackets; anything else in brackets makes the directive bad."""
        self._indexed = False
        if not self.text.startswith("[", self.place):
            return None
        self._reorders = True
        end = self.text.find("]", self.place)
        closed = end >= 0 and len(self.text) - self.place >= 3
        inside = self.text[self.place + 1 : end] if closed else ""
        self.place = end + 1 if closed else self.place + 1
        if inside.isascii() and inside.isdigit() and int(inside[:-1] or 0) <= _MAX_NUMBER:
            self._indexed = True
            return int(inside) - 1
        self._bad = True
        return None
