"""The pass that makes rules of one shape one code path and a table.

Rules that differ in constants alone become a family: the input finds, by hash or bisection, the few whose first test it
passes, and one block runs for those. Ten thousand rules then cost what ten do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from procurator.compile.plan import (
    Block,
    Branch,
    CallBuiltin,
    Compare,
    Compute,
    Constant,
    Defined,
    Definition,
    Family,
    Program,
    Register,
    Scan,
    Step,
    Truthy,
    Unit,
)
from procurator.compile.rewrite import parts, renamed
from procurator.runtime.index import RangeIndex
from procurator.values import Set, key_of

SMALLEST: Final = 2
"""Rules of one shape from which on a table is made."""

PARAMETERS: Final = 32
"""Constants a row may have."""


def build_families(program: Program) -> Program:
    """Gather rules that differ in constants alone.

    >>> # allow if input.user == "ann"     becomes   allow if input.user finds a row in {"ann": …, "bob": …}
    >>> # allow if input.user == "bob"
    """
    return replace(program, units={key: _gathered(unit) for key, unit in program.units.items()})


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


def _gathered(unit: Unit) -> Unit:
    if len(unit.definitions) < SMALLEST:
        return unit
    groups: dict[Any, list[_Shape]] = {}
    order: dict[int, Any] = {}
    for number, definition in enumerate(unit.definitions):
        if len(definition.branches) > 1:
            continue
        key, shape = _shape_of(definition, unit)
        groups.setdefault(key, []).append(shape)
        order[number] = key
    families: list[Family] = []
    gathered: set[int] = set()
    registers = unit.registers
    for shapes in groups.values():
        if len(shapes) < SMALLEST or len(shapes[0].constants) > PARAMETERS:
            continue
        family = _family(shapes, unit, registers)
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
    names = _FIELDS.get(type(part))
    if names is None:
        fields = getattr(type(part), "__dataclass_fields__", None)
        if fields is None:
            return part
        names = _FIELDS[type(part)] = tuple(name for name in fields if name != "span")
    if type(part).__name__ == "Get":
        literal = tuple(
            [(type(key.value), key_of(key.value)) if isinstance(key, Constant) else leaf(key) for key in part.keys]
        )
        return ("Get", _signature(part.source, leaf), literal)
    return (type(part).__name__, *[_signature(getattr(part, name), leaf) for name in names])


_FIELDS: dict[type, tuple[str, ...]] = {}


def _family(shapes: list[_Shape], unit: Unit, registers: int) -> Family | None:
    """The family of definitions of one shape, if a test of theirs can find rows."""
    parameters = tuple(Register(registers + number) for number in range(len(shapes[0].constants)))
    branch = _parameterised(shapes[0].definition.branches[0], parameters)
    tests = _tests(branch.block, unit, parameters, shapes)
    if not tests:
        return None
    best = min(tests, key=lambda test: (test.crowding, _PREFERENCE[test.kind]))
    if best.crowding > len(shapes) / 2 and len(shapes) > SMALLEST:
        return None
    found = Defined(best.tested)
    block = tuple(step for number, step in enumerate(branch.block) if number not in best.places and step != found)
    same = {
        parameter: Constant(shapes[0].constants[number])
        for number, parameter in enumerate(parameters)
        if _is_same([shape.constants[number] for shape in shapes])
    }
    block, keys, value = renamed((block, branch.keys, branch.value), lambda r: same.get(r, r), lambda frame: frame)
    used = {part for part in parts((block, keys, value)) if isinstance(part, Register)}
    wanted = [number for number, parameter in enumerate(parameters) if parameter in used]
    rows = tuple(
        (best.admitted(shape.constants), tuple(shape.constants[number] for number in wanted), shape.number)
        for shape in shapes
    )
    kept = tuple(parameters[number] for number in wanted)
    made = replace(branch, block=block, keys=keys, value=value)
    return Family(best.kind, best.tested, rows, kept, made, span=shapes[0].definition.span)


def _parameterised(branch: Branch, parameters: tuple[Register, ...]) -> Branch:
    """The branch with parameters in the place of its constants, in the order in which `_shape_of` met them."""
    waiting = iter(parameters)

    def visit(part: Any) -> Any:
        if isinstance(part, Constant):
            return next(waiting)
        if type(part) is tuple:
            return tuple([visit(item) for item in part])
        fields = getattr(type(part), "__dataclass_fields__", None)
        if fields is None or isinstance(part, Register):
            return part
        if type(part).__name__ == "Get":
            return replace(part, source=visit(part.source))
        return replace(part, **{name: visit(getattr(part, name)) for name in fields if name != "span"})

    block, keys, value = visit((branch.block, branch.keys, branch.value))
    return replace(branch, block=block, keys=keys, value=value)


def _is_same(values: Sequence[Any]) -> bool:
    first = values[0]
    kind = type(first)
    return kind in (str, int, bool, type(None)) and all(type(value) is kind and value == first for value in values)


# Tests that find rows


@dataclass(slots=True)
class _Test:
    """A test of the block that an index can make.

    Attributes:
        places: the steps it stands for.
        admitted: from a rule's constants, what its test admits.
        crowding: how many rows a value finds at the most, a measure of its worth.
    """

    kind: str
    tested: Register
    places: tuple[int, ...]
    admitted: Callable[[list[Any]], Any]
    crowding: int


_PREFERENCE: Final = {"equal": 0, "member": 1, "prefix": 2, "range": 3}


def _tests(block: Block, unit: Unit, parameters: tuple[Register, ...], shapes: list[_Shape]) -> list[_Test]:
    """The tests before the first loop that compare a shared look-up with parameters."""
    known = {step.target for step in unit.shared} | set(unit.parameters)
    number_of = {parameter: number for number, parameter in enumerate(parameters)}
    found: list[_Test] = []
    bounds: dict[Register, dict[str, tuple[int, int]]] = {}
    for place, step in enumerate(block):
        if isinstance(step, Scan):
            break
        if isinstance(step, Compare):
            _comparison(step, place, known, number_of, shapes, found, bounds)
        elif isinstance(step, Compute) and isinstance(step.value, CallBuiltin) and place + 1 < len(block):
            _call(step, block[place + 1], place, known, number_of, shapes, found)
    found += [test for register, sides in bounds.items() if (test := _range(register, sides, shapes))]
    return found


def _sides(step: Compare, known: set[Register], number_of: dict[Register, int]) -> tuple[Register, int, bool] | None:
    """The shared register and the parameter that a comparison is between, and whether they are swapped."""
    for one, other, swapped in ((step.left, step.right, False), (step.right, step.left, True)):
        if isinstance(one, Register) and one in known and isinstance(other, Register) and other in number_of:
            return one, number_of[other], swapped
    return None


_SWAPPED: Final = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}


def _comparison(
    step: Compare,
    place: int,
    known: set[Register],
    number_of: dict[Register, int],
    shapes: list[_Shape],
    found: list[_Test],
    bounds: dict[Register, dict[str, tuple[int, int]]],
) -> None:
    sides = _sides(step, known, number_of)
    if sides is None:
        return
    register, number, swapped = sides
    if step.operator == "equal":
        crowding = _crowding([key_of(shape.constants[number]) for shape in shapes])
        found.append(_Test("equal", register, (place,), lambda constants: constants[number], crowding))
    elif step.operator in _SWAPPED:
        operator = _SWAPPED[step.operator] if swapped else step.operator
        bounds.setdefault(register, {}).setdefault(operator, (place, number))


def _call(
    step: Compute,
    following: Step,
    place: int,
    known: set[Register],
    number_of: dict[Register, int],
    shapes: list[_Shape],
    found: list[_Test],
) -> None:
    call = step.value
    if not (isinstance(call, CallBuiltin) and isinstance(following, Truthy) and following.operand == step.target):
        return
    kind = _CALLS.get(call.name)
    if kind is None or len(call.args) != 2:
        return
    tested, other = call.args
    if not (isinstance(tested, Register) and tested in known and isinstance(other, Register) and other in number_of):
        return
    number = number_of[other]
    values = [shape.constants[number] for shape in shapes]
    if kind == "member" and all(isinstance(value, (list, Set)) for value in values):
        crowding = _crowding([key_of(item) for value in values for item in value])
    elif kind == "prefix" and all(type(value) is str for value in values):
        crowding = _crowding(values)
    else:
        return
    found.append(_Test(kind, tested, (place, place + 1), lambda constants: constants[number], crowding))


_CALLS: Final = {"internal.member_2": "member", "startswith": "prefix"}


def _crowding(keys: Sequence[Any]) -> int:
    counts: dict[Any, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return max(counts.values(), default=0)


def _range(register: Register, sides: dict[str, tuple[int, int]], shapes: list[_Shape]) -> _Test | None:
    """A range of numbers from a lower and an upper bound."""
    low = next((operator for operator in ("gte", "gt") if operator in sides), None)
    high = next((operator for operator in ("lte", "lt") if operator in sides), None)
    if low is None or high is None:
        return None
    (low_place, low_number), (high_place, high_number) = sides[low], sides[high]

    def admitted(constants: list[Any]) -> Any:
        return constants[low_number], low == "gte", constants[high_number], high == "lte"

    ranges = [admitted(shape.constants) for shape in shapes]
    if not all(type(bound) is int or type(bound) is float for low_, _, high_, _ in ranges for bound in (low_, high_)):
        return None
    if not RangeIndex.is_worth_it(ranges):
        return None
    return _Test(
        "range", register, (low_place, high_place), admitted, max(1, len(shapes) // 4 if len(shapes) > 8 else 1)
    )
