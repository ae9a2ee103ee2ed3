"""The pass that makes rules of one shape one code path and a table.

Rules that differ in constants alone become a family: the input finds, in a table, the few whose most selective tests it
passes, and one block runs for those. Ten thousand rules then cost what ten do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, Final

from procurator.compile.dispatch import Columns, Test, find_tests
from procurator.compile.plan import (
    Branch,
    Constant,
    Defined,
    Definition,
    Family,
    Get,
    Program,
    Register,
    Unit,
)
from procurator.compile.rewrite import field_names, parts, renamed
from procurator.values import key_of

SMALLEST: Final = 2
"""Rules of one shape from which on a table is made."""

MANY: Final = 100
"""Rules of one shape from which on they become one block even when no table finds the right ones."""

PARAMETERS: Final = 32
"""Constants a row may have."""


def build_families(program: Program) -> Program:
    """Gather rules that differ in constants alone.

    >>> # allow if input.user == "ann"     becomes   allow if input.user finds a row in {"ann": …, "bob": …}
    >>> # allow if input.user == "bob"
    """
    return replace(program, units={key: _gathered(unit, strict=False) for key, unit in program.units.items()})


def build_plain_families(program: Program) -> Program:
    """Gather rules by tests that hide no error of a built-in that OPA shows."""
    return replace(program, units={key: _gathered(unit, strict=True) for key, unit in program.units.items()})


@dataclass(slots=True)
class _Shape:
    """A definition with its constants taken out.

    Attributes:
        definition: with parameters in the place of constants.
        constants: what stood there.
    """

    definition: Definition
    constants: list[Any]
    number: int


def _gathered(unit: Unit, *, strict: bool) -> Unit:
    if len(unit.definitions) < SMALLEST:
        return unit
    groups: dict[Any, list[_Shape]] = {}
    for definition in unit.definitions:
        if len(definition.branches) == 1:
            key, shape = _shape_of(definition, unit)
            groups.setdefault(key, []).append(shape)
    families: list[Family] = []
    gathered: set[int] = set()
    registers = unit.registers
    for shapes in groups.values():
        if len(shapes) < SMALLEST or len(shapes[0].constants) > PARAMETERS:
            continue
        family = _family(shapes, unit, registers, strict=strict)
        if family is not None:
            families.append(family)
            gathered |= {shape.number for shape in shapes}
            registers += len(shapes[0].constants)
    if not families:
        return unit
    rest = tuple(one for one in unit.definitions if one.rule not in gathered)
    return replace(unit, definitions=rest, families=tuple(families), registers=registers)


def _shape_of(definition: Definition, unit: Unit) -> tuple[Any, _Shape]:
    """A key that definitions of one shape share, and the definition's shape."""
    constants: list[Any] = []
    numbers: dict[Register, int] = {}
    kept = {step.target for step in unit.shared} | set(unit.parameters)
    branch = definition.branches[0]

    def signature(part: Any) -> Any:
        if isinstance(part, Register):
            return part if part in kept else ("register", numbers.setdefault(part, len(numbers)))
        if isinstance(part, Constant):
            constants.append(part.value)
            return ("constant", type(part.value))
        return part

    key = _signature((branch.block, branch.keys, branch.value), signature)
    return (key, branch.member), _Shape(definition, constants, definition.rule)


def _signature(part: Any, leaf: Callable[[Any], Any]) -> Any:
    """The structure of a part of a plan as nested tuples; look-up keys stay, for they say what is looked up."""
    found = leaf(part)
    if found is not part or isinstance(part, Register):
        return found
    if isinstance(part, tuple) and type(part) is tuple:
        return tuple([_signature(item, leaf) for item in part])
    kind: type = type(part)
    names = field_names(kind)
    if names is None:
        return part
    if isinstance(part, Get):
        literal = tuple(
            [(type(key.value), key_of(key.value)) if isinstance(key, Constant) else leaf(key) for key in part.keys]
        )
        return ("Get", _signature(part.source, leaf), literal)
    return (kind.__name__, *[_signature(getattr(part, name), leaf) for name in names])


def _family(shapes: list[_Shape], unit: Unit, registers: int, *, strict: bool) -> Family | None:
    """The family of definitions of one shape, if a test of theirs can find rows or there are too many to write out."""
    parameters = tuple(Register(registers + number) for number in range(len(shapes[0].constants)))
    branch = _parameterised(shapes[0].definition.branches[0], parameters)
    columns: Columns = dict(zip(parameters, zip(*(shape.constants for shape in shapes), strict=True), strict=True))
    known = {step.target for step in unit.shared} | set(unit.parameters)
    levels, left = find_tests(branch.block, known, columns, strict=strict)
    if not levels or (left > len(shapes) / 2 and len(shapes) > SMALLEST):
        if len(shapes) < MANY:
            return None
        levels = ()
    branch = _without_tests(branch, levels, columns)
    used = {part for part in parts((branch.block, branch.keys, branch.value)) if isinstance(part, Register)}
    kept = [parameter for parameter in parameters if parameter in used]
    admitted = zip(*(level.admitted for level in levels), strict=True) if levels else repeat(())
    constants = zip(*(columns[parameter] for parameter in kept), strict=True) if kept else repeat(())
    rows = tuple(zip(admitted, constants, [shape.number for shape in shapes], strict=False))
    return Family(tuple(level.found for level in levels), rows, tuple(kept), branch, span=shapes[0].definition.span)


def _without_tests(branch: Branch, levels: Sequence[Test], columns: Columns) -> Branch:
    """The branch without the steps that the table makes superfluous, and with the constants that all rows share."""
    dropped = {place for level in levels for place in level.places}
    found = [Defined(level.found.tested) for level in levels]
    block = tuple(step for place, step in enumerate(branch.block) if place not in dropped and step not in found)
    same = {parameter: Constant(column[0]) for parameter, column in columns.items() if _is_same(column)}
    block, keys, value = renamed((block, branch.keys, branch.value), lambda r: same.get(r, r), lambda frame: frame)
    return replace(branch, block=block, keys=keys, value=value)


def _parameterised(branch: Branch, parameters: tuple[Register, ...]) -> Branch:
    """The branch with parameters in the place of its constants, in the order in which `_shape_of` met them."""
    waiting = iter(parameters)

    def visit(part: Any) -> Any:
        if isinstance(part, Constant):
            return next(waiting)
        if type(part) is tuple:
            return tuple([visit(item) for item in part])
        kind: type = type(part)
        names = field_names(kind)
        if names is None or isinstance(part, Register):
            return part
        if isinstance(part, Get):
            return replace(part, source=visit(part.source))
        return replace(part, **{name: visit(getattr(part, name)) for name in names})

    block, keys, value = visit((branch.block, branch.keys, branch.value))
    return replace(branch, block=block, keys=keys, value=value)


def _is_same(values: Sequence[Any]) -> bool:
    first = values[0]
    kind = type(first)
    return kind in (str, int, bool, type(None)) and all(type(value) is kind and value == first for value in values)
