"""Blocks of plans, interpreted: one function for each step, in a table.

A test says whether it holds. A branching step gives the ways in which it holds one after the other, and the rest of its
block is run in each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from procurator.compile.plan import (
    Block,
    Compare,
    Comprehend,
    Compute,
    Defined,
    Either,
    ForEvery,
    Held,
    IsArray,
    IsObject,
    Negation,
    Optional,
    Print,
    Register,
    Replace,
    Scan,
    Template,
    Truthy,
)
from procurator.compile.rewrite import parts
from procurator.limits import CANCELLED, Meter
from procurator.runtime.activation import COMPUTATIONS, Activation, Frame, call_builtin, selected
from procurator.runtime.calls import print_values
from procurator.runtime.support import (
    charge,
    counted,
    entries,
    members,
    put,
    replaced_input,
    sorted_entries,
    sorted_members,
)
from procurator.runtime.trace import Failed, Tried, Used
from procurator.values import UNDEFINED, DepthError, Set, Value, compare, equal
from procurator_rules.errors import PolicyError
from procurator_rules.spans import NO_SPAN, Span


def solutions(activation: Activation, block: Block) -> Iterator[None]:
    """Once for each way in which all steps of a block hold, with the registers set accordingly."""
    for place, step in enumerate(block):
        if type(step) in _BRANCHING:
            for _ in _ways(activation, step):
                yield from solutions(activation, block[place + 1 :])
            return
        if not _holds(activation, step):
            return
    yield None


def succeeds(activation: Activation, block: Block) -> bool:
    """Whether a block holds in some way."""
    return next((True for _ in solutions(activation, block)), False)


def computed(activation: Activation, step: Compute) -> Value:
    """The value that a step computes, or UNDEFINED."""
    with located(step.span):
        return _COMPUTATIONS[type(step.value)](activation, step.value)


@contextmanager
def located(span: Span) -> Iterator[None]:
    """Gives errors their place; the innermost counts."""
    try:
        yield
    except PolicyError as error:
        error.locate(span)
        raise
    except (RecursionError, DepthError):
        raise PolicyError(CANCELLED, "evaluation stopped: nesting is too deep", at=span) from None


def _holds(activation: Activation, step: Any) -> bool:
    failure = _tried(activation, step)
    with located(_span(step)):
        held = _TESTS[type(step)](activation, step)
    if failure is not None and not held:
        activation.machine.tell(failure)
    return held


def _ways(activation: Activation, step: Any) -> Iterator[None]:
    failure = _tried(activation, step)
    held = False
    with located(_span(step)):
        for _ in _BRANCHING[type(step)](activation, step):
            held = True
            yield None
    if failure is not None and not held:
        activation.machine.tell(failure)


# Telling


def _tried(activation: Activation, step: Any) -> Failed | None:
    """Tell that a step is tried; what is to be told if it fails."""
    machine, span = activation.machine, _span(step)
    if machine.record is None or span is NO_SPAN:
        return None
    used = _used(activation, step)
    machine.tell(Tried(span, used, machine.depth))
    return Failed(span, used, machine.depth)


def _span(step: Any) -> Span:
    return getattr(step, "span", NO_SPAN)


def _used(activation: Activation, step: Any) -> tuple[Used, ...]:
    """The values that are known before a step and that it uses."""
    inside = list(parts(step))
    own = {register for part in inside for register in _SETS.get(type(part), _sets_none)(part)}
    used = dict.fromkeys(part for part in inside if isinstance(part, Register) and part not in own)
    return tuple(Used(activation.texts[part], activation.values[part]) for part in used if part in activation.values)


def _sets_none(_part: Any) -> Iterable[Register | None]:
    return ()


_SETS: Final[dict[type, Callable[[Any], Iterable[Register | None]]]] = {
    Compute: lambda step: (step.target,),
    Scan: lambda step: (step.key, step.value),
    ForEvery: lambda step: (step.key, step.value),
}
"""The registers that a step sets."""


# Tests


def _compute(activation: Activation, step: Compute) -> bool:
    value = _COMPUTATIONS[type(step.value)](activation, step.value)
    activation.put(step.target, value, step.span)
    return value is not UNDEFINED


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
    return not succeeds(activation, step.block)


def _either(activation: Activation, step: Either) -> bool:
    return any(succeeds(activation, block) for block in step.blocks)


def _for_every(activation: Activation, step: ForEvery) -> bool:
    domain = activation.operand(step.domain)
    if not isinstance(domain, (list, dict, Set)):
        return False
    _charge(activation, domain)
    for key, value in entries(domain):
        activation.put(step.key, key, step.span)
        activation.put(step.value, value, step.span)
        if not succeeds(activation, step.block):
            return False
    return True


def _replace(activation: Activation, step: Replace) -> bool:
    parent = activation.frames[step.parent]
    inputs = [(path, activation.operand(operand)) for path, operand in step.inputs]
    document = replaced_input(parent.document, inputs)
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


# Branching steps


def _scan(activation: Activation, step: Scan) -> Iterator[None]:
    collection = selected(activation, step.source, step.keys)
    if collection is UNDEFINED:
        return
    _charge(activation, collection)
    for key, value in _members(collection, step.key is not None, activation.ordered, activation.machine.meter):
        activation.put(step.key, key, step.span)
        activation.put(step.value, value, step.span)
        yield None


def _members(collection: Value, keyed: bool, ordered: bool, meter: Meter | None) -> Iterable[tuple[Value, Value]]:
    if keyed:
        return sorted_entries(collection) if ordered else entries(collection)
    # What a relation such as `walk` gives has members alone.
    found = sorted_members(collection) if ordered else members(collection)
    if meter is not None:
        found = counted(meter, found)
    return ((UNDEFINED, member) for member in found)


def _charge(activation: Activation, collection: Value) -> None:
    if activation.machine.meter is not None:
        charge(activation.machine.meter, collection)


_BRANCHING: Final[dict[type, Callable[[Activation, Any], Iterator[None]]]] = {Scan: _scan}


# Computations that run blocks


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
    """The solutions of a block in which members are tried in Rego's order, or in any."""
    outer, activation.ordered = activation.ordered, ordered
    try:
        yield from solutions(activation, block)
    finally:
        activation.ordered = outer


def _outcomes(activation: Activation, part: Optional) -> Set:
    return Set(activation.operand(part.value) for _ in _inner(activation, part.block, ordered=True))


def _template(activation: Activation, value: Template) -> Value:
    texts = [_outcomes(activation, part) if isinstance(part, Optional) else part for part in value.parts]
    return call_builtin(activation, "internal.template_string", [texts], value.span)


_COMPUTATIONS: Final[dict[type, Callable[[Activation, Any], Value]]] = {
    **COMPUTATIONS,
    Comprehend: _comprehend,
    Template: _template,
}
