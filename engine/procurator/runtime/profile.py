"""How often the lines of policies were evaluated and how long that took, in OPA's report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from procurator.metrics import statistics
from procurator.runtime.course import Course, Reading
from procurator.runtime.pieces import Kind, Piece

DEFAULT_ORDER: Final = ("total_time_ns", "num_eval", "num_redo", "file", "line")


@dataclass(frozen=True)
class ProfileLine:
    """One row of a text.

    Attributes:
        piece: the first that was evaluated there.
        time_ns: nanoseconds from each evaluation there to the next one anywhere.
        evaluated: how often something there was evaluated.
        redone: how often it held, and so was gone back to.
        pieces: how many pieces there were evaluated.
    """

    piece: Piece
    time_ns: int
    evaluated: int
    redone: int
    pieces: int

    @property
    def file(self) -> str:
        """The name of the text; the query has none."""
        return self.piece.whole.source.name

    @property
    def row(self) -> int:
        """The row."""
        return self.piece.shown.row

    @property
    def place(self) -> str:
        """The place as people read it."""
        return f"{self.file}:{self.row}" if self.file else self.piece.whole.text

    def record(self) -> dict[str, Any]:
        """What OPA's JSON says of the row."""
        return {"total_time_ns": self.time_ns, **self.counts()}

    def counts(self) -> dict[str, Any]:
        """The same without the time."""
        location = {"file": self.file, "row": self.row, "col": self.piece.shown.column}
        numbers = {"num_eval": self.evaluated, "num_redo": self.redone, "num_gen_expr": self.pieces}
        return {**numbers, "location": location}


@dataclass(frozen=True)
class ProfileSpread:
    """One row over several runs: the line of the first, and how its times are spread."""

    line: ProfileLine
    times: Mapping[str, float]

    def record(self) -> dict[str, Any]:
        """What OPA's JSON says of the row."""
        return {"total_time_ns_stats": dict(self.times), **self.line.counts()}


def profile(course: Course, pieces: Sequence[Piece], order: Sequence[str] = (), limit: int = 0) -> list[ProfileLine]:
    """The report of an evaluation.

    Args:
        course: the evaluation.
        pieces: the pieces of the policies and of the query.
        order: by what to sort, of `ORDERS`; what is not named follows in the usual order.
        limit: how many rows there are to be; 0 for all.
    """
    reading = Reading(course.tally, pieces)
    spent: dict[tuple[str, int], int] = defaultdict(int)
    for piece, spans in reading.owned(course.spent).items():
        spent[_row(piece)] += sum(course.spent[span] for span in spans)
    evaluated: dict[tuple[str, int], list[Piece]] = defaultdict(list)
    for piece in sorted(pieces, key=lambda one: one.kind is not Kind.PART):
        if piece.kind is not Kind.HEAD and reading.counts(piece).evaluated:
            evaluated[_row(piece)].append(piece)
    lines = [_line(found, spent[row], reading) for row, found in evaluated.items()]
    names = [*order, *(name for name in DEFAULT_ORDER if name not in order)]
    lines.sort(key=lambda line: [ORDERS[name](line) for name in names], reverse=True)
    return lines[:limit] if limit > 0 else lines


def _row(piece: Piece) -> tuple[str, int]:
    return piece.whole.source.name, piece.shown.row


def _line(found: Sequence[Piece], time_ns: int, reading: Reading) -> ProfileLine:
    counts = [reading.counts(piece) for piece in found]
    evaluated, redone = sum(one.evaluated for one in counts), sum(one.held for one in counts)
    return ProfileLine(found[0], time_ns, evaluated, redone, len(found))


ORDERS: Final[Mapping[str, Callable[[ProfileLine], Any]]] = {
    "total_time_ns": lambda line: line.time_ns,
    "num_eval": lambda line: line.evaluated,
    "num_redo": lambda line: line.redone,
    "num_gen_expr": lambda line: line.pieces,
    "file": lambda line: line.file,
    "line": lambda line: line.row,
}
"""What rows can be sorted by, the greatest first."""


def spread(runs: Sequence[Sequence[ProfileLine]]) -> list[ProfileSpread]:
    """The rows of the first run, with the times of all runs that have them."""
    times: dict[tuple[str, int], list[int]] = defaultdict(list)
    for run in runs:
        for line in run:
            times[line.file, line.row].append(line.time_ns)
    return [ProfileSpread(line, statistics(times[line.file, line.row])) for line in runs[0]]
