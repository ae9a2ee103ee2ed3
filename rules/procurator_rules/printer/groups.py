"""What of a text can be kept as it was written, and which of it is kept around comments that have no place."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from procurator_rules.printer.comments import Comments
from procurator_rules.printer.places import Place

TERM: Final = 0
PART: Final = 1
EXPRESSION: Final = 2
RULE: Final = 3


class State(NamedTuple):
    """What a page goes back to before it keeps a text."""

    lines: int
    line: list[str] | None
    parts: int
    depth: int
    next: int
    waiting: int | None
    held: bool
    fixed: Place | None


class Group(NamedTuple):
    """Something that can be kept as it was written.

    Attributes:
        kind: the outermost `TERM` around comments is kept, but none around a `PART` of a reference or an `EXPRESSION`;
            an expression or a `RULE` only if no term inside can be.
        height: how many pieces wait for what comes after it.
        before: the state of the page when it began.
    """

    kind: int
    start: int
    end: int
    last_row: int
    height: int
    before: State

    def covers(self, comment: int | None, comments: Comments) -> bool:
        """Whether a comment stands in it or ends its last row."""
        if comment is None:
            return True
        return self.start <= comments.starts[comment] and comments.rows[comment] <= self.last_row

    def displaces(self, comments: Comments) -> bool:
        """Whether keeping it would lose a comment or repeat one.

        One before it may have had no place yet when it began, one inside may have had its place already, and one may
        wait for the end of the line that the group's last comment ends.
        """
        starts, next_, waiting = comments.starts, self.before.next, self.before.waiting
        if next_ < len(starts) and starts[next_] < self.start:
            return True
        if waiting is not None and not self.covers(waiting, comments) and comments.ends_row(self.last_row):
            return True
        return next_ > 0 and starts[next_ - 1] >= self.start and next_ - 1 != waiting


def group_around(groups: Sequence[Group], first: int | None, last: int | None, comments: Comments) -> int | None:
    """The place of the group to keep for two comments, or, without comments, for what is being written."""
    best: int | None = None
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if best is not None and group.kind >= EXPRESSION:
            break
        if group.covers(first, comments) and group.covers(last, comments) and not group.displaces(comments):
            best = place
        if best is not None and group.kind >= PART:
            break
    return best
