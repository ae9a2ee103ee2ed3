"""One evaluation as `procurator eval` makes it: set up, run, and note what was asked for on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from procurator.builtins.yaml_reading import YamlError, load_yaml
from procurator.cli.answers import Answer
from procurator.cli.eval_flags import Flags
from procurator.cli.eval_setup import Reader, Setup, print_line
from procurator.cli.instruments import Instruments
from procurator.cli.language import chosen_capabilities
from procurator.cli.sources import STDIN, read_text
from procurator.compile.passes import optimised
from procurator.compile.plan import Program
from procurator.data.documents import file_path
from procurator.data.problems import load_error
from procurator.environment import Row
from procurator.metrics import CODE_MAKE, QUERY_COMPILE, QUERY_EVAL, Metrics
from procurator.query import CompiledQuery
from procurator.runtime.calls import OnError, ignore_error, raise_error
from procurator.runtime.context import Evaluation
from procurator.runtime.coverage import Coverage
from procurator.runtime.explanation import Entry
from procurator.runtime.interpreter import interpret
from procurator.runtime.profile import ProfileLine
from procurator.values import UNDEFINED, DepthError, Value, loads
from procurator_rules.capabilities import Capabilities
from procurator_rules.errors import PolicyError


@dataclass
class Outcome:
    """What came of one evaluation.

    Attributes:
        answers: the ways in which the query holds.
        errors: why there are none, or errors of built-ins that were only to be shown.
        failed: whether an error ended the evaluation.
        metrics: the times by name; nothing where they are not wanted, as are the reports that follow.
    """

    answers: Sequence[Answer] = ()
    errors: list[PolicyError] = field(default_factory=list)
    failed: bool = False
    metrics: Mapping[str, int] = field(default_factory=dict)
    explanation: Sequence[Entry] = ()
    profile: Sequence[ProfileLine] = ()
    coverage: Coverage | None = None


@dataclass(frozen=True)
class EvalJob:
    """What each evaluation starts from.

    Attributes:
        query: the text of the query.
        document: the input.
    """

    flags: Flags
    query: str
    document: Value
    capabilities: Capabilities

    def run(self) -> Outcome:
        """Do all of it once."""
        outcome, metrics = Outcome(), Metrics()
        shown: list[PolicyError] = []
        on_error: OnError = raise_error if self.flags.strict_builtin_errors else ignore_error
        if self.flags.show_builtin_errors:
            on_error = shown.append
        reader = Reader(self.flags, self.capabilities, metrics, on_error)
        try:
            self._evaluate(reader.setup(self.query), metrics, outcome)
        except PolicyError as error:
            outcome.failed = True
            outcome.errors.append(error)
        outcome.errors += shown
        if self.flags.measures:
            outcome.metrics = metrics.all()
        return outcome

    def code(self) -> str:
        """The Python code that the query runs as.

        Raises:
            PolicyError: there is something wrong with it.
        """
        setup = Reader(self.flags, self.capabilities, Metrics(), ignore_error).setup(self.query)
        return _compiled(setup.question.program(setup.engine), setup).loaded().code.text

    def _evaluate(self, setup: Setup, metrics: Metrics, outcome: Outcome) -> None:
        with metrics.timer(QUERY_COMPILE):
            program = setup.question.program(setup.engine)
        run = self._followed if self.flags.instrumented else self._plain
        outcome.answers = setup.question.answers(program, run(program, setup, metrics, outcome))

    def _plain(self, program: Program, setup: Setup, metrics: Metrics, _outcome: Outcome) -> list[Row]:
        with metrics.timer(QUERY_COMPILE):
            compiled = _compiled(program, setup)
        with metrics.timer(CODE_MAKE if self.flags.instrument else QUERY_COMPILE):
            compiled.loaded()
        with metrics.timer(QUERY_EVAL):
            return compiled.rows(self.document)

    def _followed(self, program: Program, setup: Setup, metrics: Metrics, outcome: Outcome) -> list[Row]:
        """The rows by the interpreter, which tells what happens."""
        instruments = Instruments(self.flags, setup.question.body, setup.modules, program.rules)
        environment = setup.engine.environment
        evaluation = Evaluation(environment.options, print_to=print_line, note=instruments.note)
        try:
            with metrics.timer(QUERY_EVAL):
                return interpret(program, environment, self.document, evaluation=evaluation, record=instruments.record)
        finally:
            instruments.end()
            outcome.explanation, outcome.profile = instruments.explanation, instruments.profile
            outcome.coverage = instruments.coverage


def _compiled(program: Program, setup: Setup) -> CompiledQuery:
    environment = setup.engine.environment
    return CompiledQuery(optimised(program, strict=environment.strict), environment)


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
