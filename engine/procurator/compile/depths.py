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
    depths: dict[UnitKey, int] = {}
    for key in inner_first(below, below.__getitem__):
        depths[key] = 1 + max((depths.get(other, 0) for other in below[key]), default=0)
    return {key for key, depth in depths.items() if depth % LEVELS == 0}
