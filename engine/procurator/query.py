"""Compiled queries: run them over inputs, as often as wanted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain
from typing import Any, Final, Protocol

from procurator.compile.bounds import bounded_nesting
from procurator.compile.codegen import Code, generate
from procurator.compile.cost import Cost, cost_of, most_members, most_steps
from procurator.compile.load import Loaded, bind, load, span_of
from procurator.compile.plan import Base, Program, RuleInfo
from procurator.compile.references import Settings, Steps
from procurator.compile.rewrite import blocks_of, parts
from procurator.compile.shapes import Shape, shapes_of
from procurator.decision import Decision
from procurator.environment import Environment, Row
from procurator.limits import (
    CANCELLED,
    CLOCK_INTERVAL,
    LargerError,
    Limits,
    Meter,
    check_result,
    check_results,
    few,
    grown,
)
from procurator.runtime.calls import ignore_error, raise_error
from procurator.runtime.context import Evaluation
from procurator.runtime.interpreter import explained
from procurator.runtime.support import CONFLICT, EVALUATION, HEADER, UNSET, ConflictError, Context
from procurator.values import UNDEFINED, DepthError, Value
from procurator_rules.errors import PolicyError

INTERNAL: Final = "eval_internal_error"

FEWEST: Final = 8
"""A program that foresees smaller collections than this counts steps from the start."""

Name = tuple[str, ...]
Shapes = tuple[tuple[tuple[str, ...], Shape], ...]


class Made(Protocol):
    """What running a query takes, whatever the data: made from its program, or kept in a cache."""

    @property
    def program(self) -> Program:
        """The program."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the variables whose values are wanted."""

    @property
    def bases(self) -> tuple[Name, ...]:
        """The paths of the base documents that are read."""

    @property
    def rules(self) -> Sequence[RuleInfo]:
        """The rules that decisions refer to."""

    @property
    def cost(self) -> Cost:
        """The steps it takes."""

    def code(self, settings: Settings) -> Code:
        """The code for data of a shape."""


@dataclass(frozen=True)
class FromProgram:
    """A query made from its program."""

    program: Program

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The names of the variables whose values are wanted."""
        return outputs_of(self.program)

    @cached_property
    def bases(self) -> tuple[Name, ...]:
        """The paths of the base documents that are read."""
        return bases_of(self.program)

    @property
    def rules(self) -> Sequence[RuleInfo]:
        """The rules that decisions refer to."""
        return self.program.rules

    @cached_property
    def cost(self) -> Cost:
        """The steps it takes."""
        return cost_of(self.program)

    def code(self, settings: Settings) -> Code:
        """The code for data of a shape."""
        return generate(self.program, settings)


def outputs_of(program: Program) -> tuple[str, ...]:
    """The names of a program's outputs."""
    return tuple(name for name, _ in program.outputs)


def bases_of(program: Program) -> tuple[Name, ...]:
    """The paths of the base documents that a program reads, in order."""
    sources = (part for block in blocks_of(program) for part in parts(block))
    return tuple(sorted({source.path for source in sources if isinstance(source, Base)}))


