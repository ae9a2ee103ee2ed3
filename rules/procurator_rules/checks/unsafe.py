"""Bodies of which no order of whole lines exists: taken apart and ordered again, or reported.

Of several unsafe variables those are reported that are to blame: a variable that would have a value if another one had
is no mistake of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from procurator_rules.checks.binding import Reader
from procurator_rules.checks.locals import is_generated
from procurator_rules.checks.mentions import outer_variables, visible_variables
from procurator_rules.checks.patterns import is_assignment, names
from procurator_rules.checks.program import Program
from procurator_rules.checks.rebuild import replace_nodes
from procurator_rules.checks.text import shown_name
from procurator_rules.nodes import (
    ArrayComprehension,
    Body,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    ObjectComprehension,
    SetComprehension,
    Term,
    Var,
)

MAX_COMPARED: Final = 100
"""How many unsafe variables of one body are compared with each other."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A line that found no place.

    Attributes:
        missing: the variables that keep it from being evaluated.
        safe: the names that have values where it stands.
    """

    line: Expr
    missing: tuple[Var, ...]
    safe: frozenset[str]


@dataclass(slots=True)
class Search:
    """The search for an order of lines that are taken apart.

    Attributes:
        unplaced: the lines for which there is no place, of this body and of those inside it.
    """

    program: Program
    unplaced: list[Unplaced] = field(default_factory=list)

    def order(self, body: Body, safe: frozenset[str]) -> Body:
        """The lines of a body in order, as far as there is one."""
        reader = Reader(self.program, set(safe))
        visible = frozenset(var.name for expr in body for var in visible_variables(expr))
        reader.visible = lambda: visible
        placed: list[Expr] = []
        stuck: list[tuple[Expr, list[Var]]] = [(expr, []) for expr in body]
        progress = True
        while stuck and progress:
            waiting: list[tuple[Expr, list[Var]]] = []
            for expr, missing in stuck:
                if missing and reader.safe.isdisjoint([var.name for var in missing]):
                    waiting.append((expr, missing))
                elif reader.read(expr):
                    placed.append(self.settled(expr, reader.closures))
                else:
                    waiting.append((expr, reader.stuck))
            progress = len(waiting) < len(stuck)
            stuck = waiting
        known = frozenset(reader.safe)
        self.unplaced += [Unplaced(expr, tuple(missing), known) for expr, missing in stuck]
        return tuple(placed)

    def settled(self, line: Expr, closures: list[tuple[Any, frozenset[str]]]) -> Expr:
        """A line with the bodies inside it in order."""
        replacements = {id(closure): CLOSURES[type(closure)](self, closure, safe, line) for closure, safe in closures}
        ordered: Expr = replace_nodes(line, replacements)
        return ordered

    def comprehension(self, node: Any, safe: frozenset[str], line: Expr) -> Any:
        """A comprehension: its head mentions what its body does."""
        self.head((node.head,), node.body, safe, line)
        return replace(node, body=self.order(node.body, safe))

    def object_comprehension(self, node: ObjectComprehension, safe: frozenset[str], line: Expr) -> ObjectComprehension:
        """An object comprehension: so do key and value."""
        self.head((node.key, node.value), node.body, safe, line)
        return replace(node, body=self.order(node.body, safe))

    def head(self, heads: tuple[Term, ...], body: Body, safe: frozenset[str], line: Expr) -> None:
        """Note the variables of a comprehension's head that nothing in its body mentions."""
        known = safe.union(var.name for expr in body for var in visible_variables(expr))
        missing = [var for head in heads for var in outer_variables(Expr(head)) if var.name not in known]
        if missing:
            self.unplaced.append(Unplaced(line, tuple(missing), known))

    def every(self, node: Every, safe: frozenset[str], _line: Expr) -> Every:
        """`every`."""
        declared = {part.name for part in (node.key, node.value) if type(part) is Var}
        return replace(node, body=self.order(node.body, safe | declared))

    def negation(self, node: Not, safe: frozenset[str], _line: Expr) -> Not:
        """`not` with a body."""
        return replace(node, body=self.order(node.body, safe))

    def logical(self, node: Any, safe: frozenset[str], _line: Expr) -> Any:
        """`and`, `or`."""
        return replace(node, left=self.order(node.left, safe), right=self.order(node.right, safe))

    def captured(self, node: Expr, safe: frozenset[str], _line: Expr) -> Expr:
        """An operand of `print` or an expression of a template string."""
        return next(iter(self.order((node,), safe)), node)


