"""JSON as the gateway takes it: nothing that two readers could understand differently.

Duplicate names, NaN, halves of characters, numbers that lose digits on their way through a double of IEEE 754 and deep
nesting are refused, in texts and in Python values alike; RFC 7493 calls what is left I-JSON.
"""

from __future__ import annotations

import json
import json.encoder
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias

from procurator.governance.refusals import Refused
from procurator.values import dumps

Json: TypeAlias = Any
"""A JSON value as Python has it: dict, list, str, int, float, Decimal, bool or None."""

MAX_DEPTH: Final = 64
"""Levels of arrays and objects."""

MAX_DIGITS: Final = 400
"""Digits of a number; a double has at most 309 before its point."""

_EXACT: Final = 1 << 53
_SHORT: Final = 15
_SHOWN: Final = 60
_ROOT: Final = "$"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LITERAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,5})?")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

LOSES_DIGITS: Final = "is a number that loses digits as a double; write it as a string"
NOT_A_NUMBER: Final = "is not a number that JSON has"
NOT_UNICODE: Final = "holds half of a character"
TOO_DEEP: Final = f"is nested more than {MAX_DEPTH} deep"


class JsonError(ValueError):
    """A value is not what the gateway takes.

    Attributes:
        place: names and positions that lead to it.
        problem: what is wrong with it, to be said after its path.
    """

    def __init__(self, place: tuple[str | int, ...], problem: str) -> None:
        super().__init__(f"{path_text(place)} {problem}")
        self.place = place
        self.problem = problem

    @property
    def refusal(self) -> Refused:
        """The same, as the gateway reports it."""
        return malformed(self.place, self.problem)


def malformed(place: tuple[str | int, ...], problem: str) -> Refused:
    """The refusal of a value at a place; the problem is said after its path."""
    path = path_text(place)
    return Refused("malformed", f"`{path}` {problem}", field=path)


def path_text(place: tuple[str | int, ...]) -> str:
    """A path as it is shown: `$.action.parameters["a b"][0]`."""
    return _ROOT + "".join(_step(part) for part in place)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    name = part if len(part) <= _SHOWN else part[:_SHOWN] + "..."
    return f".{name}" if _NAME.fullmatch(name) else f"[{json.dumps(name)}]"


# Reading


def read(text: str | bytes) -> Json:
    """The value of a JSON text.

    Raises:
        Refused: `malformed`, with the path of what is wrong.
    """
    characters = _characters(text)
    try:
        value = _decode(characters)
        # One character is found many times faster than two.
        escapes = "\\" in characters and "\\u" in characters
        if escapes or characters.count("[") + characters.count("{") > MAX_DEPTH:
            _check(value, (), 0)
    except (ValueError, RecursionError):
        raise _problem(characters).refusal from None
    return value


def _characters(text: str | bytes) -> str:
    try:
        characters = text if isinstance(text, str) else str(text, "utf-8")
        if not characters.isascii():
            characters.encode()
    except UnicodeError:
        raise malformed((), "is not UTF-8") from None
    return characters


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate names")
    return value


def _integer(text: str) -> int:
    if len(text) > _SHORT:
        _check_literal(text)
    return int(text)


def _fraction(text: str) -> float:
    number = float(text)
    # Most are spelt as they are printed.
    if repr(number) != text:
        _check_literal(text)
    return number


def _check_literal(text: str) -> None:
    """Raise a ValueError unless the double that is nearest to a literal is printed with the digits of the literal."""
    if len(text) > MAX_DIGITS or not _LITERAL.fullmatch(text) or not _survives(Decimal(text)):
        raise ValueError(LOSES_DIGITS)


def _survives(number: int | Decimal) -> bool:
    try:
        return Decimal(repr(float(number))) == number
    except OverflowError:
        return False


def _constant(_text: str) -> NoReturn:
    raise ValueError(NOT_A_NUMBER)


_decode: Final[Callable[[str], Json]] = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_integer, parse_constant=_constant
).decode


# What is wrong with a text: it is read again, and nothing is refused before its place is known


class _Pairs(list[tuple[str, Json]]):
    """An object with its duplicate names."""


class _Fault:
    """Stands for a number that cannot be taken."""

    def __init__(self, problem: str) -> None:
        self.problem = problem


def _number_or_fault(text: str) -> int | _Fault:
    try:
        _check_literal(text)
    except ValueError:
        return _Fault(LOSES_DIGITS)
    return 0


_decode_faulty: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs,
    parse_float=_number_or_fault,
    parse_int=_number_or_fault,
    parse_constant=lambda _: _Fault(NOT_A_NUMBER),
).decode


