"""How deep rules stand on each other, and which of them begin a stack of their own for that."""

from collections.abc import Set
from typing import Final

from procurator.compile.cost import read_by
from procurator.compile.plan import Program, UnitKey
from procurator.compile.rewrite import inner_first

LEVELS: Final = 100
"""Units on top of each other that one stack takes: each takes a few frames, and some have to be left for values."""


def units_apart(program: Program) -> Set[UnitKey]:
    """The units that have to begin a stack of their own, so that none gets too deep; most programs have none."""
    below = {key: read_by(unit, program) for key, unit in program.units.items()}
    # INVARIANT: a unit has a greater level than those that it reads on its own stack, whichever of them it reads first.
    levels: dict[UnitKey, int] = {}
    for key in inner_first(below, below.__getitem__):
        level = 1 + max((levels.get(other, 0) for other in below[key]), default=0)
        levels[key] = level if level < LEVELS else 0  # it has a stack of its own, and takes nothing of its readers'
    return {key for key, level in levels.items() if level == 0}