@dataclass(frozen=True)
class CompiledQuery:
    """A query over one set of base documents; threads may share it.

    Attributes:
        source: its program, or what a cache has of it.
    """

    source: Program | Made
    environment: Environment
    _loaded: dict[tuple[bool, Steps, Shapes], Loaded] = field(default_factory=dict, repr=False)
    _names: dict[tuple[bool, Steps], dict[str, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def made(self) -> Made:
        """What running it takes."""
        return FromProgram(self.source) if isinstance(self.source, Program) else self.source

    @property
    def program(self) -> Program:
        """The program."""
        return self.made.program

    @cached_property
    def _shapes(self) -> Shapes:
        shapes = shapes_of(self.environment.data, self.made.bases)
        return tuple(sorted(shapes.items(), key=lambda pair: pair[0]))

    def loaded(self, traced: bool = False, steps: Steps | None = None) -> Loaded:
        """The code for data of this shape; made on first use.

        Args:
            traced: whether it records the rules that hold.
            steps: how it keeps within the limit on steps; None for the way that suits all there is to run.
        """
        steps = self.steps if steps is None else steps
        key = (traced, steps, self._shapes)
        if key not in self._loaded:
            environment = self.environment
            settings = Settings(
                traced=traced,
                steps=steps,
                bounded=environment.limits is not None and environment.limits.of_result,
                prints=environment.print_to is not None,
                contextual=environment.contextual,
                shapes=dict(self._shapes),
            )
            with bounded_nesting():
                self._loaded[key] = load(self.made.code(settings))
        return self._loaded[key]

    @cached_property
    def steps(self) -> Steps:
        """How steps are kept within the limit, whatever is run."""
        if not self._is_limited or most_steps(self.made.cost, self.environment.data) <= self._foreseen:
            return Steps.FREE
        return Steps.COUNTED

    @property
    def _is_limited(self) -> bool:
        limits = self.environment.limits
        return limits is not None and limits.of_work

    @property
    def _foreseen(self) -> int:
        """How many steps need no counting, by the limits and the interval at which the clock is looked at."""
        limits = self.environment.limits
        return CLOCK_INTERVAL if limits is None or limits.steps is None else min(limits.steps, CLOCK_INTERVAL)

    @cached_property
    def _most(self) -> int:
        """How large a collection may be that is visited without counting."""
        return most_members(self.made.cost, self.environment.data, self._foreseen) or 0

    @cached_property
    def entry_steps(self) -> Steps:
        """How steps are kept within the limit when the value of a unit is wanted."""
        environment = self.environment
        if self.steps is Steps.FREE or self._most < FEWEST or environment.print_to is not None:
            return self.steps
        if environment.on_error not in (raise_error, ignore_error):
            return self.steps
        called = {name for name, _ in self.loaded(steps=Steps.GUARDED).code.builtins.values()}
        return self.steps if called & environment.once else Steps.GUARDED

    def _bound(self, traced: bool, steps: Steps) -> dict[str, Any]:
        key = (traced, steps)
        if key not in self._names:
            self._names[key] = self._bind(traced, steps)
        return self._names[key]

    def _bind(self, traced: bool, steps: Steps) -> dict[str, Any]:
        environment = self.environment
        loaded = self.loaded(traced, steps)
        names = bind(loaded, environment.data, environment.functions, environment.on_error)
        names["CONTEXT"] = self._context_maker(loaded.code.size, steps)
        names["FAILURES"] = FAILURES
        names["FAILED"] = partial(self._failed, loaded)
        names["DECISION"] = Decision
        names["RULES"] = self.made.rules
        if environment.limits is not None:
            names["METER"] = partial(Meter, environment.limits)
            names["RESULT"] = partial(check_result, environment.limits)
        if steps is Steps.GUARDED:
            names |= {"LARGER": LargerError, "MOST": self._most}
            names |= {"FEW": partial(few, self._most), "GROWN": partial(grown, self._most)}
            names["AGAIN"] = partial(self._counted, traced)
        return names

    def _counted(self, traced: bool, document: Value) -> Any:
        """What the entry gives for an input that turned out to be larger than foreseen."""
        return self._bound(traced, Steps.COUNTED)[_entry_name(traced)](document)

    def _context_maker(self, size: int, steps: Steps) -> Callable[..., Context]:
        environment = self.environment
        limits, options, print_to = environment.limits, environment.options, environment.print_to
        is_counted = steps is Steps.COUNTED
        places = [UNSET] * (size - HEADER)

        def make(document: Value, trace: list[int] | None = None, meter: Meter | None = None) -> Context:
            if is_counted and meter is None and limits is not None:
                meter = Meter(limits)
            return [document, Evaluation(options, print_to=print_to), meter, trace, *places]

        return make

    def _failed(self, loaded: Loaded, error: Exception, document: Value) -> PolicyError:
        if isinstance(error, ConflictError):
            return explained(error, self.program, self.environment, document)
        return failed(loaded, error)

    def rebound(self, environment: Environment) -> "CompiledQuery":
        """The same code over other base documents."""
        return CompiledQuery(self.made, environment, self._loaded)

    def entry(self, traced: bool) -> Callable[..., Any] | None:
        """The function of a query that is the name of a unit: it gives its value or, traced, a decision."""
        return self._bound(traced, self.entry_steps).get(_entry_name(traced))

    def rows(self, document: Value, evaluation: Evaluation | None = None, trace: list[int] | None = None) -> list[Row]:
        """The values of the outputs, one row for each way in which the query holds.

        Raises:
            PolicyError: whatever the policy or its input gets wrong.
        """
        names = self._bound(trace is not None, self.steps)
        context = names["CONTEXT"](document, trace)
        if evaluation is not None:
            context[EVALUATION] = evaluation
        found: list[Row] = []
        limits = self.environment.limits
        try:
            if limits is None or limits.output is None:
                names["query"](context, found.append)
            else:
                names["query"](context, partial(_add, found, limits.output))
            if limits is not None and limits.of_result:
                check_results(limits, chain.from_iterable(found))
        except FAILURES as error:
            raise names["FAILED"](error, document)  # noqa: B904  # what an unexpected exception was is for the traceback to tell
        return found


def _entry_name(traced: bool) -> str:
    return "decide" if traced else "entry"


def _add(found: list[Row], most: int, row: Row) -> None:
    """Add a row to those found, of which each takes up some of the result."""
    found.append(row)
    if len(found) > most:
        check_results(Limits(output=most), chain.from_iterable(found))


FAILURES: Final = (Exception,)
"""What is turned into an error of the policy where evaluation ends; the one boundary for what nobody expected."""


def failed(loaded: Loaded, error: Exception) -> PolicyError:
    """The error of the policy behind an exception of generated code, with its place."""
    at = span_of(error.__traceback__, loaded)
    if isinstance(error, PolicyError):
        error.locate(at)
        return error
    if isinstance(error, (RecursionError, DepthError)):
        return PolicyError(CANCELLED, "evaluation stopped: nesting is too deep", at=at)
    return PolicyError(INTERNAL, f"{type(error).__name__}: {error}", at=at)


def only(rows: Sequence[Row]) -> Value:
    """The value of a query with one output.

    Raises:
        PolicyError: it has several.
    """
    if not rows:
        return UNDEFINED
    if len(rows) > 1:
        hint = "use `query` for all of them, or a comprehension"
        raise PolicyError(CONFLICT, "a term has to have one value, this one has several", hint=hint)
    return rows[0][0]
