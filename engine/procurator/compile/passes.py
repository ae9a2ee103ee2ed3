"""The passes over the plan, in their order."""

from collections.abc import Callable
from typing import Final, TypeAlias

from procurator.compile.inline import inline_units
from procurator.compile.plan import Program
from procurator.compile.share import share_lookups
from procurator.compile.tree import build_families, build_plain_families

Pass: TypeAlias = Callable[[Program], Program]

PASSES: Final[tuple[Pass, ...]] = (inline_units, share_lookups, build_families)

STRICT: Final[tuple[Pass, ...]] = (inline_units, share_lookups, build_plain_families)
"""The passes when errors of built-ins count."""


def optimised(program: Program, *, strict: bool = False) -> Program:
    """The plan after all passes.

    Args:
        program: the plan.
        strict: whether errors of built-ins count, so that no rule may be left out in which OPA finds one.
    """
    for step in STRICT if strict else PASSES:
        program = step(program)
    return program
