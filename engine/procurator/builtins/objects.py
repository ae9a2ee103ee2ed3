"""Objects: `object.get`, `object.keys`, `object.filter`, `object.remove`, `object.subset`, `object.union`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final

from procurator.builtins.operands import OperandError, array, object_, refuse_element
from procurator.values import UNDEFINED, Key, Set, Value, bounded, equal, key_of, lookup, value_of


def get(value: Value, path: Value, default: Value) -> Value:
    """The value at a key, or at the end of an array of keys; the default when there is none."""
    found: Value = object_(value, 1)
    for key in path if isinstance(path, list) else (path,):
        found = lookup(found, key)
        if found is UNDEFINED:
            return default
    return found


def keys(value: Value) -> Set:
    """The set of the keys."""
    return Set.of({key: value_of(key) for key in object_(value, 1)})


def filter_(value: Value, wanted: Value) -> dict[Key, Value]:
    """The object with no other keys than those of an array, a set or an object."""
    source = object_(value, 1)
    return {key: source[key] for key in _keys(wanted) if key in source}


def remove(value: Value, unwanted: Value) -> dict[Key, Value]:
    """The object without the keys of an array, a set or an object."""
    source, dropped = object_(value, 1), _keys(unwanted)
    return {key: item for key, item in source.items() if key not in dropped}


def _keys(value: Value) -> dict[Key, Value]:
    if isinstance(value, dict):
        return value
    if isinstance(value, Set):
        return value.items
    if isinstance(value, list):
        return dict.fromkeys(map(key_of, value))
    raise OperandError(2, "one of {object, set, array}", value)


@bounded
def union(a: Value, b: Value) -> dict[Key, Value]:
    """Both objects in one; where both have an object they are merged, otherwise the second wins."""
    return _merge(object_(a, 1), object_(b, 2))


def _merge(a: dict[Key, Value], b: dict[Key, Value]) -> dict[Key, Value]:
    if not a or not b:
        return a or b
    merged = a | b
    for key in a.keys() & b.keys():
        if isinstance(a[key], dict) and isinstance(b[key], dict):
            merged[key] = _merge(a[key], b[key])
    return merged


@bounded
def union_n(objects: Value) -> dict[Key, Value]:
    """The objects of an array, merged from first to last."""
    members = array(objects, 1)
    for member in members:
        if not isinstance(member, dict):
            refuse_element(1, objects, member, "object")
    return reduce(_merge, members, {})


# Subsets


@bounded
def subset(whole: Value, part: Value) -> bool:
    """Whether the part is in the whole: keys and values of objects, members of sets, a run of an array."""
    test = _SUBSETS.get((_shape(whole), _shape(part)))
    if test is None:
        raise OperandError.of("both arguments object.subset must be of the same type or array and set")
    return test(whole, part)


def _shape(value: Value) -> type | None:
    return next((kind for kind in (dict, Set, list) if isinstance(value, kind)), None)


def _object_has(whole: dict[Key, Value], part: dict[Key, Value]) -> bool:
    return all(key in whole and _value_has(whole[key], item) for key, item in part.items())


def _value_has(whole: Value, part: Value) -> bool:
    if equal(whole, part):
        return True
    # Inside of objects a set is no part of an array.
    return _shape(whole) is _shape(part) is not None and subset(whole, part)


def _set_has(whole: Set, part: Set) -> bool:
    return part.items.keys() <= whole.items.keys()


def _array_has(whole: list[Value], part: list[Value]) -> bool:
    run, keys_of_whole = list(map(key_of, part)), list(map(key_of, whole))
    return any(keys_of_whole[i : i + len(run)] == run for i in range(len(whole) - len(run) + 1))


def _array_has_members(whole: list[Value], part: Set) -> bool:
    # As in OPA an element counts as often as it occurs, and an empty array has not even the empty set.
    found = sum(key_of(item) in part.items for item in whole)
    return bool(whole) and found >= len(part)


_SUBSETS: Final[Mapping[tuple[type | None, type | None], Callable[[Value, Value], bool]]] = {
    (dict, dict): _object_has,
    (Set, Set): _set_has,
    (list, list): _array_has,
    (list, Set): _array_has_members,
}


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "object.filter": filter_,
    "object.get": get,
    "object.keys": keys,
    "object.remove": remove,
    "object.subset": subset,
    "object.union": union,
    "object.union_n": union_n,
}
