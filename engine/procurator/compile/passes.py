"""The passes over the plan, in their order."""

from collections.abc import Callable
from typing import Final, TypeAlias

from procurator.compile.inline import inline_units
from procurator.compile.plan import Program
from procurator.compile.share import share_lookups
from procurator.compile.tree import build_families

Pass: TypeAlias = Callable[[Program], Program]

PASSES: Final[tuple[Pass, ...]] = (inline_units, share_lookups, build_families)


def optimised(program: Program) -> Program:
    """The plan after all passes."""
    for step in PASSES:
        program = step(program)
    return program
