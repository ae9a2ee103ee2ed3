"""How many steps a program can take at the most: by its plan and the sizes of collections.

Where base documents alone tell that it is within the limits, nothing has to be counted while the program runs, and a
limit costs nothing. Otherwise they tell how large the collections may be whose sizes only a run can tell: while all of
them are smaller, nothing has to be counted either.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from procurator.builtins.registry import FAMILIES
from procurator.compile.plan import (
    Base,
    Block,
    CallBuiltin,
    CallUnit,
    Comprehend,
    Compute,
    Constant,
    Document,
    Either,
    ForEvery,
    Get,
    MakeArray,
    Negation,
    Operand,
    Optional,
    Print,
    Program,
    Register,
    Scan,
    Template,
    Unit,
    UnitKey,
    UnitValue,
)
from procurator.compile.rewrite import inner_first, parts
from procurator.limits import BOUNDLESS
from procurator.runtime.support import base_value, members
from procurator.values import Set, Value

_GROWING: Final = (
    "array.concat array.flatten base64.encode base64url.encode base64url.encode_no_pad concat hex.encode "
    "internal.template_string json.marshal json.marshal_with_options numbers.range numbers.range_step object.union "
    "object.union_n regex.find_all_string_submatch_n regex.find_n regex.replace replace sprintf "
    "strings.render_template strings.replace_n urlquery.encode urlquery.encode_object yaml.marshal"
)
GROWING: Final = frozenset(_GROWING.split())
"""Built-ins whose results can be larger than their operands, and so without end when used on each other's."""

_LONG: Final = "cidr glob graph graphql json_patch json_schema json_text jwt network regex templates x509 yaml_text"

HEAVY: Final = frozenset(name for family in _LONG.split() for name in FAMILIES[family].split())
"""Built-ins that may take long: the clock is looked at before each call."""

HEAVY_STEPS: Final = 100
"""What a call of one of them counts for when it is asked whether to look at the clock at all."""

Place: TypeAlias = tuple[tuple[str, ...], tuple[str | None, ...]]
"""A path to base documents, and keys below it; None for any key."""

Size: TypeAlias = int | Place | None
"""How many members a collection has: known, that of the largest at a place, or None when only a run can tell."""


@dataclass(frozen=True, slots=True)
class Node:
    """The steps of a part of a program.

    Attributes:
        own: those it takes in any case.
        loops: the collections it visits, and the number of the node for what it does with each member.
        inner: the nodes it contains, and how many times at the most.
    """

    own: int
    loops: tuple[tuple[Size, int], ...]
    inner: tuple[tuple[int, int], ...]


Cost: TypeAlias = tuple[Node, ...]
"""The nodes of a program, each after those that it refers to; the last is the program."""


def cost_of(program: Program) -> Cost:
    """The steps of a program in terms of the sizes of collections."""
    return _Costs(program).cost()


def sized_loops(program: Program) -> frozenset[int]:
    """The identities of the loops of a program whose collections have sizes that base documents tell."""
    costs = _Costs(program)
    costs.cost()
    return frozenset(costs.sized)


def most_steps(cost: Cost, data: Value) -> int:
    """The steps that a program takes at the most over some base documents."""
    return _steps(cost, {**_sizes(cost, data), None: BOUNDLESS})


def most_members(cost: Cost, data: Value, steps: int) -> int | None:
    """How large collections may be of which only a run tells the size, so that a program takes no more than some steps.

    None if it may take more even when they are all empty.
    """
    sizes = _sizes(cost, data)
    if _steps(cost, {**sizes, None: 0}) > steps:
        return None
    return bisect_right(range(1, steps + 1), steps, key=lambda size: _steps(cost, {**sizes, None: size}))


def _sizes(cost: Cost, data: Value) -> dict[Size, int]:
    """The sizes of the collections that base documents tell."""
    found: set[Size] = {size for node in cost for size, _ in node.loops if size is not None}
    return {size: size if isinstance(size, int) else _largest(data, size) for size in found if size is not None}


