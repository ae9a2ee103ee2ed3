"""Aggregates and membership: `count`, `sum`, `product`, `max`, `min`, `sort`, `all`, `any` and `in`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from typing import Final

from procurator import numbers
from procurator.builtins.operands import BuiltinError, OperandError, collection, refuse_element
from procurator.numbers import Number
from procurator.values import KEY_TRUE, UNDEFINED, Set, Value, equal, lookup, ordered, sort_key, type_name

_INTEGERS: Final = frozenset({int})
_UNIFORM: Final = ({int}, {str})


def count(value: Value) -> int:
    """The number of members, keys or characters."""
    if isinstance(value, (list, dict, Set, str)):
        return len(value)
    raise OperandError(1, "one of {array, object, set, string}", value)


def sum_(value: Value) -> Number:
    """The sum of the numbers; 0 when there are none."""
    return _accumulate(value, sum, numbers.total)


def product(value: Value) -> Number:
    """The product of the numbers; 1 when there are none."""
    return _accumulate(value, numbers.product, numbers.product)


def _accumulate(value: Value, whole: Callable[[list[int]], Number], mixed: Callable[[list[Number]], Number]) -> Number:
    members = _members(value)
    try:
        if _INTEGERS.issuperset(map(type, members)):
            return whole(members)
        for member in members:
            if type_name(member) != "number":
                refuse_element(1, value, member, "number")
        return mixed(members)
    except ValueError as error:
        raise BuiltinError(str(error)) from None


def max_(value: Value) -> Value:
    """The greatest member, undefined when there is none."""
    return _extreme(value, max)


def min_(value: Value) -> Value:
    """The smallest member, undefined when there is none."""
    return _extreme(value, min)


def _extreme(value: Value, choose: Callable[..., Value]) -> Value:
    members = _members(value)
    if not members:
        return UNDEFINED
    if set(map(type, members)) in _UNIFORM:
        return choose(members)
    # Of equals such as 1 and 1.0 the last counts; Python chooses the first.
    return choose(reversed(members), key=sort_key)


def sort(value: Value) -> list[Value]:
    """The members in Rego's order."""
    return ordered(_members(value))


def _members(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    return collection(value, 1, "set", "array").ordered()  # type: ignore[no-any-return]  # a Set's list


def all_(value: Value) -> bool:
    """Whether every member is true."""
    return all(member is True for member in collection(value, 1, "array", "set"))


def any_(value: Value) -> bool:
    """Whether a member is true."""
    members = collection(value, 1, "array", "set")
    return KEY_TRUE in members.items if isinstance(members, Set) else any(member is True for member in members)


def member(value: Value, members: Value) -> bool:
    """`value in members`."""
    if isinstance(members, Set):
        return value in members
    if isinstance(members, dict):
        return _contains(members.values(), value)
    return isinstance(members, list) and _contains(members, value)


def _contains(values: Iterable[Value], value: Value) -> bool:
    # Only a string is equal to a string, so Python's own test decides.
    return value in values if type(value) is str else any(map(equal, repeat(value), values))


def member_with_key(key: Value, value: Value, members: Value) -> bool:
    """`key, value in members`."""
    found = lookup(members, key)
    return found is not UNDEFINED and equal(found, value)


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "all": all_,
    "any": any_,
    "count": count,
    "internal.member_2": member,
    "internal.member_3": member_with_key,
    "max": max_,
    "min": min_,
    "product": product,
    "sort": sort,
    "sum": sum_,
}
