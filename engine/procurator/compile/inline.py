"""The pass that writes units into the places that read them.

A condition that is read once costs less where it is read than in a function of its own; a partial set that is only
iterated need not be built. Both are done only where order and repetition of members cannot be seen.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from procurator.compile.plan import (
    COMPLETE,
    PARTIAL_SET,
    Block,
    Compare,
    Comprehend,
    Compute,
    Constant,
    Definition,
    Either,
    ForEvery,
    Get,
    Held,
    Negation,
    Operand,
    Program,
    Register,
    Scan,
    Step,
    Truthy,
    Unit,
    UnitKey,
    UnitValue,
)
from procurator.compile.rewrite import highest_frame, inner_first, parts, renamed, unit_uses, units_in

SMALL: Final = 12
"""Steps up to which a unit is written into each of its readers, however many there are."""

MAX_DEFINITIONS: Final = 8
"""Units with more definitions have a dispatch of their own."""

MAX_PARTS: Final = 600
"""How much of a plan may be written into another unit, so that chains of rules do not grow with their length."""


def inline_units(program: Program) -> Program:
    """Write conditions and partial sets into the blocks that read them.

    >>> # p if q        becomes   p if { x := input.a; x == 1 }
    >>> # q if input.a == 1
    """
    return _Inliner(program).run()


_Part = TypeVar("_Part")


class _Inliner:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.uses = unit_uses(program)
        self.units: dict[UnitKey, Unit] = {}
        self.weights: dict[UnitKey, int] = {}
        self.registers = 0
        self.frames = 0
        self.renames: dict[Register, Operand] = {}

    def run(self) -> Program:
        units = self.program.units
        for key in inner_first(units, lambda key: units_in((units[key].definitions, units[key].default))):
            self.units[key] = self._unit(key)
            self.weights[key] = sum(1 for _ in parts(self.units[key].definitions))
        inlined = {key: self.units[key] for key in units}
        entry, registers = self._block_of_entry()
        outputs = self._renamed(self.program.outputs)
        program = replace(self.program, entry=entry, outputs=outputs, units=inlined, registers=registers)
        return replace(program, units=_reachable(program))

    def _block_of_entry(self) -> tuple[Block, int]:
        self.registers, self.frames = self.program.registers, highest_frame(self.program.entry)
        self.renames = {}
        entry = self.block(self.program.entry, repeatable=False)
        return self._renamed(entry), self.registers

    def _unit(self, key: UnitKey) -> Unit:
        """A unit with what it reads written into it."""
        unit = self.program.units[key]
        self.registers = unit.registers
        self.frames = highest_frame(tuple(step for d in unit.definitions for b in d.branches for step in b.block))
        self.renames = {}
        repeatable = unit.kind != "object"
        definitions = self._renamed(tuple(self._definition(one, repeatable) for one in unit.definitions))
        return replace(unit, definitions=definitions, registers=self.registers)

    def _definition(self, definition: Definition, repeatable: bool) -> Definition:
        branches = tuple(replace(branch, block=self.block(branch.block, repeatable)) for branch in definition.branches)
        return replace(definition, branches=branches)

    def block(self, block: Block, repeatable: bool) -> Block:
        """A block with what it reads written into it.

        Args:
            block: its steps.
            repeatable: whether succeeding twice in the same way is the same as once.
        """
        made: list[Step] = []
        for place, step in enumerate(block):
            following = block[place + 1] if place + 1 < len(block) else None
            inlined = self._try(self._renamed(step), following, repeatable)
            made += inlined if inlined is not None else [self._inner(step)]
        return tuple(made)

    def _renamed(self, part: _Part) -> _Part:
        """A part of the unit with the operands that inlining has put in the place of its registers."""
        renames = self.renames
        if not renames:
            return part
        return renamed(part, lambda register: renames.get(register, register), lambda frame: frame)  # type: ignore[no-any-return]  # of the same type

    def _inner(self, step: Step) -> Step:
        """The blocks inside a step."""
        if isinstance(step, Negation | ForEvery):
            return replace(step, block=self.block(step.block, repeatable=True))
        if isinstance(step, Either):
            return replace(step, blocks=tuple(self.block(block, repeatable=True) for block in step.blocks))
        if isinstance(step, Compute) and isinstance(step.value, Comprehend):
            inner = self.block(step.value.block, repeatable=step.value.kind == "set")
            return replace(step, value=replace(step.value, block=inner))
        return step

    def _try(self, step: Step, following: Step | None, repeatable: bool) -> list[Step] | None:
        if isinstance(step, Scan) and repeatable:
            return self._scan(step)
        if isinstance(step, Compute) and isinstance(step.value, Get):
            return self._condition(step, step.value, following)
        return None

    # Conditions

    def _condition(self, step: Compute, value: Get, following: Step | None) -> list[Step] | None:
        """`rule` as a line of its own: the bodies of the rule, if all that counts is whether one holds."""
        if not isinstance(value.source, UnitValue):
            return None
        if value.keys:
            return self._membership(step, value)
        if not (isinstance(following, Truthy) and following.operand == step.target):
            return None
        unit = self._unit_to_inline(value.source.unit)
        if unit is None or unit.kind != COMPLETE or not _is_condition(unit):
            return None
        blocks = [self._copied(definition, value.source.frame)[0] for definition in unit.definitions]
        self.renames[step.target] = Constant(True)
        if len(blocks) == 1 and not any(isinstance(part, Scan) for part in blocks[0]):
            return list(blocks[0])
        return [Either(tuple(blocks), span=step.span)]

    def _membership(self, step: Compute, value: Get) -> list[Step] | None:
        """`set[x]` with x known: whether one of the set's rules gives x, without building the set."""
        if len(value.keys) != 1 or not isinstance(value.source, UnitValue) or self.uses[value.source.unit] != 1:
            return None
        unit = self._unit_to_inline(value.source.unit)
        if unit is None or unit.kind != PARTIAL_SET:
            return None
        key = value.keys[0]
        blocks = []
        for definition in unit.definitions:
            block, member = self._copied(definition, value.source.frame)
            blocks.append((*block[:-1], Compare("equal", member, key, span=step.span), block[-1]))
        self.renames[step.target] = key
        return [Either(tuple(blocks), span=step.span)]

    def _unit_to_inline(self, key: UnitKey) -> Unit | None:
        unit = self.units.get(key)
        if unit is None or len(unit.definitions) > MAX_DEFINITIONS or self.weights[key] > MAX_PARTS:
            return None
        if any(len(definition.branches) > 1 for definition in unit.definitions):
            return None
        size = sum(len(definition.branches[0].block) for definition in unit.definitions)
        return unit if self.uses[key] == 1 or size <= SMALL else None

    # Partial sets

    def _scan(self, step: Scan) -> list[Step] | None:
        """Iterating a partial set of one rule: the rule's body, and its member in the place of the variable."""
        if step.keys or not isinstance(step.source, UnitValue) or self.uses[step.source.unit] != 1:
            return None
        unit = self._unit_to_inline(step.source.unit)
        if unit is None or unit.kind != PARTIAL_SET or len(unit.definitions) != 1:
            return None
        block, member = self._copied(unit.definitions[0], step.source.frame)
        for register in (step.key, step.value):
            if register is not None:
                self.renames[register] = member
        return list(block)

    def _copied(self, definition: Definition, frame: int) -> tuple[Block, Operand]:
        """A rule's block and value with registers and frames of its own."""
        branch = definition.branches[0]
        registers: dict[Register, Register] = {}
        frames = {0: frame}

        def register(old: Register) -> Register:
            if old not in registers:
                registers[old] = Register(self.registers)
                self.registers += 1
            return registers[old]

        def new_frame(old: int) -> int:
            if old not in frames:
                self.frames += 1
                frames[old] = self.frames
            return frames[old]

        block: Block = renamed(branch.block, register, new_frame)
        return (*block, Held(definition.rule)), renamed(branch.value, register, new_frame)


def _is_condition(unit: Unit) -> bool:
    """Whether a complete document is true or undefined, or true or false by default."""
    default = unit.default
    if default is not None and (default.block or not _is(default.value, False)):
        return False
    return all(_is(definition.branches[0].value, True) for definition in unit.definitions)


def _is(operand: Operand, value: Any) -> bool:
    return isinstance(operand, Constant) and operand.value is value


def _reachable(program: Program) -> Mapping[UnitKey, Unit]:
    """The units that something still reads."""
    found: dict[UnitKey, Unit] = {}
    waiting = [*units_in(program.entry)]
    waiting += [key for plan in program.documents.values() for _, key in plan.units]
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found[key] = program.units[key]
        waiting += units_in((found[key].definitions, found[key].default))
    return {key: program.units[key] for key in program.units if key in found}
