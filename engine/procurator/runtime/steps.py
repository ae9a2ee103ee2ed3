"""Blocks of plans, interpreted: one function for each step, computation and source, each in a table.

A test says whether it holds; a branching step gives the ways in which it holds one after the other, and the rest of its
block is tried in each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from procurator.compile.plan import (
    Base,
    Block,
    CallBuiltin,
    CallUnit,
    Compare,
    Comprehend,
    Compute,
    Constant,
    Defined,
    Document,
    Either,
    ForEvery,
    Get,
    Held,
    Input,
    IsArray,
    IsObject,
    MakeArray,
    MakeObject,
    MakeSet,
    Name,
    Negation,
    Operand,
    Optional,
    Print,
    Register,
    Replace,
    Replacement,
    Scan,
    Source,
    Template,
    Truthy,
    UnitKey,
    UnitValue,
)
from procurator.compile.rewrite import parts
from procurator.limits import Meter
from procurator.query import INTERNAL, TOO_DEEP, Environment
from procurator.runtime.calls import bind_builtin, print_values
from procurator.runtime.context import Evaluation
from procurator.runtime.support import (
    base_value,
    entries,
    lookup_base,
    members,
    put,
    replaced_input,
    sorted_entries,
    sorted_members,
)
from procurator.runtime.trace import Failed, Recorder, Tried, Used
from procurator.values import UNDEFINED, DepthError, Set, Value, compare, equal, key_of, lookup
from procurator_rules.errors import PolicyError
from procurator_rules.spans import NO_SPAN, Span


@dataclass(slots=True)
class Frame:
    """What `with` has made of input, data and functions.

    Attributes:
        document: the input.
        replaced: what documents and functions were replaced by.
        kept: the values of units and whole documents computed in this frame.
    """

    document: Value
    replaced: Mapping[Name, Value] = field(default_factory=dict)
    kept: dict[UnitKey | Document, Value] = field(default_factory=dict)

    def __getitem__(self, name: Name) -> Value:
        return self.replaced[name]


class Machine(Protocol):
    """What the steps of a block need of the interpreter around them."""

    environment: Environment
    evaluation: Evaluation
    meter: Meter | None
    trace: list[int]
    record: Recorder | None
    depth: int

    def unit(self, key: UnitKey, frame: Frame) -> Value:
        """The value of a unit that is no function."""
        ...

    def call(self, key: UnitKey, args: list[Value], frame: Frame) -> Value:
        """The value of a function."""
        ...

    def document(self, document: Document, frame: Frame) -> Value:
        """A whole document."""
        ...


@dataclass(slots=True)
class Activation:
    """One evaluation of a unit or of the query.

    Attributes:
        frames: by number; 0 is the one it was called in.
        ordered: whether members are tried in Rego's order, or in any.
        values: the registers that have a value; shared look-ups may hold UNDEFINED.
        texts: the text that gave each register its value.
    """

    machine: Machine
    frames: dict[int, Frame]
    ordered: bool = False
    values: dict[Register, Value] = field(default_factory=dict)
    texts: dict[Register, Span] = field(default_factory=dict)

    def operand(self, operand: Operand) -> Value:
        """The value of an operand."""
        return operand.value if isinstance(operand, Constant) else self.values[operand]

    def operands(self, operands: tuple[Operand, ...]) -> list[Value]:
        """The values of operands."""
        return [self.operand(operand) for operand in operands]

    def put(self, register: Register | None, value: Value, span: Span) -> None:
        """Give a register a value."""
        if register is not None:
            self.values[register] = value
            self.texts[register] = span


# Blocks


def solutions(activation: Activation, block: Block) -> Iterator[None]:
    """Once for each way in which all steps of a block hold, with the registers set accordingly."""
    for place, step in enumerate(block):
        ways = _BRANCHING.get(type(step))
        if ways is not None:
            for _ in _observed(activation, step, ways(activation, step)):
                yield from solutions(activation, block[place + 1 :])
            return
        if not any(_observed(activation, step, _tested(activation, step))):
            return
    yield None


def holds(activation: Activation, block: Block) -> bool:
    """Whether a block holds in some way."""
    return next((True for _ in solutions(activation, block)), False)


def _tested(activation: Activation, step: Any) -> Iterator[bool]:
    if _TESTS[type(step)](activation, step):
        yield True


def _observed(activation: Activation, step: Any, ways: Iterator[Any]) -> Iterator[Any]:
    """The ways in which a step holds; records them, and gives its errors their place."""
    span = getattr(step, "span", NO_SPAN)
    record = activation.machine.record if span is not NO_SPAN else None
    used = _used(activation, step) if record else ()
    if record:
        record(Tried(span, used, activation.machine.depth))
    held = False
    with located(span):
        for way in ways:
            held = True
            yield way
    if record and not held:
        record(Failed(span, used, activation.machine.depth))


@contextmanager
def located(span: Span) -> Iterator[None]:
    """Gives errors their place; the innermost counts."""
    try:
        yield
    except PolicyError as error:
        error.locate(span)
        raise
    except (RecursionError, DepthError):
        raise PolicyError(INTERNAL, TOO_DEEP, at=span) from None


def _used(activation: Activation, step: Any) -> tuple[Used, ...]:
    """The values that are known before a step and that it uses."""
    values, texts = activation.values, activation.texts
    registers = dict.fromkeys(part for part in parts(step) if isinstance(part, Register) and part in values)
    return tuple(Used(texts[register], values[register]) for register in registers)


# Tests


def _compute(activation: Activation, step: Compute) -> bool:
    value = computed(activation, step)
    activation.put(step.target, value, step.span)
    return value is not UNDEFINED


def computed(activation: Activation, step: Compute) -> Value:
    """The value that a step computes, or UNDEFINED."""
    return _COMPUTATIONS[type(step.value)](activation, step.value)


def _defined(activation: Activation, step: Defined) -> bool:
    return activation.operand(step.operand) is not UNDEFINED


def _truthy(activation: Activation, step: Truthy) -> bool:
    return activation.operand(step.operand) is not False


def _compare(activation: Activation, step: Compare) -> bool:
    return COMPARISONS[step.operator](activation.operand(step.left), activation.operand(step.right))


COMPARISONS: Final[Mapping[str, Callable[[Value, Value], bool]]] = {
    "equal": equal,
    "neq": lambda left, right: not equal(left, right),
    "lt": lambda left, right: compare(left, right) < 0,
    "lte": lambda left, right: compare(left, right) <= 0,
    "gt": lambda left, right: compare(left, right) > 0,
    "gte": lambda left, right: compare(left, right) >= 0,
}


def _is_array(activation: Activation, step: IsArray) -> bool:
    value = activation.operand(step.operand)
    return isinstance(value, list) and len(value) == step.length


def _is_object(activation: Activation, step: IsObject) -> bool:
    value = activation.operand(step.operand)
    return isinstance(value, dict) and len(value) == step.length


def _negation(activation: Activation, step: Negation) -> bool:
    return not holds(activation, step.block)


def _either(activation: Activation, step: Either) -> bool:
    return any(holds(activation, block) for block in step.blocks)


def _for_every(activation: Activation, step: ForEvery) -> bool:
    domain = activation.operand(step.domain)
    if not isinstance(domain, (list, dict, Set)):
        return False
    _charge(activation, domain)
    for key, value in entries(domain):
        activation.put(step.key, key, step.span)
        activation.put(step.value, value, step.span)
        if not holds(activation, step.block):
            return False
    return True


def _replace(activation: Activation, step: Replace) -> bool:
    parent = activation.frames[step.parent]
    document = parent.document
    for path, operand in step.inputs:
        document = replaced_input(document, path, activation.operand(operand))
    values = {name: activation.operand(operand) for name, operand in step.values}
    activation.frames[step.frame] = Frame(document, {**parent.replaced, **values})
    return True


def _held(activation: Activation, step: Held) -> bool:
    activation.machine.trace.append(step.rule)
    return True


def _print(activation: Activation, step: Print) -> bool:
    machine = activation.machine
    if machine.environment.print_to is not None:
        print_values(machine.evaluation, [_outcomes(activation, part) for part in step.parts], step.span)
    return True


# Branching steps


def _scan(activation: Activation, step: Scan) -> Iterator[None]:
    collection = selected(activation, step.source, step.keys)
    if collection is UNDEFINED:
        return
    _charge(activation, collection)
    for key, value in _members(collection, step.key is not None, activation.ordered):
        activation.put(step.key, key, step.span)
        activation.put(step.value, value, step.span)
        yield None


def _members(collection: Value, keyed: bool, ordered: bool) -> Iterator[tuple[Value, Value]]:
    if keyed:
        yield from sorted_entries(collection) if ordered else entries(collection)
        return
    # What a relation such as `walk` gives has members alone.
    for member in sorted_members(collection) if ordered else members(collection):
        yield UNDEFINED, member


def _charge(activation: Activation, collection: Value) -> None:
    if activation.machine.meter is not None:
        activation.machine.meter.spend(len(collection) if isinstance(collection, (list, dict, Set)) else 1)


# Computations


def _get(activation: Activation, value: Get) -> Value:
    return selected(activation, value.source, value.keys)


def selected(activation: Activation, source: Source, keys: tuple[Operand, ...]) -> Value:
    """What a source holds, or what is found in it by one key after the other; UNDEFINED where there is nothing."""
    found = _SOURCES[type(source)](activation, source)
    for operand in keys:
        key = activation.operand(operand)
        if key is UNDEFINED:
            return UNDEFINED
        constant = isinstance(source, Base) and isinstance(operand, Constant)
        found = lookup_base(found, key) if constant else lookup(found, key)
    return found


def _call_unit(activation: Activation, value: CallUnit) -> Value:
    return activation.machine.call(value.unit, activation.operands(value.args), activation.frames[value.frame])


def _call_builtin(activation: Activation, value: CallBuiltin) -> Value:
    return _called(activation, value.name, activation.operands(value.args), value.span)


def _called(activation: Activation, name: str, args: list[Value], span: Span) -> Value:
    machine = activation.machine
    environment = machine.environment
    if name in environment.contextual:
        args = [machine.evaluation, *args]
    return bind_builtin(name, environment.functions[name], span, environment.on_error)(*args)


def _make_array(activation: Activation, value: MakeArray) -> Value:
    return activation.operands(value.items)


def _make_set(activation: Activation, value: MakeSet) -> Value:
    return Set(activation.operands(value.items))


def _make_object(activation: Activation, value: MakeObject) -> Value:
    return {key_of(activation.operand(key)): activation.operand(member) for key, member in value.items}


def _comprehend(activation: Activation, value: Comprehend) -> Value:
    return _COLLECTORS[value.kind](activation, value)


def _collect_array(activation: Activation, value: Comprehend) -> Value:
    return [activation.operand(value.value) for _ in _inner(activation, value.block, ordered=True)]


def _collect_set(activation: Activation, value: Comprehend) -> Value:
    return Set(activation.operand(value.value) for _ in _inner(activation, value.block, ordered=False))


def _collect_object(activation: Activation, value: Comprehend) -> Value:
    assert value.key is not None  # noqa: S101  # objects have keys
    made: dict[Any, Value] = {}
    for _ in _inner(activation, value.block, ordered=False):
        put(made, activation.operand(value.key), activation.operand(value.value), value.span)
    return made


_COLLECTORS: Final[Mapping[str, Callable[[Activation, Comprehend], Value]]] = {
    "array": _collect_array,
    "set": _collect_set,
    "object": _collect_object,
}


def _inner(activation: Activation, block: Block, ordered: bool) -> Iterator[None]:
    """The solutions of a block whose members are tried in an order of its own."""
    outer, activation.ordered = activation.ordered, ordered
    try:
        yield from solutions(activation, block)
    finally:
        activation.ordered = outer


def _outcomes(activation: Activation, part: Optional) -> Set:
    return Set(activation.operand(part.value) for _ in _inner(activation, part.block, ordered=True))


def _template(activation: Activation, value: Template) -> Value:
    texts = [_outcomes(activation, part) if isinstance(part, Optional) else part for part in value.parts]
    return _called(activation, "internal.template_string", [texts], value.span)


# Sources


def _register(activation: Activation, source: Register) -> Value:
    return activation.values[source]


def _constant(_activation: Activation, source: Constant) -> Value:
    return source.value


def _input(activation: Activation, source: Input) -> Value:
    return activation.frames[source.frame].document


def _base(activation: Activation, source: Base) -> Value:
    return base_value(activation.machine.environment.data, source.path)


def _document(activation: Activation, source: Document) -> Value:
    return activation.machine.document(source, activation.frames[source.frame])


def _unit_value(activation: Activation, source: UnitValue) -> Value:
    return activation.machine.unit(source.unit, activation.frames[source.frame])


def _replacement(activation: Activation, source: Replacement) -> Value:
    return activation.frames[source.frame].replaced[source.name]


_TESTS: Final[dict[type, Callable[[Activation, Any], bool]]] = {
    Compute: _compute,
    Defined: _defined,
    Truthy: _truthy,
    Compare: _compare,
    IsArray: _is_array,
    IsObject: _is_object,
    Negation: _negation,
    ForEvery: _for_every,
    Either: _either,
    Replace: _replace,
    Held: _held,
    Print: _print,
}

_BRANCHING: Final[dict[type, Callable[[Activation, Any], Iterator[None]]]] = {Scan: _scan}

_COMPUTATIONS: Final[dict[type, Callable[[Activation, Any], Value]]] = {
    Get: _get,
    CallUnit: _call_unit,
    CallBuiltin: _call_builtin,
    MakeArray: _make_array,
    MakeSet: _make_set,
    MakeObject: _make_object,
    Comprehend: _comprehend,
    Template: _template,
}

_SOURCES: Final[dict[type, Callable[[Activation, Any], Value]]] = {
    Register: _register,
    Constant: _constant,
    Input: _input,
    Base: _base,
    Document: _document,
    UnitValue: _unit_value,
    Replacement: _replacement,
}
