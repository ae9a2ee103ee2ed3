"""A query with the value of each of its lines, which is what `eval` reports of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from procurator.compile.plan import Program
from procurator.engine import Engine, variables_of
from procurator.environment import Row
from procurator.values import Value
from procurator_rules.ast_locations import line_extent
from procurator_rules.checks import CheckedQuery, check_query
from procurator_rules.checks.program import function_name
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.expressions import operator_ref
from procurator_rules.nodes import (
    Body,
    Call,
    Comprehension,
    Every,
    Expr,
    Import,
    LogicalAnd,
    LogicalOr,
    Not,
    Package,
    Ref,
    SomeDecl,
    String,
    Var,
)
from procurator_rules.spans import Span
from procurator_rules.visitor import children

STATEMENTS: Final = (SomeDecl, Every, Not, LogicalAnd, LogicalOr)
BINDING: Final = frozenset({"assign", "eq"})


@dataclass(frozen=True)
class Line:
    """A line of the query, and the variable that holds its value; None for what has none, and so is true."""

    span: Span
    variable: str | None


@dataclass(frozen=True)
class Answer:
    """One way in which the query holds: the value of each line, and those of its variables."""

    values: tuple[tuple[Line, Value], ...]
    bindings: dict[str, Value]


@dataclass(frozen=True)
class Question:
    """A query ready to be compiled.

    Attributes:
        body: the query as it was asked.
        query: the query with a variable for the value of each line.
        lines: the lines in the order of evaluation.
    """

    body: Body
    query: CheckedQuery
    lines: tuple[Line, ...]

    def program(self, engine: Engine) -> Program:
        """The plan, before the passes."""
        captured = {line.variable: line.variable for line in self.lines if line.variable is not None}
        return engine.plan(self.query, {**variables_of(self.query.body), **captured})

    def answers(self, program: Program, rows: Sequence[Row]) -> list[Answer]:
        """What rows of the outputs of the program mean."""
        names = [name for name, _ in program.outputs]
        captured = {line.variable for line in self.lines}
        found = []
        for row in rows:
            values = dict(zip(names, row, strict=True))
            shown = tuple((line, True if line.variable is None else values[line.variable]) for line in self.lines)
            found.append(Answer(shown, {name: values[name] for name in sorted(values) if name not in captured}))
        return found


def ask(body: Body, engine: Engine, imports: tuple[Import, ...] = (), package: Package | None = None) -> Question:
    """Check a query, and arrange for the values of its lines.

    Raises:
        PolicyError: the query is wrong; PolicyErrors for several mistakes.
    """
    if not body:
        raise PolicyError(COMPILE, "empty query cannot be compiled")
    names = _Names(engine, imports, package)
    captured = {number: f"$term{number}" for number, expr in enumerate(body) if names.has_value(expr)}
    lines = [_capture(expr, captured[number]) if number in captured else expr for number, expr in enumerate(body)]
    if len(body) > 1 or any(_iterates(expr, engine) for expr in body):
        lines += [Expr(Var(name, span=body[number].span), span=body[number].span) for number, name in captured.items()]
    query = check_query(tuple(lines), engine.checked, imports, package)
    by_place = {expr.span: captured.get(number) for number, expr in enumerate(body)}
    ordered = dict.fromkeys(expr.span for expr in query.body if expr.span in by_place)
    extents = {expr.span: line_extent(expr, operand=False) for expr in body}
    return Question(body, query, tuple(Line(extents[span], by_place[span]) for span in ordered))


def _capture(expr: Expr, name: str) -> Expr:
    """`name = term` for a line that is a term."""
    term = expr.term
    assert not isinstance(term, STATEMENTS)  # noqa: S101  # statements have no value
    call = Call(operator_ref("eq", term.span), (Var(name, span=term.span), term), infix=True, span=term.span)
    return Expr(call, withs=expr.withs, span=expr.span)


class _Names:
    """Finds out which lines have a value: all but statements, equations and calls that yield none."""

    def __init__(self, engine: Engine, imports: tuple[Import, ...], package: Package | None) -> None:
        self.program = engine.checked.program
        self.builtins = engine.checked.options.capabilities.builtins
        self.imports = {one.name: one.path for one in imports}
        self.package = package

    def has_value(self, expr: Expr) -> bool:
        if expr.negated or isinstance(expr.term, STATEMENTS):
            return False
        if not isinstance(expr.term, Call):
            return True
        name = function_name(expr.term.operator)
        if name in BINDING or (name in self.builtins and "result" not in _declaration(self.builtins[name])):
            return False
        arities = {self.program.arity(operator) for operator in self._meanings(expr.term.operator)} - {-1}
        return not arities or len(expr.term.args) in arities

    def _meanings(self, operator: Ref) -> Iterator[Ref]:
        yield operator
        head, *rest = operator.terms
        if isinstance(head, Var) and isinstance(path := self.imports.get(head.name), Ref):
            yield Ref((*path.terms, *rest))
        if isinstance(head, Var) and self.package is not None:
            yield Ref((*self.package.path.terms, String(head.name), *rest))


def _declaration(entry: Any) -> Any:
    return entry["decl"]


def _iterates(node: Any, engine: Engine) -> bool:
    """Whether a line may hold in several ways: it looks things up by a variable, or calls a relation."""
    if isinstance(node, Comprehension):
        return False
    if isinstance(node, Ref) and any(isinstance(term, Var) for term in node.terms[1:]):
        return True
    if isinstance(node, Call):
        entry = engine.checked.options.capabilities.builtins.get(function_name(node.operator), {})
        if entry.get("relation"):
            return True
    return any(_iterates(child, engine) for child in children(node))


def records(answers: Sequence[Answer], tree: Any) -> list[dict[str, Any]]:
    """What OPA's JSON says of answers; tree turns values into JSON."""
    return [_record(answer, tree) for answer in answers]


def _record(answer: Answer, tree: Any) -> dict[str, Any]:
    expressions = [
        {"value": tree(value), "text": line.span.text, "location": {"row": line.span.row, "col": line.span.column}}
        for line, value in answer.values
    ]
    bindings = {name: tree(value) for name, value in answer.bindings.items()}
    return {"expressions": expressions} | ({"bindings": bindings} if bindings else {})
