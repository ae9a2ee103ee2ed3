"""The comments of a text, in order, and which of them still wait for a place."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from procurator_rules.nodes import Comment
from procurator_rules.spans import Source

METADATA: Final = "METADATA"

NEARBY: Final = 60
"""How many characters before a comment are looked at to see whether it has moved."""

TAIL: Final = 5
"""How many visible characters before a comment tell that it has not moved."""


class Comments:
    """Comments by their number; those from `next` on have no place yet.

    Attributes:
        texts: the comments with their `#`, without blanks at the end.
        rows: the row of each.
        starts: the offset of each.
    """

    def __init__(self, source: Source, comments: Sequence[Comment]) -> None:
        self.texts = ["#" + comment.text.rstrip() for comment in comments]
        self.rows = [comment.span.row for comment in comments]
        self.starts = [comment.span.start for comment in comments]
        self.next = 0
        self._source = source

    @property
    def left(self) -> bool:
        """Whether any has no place yet."""
        return self.next < len(self.rows)

    @property
    def next_row(self) -> int:
        """The row of the next one; 0 without one."""
        return self.rows[self.next] if self.next < len(self.rows) else 0

    def above(self, row: int) -> range:
        """Those without a place that stand above a row."""
        at = self.next
        while at < len(self.rows) and self.rows[at] < row:
            at += 1
        return range(self.next, at)

    def between(self, first: int, last: int) -> bool:
        """Whether one without a place stands below the first row and above the last."""
        at = bisect_right(self.rows, first, self.next)
        return at < len(self.rows) and self.rows[at] < last

    def ends_row(self, row: int) -> bool:
        """Whether one stands in a row, placed or not."""
        at = bisect_right(self.rows, row)
        return at > 0 and self.rows[at - 1] == row

    def skip_to(self, row: int) -> None:
        """Take those above a row for placed."""
        self.next = max(self.next, bisect_right(self.rows, row - 1))

    def is_metadata(self, at: int) -> bool:
        """Whether one begins a block of annotations."""
        first = self.starts[at] == 0 or self._source.text[self.starts[at] - 1] == "\n"
        return first and self.texts[at][1:].strip().startswith(METADATA)

    def has_moved(self, at: int, line: str) -> bool:
        """Whether one is placed behind something else than it stood behind: when read again, it may move on."""
        start = self.starts[at]
        text = self._source.text
        before = text[max(text.rfind("\n", 0, start) + 1, start - NEARBY) : start]
        return _tail(before) != _tail(line[-NEARBY:])


def _tail(text: str) -> str:
    return "".join(text.replace(",", " ").replace(";", " ").split())[-TAIL:]
