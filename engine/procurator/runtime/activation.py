"""What the interpreter knows while it runs: frames, registers, and the values that need no block to be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from procurator.compile.cost import GROWING, HEAVY
from procurator.compile.plan import (
    Base,
    CallBuiltin,
    CallUnit,
    Constant,
    Document,
    Get,
    Input,
    MakeArray,
    MakeObject,
    MakeSet,
    Name,
    Operand,
    Register,
    Replacement,
    Source,
    UnitKey,
    UnitValue,
)
from procurator.environment import Environment
from procurator.limits import Meter
from procurator.runtime.calls import bind_builtin
from procurator.runtime.context import Evaluation
from procurator.runtime.support import base_value, lookup_base
from procurator.runtime.trace import Event, Recorder
from procurator.values import UNDEFINED, Set, Value, key_of, lookup, type_name
from procurator_rules.spans import Span


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

    def tell(self, event: Event) -> None:
        """Record an event, if anyone wants to know."""
        ...

    def unit(self, key: UnitKey, frame: Frame) -> Value:
        """The value of a unit that is no function."""
        ...

    def call(self, key: UnitKey, args: Sequence[Value], frame: Frame) -> Value:
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
        index = isinstance(source, Base) and isinstance(operand, Constant) and type_name(key) == "number"
        found = lookup_base(found, key) if index else lookup(found, key)
    return found


def _call_unit(activation: Activation, value: CallUnit) -> Value:
    return activation.machine.call(value.unit, activation.operands(value.args), activation.frames[value.frame])


def _call_builtin(activation: Activation, value: CallBuiltin) -> Value:
    return call_builtin(activation, value.name, activation.operands(value.args), value.span)


def call_builtin(activation: Activation, name: str, args: list[Value], span: Span) -> Value:
    machine = activation.machine
    environment = machine.environment
    if name in environment.contextual:
        args = [machine.evaluation, *args]
    if machine.meter is not None and name in HEAVY:
        machine.meter.look()
    value = bind_builtin(name, environment.functions[name], span, environment.on_error)(*args)
    return machine.meter.grown(value) if machine.meter is not None and name in GROWING else value


def _make_array(activation: Activation, value: MakeArray) -> Value:
    return activation.operands(value.items)


def _make_set(activation: Activation, value: MakeSet) -> Value:
    return Set(activation.operands(value.items))


def _make_object(activation: Activation, value: MakeObject) -> Value:
    return {key_of(activation.operand(key)): activation.operand(member) for key, member in value.items}


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


COMPUTATIONS: Final[dict[type, Callable[[Activation, Any], Value]]] = {
    Get: _get,
    CallUnit: _call_unit,
    CallBuiltin: _call_builtin,
    MakeArray: _make_array,
    MakeSet: _make_set,
    MakeObject: _make_object,
}
"""The computations that run no block."""

_SOURCES: Final[dict[type, Callable[[Activation, Any], Value]]] = {
    Register: _register,
    Constant: _constant,
    Input: _input,
    Base: _base,
    Document: _document,
    UnitValue: _unit_value,
    Replacement: _replacement,
}
