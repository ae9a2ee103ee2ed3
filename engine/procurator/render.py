"""Values as Rego source spells them: what `sprintf("%v")`, string interpolation, `print` and error texts show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from procurator.numbers import number_text
from procurator.values import DepthError, Key, Value, ordered_keys, type_name, value_of

__all__ = ["quote", "quote_ascii", "quote_character", "render"]

_ESCAPES: Final = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    '"': r"\"",
    "\\": r"\\",
}
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")


def quote(text: str) -> str:
    """The text in double quotes, with Go's escapes for what is not printable."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else '"' + "".join(map(_escape, text)) + '"'


def quote_ascii(text: str) -> str:
    """The text in double quotes, in nothing but ASCII."""
    return '"' + "".join(map(_escape_to_ascii, text)) + '"'


def quote_character(character: str, *, ascii_only: bool = False) -> str:
    """The character in single quotes."""
    if character in "'\"":
        return "'\\''" if character == "'" else "'\"'"
    return f"'{(_escape_to_ascii if ascii_only else _escape)(character)}'"


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else _by_number(character)


def _escape_to_ascii(character: str) -> str:
    return _escape(character) if character.isascii() else _by_number(character)


def _by_number(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python decodes it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def render(value: Value) -> str:
    """The value as Rego source; objects and sets in order."""
    try:
        return _RENDERERS[type_name(value)](value)
    except RecursionError:
        raise DepthError from None


def _render_object(value: dict[Key, Value]) -> str:
    pairs = [f"{render(value_of(key))}: {render(value[key])}" for key in ordered_keys(value)]
    return "{" + ", ".join(pairs) + "}"


def _joined(values: Iterable[Value]) -> str:
    return ", ".join(map(render, values))


_RENDERERS: Final[dict[str, Callable[[Any], str]]] = {
    "null": lambda _: "null",
    "boolean": lambda value: "true" if value else "false",
    "number": number_text,
    "string": quote,
    "array": lambda value: f"[{_joined(value)}]",
    "object": _render_object,
    "set": lambda value: f"{{{_joined(value)}}}" if len(value) else "set()",
}
