"""Tables with lines around their cells, as OPA prints them."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final
from unicodedata import combining, east_asian_width

WIDE: Final = frozenset("WF")


def table(rows: Iterable[Sequence[str]], header: Sequence[str] | None = None) -> str:
    """The rows under a header, if there is one; a cell may have several lines."""
    cells = [[_lines(cell) for cell in row] for row in rows]
    head = [] if header is None else [[_lines(cell) for cell in header]]
    widths = [max(width(line) for cell in column for line in cell) for column in zip(*head, *cells, strict=True)]
    drawn = [_border("┌┬┐", widths)]
    for row in head:
        drawn += [*_row(row, widths, centred=True), _border("├┼┤", widths)]
    for row in cells:
        drawn += _row(row, widths, centred=False)
    return "".join(f"{line}\n" for line in [*drawn, _border("└┴┘", widths)])


def width(text: str) -> int:
    """How many places of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in WIDE else 1 for char in text)


def _lines(cell: str) -> list[str]:
    return [line.strip() for line in cell.split("\n")]


def _border(corners: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join("─" * (each + 2) for each in widths) + corners[2]


def _row(cells: Sequence[Sequence[str]], widths: Sequence[int], *, centred: bool) -> list[str]:
    drawn = []
    for lines in zip_longest(*cells, fillvalue=""):
        padded = [_padded(line, each, centred) for line, each in zip(lines, widths, strict=True)]
        drawn.append("│" + "│".join(f" {text} " for text in padded) + "│")
    return drawn


def _padded(text: str, places: int, centred: bool) -> str:
    gap = places - width(text)
    before = gap // 2 if centred else 0
    return " " * before + text + " " * (gap - before)
