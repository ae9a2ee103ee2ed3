"""What every built-in shares: the errors it raises and the checks of its operands.

A checker returns the operand when it has the type, or raises `OperandError` with OPA's text. Positions count from 1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NoReturn

from procurator.numbers import Number, exact
from procurator.values import Key, Set, Value, type_name

__all__ = [
    "BuiltinError",
    "OperandError",
    "array",
    "big_integer",
    "boolean",
    "collection",
    "integer",
    "number",
    "object_",
    "refuse_element",
    "set_",
    "string",
    "strings",
]

_INT64: Final = range(-(1 << 63), 1 << 63)
_PLAIN: Final = 1e16  # from here on a float prints with an exponent, and OPA takes no such text for an index


class BuiltinError(Exception):
    """A built-in cannot give a value for these operands (`eval_builtin_error`)."""


class OperandError(Exception):
    """An operand has the wrong type (`eval_type_error`).

    The text is "operand N must be EXPECTED but got TYPE"; `got` replaces the name of the value's type, and an empty
    `got` ends the text before "but".
    """

    def __init__(self, position: int, expected: str, value: Value = None, *, got: str | None = None) -> None:
        found = type_name(value) if got is None else got
        super().__init__(f"operand {position} must be {expected}" + (f" but got {found}" if found else ""))

    @classmethod
    def of(cls, text: str) -> OperandError:
        """An error with a text of its own."""
        error = cls.__new__(cls)
        error.args = (text,)
        return error


def string(value: Value, position: int) -> str:
    """The operand as a string."""
    if isinstance(value, str):
        return value
    raise OperandError(position, "string", value)


def number(value: Value, position: int) -> Number:
    """The operand as a number; booleans are none."""
    if isinstance(value, (int, float, Decimal)) and value is not True and value is not False:
        return value
    raise OperandError(position, "number", value)


def integer(value: Value, position: int) -> int:
    """The operand as an integer of 64 bits; a float with nothing behind the point is one."""
    if type(value) is int and value in _INT64:
        return value
    if isinstance(number(value, position), int) and value in _INT64:
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _PLAIN:
        return int(value)
    raise OperandError(position, "integer number", got="floating-point number")


def big_integer(value: Value, position: int) -> int:
    """The operand as an integer of any size; `1.0` is one."""
    if isinstance(value, int) and value is not True and value is not False:
        return value
    if not isinstance(value, (float, Decimal)):
        raise OperandError(position, "integer", value)
    whole = int(exact(value))
    if whole != exact(value):
        raise OperandError(position, "integer number", got="floating-point number")
    return whole


def boolean(value: Value, position: int) -> bool:
    """The operand as a boolean."""
    if value is True or value is False:
        return value
    raise OperandError(position, "boolean", value)


def array(value: Value, position: int) -> list[Value]:
    """The operand as an array."""
    if isinstance(value, list):
        return value
    raise OperandError(position, "array", value)


def object_(value: Value, position: int) -> dict[Key, Value]:
    """The operand as an object: a dict by canonical key."""
    if isinstance(value, dict):
        return value
    raise OperandError(position, "object", value)


def set_(value: Value, position: int) -> Set:
    """The operand as a set."""
    if isinstance(value, Set):
        return value
    raise OperandError(position, "set", value)


def collection(value: Value, position: int, *kinds: str) -> Value:
    """The operand when its type is one of those named; the error lists them in this order."""
    if type_name(value) in kinds:
        return value
    expected = kinds[0] if len(kinds) == 1 else "one of {" + ", ".join(kinds) + "}"
    raise OperandError(position, expected, value)


def strings(value: Value, position: int, *kinds: str) -> list[str]:
    """The strings of an array or a set of nothing else, sets in their order; `kinds` orders the types in the error."""
    members: list[Value] = list(collection(value, position, *(kinds or ("array", "set"))))
    for member in members:
        if not isinstance(member, str):
            refuse_element(position, value, member, "string")
    return members


def refuse_element(position: int, composite: Value, element: Value, *expected: str) -> NoReturn:
    """Refuse a member of a composite operand."""
    kind = type_name(composite)
    wanted = f"{expected[0]}s" if len(expected) == 1 else f"(any of) {{{', '.join(expected)}}}"
    raise OperandError(position, f"{kind} of {wanted}", got=f"{kind} containing {type_name(element)}")
