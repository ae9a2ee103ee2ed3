"""The page that is being printed: pieces waiting for their turn, lines already done, and comments between them.

A writer turns one node into pieces and does not call other writers: the pieces wait on a stack, so no tree is too deep.
A piece is text, or a function with its arguments, called with the page when its turn comes; what it returns are pieces
again.

Comments have places of their own, so they are woven in while the pieces are laid out: whoever writes something that
stands in a row of the text first visits that row. Comments from rows above are written on lines of their own; the
comment that ends the row waits for the end of the printed line. Where two comments end up waiting for one line, what is
around them is kept as it was written: a group marks what can be kept so.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from procurator_rules.nodes import Body, Expr
from procurator_rules.printer.comments import NEARBY, Comments
from procurator_rules.printer.groups import Group, State, group_around
from procurator_rules.printer.places import Place, anchor, place_of_line
from procurator_rules.printer.style import Style
from procurator_rules.spans import NO_SOURCE, Source

Piece: TypeAlias = "str | tuple[Any, ...]"
"""Text, or a function and what it is called with after the page."""
Pieces: TypeAlias = Sequence[Piece] | None
LineWriters: TypeAlias = (
    "tuple[Callable[[Page, Body, bool], Pieces], Callable[[Page, Expr, bool, Place | None, bool], Pieces]]"
)
"""What writes a whole body and what writes one line of it; terms need both, and both need terms."""

TAB: Final = "\t"


class Page:
    """Lines in the making.

    Attributes:
        style: what the whole module has in common.
        source: the text that is printed anew.
        comments: its comments.
        careful: whether a comment within a line keeps the text as it was, rather than breaking the line.
        fixed: the place that everything counts as standing in, whatever its span, or None.
        settled: whether all comments came to stand after what they stood after, so that they will stay there.
    """

    def __init__(
        self, style: Style, source: Source, comments: Comments, lines: LineWriters, careful: bool = False
    ) -> None:
        self.style = style
        self.source = source
        self.comments = comments
        self.careful = careful
        self.fixed: Place | None = None
        self.settled = True
        self._write_body, self._write_line = lines
        self._lines: list[str] = []
        # The parts of the line that is begun, the first being its indentation.
        self._line: list[str] | None = None
        self._depth = 0
        self._waiting: int | None = None
        self._held = False
        self._expects_line = False
        self._kept = (-1, 0)
        self._pieces: list[Piece] = []
        self._groups: list[Group] = []

    def print(self, pieces: Sequence[Piece]) -> None:
        """Lay pieces out, and what they turn into."""
        waiting = self._pieces
        waiting.extend(reversed(pieces))
        while waiting:
            piece = waiting.pop()
            if isinstance(piece, str):
                if "\n" in piece:
                    self._note_lines()
                if self._expects_line:
                    piece = self._first_text(piece)
                if self._line is None:
                    self._line = [TAB * self._depth]
                self._line.append(piece)
            else:
                more = piece[0](self, *piece[1:])
                if more:
                    waiting.extend(reversed(more))

    def _note_lines(self) -> None:
        """Before a text of several lines: what follows will stand in another row than what is before."""
        if self._waiting is not None:
            self.free_comment()
        if not self.source.text:
            self.settled = False

    def result(self) -> str:
        """All that was printed, with one line break at the end."""
        self.end_line()
        return "\n".join(self._lines).rstrip("\n") + "\n"

    def body(self, body: Body, lead: bool = False) -> Pieces:
        """The lines of a body, each in a line of its own; with lead, a union that stands first is put in brackets."""
        return self._write_body(self, body, lead)

    def body_line(self, expr: Expr, lead: bool = False, place: Place | None = None, bare: bool = False) -> Pieces:
        """One line of a body, which with a place counts as standing there; bare, if brackets around it are written."""
        return self._write_line(self, expr, lead, place, bare)

    def row(self, node: Any) -> int:
        """The row that a node begins in; 0 where no text stands behind."""
        if self.fixed is not None:
            return self.fixed.row
        if type(node) is Expr:
            return place_of_line(node).row
        span = anchor(node)
        return 0 if span.source is NO_SOURCE else span.source.row(span.start)

    # Lines

    @property
    def in_line(self) -> bool:
        """Whether a line has been begun."""
        return self._line is not None

    def _begin(self) -> list[str]:
        if self._line is None:
            self._line = [TAB * self._depth]
        return self._line

    @property
    def _has_text(self) -> bool:
        return self._line is not None and any(part.strip() for part in self._line)

    def end_line(self) -> None:
        """End the line, if one is begun, after the comment that waits for it."""
        if self._line is None:
            return
        if self._waiting is not None and not self._held:
            self._line += (" ", self._place(self._waiting, self._line))
            self._waiting = None
        self._held = False
        self._lines.append("".join(self._line))
        self._line = None

    def blank_line(self) -> None:
        """End the line and leave one empty."""
        self.end_line()
        self._lines.append("")

    def expect_line(self) -> None:
        """Take care that the next text is not read as continuing the line before."""
        self._expects_line = True

    def _first_text(self, piece: str) -> str:
        self._expects_line = False
        return f"({piece})" if piece.startswith("-") else piece

    def indent(self) -> None:
        """Begin further lines one level deeper."""
        self._depth += 1

    def dedent(self) -> None:
        """Begin further lines one level less deep."""
        self._depth -= 1

    def set_fixed(self, place: Place | None) -> None:
        """From here on, let everything count as standing in one place; None ends that."""
        self.fixed = place

    # Comments

    @property
    def has_comments(self) -> bool:
        """Whether any comment is still to be placed."""
        return self.comments.left or self._waiting is not None

    @property
    def comment_waits(self) -> bool:
        """Whether a comment waits for the end of the line."""
        return self._waiting is not None

    def visit(self, row: int) -> None:
        """Place the comments above a row, and let the one that ends it wait for the end of the line."""
        comments = self.comments
        if self._write_above(row) and comments.next_row == row and comments.left:
            comments.next += 1
            if self._waiting is None:
                self._waiting = comments.next - 1
            else:
                self.keep_text(self._waiting, comments.next - 1)

    def visit_above(self, row: int) -> None:
        """Place the comments above a row."""
        self._write_above(row)

    def visit_word(self, row: int, word: str) -> None:
        """Visit the row of a word that begins a line, then write it; after comments OPA indents behind the word."""
        self._begin()
        self.visit(row)
        if self._line is not None:
            self._line.append(word)
        else:
            self._line = ["", word + TAB * self._depth]

    def _write_above(self, row: int) -> bool:
        """Write the comments above a row; False where that made the page keep a text as it was written."""
        above = self.comments.above(row)
        if not above:
            return True
        self.comments.next = above.stop
        if (self._waiting is not None or self.careful) and self._has_text:
            # Two comments cannot end one line.
            self.keep_text(above[0] if self._waiting is None else self._waiting, above[-1])
            return False
        self._write_comments(above)
        if row - self.comments.rows[above[-1]] > 1:
            self.blank_line()
        return True

    def _write_comments(self, which: range) -> None:
        """Write comments on lines of their own; blank lines between them stay."""
        metadata = False
        rows = self.comments.rows
        for at in which:
            begins = self.comments.is_metadata(at)
            if at > which.start:
                gap = rows[at] - rows[at - 1]
                if gap > 1 or (gap == 1 and metadata and begins):
                    self.blank_line()
                metadata = metadata and gap <= 1
            metadata = metadata or begins
            line = self._begin()
            line.append(self._place(at, line))
            self.end_line()

    def _place(self, at: int, line: Sequence[str]) -> str:
        if self.comments.has_moved(at, "".join(line[-NEARBY:])):
            self.settled = False
        return self.comments.texts[at]

    def take_comment(self, row: int) -> str:
        """The comment of a row that is reached next, with a space before it, or nothing."""
        if not self.comments.left or self.comments.next_row != row:
            return ""
        self.comments.next += 1
        return f" {self.comments.texts[self.comments.next - 1]}"

    def write_rest(self) -> None:
        """Write all comments that are left, without blank lines."""
        for at in range(self.comments.next, len(self.comments.rows)):
            self.end_line()
            self._line = ["", self._place(at, ())]
        self.end_line()

    def hold_comment(self, row: int) -> None:
        """Let the waiting comment wait for the end of the line after this one, unless others stand above its row."""
        self._held = not self.comments.above(row)

    def free_comment(self) -> None:
        """Let the comment that waits be placed by what comes next."""
        if self._waiting == self.comments.next - 1:
            self.comments.next -= 1
            self._waiting = None

    def open_braces(self, row: int) -> None:
        """After the brace of an expression in a template string: write the comments that stand above the expression."""
        above = self.comments.above(row)
        if self._waiting is not None:
            self.end_line()
        elif above:
            self._begin().append(" ")
            self._write_comments(above)
            self.comments.next = above.stop

    def close_braces(self, row: int) -> None:
        """Before the closing brace: write the comments that stand above a row."""
        above = self.comments.above(row)
        if above:
            self.end_line()
            self._write_comments(above)
            self.comments.next = above.stop

    # What is kept as it was written

    @property
    def kept_text(self) -> bool:
        """Whether the last thing written was kept as it stood."""
        return self._line is not None and self._kept == (len(self._lines), len(self._line))

    def break_after_text(self) -> None:
        """End the line if the last thing written was kept as it stood: a comment may follow. OPA does not indent."""
        if self.kept_text:
            self.end_line()
            self._line = [""]

    def open_group(self, kind: int, start: int, end: int) -> None:
        """Begin something that can be kept as it was written; `close_group` is its last piece."""
        line, comments = self._line, self.comments
        parts = len(line) if line is not None else 0
        before = State(len(self._lines), line, parts, self._depth, comments.next, self._waiting, self._held, self.fixed)
        self._groups.append(Group(kind, start, end, self.source.row(end - 1), len(self._pieces), before))

    def close_group(self) -> None:
        """End the group begun last."""
        self._groups.pop()

    def keep_text(self, first: int | None = None, last: int | None = None) -> bool:
        """Keep the text around two comments as it was written; without comments, the term that is being written.

        Returns:
            Whether anything could be kept: its pieces are gone then.
        """
        place = group_around(self._groups, first, last, self.comments)
        if place is None:
            if first is not None and last is not None:
                self._waiting = None
                self.end_line()
                self._write_comments(range(first, last + 1))
                self.comments.next = max(self.comments.next, last + 1)
            return False
        group = self._groups[place]
        del self._groups[place:]
        del self._pieces[group.height :]
        self._go_back(group)
        self._write_text(group)
        self.settled = False
        return True

    def _go_back(self, group: Group) -> None:
        before = group.before
        del self._lines[before.lines :]
        self._line = before.line[: before.parts] if before.line is not None else None
        self._depth, self.comments.next = before.depth, before.next
        self._held, self.fixed = before.held, before.fixed
        waits = before.waiting is not None and not group.covers(before.waiting, self.comments)
        self._waiting = before.waiting if waits else None

    def _write_text(self, group: Group) -> None:
        line = self._begin()
        first, *others = self.source.text[group.start : group.end].split("\n")
        line.append(first)
        for other in others:
            self._lines.append("".join(line).rstrip("\r"))
            line = ["", other]
        self._line = line
        self._kept = (len(self._lines), len(line))
        self.comments.skip_to(group.last_row)
        if self.comments.left and self.comments.next_row == group.last_row:
            self._waiting = self.comments.next
            self.comments.next += 1
