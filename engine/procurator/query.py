"""Compiled queries: run them over inputs, as often as wanted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from procurator.compile.codegen import Settings, generate
from procurator.compile.load import Loaded, bind, load, span_of
from procurator.compile.plan import Program, RuleInfo
from procurator.limits import Limits, Meter
from procurator.runtime.calls import OnError, ignore_error
from procurator.runtime.context import NOTHING_ALLOWED, Evaluation, Options
from procurator.runtime.support import UNSET
from procurator.values import UNDEFINED, DepthError, Value
from procurator_rules.errors import PolicyError

INTERNAL: Final = "eval_internal_error"

Row = tuple[Value, ...]


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
    _loaded: dict[bool, Loaded] = field(default_factory=dict, repr=False)

    def loaded(self, traced: bool = False) -> Loaded:
        """The code; made on first use."""
        if traced not in self._loaded:
            environment = self.environment
            settings = Settings(
                traced=traced,
                limited=environment.limits is not None,
                prints=environment.print_to is not None,
                contextual=environment.contextual,
            )
            self._loaded[traced] = load(generate(self.program, settings))
        return self._loaded[traced]

    @cached_property
    def _plain(self) -> dict[str, Any]:
        environment = self.environment
        return bind(self.loaded(), environment.data, environment.functions, environment.on_error)

    @cached_property
    def _traced(self) -> dict[str, Any]:
        environment = self.environment
        return bind(self.loaded(traced=True), environment.data, environment.functions, environment.on_error)

    def rebound(self, environment: Environment) -> "CompiledQuery":
        """The same code over other base documents."""
        return CompiledQuery(self.program, environment, self._loaded)

    def rows(self, document: Value, evaluation: Evaluation | None = None, trace: list[int] | None = None) -> list[Row]:
        """The values of the outputs, one row for each way in which the query holds.

        Raises:
            PolicyError: whatever the policy or its input gets wrong.
        """
        loaded = self.loaded(trace is not None)
        names = self._plain if trace is None else self._traced
        environment = self.environment
        if evaluation is None:
            evaluation = Evaluation(environment.options, print_to=environment.print_to)
        meter = None if environment.limits is None else Meter(environment.limits)
        context = [document, evaluation, meter, trace, *[UNSET] * (loaded.code.size - 4)]
        found: list[Row] = []
        try:
            names["query"](context, found.append)
        except PolicyError as error:
            error.locate(span_of(error.__traceback__, loaded))
            raise
        except (RecursionError, DepthError) as error:
            at = span_of(error.__traceback__, loaded)
            raise PolicyError(INTERNAL, "nesting is too deep to evaluate", at=at) from None
        return found


def rules_of(program: Program, trace: Sequence[int]) -> tuple[RuleInfo, ...]:
    """The rules that a trace names, each once, in the order in which they held."""
    return tuple(program.rules[number] for number in dict.fromkeys(trace))


def only(rows: Sequence[Row]) -> Value:
    """The value of a query with one output and at most one row."""
    if not rows:
        return UNDEFINED
    return rows[0][0]
