"""The course of an evaluation as a trace: what was entered, evaluated, failed and left, in OPA's layout.

An expression is a step of the plan, shown by its text: one line of a policy may be several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from procurator.compile.plan import RuleInfo
from procurator.render import render
from procurator.runtime.trace import DefaultUsed, Event, Failed, RuleEntered, RuleHeld, Tried, Used
from procurator_rules.spans import NO_SPAN, Span

PADDING: Final = 4
ENTER, REDO, EVAL, FAIL, EXIT, NOTE = "Enter", "Redo", "Eval", "Fail", "Exit", "Note"
LONGEST_VALUE: Final = 200


@dataclass(frozen=True)
class Entry:
    """One line of a trace.

    Attributes:
        op: what happened.
        what: the text of the rule, expression or note.
        span: where.
        depth: how many rules are around.
        query: the number of the body; the query itself is 0.
        parent: the number of the body around it.
        used: the values that are known before an expression.
    """

    op: str
    what: str
    span: Span
    depth: int
    query: int
    parent: int
    used: tuple[Used, ...] = ()

    @property
    def place(self) -> str:
        """File and row."""
        return f"{self.span.source.name or 'query'}:{self.span.row}"

    @property
    def bars(self) -> int:
        """How far the line is moved to the right."""
        return self.depth + (self.op not in (ENTER, REDO))

    def record(self) -> dict[str, Any]:
        """What OPA's JSON says of it; expressions are shown by their text."""
        location = {"file": self.span.source.name, "row": self.span.row, "col": self.span.column}
        return {
            "Op": self.op,
            "Node": None if self.op == NOTE else self.what,
            "Location": location,
            "QueryID": self.query,
            "ParentID": self.parent,
            "Locals": [{"key": one_line(one.span.text), "value": shown(one)} for one in self.used],
            "LocalMetadata": {},
            "Message": self.what if self.op == NOTE else "",
            "Ref": None,
        }


def shown(used: Used) -> str:
    """A value as Rego source, cut off where it is long."""
    text = render(used.value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def one_line(text: str) -> str:
    """A text with all white space between its words made one blank."""
    return " ".join(text.split())


class Explanation:
    """Takes the events of an evaluation, and the notes of `trace`."""

    def __init__(self, query: Span, rules: Sequence[RuleInfo]) -> None:
        self._rules = rules
        self._entries = [Entry(ENTER, one_line(query.text), query, 0, 0, 0)]
        self._bodies = [0]
        """The numbers of the bodies around, by depth."""
        self._count = 0
        self._entered: dict[int, Entry] = {}
        self._left: set[int] = set()
        """The bodies that have held and may do so again."""
        self._last = query

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, RuleEntered):
            self._enter(event)
        elif isinstance(event, RuleHeld):
            body = self._add(EXIT, self._rules[event.rule].path, event.span, event.depth).query
            self._left.add(body)
        elif isinstance(event, Tried) and event.goes_on:
            return
        elif isinstance(event, Tried | Failed):
            self._again(event.depth)
            self._last = event.span
            op = EVAL if isinstance(event, Tried) else FAIL
            self._add(op, one_line(event.span.text), event.span, event.depth, event.used)
        elif isinstance(event, DefaultUsed):
            self._default(event)

    def note(self, text: str) -> None:
        """Take a note, which belongs to the expression that is being evaluated."""
        self._add(NOTE, text, self._last, len(self._bodies) - 1)

    def _enter(self, event: RuleEntered) -> None:
        self._count += 1
        del self._bodies[event.depth :]
        self._bodies.append(self._count)
        name = self._rules[event.rule].path
        self._entered[self._count] = self._add(ENTER, name, event.span, event.depth)

    def _default(self, event: DefaultUsed) -> None:
        self._count += 1
        del self._bodies[event.depth :]
        self._bodies.append(self._count)
        name = ".".join(("data", *event.path))
        for op in (ENTER, EXIT):
            self._add(op, name, event.span, event.depth)

    def _again(self, depth: int) -> None:
        """Say that a body is gone back to."""
        del self._bodies[depth + 1 :]
        body = self._bodies[-1]
        if body in self._left:
            self._left.discard(body)
            entered = self._entered[body]
            self._add(REDO, entered.what, entered.span, entered.depth)

    def _add(self, op: str, what: str, span: Span, depth: int, used: tuple[Used, ...] = ()) -> Entry:
        del self._bodies[depth + 1 :]
        parent = self._bodies[-2] if len(self._bodies) > 1 else 0
        entry = Entry(op, what, span if span is not NO_SPAN else self._last, depth, self._bodies[-1], parent, used)
        self._entries.append(entry)
        return entry

    def entries(self, mode: str) -> list[Entry]:
        """The trace: `full`, or only `notes` or `fails` with the rules that led there."""
        return list(MODES[mode](self._entries))


def _leading_to(op: str) -> Callable[[Sequence[Entry]], Iterator[Entry]]:
    """The entries of one kind, each after those bodies around it that were entered since the one before."""

    def chosen(entries: Sequence[Entry]) -> Iterator[Entry]:
        bodies: dict[int, Entry] = {}
        for entry in entries:
            if entry.op == op:
                path = []
                body = bodies.get(entry.query)
                while body is not None and body not in path:
                    path.append(body)
                    body = bodies.get(body.parent)
                yield from reversed(path)
                yield entry
                bodies.clear()
            elif entry.op in (ENTER, REDO):
                bodies[entry.query] = entry

    return chosen


MODES: Final[Mapping[str, Callable[[Sequence[Entry]], Iterator[Entry]]]] = {
    "full": iter,
    "notes": _leading_to(NOTE),
    "fails": _leading_to(FAIL),
}


def trace_text(entries: Sequence[Entry]) -> str:
    """A trace for people: places in a column, expressions further right the deeper they are."""
    width = max((len(entry.place) for entry in entries), default=0) + PADDING
    lines = [f"{entry.place:<{width}} {'| ' * entry.bars}{entry.op} {_told(entry)}" for entry in entries]
    return "".join(f"{line}\n" for line in lines)


def _told(entry: Entry) -> str:
    return f'"{entry.what}"' if entry.op == NOTE else entry.what
