"""Rebuilding parts of a plan: renaming registers and frames, counting what is used."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
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
def field_names(kind: type) -> tuple[str, ...] | None:
    """The fields of a part of a plan but for its place in the text; None for what has no fields."""
    return tuple(field.name for field in fields(kind) if field.name != "span") if is_dataclass(kind) else None


def renamed(part: Any, register: Callable[[Register], Operand], frame: Callable[[int], int]) -> Any:
    """A step, computation or block with its registers and frames renamed."""
    if isinstance(part, Register):
        return register(part)
    if isinstance(part, tuple) and not isinstance(part, Span):
        changed = tuple([renamed(item, register, frame) for item in part])
        return part if all(new is old for new, old in zip(changed, part, strict=True)) else changed
    kind: type = type(part)
    names = None if isinstance(part, _OPAQUE) else field_names(kind)
    if names is None:
        return part
    changes: dict[str, Any] = {}
    for name in names:
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
        counts.update(units_in(block))
    for plan in program.documents.values():
        # A document may be read any number of times.
        for _, key in plan.units:
            counts[key] += 2
    return counts


def units_in(part: Any) -> Iterator[UnitKey]:
    """The units that a part of a program reads or calls."""
    return (inner for inner in parts(part) if isinstance(inner, UnitKey))


def inner_first(keys: Iterable[UnitKey], read_by: Callable[[UnitKey], Iterable[UnitKey]]) -> list[UnitKey]:
    """The units, each after those that it reads; without recursion, for chains of rules may be long.

    Args:
        keys: the units.
        read_by: the units that a unit reads.
    """
    done: dict[UnitKey, None] = {}
    waiting: list[UnitKey] = list(keys)[::-1]
    entered: set[UnitKey] = set()
    while waiting:
        key = waiting[-1]
        if key in entered:
            waiting.pop()
            done.setdefault(key)
            continue
        entered.add(key)
        waiting += [other for other in read_by(key) if other not in entered]
    return list(done)


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
