"""Rebuilding parts of a plan: renaming registers and frames, counting what is used."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, Final

from procurator.compile.plan import (
    Block,
    Comprehend,
    Compute,
    Constant,
    Either,
    ForEvery,
    Negation,
    Operand,
    Optional,
    Print,
    Program,
    Register,
    Replace,
    Step,
    Template,
    UnitKey,
    Variant,
)
from procurator_rules.spans import Span

_OPAQUE = (Span, UnitKey, Variant, str, int, bool, type(None))
_FRAMES = frozenset({"frame", "parent"})


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in ("span", "rule", "kind", "operator", "name"))


def renamed(part: Any, register: Callable[[Register], Operand], frame: Callable[[int], int]) -> Any:
    """A step, computation or block with its registers and frames renamed."""
    if isinstance(part, Register):
        return register(part)
    if isinstance(part, tuple) and not isinstance(part, Span):
        changed = tuple([renamed(item, register, frame) for item in part])
        return part if all(new is old for new, old in zip(changed, part, strict=True)) else changed
    if isinstance(part, _OPAQUE) or not is_dataclass(part) or isinstance(part, type):
        return part
    changes: dict[str, Any] = {}
    for name in _field_names(type(part)):
        old = getattr(part, name)
        new = frame(old) if name in _FRAMES else renamed(old, register, frame)
        if new is not old:
            changes[name] = new
    return replace(part, **changes) if changes else part


def parts(part: Any) -> Iterator[Any]:
    """A part of a plan and everything in it that is a part itself, parents first."""
    waiting = [part]
    while waiting:
        current = waiting.pop()
        kind = type(current)
        if kind is tuple:
            waiting += reversed(current)
            continue
        yield current
        names = _INNER.get(kind)
        if names is None:
            names = _INNER[kind] = _inner_names(kind)
        for name in names:
            waiting.append(getattr(current, name))


_LEAVES: Final = (Constant, Register, UnitKey, Variant)

_INNER: Final[dict[type, tuple[str, ...]]] = {}
"""The fields of each type that may hold parts, last first."""


def _inner_names(kind: type) -> tuple[str, ...]:
    if kind in _LEAVES or not is_dataclass(kind):
        return ()
    found = [
        field.name for field in fields(kind) if field.name != "span" and field.type not in ("str", "int", str, int)
    ]
    return tuple(reversed(found))


def unit_uses(program: Program) -> Mapping[UnitKey, int]:
    """How often each unit is read or called."""
    counts: Counter[UnitKey] = Counter()
    for block in blocks_of(program):
        counts.update(part for part in parts(block) if isinstance(part, UnitKey))
    for plan in program.documents.values():
        # A document may be read any number of times.
        for _, key in plan.units:
            counts[key] += 2
    return counts


def blocks_of(program: Program) -> Iterator[Any]:
    """Everything that a program runs."""
    yield program.entry
    for unit in program.units.values():
        yield unit.shared
        yield unit.definitions
        yield tuple(family.branch for family in unit.families)
        if unit.default is not None:
            yield unit.default


def highest_frame(block: Block) -> int:
    """The highest number of a frame that a block makes."""
    return max((part.frame for part in parts(block) if isinstance(part, Replace)), default=0)


def in_blocks(step: Step, change: Callable[[Block], Block]) -> Step:
    """A step with the blocks inside it changed."""
    if isinstance(step, Negation | ForEvery):
        return replace(step, block=change(step.block))
    if isinstance(step, Either):
        return replace(step, blocks=tuple([change(block) for block in step.blocks]))
    if isinstance(step, Print):
        return replace(step, parts=tuple([replace(part, block=change(part.block)) for part in step.parts]))
    if isinstance(step, Compute) and isinstance(step.value, Comprehend):
        return replace(step, value=replace(step.value, block=change(step.value.block)))
    if isinstance(step, Compute) and isinstance(step.value, Template):
        texts = [
            replace(part, block=change(part.block)) if isinstance(part, Optional) else part for part in step.value.parts
        ]
        return replace(step, value=replace(step.value, parts=tuple(texts)))
    return step
