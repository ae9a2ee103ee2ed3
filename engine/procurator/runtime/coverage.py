"""Which pieces of policies an evaluation has evaluated, in OPA's report."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from procurator.runtime.course import Course, Reading
from procurator.runtime.pieces import Kind, Piece, Range

INDEX_EXCLUDED: Final = "index_excluded"


@dataclass(frozen=True)
class FileCoverage:
    """The report of one file.

    Attributes:
        covered: what was evaluated.
        uncovered: what was not, and whether OPA's index is why.
    """

    covered: tuple[Range, ...]
    uncovered: Mapping[Range, bool]

    @property
    def covered_lines(self) -> int:
        """How many rows have something that was evaluated."""
        return len(_rows(self.covered))

    @property
    def uncovered_lines(self) -> int:
        """How many rows have something that was not evaluated."""
        return len(_rows(self.uncovered))

    def record(self) -> dict[str, Any]:
        """What OPA's JSON says of the file."""
        uncovered = [
            _range(place) | ({"kinds": [INDEX_EXCLUDED]} if self.uncovered[place] else {})
            for place in sorted(self.uncovered)
        ]
        entries: dict[str, Any] = {
            "covered": [_range(place) for place in self.covered],
            "not_covered": uncovered,
            "covered_lines": self.covered_lines,
            "not_covered_lines": self.uncovered_lines,
            "coverage": _number(percentage(self.covered_lines, self.uncovered_lines)),
        }
        return {name: entry for name, entry in entries.items() if entry}


@dataclass(frozen=True)
class Coverage:
    """The report of all files, by name."""

    files: Mapping[str, FileCoverage]

    @property
    def covered_lines(self) -> int:
        """The rows of all files that have something that was evaluated."""
        return sum(file.covered_lines for file in self.files.values())

    @property
    def uncovered_lines(self) -> int:
        """The rows of all files that have something that was not."""
        return sum(file.uncovered_lines for file in self.files.values())

    @property
    def percentage(self) -> float:
        """How many of a hundred lines were evaluated."""
        return percentage(self.covered_lines, self.uncovered_lines)

    def record(self) -> dict[str, Any]:
        """What OPA's JSON says."""
        return {
            "files": {name: self.files[name].record() for name in sorted(self.files)},
            "covered_lines": self.covered_lines,
            "not_covered_lines": self.uncovered_lines,
            "coverage": _number(self.percentage),
        }


def coverage(course: Course, pieces: Mapping[str, Sequence[Piece]]) -> Coverage:
    """The report of an evaluation.

    Args:
        course: the evaluation.
        pieces: the pieces of each module, by its name.
    """
    every = [piece for found in pieces.values() for piece in found]
    reading, spared = Reading(course.tally, every), Reading(course.spared, every)
    return Coverage({name: _file(found, reading, spared) for name, found in pieces.items()})


def _file(pieces: Sequence[Piece], reading: Reading, spared: Reading) -> FileCoverage:
    covered = {piece.shown for piece in pieces if reading.counts(piece).evaluated}
    without_index = covered | {piece.shown for piece in pieces if spared.counts(piece).evaluated}
    is_covered, would_be = _Extent(covered), _Extent(without_index)
    told = {piece.shown for piece in pieces if piece.kind not in (Kind.PART, Kind.DECLARATION)}
    uncovered = {place: place in would_be for place in told if place not in is_covered}
    return FileCoverage(tuple(sorted(covered)), uncovered)


class _Extent:
    """Ranges, of which one may hold a place."""

    def __init__(self, places: Iterable[Range]) -> None:
        ordered = sorted(places)
        self._starts = [place[:2] for place in ordered]
        # The furthest end of all that start no later.
        self._ends = list(accumulate((place[2:] for place in ordered), max))

    def __contains__(self, place: Range) -> bool:
        before = bisect_right(self._starts, place[:2])
        return before > 0 and self._ends[before - 1] >= place[2:]


def percentage(covered: int, uncovered: int) -> float:
    """Covered lines in a hundred."""
    return 100.0 * covered / (covered + uncovered) if covered + uncovered else 0.0


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _rows(places: Iterable[Range]) -> set[int]:
    return {row for place in places for row in range(place.row, place.end_row + 1)}


def _range(place: Range) -> dict[str, Any]:
    return {"start": {"row": place.row, "col": place.column}, "end": {"row": place.end_row, "col": place.end_column}}
