"""A query evaluated in every way: by generated code and by the interpreter, before the passes and after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from procurator.engine import Engine, variables_of
from procurator.query import INTERNAL, CompiledQuery
from procurator.runtime.interpreter import interpret
from procurator.values import Key, Value, key_of
from procurator_rules.checks import check_query
from procurator_rules.errors import PolicyError
from procurator_rules.parser import parse_query
from procurator_rules.spans import Location

CRASH = "crash"

Rows = Sequence[Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Failure:
    """An evaluation that ends in an error."""

    code: str
    message: str
    location: Location | None

    @property
    def is_crash(self) -> bool:
        """Whether no policy should be able to bring this about."""
        return self.code in (CRASH, INTERNAL)


@dataclass(frozen=True, slots=True)
class Course:
    """What an evaluation gives, and what could be seen on its way.

    Attributes:
        result: the rows in their order, each value by its canonical key; or how it failed.
        rules: the numbers of the rules that held.
        printed: what `print` wrote.
    """

    result: tuple[Key, ...] | Failure
    rules: frozenset[int]
    printed: tuple[str, ...]


Evaluate = Callable[[CompiledQuery, Value, list[int]], Rows]


def run_code(query: CompiledQuery, document: Value, trace: list[int]) -> Rows:
    """The rows that generated code gives."""
    return query.rows(document, trace=trace)


def run_plan(query: CompiledQuery, document: Value, trace: list[int]) -> Rows:
    """The rows that the interpreter gives."""
    return interpret(query.program, query.environment, document, trace=trace)


EVALUATORS: Mapping[str, Evaluate] = {"code": run_code, "plan": run_plan}


def plans(engine: Engine, query: str) -> Mapping[str, CompiledQuery]:
    """A query compiled without the passes and with them."""
    optimised = engine.compiled(query)
    checked = check_query(parse_query(query), engine.checked)
    plain = CompiledQuery(engine.plan(checked, variables_of(checked.body)), engine.environment)
    return {"plain": plain, "optimised": optimised}


def result(rows: Callable[[], Rows]) -> tuple[Key, ...] | Failure:
    """What running a query gives; an exception that is no error of the policy is told apart by its code."""
    try:
        return tuple(key_of(list(row)) for row in rows())
    except PolicyError as error:
        return Failure(error.code, error.message, error.location)
    except Exception as error:  # a crash is to be seen with the policy and the other evaluations
        return Failure(CRASH, repr(error), None)


def course(evaluate: Evaluate, query: CompiledQuery, document: Value) -> Course:
    """What one way of evaluating gives for an input."""
    trace: list[int] = []
    printed: list[str] = []
    environment = replace(query.environment, print_to=lambda text, _span: printed.append(text))
    listening = CompiledQuery(query.program, environment)
    found = result(lambda: evaluate(listening, document, trace))
    return Course(found, frozenset(trace), tuple(printed))
