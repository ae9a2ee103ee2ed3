"""What generated code and the interpreter share: members, frames, conflicts, whole documents.

A context is a list: the input, the evaluation, the meter of its limits, the trace, then what `with` replaced, then one
place for each unit whose value is kept. `UNSET` marks a place that is still empty.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from procurator.limits import Meter
from procurator.numbers import number_text
from procurator.runtime.overlay import Overlay
from procurator.values import UNDEFINED, Set, Value, equal, key_of, lookup, ordered_keys, value_of
from procurator_rules.errors import PolicyError
from procurator_rules.spans import Span

INPUT: Final = 0
EVALUATION: Final = 1
METER: Final = 2
TRACE: Final = 3
HEADER: Final = 4

Context = list[Any]


class _Unset:
    """The type of `UNSET`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()

SYSTEM: Final = "system"

CONFLICT: Final = "eval_conflict_error"

SAME_KEY: Final = "object keys must be unique"


# Members


def members(value: Value) -> Iterable[Value]:
    """The members of a collection in no particular order; none of anything else."""
    kind = type(value)
    if kind is list:
        return value  # type: ignore[no-any-return]
    if kind is Set:
        return value.items.values()  # type: ignore[no-any-return]
    if isinstance(value, dict):
        return value.values()
    # A relation, such as `walk`, gives its outcomes one by one.
    return value if isinstance(value, (list, Iterator)) else ()


def entries(value: Value) -> Iterable[tuple[Value, Value]]:
    """The keys and members of a collection in no particular order; none of anything else."""
    if isinstance(value, dict):
        return [(key if type(key) is str else value_of(key), member) for key, member in value.items()]
    if isinstance(value, list):
        return enumerate(value)
    return [(member, member) for member in value.items.values()] if type(value) is Set else ()


def sorted_members(value: Value) -> Iterable[Value]:
    """The members of a collection in Rego's order."""
    if isinstance(value, dict):
        return [value[key] for key in ordered_keys(value)]
    if type(value) is Set:
        return value.ordered()
    return value if isinstance(value, (list, Iterator)) else ()


def sorted_entries(value: Value) -> Iterable[tuple[Value, Value]]:
    """The keys and members of a collection in Rego's order."""
    if isinstance(value, dict):
        return [(key if type(key) is str else value_of(key), value[key]) for key in ordered_keys(value)]
    if isinstance(value, list):
        return enumerate(value)
    return [(member, member) for member in value.ordered()] if type(value) is Set else ()


def domain(value: Value) -> Iterable[tuple[Value, Value]] | None:
    """The entries of a collection; None for anything else."""
    return entries(value) if isinstance(value, (list, dict, Set)) else None


# Conflicts


class ConflictError(PolicyError):
    """Generated code found two values where there has to be one; where evaluation ends the error is made of it.

    Attributes:
        unit: the number of the rules' unit in the program.
        context: what the unit was evaluated in; None when it was the entry itself.
        operands: the arguments of a function.
        span: the rule that gave the second value.
    """

    def __init__(self, unit: int, context: Context | None, operands: Sequence[Value], span: Span) -> None:
        super().__init__(CONFLICT, "conflicting values", at=span)
        self.unit = unit
        self.context = context
        self.operands = operands
        self.span = span


def agree(kept: Value, value: Value, unit: int, context: Context | None, operands: Sequence[Value], span: Span) -> None:
    """Two values of a document that has one: they have to be equal."""
    if not equal(kept, value):
        raise ConflictError(unit, context, operands, span)


def _put_once(made: dict[Any, Value], key: Any, value: Value, span: Span) -> None:
    kept = made.setdefault(key, value)
    if kept is not value and not equal(kept, value):
        raise PolicyError(CONFLICT, SAME_KEY, at=span)


def put(made: dict[Any, Value], key: Value, value: Value, span: Span) -> None:
    """Add an entry to an object under construction."""
    _put_once(made, key if type(key) is str else key_of(key), value, span)


