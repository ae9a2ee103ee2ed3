"""The pass that looks a reference up once for a whole unit, whichever of its rules use it."""

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from procurator.compile.plan import (
    Base,
    Block,
    Compute,
    Constant,
    Defined,
    ForEvery,
    Get,
    Input,
    Operand,
    Program,
    Register,
    Scan,
    Source,
    Step,
    Unit,
)
from procurator.compile.rewrite import in_blocks, renamed

IN_LOOP = 2
"""What a look-up inside a loop counts for: it is worth a place at the start of the unit."""


def share_lookups(program: Program) -> Program:
    """Make look-ups in the input and in base documents that are used repeatedly at the start of their unit.

    >>> # a if input.x == 1      becomes   s := input.x (once)
    >>> # a if input.x == 2                a if s == 1; a if s == 2
    """
    return replace(program, units={key: _shared(unit) for key, unit in program.units.items()})


@dataclass(frozen=True, slots=True)
class _Same:
    """A constant in a place: equal to others of the same type and text."""

    kind: type
    text: str


Place: TypeAlias = tuple[Source, tuple[Register | _Same, ...]]


@dataclass(slots=True)
class _Sharing:
    """The look-ups of one unit.

    Attributes:
        uses: how often each place is looked up.
        names: the shared register of each place that has one.
        originals: a step that looks each place up.
        renames: registers of the unit that a shared one stands in for; registers are unique in a unit.
    """

    registers: int
    uses: Counter[Place] = field(default_factory=Counter)
    names: dict[Place, Register] = field(default_factory=dict)
    originals: dict[Place, Compute] = field(default_factory=dict)
    renames: dict[Register, Operand] = field(default_factory=dict)
    known: set[Operand] = field(default_factory=set)

    def register(self) -> Register:
        """A new register."""
        self.registers += 1
        return Register(self.registers - 1)

    def place_of(self, step: Step) -> Place | None:
        """Where a step looks something up, if only from the input, base documents and shared look-ups."""
        if not (isinstance(step, Compute) and isinstance(step.value, Get) and step.value.keys):
            return None
        source = step.value.source
        if not (isinstance(source, Base) or (isinstance(source, Input) and source.frame == 0)):
            return None
        keys = tuple([self.renamed(key) for key in step.value.keys])
        if all(isinstance(key, Constant) or key in self.known for key in keys):
            return source, tuple([_comparable(key) for key in keys])
        return None

    def renamed(self, operand: Operand) -> Operand:
        """An operand, or the shared register that stands in for it."""
        return self.renames.get(operand, operand) if isinstance(operand, Register) else operand


def _comparable(key: Operand) -> Register | _Same:
    return _Same(type(key.value), repr(key.value)) if isinstance(key, Constant) else key


def _shared(unit: Unit) -> Unit:
    sharing = _Sharing(unit.registers)
    blocks = [branch.block for definition in unit.definitions for branch in definition.branches]
    blocks = [_split_scans(block, sharing) for block in blocks]
    # A look-up whose key is itself a shared look-up comes into reach once that one has its name.
    while _name_places(blocks, sharing):
        pass
    if not sharing.names:
        return unit
    replaced = iter([_replaced(block, sharing) for block in blocks])
    definitions = tuple(
        replace(one, branches=tuple(replace(branch, block=next(replaced)) for branch in one.branches))
        for one in unit.definitions
    )
    shared = tuple(replace(sharing.originals[place], target=name) for place, name in sharing.names.items())
    definitions, shared = renamed((definitions, shared), sharing.renamed, lambda frame: frame)
    return replace(unit, definitions=definitions, shared=shared, registers=sharing.registers)


def _name_places(blocks: list[Block], sharing: _Sharing) -> bool:
    """Give a shared register to each place that is now seen to be used repeatedly; whether there were any."""
    sharing.uses.clear()
    for block in blocks:
        _count(block, sharing, looped=False)
    fresh = [place for place, count in sharing.uses.items() if count > 1 and place not in sharing.names]
    for place in fresh:
        sharing.names[place] = sharing.register()
        sharing.known.add(sharing.names[place])
    return bool(fresh)


def _split_scans(block: Block, sharing: _Sharing) -> Block:
    """Scans of something to be looked up first become a look-up and a scan."""
    made: list[Step] = []
    for step in block:
        if isinstance(step, Scan) and step.keys:
            register = sharing.register()
            made.append(Compute(register, Get(step.source, step.keys), span=step.span))
            step = replace(step, source=register, keys=())
        made.append(in_blocks(step, partial(_split_scans, sharing=sharing)))
    return tuple(made)


def _count(block: Block, sharing: _Sharing, looped: bool) -> Block:
    for step in block:
        place = sharing.place_of(step)
        if place is not None and isinstance(step, Compute):
            sharing.uses[place] += IN_LOOP if looped else 1
            sharing.originals.setdefault(place, step)
            if place in sharing.names:
                sharing.renames[step.target] = sharing.names[place]
        looped = looped or isinstance(step, Scan)
        below = looped or isinstance(step, ForEvery)
        in_blocks(step, partial(_count, sharing=sharing, looped=below))
    return block


def _replaced(block: Block, sharing: _Sharing) -> Block:
    made: list[Step] = []
    for step in block:
        place = sharing.place_of(step)
        name = sharing.names.get(place) if place is not None else None
        if name is not None and isinstance(step, Compute):
            made.append(Defined(name, span=step.span))
        else:
            made.append(in_blocks(step, partial(_replaced, sharing=sharing)))
    return tuple(made)