def _steps(cost: Cost, sizes: Mapping[Size, int]) -> int:
    totals: list[int] = []
    for node in cost:
        total = node.own + sum(times * totals[number] for times, number in node.inner)
        total += sum(sizes[size] * (1 + totals[number]) for size, number in node.loops)
        totals.append(min(total, BOUNDLESS))
    return totals[-1]


def _largest(data: Value, place: Place) -> int:
    """The size of the largest collection at a place."""
    path, keys = place
    found = [base_value(data, path)]
    for key in keys:
        if key is None:
            found = [member for value in found for member in members(value)]
        else:
            found = [value[key] for value in found if isinstance(value, dict) and key in value]
    return max((len(value) for value in found if isinstance(value, (list, dict, Set))), default=0)


@dataclass(slots=True)
class _Suffix:
    """The steps of the rest of a block."""

    own: int = 0
    loops: list[tuple[Size, int]] = field(default_factory=list)
    inner: list[tuple[int, int]] = field(default_factory=list)


Sizes: TypeAlias = dict[Register, Size]
"""Where the values of registers come from, as far as that tells their sizes."""


class _Costs:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes: list[Node] = []
        self.units: dict[UnitKey, int] = {}
        self.sized: set[int] = set()

    def cost(self) -> Cost:
        for key in inner_first(self.program.units, lambda key: read_by(self.program.units[key], self.program)):
            self.units[key] = self._unit(self.program.units[key])
        self.block(self.program.entry, {})
        return tuple(self.nodes)

    def unit(self, key: UnitKey) -> tuple[int, int]:
        """A unit as part of another."""
        if key not in self.units:
            # One that led back to itself would have no bound.
            self.units[key] = self.add(_Suffix(own=BOUNDLESS))
        return 1, self.units[key]

    def loop(self, step: Scan | ForEvery, size: Size) -> Size:
        """The size of the collection that a loop visits."""
        if size is not None:
            self.sized.add(id(step))
        return size

    def growth(self) -> tuple[Size, int]:
        """What a built-in makes, as part of a block."""
        return None, self.add(_Suffix())

    def block(self, block: Block, sizes: Sizes) -> int:
        """The number of the node of a block."""
        for step in block:
            _note(step, sizes)
        suffix = _Suffix()
        for step in reversed(block):
            count = _STEPS.get(type(step))
            if count is not None:
                suffix = count(self, step, suffix, sizes)
        return self.add(suffix)

    def add(self, suffix: _Suffix) -> int:
        """The number of a new node."""
        self.nodes.append(Node(suffix.own, tuple(suffix.loops), tuple(suffix.inner)))
        return len(self.nodes) - 1

    def _unit(self, unit: Unit) -> int:
        sizes: Sizes = {}
        made = _Suffix(inner=[(1, self.block(unit.shared, sizes))])
        for definition in unit.definitions:
            made.inner += [(1, self.block(branch.block, sizes)) for branch in definition.branches]
        made.inner += [(len(family.rows), self.block(family.branch.block, sizes)) for family in unit.families]
        if unit.default is not None:
            made.inner.append((1, self.block(unit.default.block, sizes)))
        return self.add(made)


def read_by(unit: Unit, program: Program) -> Sequence[UnitKey]:
    """The units that a unit reads or calls."""
    found: list[UnitKey] = []
    for part in parts((unit.shared, unit.definitions, unit.families, unit.default)):
        if isinstance(part, UnitKey):
            found.append(part)
        elif isinstance(part, Document):
            found += _units_of(part, program)
    return found


def _units_of(document: Document, program: Program) -> Sequence[UnitKey]:
    plan = program.documents[Document(document.path, 0, document.variant)]
    return [key for _, key in plan.units]


# Sizes


def _note(step: Any, sizes: Sizes) -> None:
    """Note where a step's registers get their values from."""
    if isinstance(step, Compute):
        if isinstance(step.value, Get):
            _set(sizes, step.target, _size(step.value.source, step.value.keys, sizes))
        elif isinstance(step.value, MakeArray):
            sizes[step.target] = len(step.value.items)
    elif isinstance(step, Scan):
        _set(sizes, step.value, _below(_size(step.source, step.keys, sizes)))
    elif isinstance(step, ForEvery):
        _set(sizes, step.value, _below(_size(step.domain, (), sizes)))


