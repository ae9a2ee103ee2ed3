"""One evaluation as `procurator eval` makes it: load, check, compile, run, and note what was asked for on the way."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from procurator.builtins import registry
from procurator.builtins.yaml_reading import YamlError, load_yaml
from procurator.cli.answers import Answer, Question, ask
from procurator.cli.eval_flags import PROFILE_LIMIT, Flags
from procurator.cli.language import chosen_capabilities
from procurator.cli.schemas import load_schemas
from procurator.cli.sources import STDIN, read_text
from procurator.compile.passes import optimised
from procurator.compile.plan import Program, RuleInfo
from procurator.data.documents import file_path
from procurator.data.problems import load_error
from procurator.engine import Engine
from procurator.limits import Limits
from procurator.loading import Policies, load_policies
from procurator.metrics import (
    CODE_MAKE,
    LOAD_BUNDLES,
    LOAD_FILES,
    MODULE_COMPILE,
    MODULE_PARSE,
    QUERY_COMPILE,
    QUERY_EVAL,
    QUERY_PARSE,
    Metrics,
)
from procurator.query import CompiledQuery, Environment, Row
from procurator.runtime.calls import ignore_error, raise_error
from procurator.runtime.context import Evaluation, Options
from procurator.runtime.course import Course
from procurator.runtime.coverage import Coverage, coverage
from procurator.runtime.explanation import Entry, Explanation
from procurator.runtime.interpreter import interpret
from procurator.runtime.pieces import pieces_of, pieces_of_query
from procurator.runtime.profile import ProfileLine, profile
from procurator.runtime.trace import Event
from procurator.values import UNDEFINED, DepthError, Value, loads
from procurator_rules.capabilities import Capabilities
from procurator_rules.checks import CheckOptions, check
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.nodes import Body, Import, Module, Package
from procurator_rules.parser import parse_module, parse_query
from procurator_rules.spans import Span

EVERY_HOST: Final = "*"


@dataclass
class Outcome:
    """What came of one evaluation.

    Attributes:
        answers: the ways in which the query holds.
        errors: why there are none, or errors of built-ins that were only to be shown.
        failed: whether an error ended the evaluation.
        metrics: the times, by name; None where they are not wanted, as are the reports that follow.
    """

    answers: list[Answer] = field(default_factory=list)
    errors: list[PolicyError] = field(default_factory=list)
    failed: bool = False
    metrics: Mapping[str, int] | None = None
    explanation: list[Entry] = field(default_factory=list)
    profile: list[ProfileLine] = field(default_factory=list)
    coverage: Coverage | None = None


@dataclass
class EvalJob:
    """What an evaluation starts from.

    Attributes:
        query: the text of the query.
        document: the input.
    """

    flags: Flags
    query: str
    document: Value
    capabilities: Capabilities
    metrics: Metrics = field(default_factory=Metrics)
    shown_errors: list[PolicyError] = field(default_factory=list)
    _modules: Mapping[str, Module] = field(default_factory=dict)

    def run(self) -> Outcome:
        """Do all of it once."""
        self.metrics, self.shown_errors = Metrics(), []
        outcome = Outcome()
        try:
            outcome.answers = self._answers(outcome)
        except PolicyError as error:
            outcome.failed = True
            outcome.errors.append(error)
        outcome.errors += self.shown_errors
        if self.flags.measures:
            outcome.metrics = self.metrics.all()
        return outcome

    def code(self) -> str:
        """The Python code that the query runs as."""
        question, engine = self._question()
        return self._compiled(question.program(engine), engine).loaded().code.text

    def _answers(self, outcome: Outcome) -> list[Answer]:
        question, engine = self._question()
        with self.metrics.timer(QUERY_COMPILE):
            program = question.program(engine)
        if self.flags.instrumented:
            return question.answers(program, self._followed(question, program, engine, outcome))
        with self.metrics.timer(QUERY_COMPILE):
            compiled = self._compiled(program, engine)
        with self.metrics.timer(QUERY_EVAL):
            return question.answers(program, compiled.rows(self.document))

    def _followed(self, question: Question, program: Program, engine: Engine, outcome: Outcome) -> list[Row]:
        """The rows, by the interpreter, which tells what happens."""
        instruments = Instruments(self.flags, question.body, self._modules, program.rules)
        environment = engine.environment
        evaluation = Evaluation(environment.options, print_to=print_line, note=instruments.note)
        try:
            with self.metrics.timer(QUERY_EVAL):
                return interpret(program, environment, self.document, evaluation=evaluation, record=instruments.record)
        finally:
            instruments.report(outcome)

    def _compiled(self, program: Program, engine: Engine) -> CompiledQuery:
        compiled = CompiledQuery(optimised(program), engine.environment)
        with self.metrics.timer(CODE_MAKE) if self.flags.instrument else _untimed():
            compiled.loaded()
        return compiled

    def _question(self) -> tuple[Question, Engine]:
        found = self._policies()
        self._modules = found.modules
        engine = self._engine(found)
        imports = tuple(one for text in self.flags.imports for one in self._imports(text))
        version = self.flags.rego_version
        with self.metrics.timer(QUERY_PARSE):
            body = parse_query(self.query, "", version, self.capabilities, imports)
        with self.metrics.timer(QUERY_COMPILE):
            return ask(body, engine, imports, self._package()), engine

    # What the query is asked of

    def _policies(self) -> Policies[Module]:
        flags = self.flags
        if not (flags.data or flags.bundle):
            return Policies()
        with self.metrics.timer(LOAD_FILES if flags.data else LOAD_BUNDLES):
            return load_policies(
                flags.data,
                self._parse,
                bundles=flags.bundle,
                ignore=flags.ignore,
                rego_version=flags.rego_version,
                skip_verification=True,
            )

    def _parse(self, text: str, name: str, version: int) -> Module:
        with self.metrics.timer(MODULE_PARSE):
            return parse_module(text, name, version, self.capabilities)

    def _engine(self, found: Policies[Module]) -> Engine:
        flags = self.flags
        options = CheckOptions(
            strict=flags.strict,
            capabilities=self.capabilities,
            schemas=load_schemas(flags.schema),
            path_exists=found.holds,
        )
        with self.metrics.timer(MODULE_COMPILE) if found.modules else _untimed():
            checked = check(found.modules, options)
        return Engine(checked, self._environment(found.data))

    def _environment(self, data: Mapping[str, Value]) -> Environment:
        flags = self.flags
        on_error = raise_error if flags.strict_builtin_errors else ignore_error
        return Environment(
            data,
            registry.Functions({}),
            registry.CONTEXTUAL,
            Options(frozenset(flags.allow_host), runtime_env=flags.runtime_env),
            Limits(seconds=flags.timeout) if flags.timeout else None,
            self.shown_errors.append if flags.show_builtin_errors else on_error,
            print_line,
        )

    # What the query is read with

    def _imports(self, text: str) -> tuple[Import, ...]:
        return self._header(f"package query\nimport {text}").imports

    def _package(self) -> Package | None:
        if self.flags.package is None:
            return None
        return self._header(f"package {self.flags.package}").package

    def _header(self, text: str) -> Module:
        try:
            module = parse_module(text, "", self.flags.rego_version, self.capabilities)
        except PolicyError as error:
            raise PolicyError(error.code, error.message, hint=error.hint) from None
        if module.rules:
            raise PolicyError(PARSE, "expected exactly one statement")
        return module


_untimed: Final = partial(Metrics().timer, "")


class Instruments:
    """What follows an evaluation: counts, and a trace."""

    def __init__(self, flags: Flags, query: Body, modules: Mapping[str, Module], rules: Sequence[RuleInfo]) -> None:
        self._flags = flags
        self._pieces = {name: pieces_of(module) for name, module in modules.items()}
        self._every = [*pieces_of_query(query), *(piece for found in self._pieces.values() for piece in found)]
        self._course = Course(self._every)
        self._explanation = Explanation(query[0].span, rules)

    def record(self, event: Event) -> None:
        """Take an event."""
        if self._flags.explains:
            self._explanation(event)
        if self._flags.coverage or self._flags.profiles:
            self._course(event)

    def note(self, text: str) -> None:
        """Take a note of `trace`."""
        self._explanation.note(text)

    def report(self, outcome: Outcome) -> None:
        """Say what was found out."""
        flags = self._flags
        self._course.end()
        if flags.explains:
            outcome.explanation = self._explanation.entries(flags.explain)
        if flags.profiles:
            limit = PROFILE_LIMIT if flags.profile_limit is None else flags.profile_limit
            outcome.profile = profile(self._course, self._every, flags.profile_sort, limit)
        if flags.coverage:
            outcome.coverage = coverage(self._course, self._pieces)


def print_line(text: str, _span: Span) -> None:
    """What `print` does: results are not mixed with it."""
    sys.stderr.write(f"{text}\n")


def prepare(flags: Flags) -> EvalJob:
    """Read what the command line names beside policies: the query, the input and the capabilities.

    Raises:
        PolicyError: it cannot be read.
    """
    query = read_text(STDIN) if flags.stdin else flags.query
    assert query is not None  # noqa: S101  # flags were checked
    capabilities = chosen_capabilities(flags.capabilities, flags.rego_version)
    return EvalJob(flags, query, _document(flags), capabilities)


def _document(flags: Flags) -> Value:
    if flags.stdin_input:
        return _parsed(read_text(STDIN))
    return UNDEFINED if flags.input is None else _parsed(read_text(file_path(flags.input)))


def _parsed(text: str) -> Any:
    """The value of a text that is JSON or else YAML."""
    try:
        return loads(text)
    except ValueError:
        pass
    try:
        return load_yaml(text)
    except (YamlError, DepthError) as error:
        raise load_error(f"unable to parse input: {error}") from None
