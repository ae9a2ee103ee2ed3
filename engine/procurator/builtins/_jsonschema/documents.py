"""Documents as the validator sees them: JSON alone, whatever Rego value they come from."""

from __future__ import annotations

from decimal import Decimal

from procurator.builtins._jsonschema.nodes import Document, SchemaError
from procurator.builtins.json_text import json_text
from procurator.numbers import Number, exact
from procurator.values import Set, Value, bounded, dumps, loads, type_name, value_of


@bounded
def document(value: Value) -> Document:
    """The document of an operand: the value itself, or what a string spells in JSON."""
    if isinstance(value, str):
        try:
            return loads(value)
        except ValueError:
            raise SchemaError("invalid JSON string") from None
    if not isinstance(value, (dict, list)):
        raise SchemaError("wrong type, expected string or object")
    return _plain(value)


def _plain(value: Value) -> Document:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else dumps(value_of(key)): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, Set)) else value


def kind_of(value: Document) -> str:
    """The name JSON Schema has for the type; numbers without a fraction are integers."""
    name = type_name(value)
    return "integer" if name == "number" and is_integer(value) else name


def is_integer(value: Number) -> bool:
    """Whether a number has no fraction."""
    return isinstance(value, int) or exact(value) == int(exact(value))


@bounded
def comparable(value: Document) -> str:
    """A text that is the same for documents the validator takes for equal: numbers count as floats."""
    return json_text(_floats(value))


def _floats(value: Document) -> Document:
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    if type_name(value) != "number":
        return value
    try:
        number = float(value)
    except OverflowError:
        return value
    return int(Decimal(repr(number))) if number.is_integer() and abs(number) < 1e21 else number
