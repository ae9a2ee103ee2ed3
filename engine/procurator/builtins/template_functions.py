"""The functions of Go's `text/template`, and its notions of truth, type and text, on template values.

Template values are what JSON gives Go: None, booleans, strings, lists, dicts by string, and numbers as `JsonNumber`,
a string that is called a number. Templates themselves bring ints and floats in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote_plus

from procurator.builtins import floats
from procurator.builtins.sprintf import format_operands
from procurator.builtins.text_bytes import to_bytes, to_text
from procurator.numbers import number_text

__all__ = ["FUNCTIONS", "JsonNumber", "TemplateError", "TemplateValue", "text_of", "truth", "type_of"]

TemplateValue: TypeAlias = Any


class TemplateError(Exception):
    """A template cannot go on."""


class JsonNumber(str):
    """A number of the data, by its text."""

    __slots__ = ()


_TYPES: Final[Mapping[type, str]] = {
    type(None): "nil",
    bool: "bool",
    int: "int",
    float: "float64",
    str: "string",
    JsonNumber: "json.Number",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


def type_of(value: TemplateValue) -> str:
    """The name of the value's type in Go."""
    return _TYPES[type(value)]


def truth(value: TemplateValue) -> bool:
    """Whether a value counts as true: what is not empty does, so the number 0 of the data does too."""
    return bool(value)


def text_of(value: TemplateValue) -> str:
    """The value as Go prints it with `%v`."""
    return _TEXTS[type(value)](value)


def _float_text(value: float) -> str:
    return ("-" if value < 0 else "") + floats.VERBS["v"](abs(value), None)


_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _: "<nil>",
    bool: lambda value: "true" if value else "false",
    int: number_text,
    float: _float_text,
    str: str,
    JsonNumber: str,
    list: lambda value: f"[{' '.join(map(text_of, value))}]",
    dict: lambda value: f"map[{' '.join(f'{key}:{text_of(item)}' for key, item in sorted(value.items()))}]",
}


# Printing


def _print(*values: TemplateValue) -> str:
    out = ""
    for i, value in enumerate(values):
        # Go puts a space between two operands when neither is a string.
        between = i > 0 and not isinstance(value, str) and not isinstance(values[i - 1], str)
        out += " " * between + text_of(value)
    return out


def _println(*values: TemplateValue) -> str:
    return " ".join(map(text_of, values)) + "\n"


def _printf(form: TemplateValue, *values: TemplateValue) -> str:
    if not isinstance(form, str):
        raise TemplateError(f"wrong type for value; expected string; got {type_of(form)}")
    plain = (int, float, str)
    return format_operands(
        form, [v if isinstance(v, plain) and not isinstance(v, (bool, JsonNumber)) else text_of(v) for v in values]
    )


# Escaping

_HTML: Final = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_JS_ESCAPED: Final = {"\\": "\\\\", "'": "\\'", '"': '\\"'}
_JS_CODED: Final = frozenset("<>&=")


def _js_character(character: str) -> str:
    if character in _JS_ESCAPED:
        return _JS_ESCAPED[character]
    coded = character in _JS_CODED or not character.isprintable()
    return f"\\u{ord(character):04X}" if coded else character


def _html(*values: TemplateValue) -> str:
    return _print(*values).translate(_HTML)


def _js(*values: TemplateValue) -> str:
    return "".join(map(_js_character, _print(*values)))


def _urlquery(*values: TemplateValue) -> str:
    return quote_plus(_print(*values))


# Comparison

_KINDS: Final[Mapping[type, str]] = {bool: "bool", int: "int", float: "float", str: "string", JsonNumber: "string"}


def _incompatible(a: TemplateValue, b: TemplateValue) -> TemplateError:
    return TemplateError(f"incompatible types for comparison: {type_of(a)} and {type_of(b)}")


def _eq(first: TemplateValue, *others: TemplateValue) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(a: TemplateValue, b: TemplateValue) -> bool:
    if a is None or b is None:
        return a is b
    kinds = _KINDS.get(type(a)), _KINDS.get(type(b))
    if kinds[0] != kinds[1]:
        raise _incompatible(a, b)
    if kinds[0] is None:
        raise TemplateError(f"non-comparable type {text_of(b)}: {type_of(b)}")
    return bool(a == b)


