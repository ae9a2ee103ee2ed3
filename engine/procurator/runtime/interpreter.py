"""A plain interpreter of plans: the meaning that generated code has to keep, and the evaluation that tells its course.

Registers in a dict, one function for each kind of unit, one table entry for each step: generated code is tested against
what can be seen to be right here. Values, errors and their places are the same; only speed is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any, Final, TypeVar

from procurator.compile.codegen import places_of
from procurator.compile.plan import (
    COMPLETE,
    FUNCTION,
    PARTIAL_OBJECT,
    PARTIAL_SET,
    Branch,
    Constant,
    Definition,
    Document,
    FamilyTest,
    Program,
    Register,
    Unit,
    UnitKey,
)
from procurator.environment import Environment, Row
from procurator.limits import Meter, check_results
from procurator.runtime.activation import Activation, Frame
from procurator.runtime.conflicts import MOST_VALUES, Outcome, conflict_error
from procurator.runtime.context import Evaluation
from procurator.runtime.index import EQUAL, HOLDS, MEMBER, PREFIX, RANGE, Bounds
from procurator.runtime.stacks import apart
from procurator.runtime.steps import computed, located, solutions
from procurator.runtime.support import (
    EVALUATION,
    INPUT,
    METER,
    UNSET,
    ConflictError,
    Context,
    Nest,
    base_value,
    finished,
    members,
    put_deep,
    whole_document,
)
from procurator.runtime.trace import DefaultUsed, Event, Recorder, RuleEntered, RuleHeld
from procurator.values import UNDEFINED, Set, Value, compare, equal, key_of
from procurator_rules.errors import PolicyError
from procurator_rules.spans import Span

Key = TypeVar("Key")

LEVELS: Final = 25
"""Rules on top of each other that one stack takes: a rule takes about a dozen frames, and two for each of its loops."""


def interpret(
    program: Program,
    environment: Environment,
    document: Value = UNDEFINED,
    *,
    evaluation: Evaluation | None = None,
    trace: list[int] | None = None,
    record: Recorder | None = None,
) -> list[Row]:
    """The values of a program's outputs, one row for each way in which the query holds.

    Args:
        program: the plan, before or after the passes.
        environment: what it is bound to.
        document: the input.
        evaluation: clock, randomness and answers from outside; new ones without it.
        trace: takes the numbers of the rules that hold.
        record: takes all that happens, event by event.

    Raises:
        PolicyError: whatever the policy or its input gets wrong.
    """
    if evaluation is None:
        evaluation = Evaluation(environment.options, print_to=environment.print_to)
    return Interpreter(program, environment, evaluation, [] if trace is None else trace, record).rows(document)


class Interpreter:
    """One evaluation of a program.

    Attributes:
        meter: counts against the limits, if there are any.
        trace: the numbers of the rules that have held.
        depth: how many rules are being evaluated.
    """

    def __init__(
        self,
        program: Program,
        environment: Environment,
        evaluation: Evaluation,
        trace: list[int],
        record: Recorder | None,
    ) -> None:
        self.program = program
        self.environment = environment
        self.evaluation = evaluation
        limits = environment.limits
        self.meter = Meter(limits) if limits is not None and limits.of_work else None
        self.trace = trace
        self.record = record
        self.depth = 0

    def rows(self, document: Value) -> list[Row]:
        """The values of the outputs in each way in which the query holds."""
        activation = Activation(self, {0: Frame(document)}, ordered=True)
        operands = tuple(operand for _, operand in self.program.outputs)
        found = [tuple(activation.operands(operands)) for _ in solutions(activation, self.program.entry)]
        if self.environment.limits is not None:
            check_results(self.environment.limits, [value for row in found for value in row])
        return found

    def tell(self, event: Event) -> None:
        """Record an event, if anyone wants to know."""
        if self.record is not None:
            self.record(event)

    # What steps ask for

    def unit(self, key: UnitKey, frame: Frame) -> Value:
        """The value of a unit that is no function, computed once in each frame."""
        if key not in frame.kept:
            frame.kept[key] = self._value(self.program.units[key], [], frame)
        return frame.kept[key]

    def call(self, key: UnitKey, args: Sequence[Value], frame: Frame) -> Value:
        """The value of a function."""
        if self.meter is not None:
            self.meter.spend(1)
        return self._value(self.program.units[key], args, frame)

    def document(self, document: Document, frame: Frame) -> Value:
        """A whole document, computed once in each frame."""
        key = Document(document.path, 0, document.variant)
        if key not in frame.kept:
            frame.kept[key] = self._whole(key, frame)
        return frame.kept[key]

    def _whole(self, document: Document, frame: Frame) -> Value:
        plan = self.program.documents[document]
        made: list[tuple[Sequence[str], Callable[..., Value]]] = []
        for path, key in plan.units:
            made.append((path, lambda _, key=key: self.unit(key, frame)))
        base = base_value(self.environment.data, document.path)
        # A frame gives its replacements by name where a context gives them by place.
        return whole_document(base, plan.objects, made, plan.replaced, frame)  # type: ignore[arg-type]

    # Units

    def _value(self, unit: Unit, args: Sequence[Value], frame: Frame) -> Value:
        self.depth += 1
        try:
            if self.depth % LEVELS == 0:
                return apart(self._evaluated, unit, args, frame)
            return self._evaluated(unit, args, frame)
        finally:
            self.depth -= 1

    def _evaluated(self, unit: Unit, args: Sequence[Value], frame: Frame) -> Value:
        return _KINDS[unit.kind](self, unit, self._begun(unit, args, frame))

    def _begun(self, unit: Unit, args: Sequence[Value], frame: Frame, *, ordered: bool = False) -> Activation:
        activation = Activation(self, {0: frame}, ordered)
        for register, value in zip(unit.parameters, args, strict=True):
            activation.put(register, value, unit.span)
        for step in unit.shared:
            activation.put(step.target, computed(activation, step), step.span)
        return activation

    def conflict(self, unit: Unit, args: Sequence[Value], frame: Frame, span: Span) -> PolicyError:
        """The error of rules that do not agree: it names what each of them gives.

        They are evaluated again for that, one after the other as they stand, with nothing told or printed.

        Args:
            unit: the rules.
            args: the arguments of a function.
            frame: what they are evaluated in.
            span: where to say it is if they agree the second time.
        """
        again = Interpreter(self.program, replace(self.environment, print_to=None), self.evaluation, [], None)
        again.meter = self.meter
        found: list[Outcome] = []
        # Nothing else that goes wrong now was what ended the evaluation.
        with suppress(PolicyError):
            found.extend(islice(again._disagreeing(unit, args, frame), MOST_VALUES + 1))
        return conflict_error(unit, found, span)

    def _disagreeing(self, unit: Unit, args: Sequence[Value], frame: Frame) -> Iterator[Outcome]:
        """The first value, then of each rule the first that is another."""
        activation = self._begun(unit, args, frame, ordered=True)
        first: Value = UNDEFINED
        for definition, constants in sorted(_candidates(unit, activation), key=lambda pair: pair[0].rule):
            _set_constants(activation, definition, constants)
            for branch in definition.branches:
                held = False
                for value in self.held(activation, definition, branch):
                    held = True
                    if first is UNDEFINED or not equal(first, value):
                        yield Outcome(value, self._place(definition, branch))
                        if first is not UNDEFINED:
                            break
                        first = value
                if held:
                    break

    def _place(self, definition: Definition, branch: Branch) -> Span:
        is_chain = len(definition.branches) > 1
        return branch.span if is_chain else self.program.rules[definition.rule].span

    def held(self, activation: Activation, definition: Definition, branch: Branch) -> Iterator[Value]:
        """The value of a branch once for each way in which it holds."""
        self.tell(RuleEntered(definition.rule, branch.span, self.depth))
        for _ in solutions(activation, branch.block):
            self.trace.append(definition.rule)
            value = activation.operand(branch.value)
            keys = tuple(activation.operands(branch.keys))
            self.tell(RuleHeld(definition.rule, branch.span, keys, value, self.depth))
            yield value


def explained(error: ConflictError, program: Program, environment: Environment, document: Value) -> PolicyError:
    """What a conflict that generated code found is to users.

    Args:
        error: the conflict.
        program: what the code was made from.
        environment: what it was bound to.
        document: the input.
    """
    context = error.context
    frame = Frame(document) if context is None else _frame(program, context)
    evaluation = Evaluation(environment.options) if context is None else context[EVALUATION]
    machine = Interpreter(program, environment, evaluation, [], None)
    if context is not None and context[METER] is not None:
        machine.meter = context[METER]
    unit = list(program.units.values())[error.unit]
    return machine.conflict(unit, error.operands, frame, error.span)


def _frame(program: Program, context: Context) -> Frame:
    """A context of generated code, with what has been computed in it."""
    units: list[UnitKey | Document] = [*program.units, *program.documents]
    replaced = {name: context[place] for name, place in places_of(program).items()}
    kept = dict(zip(units, context[len(context) - len(units) :], strict=True))
    return Frame(context[INPUT], _set_in(replaced), _set_in(kept))


def _set_in(values: Mapping[Key, Value]) -> dict[Key, Value]:
    return {key: value for key, value in values.items() if value is not UNSET}


# Kinds of units


def _rules(unit: Unit, activation: Activation) -> Iterator[Definition]:
    """The rules of a unit one by one: of a family those whose row passes the tests, with its constants set."""
    for definition, constants in _candidates(unit, activation):
        _set_constants(activation, definition, constants)
        yield definition


def _set_constants(activation: Activation, definition: Definition, constants: Mapping[Register, Value]) -> None:
    for register, value in constants.items():
        activation.put(register, value, definition.span)


def _candidates(unit: Unit, activation: Activation) -> Iterator[tuple[Definition, Mapping[Register, Value]]]:
    """The rules of a unit, each with the constants that it needs set."""
    for family in unit.families:
        tested = [activation.operand(test.tested) for test in family.tests]
        if UNDEFINED in tested:
            continue
        for admitted, constants, number in family.rows:
            if all(map(_admits, family.tests, tested, admitted)):
                definition = Definition((family.branch,), number, span=family.span)
                yield definition, dict(zip(family.parameters, constants, strict=True))
    yield from ((definition, {}) for definition in unit.definitions)


def _admits(test: FamilyTest, value: Value, admitted: Any) -> bool:
    """Whether a row of a family admits a value."""
    return _ADMITS[test.kind](value, admitted)


def _in_range(value: Value, bounds: Bounds) -> bool:
    low, with_low, high, with_high = bounds
    above, below = compare(value, low), compare(value, high)
    return (above > 0 or (with_low and above == 0)) and (below < 0 or (with_high and below == 0))


def _is_member(value: Value, collection: Value) -> bool:
    return any(equal(value, member) for member in members(collection))


_ADMITS: Final[dict[str, Callable[[Value, Any], bool]]] = {
    EQUAL: equal,
    MEMBER: _is_member,
    HOLDS: lambda collection, value: _is_member(value, collection),
    # The call stands in the block, and has an error for what is no string.
    PREFIX: lambda value, prefix: not isinstance(value, str) or value.startswith(prefix),
    RANGE: _in_range,
}


def _value(machine: Interpreter, unit: Unit, activation: Activation) -> Value:
    """The one value that the definitions of a complete document or a function agree on."""
    found: Value = UNDEFINED
    for definition in _rules(unit, activation):
        for value, span in _outcomes(machine, unit, definition, activation):
            if gives_one_constant(unit):
                return value
            found = _agreed(machine, found, value, unit, activation, span)
    return _default(machine, unit, activation) if found is UNDEFINED else found


def _outcomes(
    machine: Interpreter, unit: Unit, definition: Definition, activation: Activation
) -> Iterator[tuple[Value, Span]]:
    """What a rule gives, and where: of several branches the first that holds counts, and gives one value."""
    if len(definition.branches) == 1:
        branch = definition.branches[0]
        for value in machine.held(activation, definition, branch):
            yield value, branch.span
        return
    for branch in definition.branches:
        found: Value = UNDEFINED
        for value in machine.held(activation, definition, branch):
            found = _agreed(machine, found, value, unit, activation, branch.span)
        if found is not UNDEFINED:
            yield found, definition.span
            return


def _agreed(machine: Interpreter, found: Value, value: Value, unit: Unit, activation: Activation, span: Span) -> Value:
    if found is UNDEFINED or equal(found, value):
        return value
    raise machine.conflict(unit, activation.operands(unit.parameters), activation.frames[0], span)


def _default(machine: Interpreter, unit: Unit, activation: Activation) -> Value:
    if unit.default is not None:
        for _ in solutions(activation, unit.default.block):
            machine.tell(DefaultUsed(unit.key.path, unit.span, machine.depth))
            return activation.operand(unit.default.value)
    return UNDEFINED


def gives_one_constant(unit: Unit) -> bool:
    """Whether all definitions give the same constant, so that the first to hold settles the value."""
    values = [branch.value for definition in unit.definitions for branch in definition.branches]
    values += [family.branch.value for family in unit.families]
    if not all(isinstance(value, Constant) and type(value.value) in (str, bool, int) for value in values):
        return False
    return len({key_of(value.value) for value in values if isinstance(value, Constant)}) == 1


def _set(machine: Interpreter, unit: Unit, activation: Activation) -> Value:
    return Set(
        value
        for definition in _rules(unit, activation)
        for branch in definition.branches
        for value in machine.held(activation, definition, branch)
    )


def _object(machine: Interpreter, unit: Unit, activation: Activation) -> Value:
    """A partial object, or all rules at and below a path whose keys are known only now."""
    made = Nest()
    for definition in _rules(unit, activation):
        for branch in definition.branches:
            held = False
            for value in machine.held(activation, definition, branch):
                _put(made, activation.operands(branch.keys), value, branch)
                held = True
            if held:
                break
    return finished(made)


def _put(made: Nest, keys: Sequence[Value], value: Value, branch: Branch) -> None:
    with located(branch.span):
        put_deep(made, keys, value, branch.member, branch.span)


_KINDS: Final[dict[str, Callable[[Interpreter, Unit, Activation], Value]]] = {
    COMPLETE: _value,
    FUNCTION: _value,
    PARTIAL_SET: _set,
    PARTIAL_OBJECT: _object,
}
