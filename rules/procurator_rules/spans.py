"""Where a piece of policy text stands: sources, spans, rows and columns, excerpts with a caret."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Source:
    """One text of a policy, with the name it is reported under."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {len(self.text)} characters)"

    @cached_property
    def line_starts(self) -> list[int]:
        """Offsets at which lines begin, ascending."""
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def row(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect_right(self.line_starts, offset)

    def location(self, offset: int, end: int | None = None) -> "Location":
        """The location of the text from offset to end (one character without end)."""
        row = self.row(offset)
        start = self.line_starts[row - 1]
        return Location(self.name, row, offset - start + 1, self, offset, offset + 1 if end is None else end)

    def line(self, row: int) -> str:
        """The text of a 1-based line, without its line break."""
        start = self.line_starts[row - 1]
        end = self.text.find("\n", start)
        return (self.text[start:] if end < 0 else self.text[start:end]).rstrip("\r")


NO_SOURCE = Source("", "")


class Span(NamedTuple):
    """A piece of a source: offsets in characters, the end not included."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters of the span."""
        return self.source.text[self.start : self.end]

    @property
    def row(self) -> int:
        """The 1-based line on which the span begins."""
        return self.source.row(self.start)

    @property
    def end_row(self) -> int:
        """The 1-based line of the span's last character."""
        return self.source.row(max(self.start, self.end - 1))

    @property
    def column(self) -> int:
        """The 1-based column, in characters, at which the span begins."""
        return self.start - self.source.line_starts[self.row - 1] + 1

    @property
    def location(self) -> "Location | None":
        """The location for an error; None for what no text stands behind."""
        return None if self.source is NO_SOURCE else self.source.location(self.start, self.end)


NO_SPAN = Span(NO_SOURCE, 0, 0)

EXCERPT_WIDTH = 160


@dataclass(frozen=True, slots=True, repr=False)
class Location:
    """File, 1-based row and 1-based column (in characters), and the text that an error underlines.

    The row and the column are those that OPA reports, often of a whole line; the text is the exact piece in question.
    """

    file: str
    row: int
    column: int
    source: Source = NO_SOURCE
    start: int = 0
    end: int = 0

    def __repr__(self) -> str:
        return f"Location({self.file!r}, {self.row}, {self.column})"

    def __str__(self) -> str:
        return f"{self.file}:{self.row}" if self.file else f"{self.row}:{self.column}"

    def excerpt(self) -> str:
        """The source line and, under it, carets below the exact text; empty without a source.

        A very long line is cut to a window around the caret. What a terminal could act on is shown escaped.
        """
        if self.source is NO_SOURCE:
            return ""
        row = self.source.row(self.start)
        text, begin = self.source.text, self.source.line_starts[row - 1]
        at = self.start - begin
        fits = len(text) - begin <= EXCERPT_WIDTH or text.find("\n", begin, begin + EXCERPT_WIDTH + 1) >= 0
        left = 0 if fits else max(0, at - EXCERPT_WIDTH // 2)
        shown = text[begin + left : begin + left + EXCERPT_WIDTH].partition("\n")[0].rstrip("\r")
        width = max(1, min(self.end - self.start, len(shown) - (at - left)))
        number = str(row)
        indent = "".join("\t" if c == "\t" else " " * len(_visible(c)) for c in shown[: at - left])
        underlined = sum(len(_visible(c)) for c in shown[at - left : at - left + width]) or 1
        return f"{number} | {_visible(shown)}\n{' ' * len(number)} | {indent}{'^' * underlined}"


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)
