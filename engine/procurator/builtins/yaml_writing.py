"""YAML out, laid out as Go's yaml.v3 does: blocks, two spaces, quotes around what could be read as anything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cmp_to_key
from typing import Final

from procurator.builtins.go_number import general
from procurator.builtins.go_time import TimeError
from procurator.builtins.go_time_reading import read
from procurator.builtins.text_bytes import printable
from procurator.builtins.yaml_reading import resolved
from procurator.numbers import Number, number_text
from procurator.values import DepthError, Key, Set, Value, dumps, value_of

_STEP: Final = "  "
_MAX_SIMPLE_KEY: Final = 128
_BREAKS: Final = "\r\n\x85\u2028\u2029"
_OLD_BOOLEANS: Final = frozenset(
    spelling for word in ("y", "yes", "on", "n", "no", "off") for spelling in (word, word.capitalize(), word.upper())
)
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_YEAR: Final = re.compile("[0-9]{4}-")
_TIMESTAMPS: Final = (
    "2006-1-2T15:4:5.999999999Z07:00",
    "2006-1-2t15:4:5.999999999Z07:00",
    "2006-1-2 15:4:5.999999999",
    "2006-1-2",
)
_UNPRINTABLE: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\U00010000-\U0010ffff"
_SPECIAL: Final = re.compile(f"[{_UNPRINTABLE}]")
_ESCAPED: Final = re.compile(f'[{_UNPRINTABLE}\t\n\u2028\u2029"\\\\]')
_SPACE_AT_BREAK: Final = re.compile(" [\u2028\u2029]|[\u2028\u2029] ")
_INDICATOR: Final = re.compile(r"""---|\.\.\.|[#,\[\]{}&*!|>'"%@`]|[?:-](?:[ \t]|\Z)""")
_INNER_INDICATOR: Final = re.compile(rf":(?:[ \t]|\Z)|(?<=[ \t\0{_BREAKS}])#")
_ESCAPES: Final = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e", '"': '"',
    "\\": "\\", "\x85": "N", "\u2028": "L", "\u2029": "P",
}  # fmt: skip


def dump_yaml(value: Value) -> str:
    """The value as a YAML document."""
    try:
        return (_scalar(value, _STEP) if _is_scalar(value) else "".join(_collection(value, ""))) + "\n"
    except RecursionError:
        raise DepthError from None


def _is_scalar(value: Value) -> bool:
    return not (isinstance(value, (list, dict, Set)) and len(value))


def _collection(value: Value, indent: str) -> Iterator[str]:
    """The text of a collection that starts at the end of the line written so far."""
    items = _pairs(value, indent) if isinstance(value, dict) else (("-", " ", item) for item in value)
    for index, (opening, separator, item) in enumerate(items):
        yield f"\n{indent}{opening}" if index else opening
        inner = indent + _STEP
        if _is_scalar(item):
            yield " " + _scalar(item, inner)
        else:
            yield separator if separator == " " else "\n" + inner
            yield from _collection(item, inner)


def _pairs(value: dict[Key, Value], indent: str) -> Iterator[tuple[str, str, Value]]:
    named = {printable(key if isinstance(key, str) else dumps(value_of(key))): item for key, item in value.items()}
    for name in sorted(named, key=cmp_to_key(_natural)):
        key = _string(name, indent + _STEP, simple_key=True)
        if len(name.encode()) <= _MAX_SIMPLE_KEY and not any(char in name for char in _BREAKS):
            yield f"{key}:", "\n", named[name]
        else:
            yield f"? {_string(name, indent + _STEP)}\n{indent}:", " ", named[name]


def _natural(a: str, b: str) -> int:
    """Go's order of keys: digits by their number, and before letters."""
    index = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if index is None:
        return len(a) - len(b)
    x, y = a[index], b[index]
    if x.isalpha() or y.isalpha():
        if x.isalpha() and y.isalpha():
            return -1 if x < y else 1
        return -1 if x.isalpha() == (index > 0 and a[index - 1].isdecimal()) else 1
    leading = "1" if "0" in (x, y) and _digits_before(a, index).strip("0") else ""
    first, second = _digits_from(a, index), _digits_from(b, index)
    order = (int(leading + first or 0), len(first), x), (int(leading + second or 0), len(second), y)
    return -1 if order[0] < order[1] else 1


def _digits_before(text: str, index: int) -> str:
    match = re.search(r"\d*\Z", text[:index])
    return match.group() if match else ""


def _digits_from(text: str, index: int) -> str:
    match = re.compile(r"\d{0,18}").match(text, index)
    return match.group() if match else ""


def _scalar(value: Value, indent: str) -> str:
    return _SCALARS[type(value)](value, indent)


def _number(value: Number, _indent: str) -> str:
    number = resolved(number_text(value))
    return general(number) if isinstance(number, float) else str(number)


def _string(text: str, indent: str, *, simple_key: bool = False) -> str:
    text = printable(text)
    special = _SPECIAL.search(text) is not None
    if "\n" in text:
        literal = not simple_key and not special and text[-1] != " " and " \n" not in text
        return _literal(text, indent) if literal else _double_quoted(text)
    if not _reads_as_string(text) or special or "\t" in text:
        return _double_quoted(text)
    if any(char in text for char in _BREAKS):
        return _double_quoted(text) if simple_key or _SPACE_AT_BREAK.search(text) else _single_quoted(text)
    plain = text.strip(" ") == text and not _INDICATOR.match(text) and not _INNER_INDICATOR.search(text)
    return text if plain else _single_quoted(text)


def _reads_as_string(text: str) -> bool:
    if text in _OLD_BOOLEANS or _BASE_60.fullmatch(text) or not isinstance(resolved(text), str):
        return False
    return not (_YEAR.match(text) and any(_is_time(text, layout) for layout in _TIMESTAMPS))


def _is_time(text: str, layout: str) -> bool:
    try:
        read(layout, text)
    except TimeError:
        return False
    return True


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _double_quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _ESCAPES:
        return "\\" + _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _literal(text: str, indent: str) -> str:
    hint = "2" if text[0] in " \n" else ""
    chomp = "-" if text[-1] != "\n" else "+" if text == "\n" or text[-2] == "\n" else ""
    lines = text.removesuffix("\n").split("\n")
    return f"|{hint}{chomp}" + "".join(f"\n{indent}{line}" if line else "\n" for line in lines)


_SCALARS: Final[Mapping[type, Callable[[Value, str], str]]] = {
    type(None): lambda _value, _indent: "null",
    bool: lambda value, _indent: "true" if value else "false",
    int: _number,
    float: _number,
    Decimal: _number,
    str: _string,
    list: lambda _value, _indent: "[]",
    Set: lambda _value, _indent: "[]",
    dict: lambda _value, _indent: "{}",
}