def _problem(text: str) -> JsonError:
    try:
        value = _decode_faulty(text)
    except json.JSONDecodeError as error:
        return JsonError((), f"is not JSON: {_lowered(error.msg)}, line {error.lineno} column {error.colno}")
    except RecursionError:
        return JsonError((), TOO_DEEP)
    return next(_faults(value, (), 0))


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _faults(value: Json, place: tuple[str | int, ...], depth: int) -> Iterator[JsonError]:
    """What is wrong with a value that was read with its faults, in the order of the text."""
    if isinstance(value, _Fault):
        yield JsonError(place, value.problem)
    elif isinstance(value, str) and _SURROGATE.search(value):
        yield JsonError(place, NOT_UNICODE)
    elif isinstance(value, list) and depth == MAX_DEPTH:
        yield JsonError(place, TOO_DEEP)
    elif isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, member in value:
            if name in seen:
                yield JsonError((*place, name), "is there more than once")
            if _SURROGATE.search(name):
                yield JsonError(place, f"has a name that {NOT_UNICODE}")
            seen.add(name)
            yield from _faults(member, (*place, name), depth + 1)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _faults(item, (*place, position), depth + 1)


# Values that a caller made


def check(value: Json, place: tuple[str | int, ...] = ()) -> None:
    """See that a Python value is what `read` could give; a Decimal may stand for a number.

    Args:
        value: the value.
        place: names and positions that lead to it, for the message.

    Raises:
        Refused: `malformed`, with the path of what is wrong.
    """
    try:
        _check(value, place, 0)
    except JsonError as error:
        raise error.refusal from None


def check_object(value: dict[str, Json]) -> dict[str, Json]:
    """The object itself, if all in it is what `read` could give.

    Raises:
        JsonError: it is not; the place begins at the object.
    """
    _check(value, (), 0)
    return value


def _check(value: Json, place: tuple[str | int, ...], depth: int) -> None:
    kind = type(value)
    if kind is dict:
        _check_members(value, place, depth)
    elif kind is list:
        _check_items(value, place, depth)
    elif kind is str:
        if not value.isascii() and _SURROGATE.search(value):
            raise JsonError(place, NOT_UNICODE)
    else:
        problem = _NUMBERS[kind](value) if kind in _NUMBERS else f"is of the type `{kind.__name__}`, which JSON has not"
        if problem is not None:
            raise JsonError(place, problem)


def _check_members(value: dict[str, Json], place: tuple[str | int, ...], depth: int) -> None:
    if depth == MAX_DEPTH:
        raise JsonError(place, TOO_DEEP)
    for name, member in value.items():
        if type(name) is not str:
            raise JsonError(place, "has a name that is not a string")
        if not name.isascii() and _SURROGATE.search(name):
            raise JsonError(place, f"has a name that {NOT_UNICODE}")
        if type(member) is not str or not member.isascii():
            _check(member, (*place, name), depth + 1)


def _check_items(value: list[Json], place: tuple[str | int, ...], depth: int) -> None:
    if depth == MAX_DEPTH:
        raise JsonError(place, TOO_DEEP)
    for position, item in enumerate(value):
        if type(item) is not str or not item.isascii():
            _check(item, (*place, position), depth + 1)


def _whole(value: int) -> str | None:
    return None if -_EXACT <= value <= _EXACT or _survives(value) else LOSES_DIGITS


def _float(value: float) -> str | None:
    # NaN differs from itself, and what is infinite from infinity less infinity.
    return None if value - value == 0 else NOT_A_NUMBER


def _decimal(value: Decimal) -> str | None:
    if not value.is_finite():
        return NOT_A_NUMBER
    return None if _survives(value) else LOSES_DIGITS


_NUMBERS: Final[dict[type, Callable[[Any], str | None]]] = {
    bool: lambda _: None,
    type(None): lambda _: None,
    int: _whole,
    float: _float,
    Decimal: _decimal,
}


# Writing


class _Beyond(Exception):  # noqa: N818  # no error, but a turn to the slower way
    """A value has something that the encoder of the standard library does not know, such as a Decimal."""


def _beyond(_value: object) -> NoReturn:
    raise _Beyond


def _encoder() -> Callable[[Json], str]:
    """What writes a value: the encoder of the standard library, made once, where there is the one in C."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(
            ensure_ascii=False,
            check_circular=False,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
            default=_beyond,
        ).encode
    encode = make(None, _beyond, json.encoder.encode_basestring, None, ":", ",", True, False, False)
    return lambda value: "".join(encode(value, 0))


_encode: Final = _encoder()


def canonical(value: Json) -> str:
    """The one JSON text of a value: names sorted, no white space, every digit; what `dumps` gives, but faster.

    Raises:
        ValueError: a number is not one that JSON has, or the value is nested too deeply.
    """
    try:
        text = _encode(value)
    except (_Beyond, TypeError, RecursionError):
        return dumps(value)
    return text if text.isascii() or not _SURROGATE.search(text) else dumps(value)