class Nest(dict[Any, Any]):
    """An object under construction whose members are made by several rules."""


class Members(dict[Any, Any]):
    """A set under construction, by canonical key."""


def put_deep(made: Nest, keys: Sequence[Value], value: Value, member: bool, span: Span) -> None:
    """Add what one rule gives to the document that all rules below an open path make together."""
    *outer, last = [key if type(key) is str else key_of(key) for key in keys] or [None]
    at = made
    for name in outer:
        found = at.setdefault(name, Nest())
        if type(found) is not Nest:
            raise PolicyError(CONFLICT, SAME_KEY, at=span)
        at = found
    if member:
        found = at.setdefault(last, Members())
        if type(found) is not Members:
            raise PolicyError(CONFLICT, SAME_KEY, at=span)
        found.setdefault(key_of(value), value)
    elif type(at.get(last)) in (Nest, Members):
        raise PolicyError(CONFLICT, SAME_KEY, at=span)
    else:
        _put_once(at, last, value, span)


def finished(made: Any) -> Value:
    """A document under construction as a value."""
    if type(made) is Nest:
        return {key: finished(value) for key, value in made.items()}
    return Set.of(dict(made)) if type(made) is Members else made


# Frames


def replaced_input(value: Value, replacements: Iterable[tuple[Sequence[str], Value]]) -> Value:
    """The input with something else at some paths; what is in the way gives place to an object."""
    made = Overlay(value)
    for path, replacement in replacements:
        made.put(path, replacement)
    return made.whole


def frame_with(
    context: Context,
    kept: int,
    total: int,
    inputs: Sequence[tuple[Sequence[str], Value]],
    values: Sequence[tuple[int, Value]],
) -> Context:
    """A context in which `with` has replaced something; what was computed before does not count in it.

    Args:
        context: the one around it.
        kept: how many places are no kept values of units.
        total: how many places there are.
        inputs: paths below the input and what is put there.
        values: places of replacements and what is put there.
    """
    made = [*context[:kept], *[UNSET] * (total - kept)]
    made[INPUT] = replaced_input(made[INPUT], inputs)
    for place, value in values:
        made[place] = value
    return made


# Whole documents


def whole_document(
    base: Value,
    objects: Iterable[Sequence[str]],
    units: Iterable[tuple[Sequence[str], Callable[[Context], Value]]],
    replaced: Iterable[tuple[Sequence[str], int]],
    context: Context,
) -> Value:
    """Base data with what rules define below it and what `with` put there."""
    made = Overlay(base if isinstance(base, dict) else UNDEFINED)
    for path in objects:
        made.object_at(path)
    for path, unit in units:
        value = unit(context)
        if value is not UNDEFINED:
            made.fill(path, value)
    for path, place in replaced:
        made.put(path, context[place])
    return base if made.whole is UNDEFINED else made.whole


def lookup_base(value: Value, key: Value) -> Value:
    """What a constant number selects in base documents, where the keys of objects are strings."""
    found = lookup(value, key)
    is_index = type(key) in (int, float) and isinstance(value, dict)
    return lookup(value, number_text(key)) if found is UNDEFINED and is_index else found


def base_value(data: Value, path: Sequence[str]) -> Value:
    """The base document at a path, or UNDEFINED; all of `data` does not show the documents of the system."""
    if not path and isinstance(data, Mapping) and SYSTEM in data:
        return {name: member for name, member in data.items() if name != SYSTEM}
    for name in path:
        if not isinstance(data, Mapping) or name not in data:
            return UNDEFINED
        data = data[name]
    return data


# Limits


def charge(meter: Meter, collection: Value) -> None:
    """Count the members that a loop is about to visit, as far as they are known before."""
    if isinstance(collection, (list, dict, Set)):
        meter.spend(len(collection))


def counted(meter: Meter, found: Iterable[Value]) -> Iterable[Value]:
    """The members that a loop visits; those of a relation are counted one by one."""
    return meter.each(found) if isinstance(found, Iterator) else found
