"""Compiled queries: run them over inputs, as often as wanted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

from procurator.compile.codegen import generate
from procurator.compile.emit import Settings
from procurator.compile.load import Loaded, bind, load, span_of
from procurator.compile.plan import Base, Program
from procurator.compile.rewrite import blocks_of, parts
from procurator.compile.shapes import Shape, shapes_of
from procurator.decision import Decision
from procurator.limits import Limits, Meter
from procurator.runtime.calls import OnError, ignore_error
from procurator.runtime.context import NOTHING_ALLOWED, Evaluation, Options
from procurator.runtime.support import EVALUATION, HEADER, UNSET, Context
from procurator.values import UNDEFINED, DepthError, Value
from procurator_rules.errors import PolicyError

INTERNAL: Final = "eval_internal_error"

Row = tuple[Value, ...]
Shapes = tuple[tuple[tuple[str, ...], Shape], ...]


@dataclass(frozen=True)
class Environment:
    """What a query is bound to.

    Attributes:
        data: the base documents.
        functions: the built-ins by name.
        contextual: those that take the evaluation first.
        on_error: what is done with errors of built-ins.
    """

    data: Value
    functions: Mapping[str, Callable[..., Value]]
    contextual: frozenset[str]
    options: Options = NOTHING_ALLOWED
    limits: Limits | None = None
    on_error: OnError = ignore_error
    print_to: Callable[..., None] | None = None


@dataclass(frozen=True)
class CompiledQuery:
    """A query over one set of base documents; threads may share it."""

    program: Program
    environment: Environment
    _loaded: dict[tuple[bool, Shapes], Loaded] = field(default_factory=dict, repr=False)

    @cached_property
    def _shapes(self) -> Shapes:
        sources = (part for block in blocks_of(self.program) for part in parts(block))
        paths = {source.path for source in sources if isinstance(source, Base)}
        return tuple(sorted(shapes_of(self.environment.data, paths).items(), key=lambda pair: pair[0]))

    def loaded(self, traced: bool = False) -> Loaded:
        """The code for data of this shape; made on first use."""
        key = (traced, self._shapes)
        if key not in self._loaded:
            environment = self.environment
            settings = Settings(
                traced=traced,
                limited=environment.limits is not None,
                prints=environment.print_to is not None,
                contextual=environment.contextual,
                shapes=dict(self._shapes),
            )
            self._loaded[key] = load(generate(self.program, settings))
        return self._loaded[key]

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return self._bound(traced=False)

    @cached_property
    def _traced(self) -> dict[str, Any]:
        return self._bound(traced=True)

    def _bound(self, traced: bool) -> dict[str, Any]:
        environment = self.environment
        loaded = self.loaded(traced)
        names = bind(loaded, environment.data, environment.functions, environment.on_error)
        names["CONTEXT"] = self._context_maker(loaded.code.size)
        names["FAILURES"] = FAILURES
        names["FAILED"] = partial(failed, loaded)
        names["DECISION"] = Decision
        names["RULES"] = self.program.rules
        return names

    def _context_maker(self, size: int) -> Callable[..., Context]:
        environment = self.environment
        limits, options, print_to = environment.limits, environment.options, environment.print_to
        places = [UNSET] * (size - HEADER)

        def make(document: Value, trace: list[int] | None = None) -> Context:
            meter = None if limits is None else Meter(limits)
            return [document, Evaluation(options, print_to=print_to), meter, trace, *places]

        return make

    def rebound(self, environment: Environment) -> "CompiledQuery":
        """The same code over other base documents."""
        return CompiledQuery(self.program, environment, self._loaded)

    def entry(self, name: str) -> Callable[..., Any] | None:
        """The function of a query that is the name of a unit: `entry` gives its value, `decide` a decision."""
        return (self._traced if name == "decide" else self._plain).get(name)

    def rows(self, document: Value, evaluation: Evaluation | None = None, trace: list[int] | None = None) -> list[Row]:
        """The values of the outputs, one row for each way in which the query holds.

        Raises:
            PolicyError: whatever the policy or its input gets wrong.
        """
        names = self._plain if trace is None else self._traced
        context = names["CONTEXT"](document, trace)
        if evaluation is not None:
            context[EVALUATION] = evaluation
        found: list[Row] = []
        try:
            names["query"](context, found.append)
        except FAILURES as error:
            raise names["FAILED"](error)  # noqa: B904  # what an unexpected exception was is for the traceback to tell
        return found


FAILURES: Final = (Exception,)
"""What is turned into an error of the policy where evaluation ends; the one boundary for what nobody expected."""


def failed(loaded: Loaded, error: Exception) -> PolicyError:
    """The error of the policy behind an exception of generated code, with its place."""
    at = span_of(error.__traceback__, loaded)
    if isinstance(error, PolicyError):
        error.locate(at)
        return error
    if isinstance(error, (RecursionError, DepthError)):
        return PolicyError(INTERNAL, "nesting is too deep to evaluate", at=at)
    return PolicyError(INTERNAL, f"{type(error).__name__}: {error}", at=at)


def only(rows: Sequence[Row]) -> Value:
    """The value of a query with one output and at most one row."""
    if not rows:
        return UNDEFINED
    return rows[0][0]
