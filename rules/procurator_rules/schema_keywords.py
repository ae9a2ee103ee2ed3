"""What each keyword of JSON Schema has to look like, and the schemas that stand inside a schema."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

Check: TypeAlias = Callable[[str, object], str]
"""Says what is wrong with the value of a keyword; empty if nothing is."""

TYPES: Final = ("array", "boolean", "integer", "number", "null", "object", "string")
NO_SCHEMA: Final = "Expected: Valid Schema, given: Invalid JSON"


def is_schema(value: object) -> bool:
    """Whether a value can be a schema: an object, or true or false for all and none."""
    return isinstance(value, Mapping | bool)


def problem_in(schema: Mapping[str, object]) -> str:
    """The first thing wrong with the keywords of one schema, those inside it not looked at; empty if nothing is."""
    if isinstance(schema.get("$ref"), str):
        return ""
    problems = (check(key, schema[key]) for key, check in CHECKS.items() if key in schema)
    return next(filter(None, problems), "") or _bounds(schema)


def schemas_in(schema: Mapping[str, object]) -> list[object]:
    """The schemas that a schema without problems is made of."""
    found = [schema[key] for key in SINGLE if is_schema(schema.get(key))]
    for key in LISTS:
        value = schema.get(key)
        found += value if isinstance(value, list) else []
    for key in MAPS:
        value = schema.get(key)
        found += [part for part in value.values() if is_schema(part)] if isinstance(value, Mapping) else []
    return found


def _invalid(expected: str, given: str) -> str:
    return f"Invalid type. Expected: {expected}, given: {given}"


def _string(key: str, value: object) -> str:
    return "" if isinstance(value, str) else _invalid("string", key)


def _type(_key: str, value: object) -> str:
    names = value if isinstance(value, list) else [value]
    for number, name in enumerate(names):
        if not isinstance(name, str):
            return _invalid("type", "string/Array Of Strings")
        if name not in TYPES:
            known = " ".join(TYPES)
            return f"has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{known}]"
        if name in names[:number]:
            return f"{name} type is duplicated"
    return ""


def _properties(_key: str, value: object) -> str:
    if not isinstance(value, Mapping):
        return "Properties must be of type object"
    return "" if all(map(is_schema, value.values())) else NO_SCHEMA


def _definitions(key: str, value: object) -> str:
    fine = isinstance(value, Mapping) and all(map(is_schema, value.values()))
    return "" if fine else _invalid("Array Of Schemas", key)


def _patterns(key: str, value: object) -> str:
    if not isinstance(value, Mapping):
        return _invalid("Valid Schema", key)
    for pattern, schema in value.items():
        if not is_schema(schema):
            return NO_SCHEMA
        try:
            re.compile(pattern)
        except re.error:
            return f"Invalid regex pattern '{pattern}'"
    return ""


def _further(key: str, value: object) -> str:
    return "" if is_schema(value) else _invalid("boolean/Valid Schema", key)


def _items(key: str, value: object) -> str:
    parts = value if isinstance(value, list) else [value]
    return "" if all(map(is_schema, parts)) else _invalid("Valid Schema/Array Of Schemas", key)


def _dependencies(key: str, value: object) -> str:
    if not isinstance(value, Mapping):
        return f"{key} must be of type object"
    for part in value.values():
        names = isinstance(part, list) and all(isinstance(name, str) for name in part)
        if not names and not is_schema(part):
            return "Dependency must be of type Schema Or Array Of Strings"
    return ""


def _schema(_key: str, value: object) -> str:
    return "" if is_schema(value) else NO_SCHEMA


def _condition(key: str, value: object) -> str:
    return "" if is_schema(value) else f"{key} must be of an object"


def _schemas(key: str, value: object) -> str:
    if not isinstance(value, list):
        return f"{key} must be of an array"
    return "" if all(map(is_schema, value)) else NO_SCHEMA


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(key: str, value: object) -> str:
    return "" if _is_number(value) else f"{key} must be of a Number"


def _exclusive(key: str, value: object) -> str:
    return "" if _is_number(value) or isinstance(value, bool) else _invalid("boolean/number", key)


def _multiple(key: str, value: object) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _invalid("Number", key)
    return "" if value > 0 else f"{key} must be strictly greater than 0"


def _count(key: str, value: object) -> str:
    if not _is_number(value) or value != int(str(value).partition(".")[0] or 0):
        return f"{key} must be of an integer"
    return f"{key} must be greater than or equal to 0" if isinstance(value, int) and value < 0 else ""


def _boolean(key: str, value: object) -> str:
    return "" if isinstance(value, bool) else f"{key} must be of a boolean"


def _names(key: str, value: object) -> str:
    if not isinstance(value, list):
        return f"{key} must be of an array"
    if not all(isinstance(name, str) for name in value):
        return _invalid("string", key)
    return _unique(key, value)


def _unique(key: str, value: object) -> str:
    if not isinstance(value, list):
        return f"{key} must be of an array"
    seen = {repr(part) for part in value}
    return "" if len(seen) == len(value) else f"{key} items must be unique"


CHECKS: Final[Mapping[str, Check]] = {
    "definitions": _definitions,
    "title": _string,
    "description": _string,
    "$ref": _string,
    "type": _type,
    "properties": _properties,
    "additionalProperties": _further,
    "patternProperties": _patterns,
    "propertyNames": _schema,
    "dependencies": _dependencies,
    "items": _items,
    "additionalItems": _further,
    "multipleOf": _multiple,
    "minimum": _number,
    "exclusiveMinimum": _exclusive,
    "maximum": _number,
    "exclusiveMaximum": _exclusive,
    "minLength": _count,
    "maxLength": _count,
    "pattern": _string,
    "format": _string,
    "minProperties": _count,
    "maxProperties": _count,
    "required": _names,
    "minItems": _count,
    "maxItems": _count,
    "uniqueItems": _boolean,
    "contains": _schema,
    "enum": _unique,
    "oneOf": _schemas,
    "anyOf": _schemas,
    "allOf": _schemas,
    "not": _condition,
    "if": _condition,
    "then": _condition,
    "else": _condition,
}
"""How the value of each keyword is checked, in the order in which the checks are made."""

SINGLE: Final = (
    "additionalProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "contains",
    "not",
    "if",
    "then",
    "else",
)
LISTS: Final = ("items", "oneOf", "anyOf", "allOf")
MAPS: Final = ("definitions", "properties", "patternProperties", "dependencies")

_ORDERED: Final[Iterable[tuple[str, str]]] = (("minLength", "maxLength"), ("minProperties", "maxProperties"))
_BOUND_OF: Final[Sequence[tuple[str, str]]] = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def _bounds(schema: Mapping[str, object]) -> str:
    for low, high in _ORDERED:
        least, most = schema.get(low), schema.get(high)
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            return f"{low} cannot be greater than {high}"
    for key, bound in _BOUND_OF:
        if isinstance(schema.get(key), bool) and bound not in schema:
            return f"{key} cannot be used without {bound}"
    return ""
