"""The code of computations: what puts a value into a register."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from procurator.compile.blocks import BlockWriter
from procurator.compile.cost import GROWING, HEAVY
from procurator.compile.plan import (
    CallBuiltin,
    CallUnit,
    Comprehend,
    Compute,
    Get,
    MakeArray,
    MakeObject,
    MakeSet,
    Optional,
    Register,
    Template,
)
from procurator.compile.references import Steps
from procurator_rules.spans import Span


def compute(write: BlockWriter, step: Compute) -> None:
    """Write a computation, and open what follows if it can fail."""
    _COMPUTATIONS[type(step.value)](write, step.target, step.value, step.span)


def _get(write: BlockWriter, target: Register, value: Get, span: Span) -> None:
    if write.look_up(target, value, span):
        write.when_defined(target)


def _call_unit(write: BlockWriter, target: Register, value: CallUnit, span: Span) -> None:
    args = ", ".join([f"c{value.frame}", *map(write.operand, value.args)])
    write.out.line(f"{write.operand(target)} = {write.names.units[value.unit]}({args})", span)
    write.when_defined(target)


def _metered(write: BlockWriter, name: str, call: str, span: Span) -> str:
    """A call of a built-in, counted if it takes long or what it makes can grow without end."""
    steps = write.settings.steps
    if steps is Steps.COUNTED and name in HEAVY:
        write.out.line("t1.look()", span)
    return _GROWN[steps].format(call) if name in GROWING else call


_GROWN: Final = {Steps.FREE: "{}", Steps.GUARDED: "GROWN({})", Steps.COUNTED: "t1.grown({})"}


def _call_builtin(write: BlockWriter, target: Register, value: CallBuiltin, span: Span) -> None:
    write.out.line(f"{write.operand(target)} = {_metered(write, value.name, write.call_text(value), span)}", span)
    write.when_defined(target)


def _make_array(write: BlockWriter, target: Register, value: MakeArray, span: Span) -> None:
    write.out.line(f"{write.operand(target)} = [{', '.join(map(write.operand, value.items))}]", span)


def _make_set(write: BlockWriter, target: Register, value: MakeSet, span: Span) -> None:
    write.out.line(f"{write.operand(target)} = SET([{', '.join(map(write.operand, value.items))}])", span)


def _make_object(write: BlockWriter, target: Register, value: MakeObject, span: Span) -> None:
    pairs = ", ".join(f"{write.key(key)}: {write.operand(member)}" for key, member in value.items)
    write.out.line(f"{write.operand(target)} = {{{pairs}}}", span)


def _comprehend(write: BlockWriter, target: Register, value: Comprehend, span: Span) -> None:
    name = write.operand(target)
    write.out.line(f"{name} = {'[]' if value.kind == 'array' else '{}'}", span)
    write.inner(value.block, lambda: _collect(write, name, value), (), value.kind == "array")
    if value.kind == "set":
        write.out.line(f"{name} = SETOF({name})")


def _collect(write: BlockWriter, name: str, value: Comprehend) -> None:
    member = write.operand(value.value)
    if value.kind == "array":
        write.out.line(f"{name}.append({member})")
    elif value.key is None:
        write.out.line(f"{name}.setdefault({write.key(value.value)}, {member})")
    else:
        write.out.line(f"PUTONE({name}, {write.operand(value.key)}, {member}, {write.span(value.span)})")


def _template(write: BlockWriter, target: Register, value: Template, span: Span) -> None:
    texts = [optional(write, part) if isinstance(part, Optional) else write.out.constant(part) for part in value.parts]
    call = CallBuiltin("internal.template_string", (), span=value.span)
    name = write.call_text(call).removesuffix("()")
    made = _metered(write, call.name, f"{name}([{', '.join(texts)}])", span)
    write.out.line(f"{write.operand(target)} = {made}", span)
    write.when_defined(target)


def optional(write: BlockWriter, part: Optional) -> str:
    """The set of the value's outcomes, empty when it is undefined."""
    name = write.flag()
    write.out.line(f"{name} = []")
    write.inner(part.block, lambda: write.out.line(f"{name}.append({write.operand(part.value)})"), (), True)
    return f"SET({name})"


ComputationWriter: TypeAlias = Callable[[BlockWriter, Register, Any, Span], None]

_COMPUTATIONS: Final[Mapping[type, ComputationWriter]] = {
    Get: _get,
    CallUnit: _call_unit,
    CallBuiltin: _call_builtin,
    MakeArray: _make_array,
    MakeSet: _make_set,
    MakeObject: _make_object,
    Comprehend: _comprehend,
    Template: _template,
}
