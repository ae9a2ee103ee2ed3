"""Constants as keys of objects: hashable, comparable as Rego compares values, and printed as Rego spells them."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

# The rank of its kind, then the value; an object is its keys and values by turns.
Key: TypeAlias = tuple[int, "bool | Decimal | str | tuple[Key, ...] | None"]

NULL: Final = 0
BOOLEAN: Final = 1
NUMBER: Final = 2
STRING: Final = 3
ARRAY: Final = 4
OBJECT: Final = 5
SET: Final = 6

ESCAPES: Final[Mapping[str, str]] = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


def key_of(value: object) -> Key:
    """The key that a JSON value makes; a float counts as the decimal it prints as."""
    if value is None:
        return (NULL, None)
    if isinstance(value, bool):
        return (BOOLEAN, value)
    if isinstance(value, str):
        return (STRING, value)
    if isinstance(value, list | tuple):
        return (ARRAY, tuple(map(key_of, value)))
    if isinstance(value, Mapping):
        pairs = sorted((key_of(key), key_of(held)) for key, held in value.items())
        return (OBJECT, tuple(part for pair in pairs for part in pair))
    return (NUMBER, Decimal(str(value)))


def spelled(key: Key) -> str:
    """The constant as Rego spells it."""
    return _SPELLINGS[key[0]](key)


def bare(key: Key) -> str:
    """The constant as it stands before the type of its value: a string without quotes."""
    return str(key[1]) if key[0] == STRING else spelled(key)


def quoted(value: str) -> str:
    """A string in quotes with its escapes."""
    return '"' + "".join(map(_escaped, value)) + '"' if not value.isalnum() else f'"{value}"'


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _parts(key: Key) -> list[str]:
    return [spelled(part) for part in key[1]] if isinstance(key[1], tuple) else []


def _pairs(key: Key) -> str:
    parts = _parts(key)
    return ", ".join(f"{name}: {value}" for name, value in zip(parts[::2], parts[1::2], strict=True))


_SPELLINGS: Final[Mapping[int, Callable[[Key], str]]] = {
    NULL: lambda _key: "null",
    BOOLEAN: lambda key: str(key[1]).lower(),
    NUMBER: lambda key: str(key[1]),
    STRING: lambda key: quoted(str(key[1])),
    ARRAY: lambda key: f"[{', '.join(_parts(key))}]",
    OBJECT: lambda key: f"{{{_pairs(key)}}}",
    SET: lambda key: f"{{{', '.join(_parts(key))}}}" if key[1] else "set()",
}