def _set(sizes: Sizes, register: Register | None, size: Size) -> None:
    if register is not None and size is not None:
        sizes[register] = size


def _below(size: Size) -> Size:
    return None if size is None or isinstance(size, int) else (size[0], (*size[1], None))


def _size(source: Any, keys: Sequence[Operand], sizes: Sizes) -> Size:
    """What tells the size of what is found in a source by keys."""
    if isinstance(source, Constant):
        return len(source.value) if isinstance(source.value, (list, dict, Set)) and not keys else None
    size = sizes.get(source) if isinstance(source, Register) else None
    if isinstance(source, Base):
        size = source.path, ()
    if size is None or (isinstance(size, int) and keys):
        return None
    return size if isinstance(size, int) else (size[0], (*size[1], *map(_key, keys)))


def _key(operand: Operand) -> str | None:
    return operand.value if isinstance(operand, Constant) and type(operand.value) is str else None


# Steps


def _scan(costs: _Costs, step: Scan, rest: _Suffix, sizes: Sizes) -> _Suffix:
    size = costs.loop(step, _size(step.source, step.keys, sizes))
    return _Suffix(loops=[(size, costs.add(rest))])


def _for_every(costs: _Costs, step: ForEvery, rest: _Suffix, sizes: Sizes) -> _Suffix:
    size = costs.loop(step, _size(step.domain, (), sizes))
    rest.loops.append((size, costs.block(step.block, sizes)))
    return rest


def _blocks(blocks_of: Callable[[Any], Iterable[Block]]) -> Callable[[_Costs, Any, _Suffix, Sizes], _Suffix]:
    def count(costs: _Costs, step: Any, rest: _Suffix, sizes: Sizes) -> _Suffix:
        rest.inner += [(1, costs.block(block, sizes)) for block in blocks_of(step)]
        return rest

    return count


def _compute(costs: _Costs, step: Compute, rest: _Suffix, sizes: Sizes) -> _Suffix:
    count = _COMPUTATIONS.get(type(step.value))
    return rest if count is None else count(costs, step.value, rest, sizes)


def _get(costs: _Costs, value: Get, rest: _Suffix, _sizes: Sizes) -> _Suffix:
    if isinstance(value.source, UnitValue):
        rest.inner.append(costs.unit(value.source.unit))
    elif isinstance(value.source, Document):
        rest.inner += map(costs.unit, _units_of(value.source, costs.program))
    return rest


def _call_unit(costs: _Costs, value: CallUnit, rest: _Suffix, _sizes: Sizes) -> _Suffix:
    rest.own += 1
    rest.inner.append(costs.unit(value.unit))
    return rest


def _call_builtin(costs: _Costs, value: CallBuiltin, rest: _Suffix, _sizes: Sizes) -> _Suffix:
    if value.name in GROWING:
        rest.loops.append(costs.growth())
    if value.name in HEAVY:
        rest.own += HEAVY_STEPS
    return rest


def _template(costs: _Costs, value: Template, rest: _Suffix, sizes: Sizes) -> _Suffix:
    rest.inner += [(1, costs.block(part.block, sizes)) for part in value.parts if isinstance(part, Optional)]
    rest.loops.append(costs.growth())
    return rest


_COMPUTATIONS: Final[Mapping[type, Callable[[_Costs, Any, _Suffix, Sizes], _Suffix]]] = {
    Get: _get,
    CallUnit: _call_unit,
    CallBuiltin: _call_builtin,
    Comprehend: _blocks(lambda value: (value.block,)),
    Template: _template,
}

_STEPS: Final[Mapping[type, Callable[[_Costs, Any, _Suffix, Sizes], _Suffix]]] = {
    Compute: _compute,
    Scan: _scan,
    Negation: _blocks(lambda step: (step.block,)),
    Either: _blocks(lambda step: step.blocks),
    ForEvery: _for_every,
    Print: _blocks(lambda step: [part.block for part in step.parts]),
}
"""How a step adds to the steps after it in its block."""
