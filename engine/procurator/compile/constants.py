"""Terms whose value is known when compiling."""

from collections.abc import Callable
from typing import Any, Final

from procurator.numbers import parse_number
from procurator.values import UNDEFINED, Set, key_of
from procurator_rules.nodes import Array, Boolean, Null, Number, Object, SetTerm, String, Term


def constant_value(term: Term) -> Any:
    """The value of a term without variables, references, calls and closures; UNDEFINED for any other."""
    known = _VALUES.get(type(term))
    return UNDEFINED if known is None else known(term)


def _items(items: tuple[Term, ...]) -> Any:
    values = [constant_value(item) for item in items]
    return UNDEFINED if any(value is UNDEFINED for value in values) else values


def _array(term: Array) -> Any:
    return _items(term.items)


def _set(term: SetTerm) -> Any:
    values = _items(term.items)
    return UNDEFINED if values is UNDEFINED else Set(values)


def _object(term: Object) -> Any:
    keys = _items(tuple(key for key, _ in term.items))
    values = _items(tuple(value for _, value in term.items))
    if keys is UNDEFINED or values is UNDEFINED:
        return UNDEFINED
    made = dict(zip(map(key_of, keys), values, strict=True))
    # Equal keys are a conflict, which is an error of evaluation.
    return made if len(made) == len(keys) else UNDEFINED


_VALUES: Final[dict[type, Callable[[Any], Any]]] = {
    Null: lambda term: None,  # noqa: ARG005
    Boolean: lambda term: term.value,
    Number: lambda term: parse_number(term.text),
    String: lambda term: term.value,
    Array: _array,
    SetTerm: _set,
    Object: _object,
}