CLOSURES: Final[Mapping[type, Callable[[Search, Any, frozenset[str], Expr], Any]]] = {
    ArrayComprehension: Search.comprehension,
    SetComprehension: Search.comprehension,
    ObjectComprehension: Search.object_comprehension,
    Every: Search.every,
    Not: Search.negation,
    LogicalAnd: Search.logical,
    LogicalOr: Search.logical,
    Expr: Search.captured,
}
"""How the bodies of each kind of closure are ordered."""


def culprits(program: Program, unplaced: list[Unplaced]) -> dict[str, tuple[Expr, Var]]:
    """The unsafe variables that are to blame, each with the first line that it is missing in and its place there."""
    first: dict[str, tuple[Expr, Var]] = {}
    for one in unplaced:
        for var in one.missing:
            known = first.get(var.name)
            if known is None or _start(one.line, var) < _start(*known):
                first[var.name] = (one.line, var)
    named = {name: place for name, place in first.items() if not is_generated(name)}
    if not named:
        return first
    assigned = _assigned(unplaced)
    named = {name: place for name, place in named.items() if shown_name(name) not in assigned} or named
    if len(first) > MAX_COMPARED:
        return named
    roots = _roots(_depends(program, unplaced, frozenset(first)))
    blamed = {name: place for name, place in named.items() if name in roots}
    for name in sorted(named.keys() - blamed.keys(), key=lambda name: _start(*named[name])):
        if name not in _follow(program, unplaced, blamed):
            blamed[name] = named[name]
    return blamed or named


def _start(line: Expr, var: Var) -> tuple[int, int]:
    return (line.span.start, var.span.start)


def _assigned(unplaced: list[Unplaced]) -> frozenset[str]:
    """The names on the left of assignments: what is unsafe about them is most often on the right."""
    lines = [one.line.term for one in unplaced]
    return frozenset(shown_name(name) for term in lines if is_assignment(term) for name in names(term.args[0]))


def _depends(program: Program, unplaced: list[Unplaced], unsafe: frozenset[str]) -> dict[str, set[str]]:
    """For each unsafe variable those others that, had they values, would give it one."""
    depends: dict[str, set[str]] = {name: set() for name in unsafe}
    for one in unplaced:
        missing = frozenset(var.name for var in one.missing)
        for name in unsafe.intersection(var.name for var in outer_variables(one.line)):
            reader = _reader(program, one, (one.safe | unsafe) - {name})
            if reader.read(one.line) and name in reader.safe:
                depends[name] |= missing - {name}
    return depends


def _reader(program: Program, one: Unplaced, safe: frozenset[str]) -> Reader:
    """A reader of a line alone, whose closures need what they needed among the other lines."""
    reader = Reader(program, set(safe))
    missing = frozenset(var.name for var in one.missing)
    reader.visible = lambda: missing
    return reader


def _follow(program: Program, unplaced: list[Unplaced], blamed: Mapping[str, object]) -> set[str]:
    """The names that would have values if those that are to blame had."""
    found = set(blamed)
    while True:
        before = len(found)
        for one in unplaced:
            reader = _reader(program, one, one.safe | found)
            reader.read(one.line)
            found |= reader.safe - one.safe
        if len(found) == before:
            return found


def _roots(depends: Mapping[str, set[str]]) -> frozenset[str]:
    """The variables that depend on none, or only on such as depend on them."""
    reached = {name: _reach(depends, name) for name in depends}
    return frozenset(name for name, others in reached.items() if all(name in reached[other] for other in others))


def _reach(depends: Mapping[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = depends[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found
