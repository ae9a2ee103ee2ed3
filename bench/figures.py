"""What a benchmark prints: measurements, one a line; `MISSED` at the end of those that are beyond what is wanted."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measurement, and what it may be at the most, or at the least."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def is_fine(self) -> bool:
        """Whether it is as wanted."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def wanted(self) -> str:
        """What it may be, in words."""
        if self.most is None:
            return "" if self.least is None else f"at least {self.least:g}"
        return f"exactly {self.most:g}" if self.most == self.least else f"at most {self.most:g}"

    def __str__(self) -> str:
        missed = "" if self.is_fine else "MISSED"
        return f"{self.name:58}{self.value:11.3f} {self.unit:9}{self.wanted:16}{missed}".rstrip()


def report(figures: Iterable[Figure]) -> bool:
    """Print figures as they come; tells whether all are as wanted."""
    fine = True
    for figure in figures:
        print(figure, flush=True)
        fine = fine and figure.is_fine
    return fine