def _less(a: TemplateValue, b: TemplateValue) -> bool:
    kinds = _KINDS.get(type(a)), _KINDS.get(type(b))
    if None in kinds or kinds == ("bool", "bool"):
        raise TemplateError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise _incompatible(a, b)
    return bool(a < b)


def _less_or_equal(a: TemplateValue, b: TemplateValue) -> bool:
    return _less(a, b) or _same(a, b)


# Collections


def _len(value: TemplateValue) -> int:
    if isinstance(value, str):
        return len(to_bytes(value))
    if isinstance(value, (list, dict)):
        return len(value)
    raise TemplateError("len of nil pointer" if value is None else f"len of type {type_of(value)}")


def _index(value: TemplateValue, *indexes: TemplateValue) -> TemplateValue:
    if value is None:
        raise TemplateError("index of untyped nil")
    for index in indexes:
        if value is None:
            raise TemplateError("index of nil pointer")
        value = _item(value, index)
    return value


def _item(value: TemplateValue, index: TemplateValue) -> TemplateValue:
    if isinstance(value, dict):
        if index is None:
            raise TemplateError("value is nil; should be of type string")
        if type(index) is not str:
            raise TemplateError(f"value has type {type_of(index)}; should be string")
        return value.get(index)
    items = to_bytes(value) if isinstance(value, str) else value
    if not isinstance(items, (list, bytes)):
        raise TemplateError(f"can't index item of type {type_of(value)}")
    place = _place(index, len(items))
    if place == len(items):
        raise TemplateError("reflect: slice index out of range")
    return items[place]


def _place(index: TemplateValue, most: int) -> int:
    if type(index) is not int:
        kind = "nil" if index is None else f"type {type_of(index)}"
        raise TemplateError(f"cannot index slice/array with {kind}")
    if not 0 <= index <= most:
        raise TemplateError(f"index out of range: {index}")
    return index


def _slice(value: TemplateValue, *indexes: TemplateValue) -> TemplateValue:
    if value is None:
        raise TemplateError("slice of untyped nil")
    if not isinstance(value, (str, list)):
        raise TemplateError(f"can't slice item of type {type_of(value)}")
    if len(indexes) > 3 - isinstance(value, str):
        raise TemplateError(f"too many slice indexes: {len(indexes)}")
    items: Any = to_bytes(value) if isinstance(value, str) else value
    places = [_place(index, len(items)) for index in indexes]
    start, stop, most = (places or [0]) + [len(items)] * (3 - max(len(places), 1))
    if start > stop or stop > most:
        raise TemplateError(f"invalid slice index: {start} > {stop}")
    part = items[start:stop]
    return to_text(part) if isinstance(part, bytes) else part


def _call(_function: TemplateValue, *_values: TemplateValue) -> TemplateValue:
    raise TemplateError("call of a value that is no function")


# Least and greatest number of arguments; -1 for any. `and` and `or` stop early, which the evaluator sees to.
FUNCTIONS: Final[Mapping[str, tuple[int, int, Callable[..., TemplateValue]]]] = {
    "and": (1, -1, lambda *values: values[-1]),
    "call": (1, -1, _call),
    "eq": (1, -1, _eq),
    "ge": (2, 2, lambda a, b: not _less(a, b)),
    "gt": (2, 2, lambda a, b: not _less_or_equal(a, b)),
    "html": (0, -1, _html),
    "index": (1, -1, _index),
    "js": (0, -1, _js),
    "le": (2, 2, _less_or_equal),
    "len": (1, 1, _len),
    "lt": (2, 2, _less),
    "ne": (2, 2, lambda a, b: not _same(a, b)),
    "not": (1, 1, lambda value: not truth(value)),
    "or": (1, -1, lambda *values: values[-1]),
    "print": (0, -1, _print),
    "printf": (1, -1, _printf),
    "println": (0, -1, _println),
    "slice": (1, -1, _slice),
    "urlquery": (0, -1, _urlquery),
}
