"""Built-ins of the family `regex`, on RE2: linear in time whatever the pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from procurator.builtins.operands import BuiltinError, integer, string
from procurator.builtins.re2_patterns import (
    Pattern,
    PatternError,
    Span,
    compile_pattern,
    compile_test,
    find_all,
    matches,
)
from procurator.builtins.regex_intersection import GlobError, intersects
from procurator.builtins.text_bytes import to_bytes, to_text
from procurator.render import quote
from procurator.values import Value

_META: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
# `$name`, `${name}` and `$$` in a replacement; any other `$` stands for itself.
_REFERENCE: Final = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")
_NUMBER: Final = re.compile("0|[1-9][0-9]{0,7}")
_MAX_RESULT: Final = 64 * 1024 * 1024


def is_valid(value: Value) -> Value:
    """Whether the value is a string that is a regular expression."""
    if not isinstance(value, str):
        return False
    try:
        compile_test(value)
    except PatternError:
        return False
    return True


def match(pattern: Value, value: Value) -> Value:
    """Whether the pattern matches somewhere in the string."""
    expression, text = string(pattern, 1), string(value, 2)
    return _test(expression, text)


def template_match(template: Value, value: Value, start: Value, end: Value) -> Value:
    """Whether the string is the template, with the patterns between the delimiters matching what stands there."""
    text, checked = string(template, 1), string(value, 2)
    opening, closing = string(start, 3), string(end, 4)
    length = len(to_bytes(opening))
    if length != 1:
        raise BuiltinError(f"start delimiter has to be exactly one character long but is {length} long")
    if len(to_bytes(closing)) != 1:
        raise BuiltinError(f"end delimiter has to be exactly one character long but is {length} long")
    return _test(_template_pattern(text, opening, closing), checked)


def split(pattern: Value, value: Value) -> Value:
    """The parts of the string between the matches."""
    expression, text = string(pattern, 1), to_bytes(string(value, 2))
    compiled = _compiled(expression)
    if expression and not text:
        return [""]
    parts, begin, end = [], 0, 0
    for (end, after), *_ in find_all(compiled, text):
        if after:
            parts.append(text[begin:end])
        begin = after
    if end != len(text):
        parts.append(text[begin:])
    return [to_text(part) for part in parts]


def find_n(pattern: Value, value: Value, limit: Value) -> Value:
    """The first matches in the string, all of them for a negative limit."""
    found, text = _found(pattern, value, limit)
    return [to_text(text[start:end]) for (start, end), *_ in found]


def find_all_string_submatch_n(pattern: Value, value: Value, limit: Value) -> Value:
    """The first matches, each with its groups; a group that took no part is empty."""
    found, text = _found(pattern, value, limit)
    return [[to_text(text[start:end]) if start >= 0 else "" for start, end in spans] for spans in found]


def replace(value: Value, pattern: Value, replacement: Value) -> Value:
    """The string with each match replaced; `$1` and `${name}` stand for groups."""
    base, expression, template = string(value, 1), string(pattern, 2), string(replacement, 3)
    compiled, text = _compiled(expression), to_bytes(base)
    pieces = _replacement(template, compiled)
    result, size, last = [], 0, 0
    for spans in find_all(compiled, text):
        result.append(text[last : spans[0][0]])
        result.extend(_expanded(pieces, text, spans))
        last = spans[0][1]
        size += sum(map(len, result[-len(pieces) - 1 :]))
        if size > _MAX_RESULT:
            raise BuiltinError(f"result is longer than {_MAX_RESULT} bytes")
    return to_text(b"".join([*result, text[last:]]))


def globs_match(first: Value, second: Value) -> Value:
    """Whether two glob-like expressions have a text in common."""
    try:
        return intersects(string(first, 1), string(second, 2))
    except GlobError as error:
        raise BuiltinError(str(error)) from None


def _test(pattern: str, text: str) -> bool:
    try:
        return matches(pattern, text)
    except PatternError as error:
        raise BuiltinError(str(error)) from None


def _compiled(pattern: str) -> Pattern:
    try:
        return compile_pattern(pattern)
    except PatternError as error:
        raise BuiltinError(str(error)) from None


def _found(pattern: Value, value: Value, limit: Value) -> tuple[Iterator[Sequence[Span]], bytes]:
    expression, text, most = string(pattern, 1), to_bytes(string(value, 2)), integer(limit, 3)
    return find_all(_compiled(expression), text, most), text


@lru_cache(maxsize=128)
def _template_pattern(template: str, opening: str, closing: str) -> str:
    pattern, end = "", 0
    for start, after in _delimited(template, opening, closing):
        inner = template[start + 1 : after - 1]
        _compiled(f"^{inner}$")
        pattern += f"{_META.sub(_escape, template[end:start])}({inner})"
        end = after
    return f"^{pattern}{_META.sub(_escape, template[end:])}$"


def _escape(char: re.Match[str]) -> str:
    return "\\" + char[0]


def _delimited(template: str, opening: str, closing: str) -> list[Span]:
    """Where the outermost delimited parts start and end."""
    level, start, parts = 0, 0, []
    for index, char in enumerate(template):
        if char == opening:
            level += 1
            start = index if level == 1 else start
        elif char == closing:
            level -= 1
            if level == 0:
                parts.append((start, index + 1))
            if level < 0:
                break
    if level:
        raise BuiltinError(f"unbalanced braces in {quote(template)}")
    return parts


def _replacement(template: str, pattern: Pattern) -> list[bytes | int]:
    """The template as literal texts and numbers of groups."""
    pieces: list[bytes | int] = []
    end = 0
    for reference in _REFERENCE.finditer(template):
        pieces.append(to_bytes(template[end : reference.start()]))
        end = reference.end()
        name = reference[1] or reference[2]
        pieces.append(b"$" if name is None else _group(name, pattern))
    return [*pieces, to_bytes(template[end:])]


def _group(name: str, pattern: Pattern) -> bytes | int:
    number = int(name) if _NUMBER.fullmatch(name) else pattern.names.get(name, -1)
    return number if 0 <= number <= pattern.matcher.groups else b""


def _expanded(pieces: Sequence[bytes | int], text: bytes, spans: Sequence[Span]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            start, end = spans[piece]
            yield text[start:end] if start >= 0 else b""


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "re_match": match,
    "regex.find_all_string_submatch_n": find_all_string_submatch_n,
    "regex.find_n": find_n,
    "regex.globs_match": globs_match,
    "regex.is_valid": is_valid,
    "regex.match": match,
    "regex.replace": replace,
    "regex.split": split,
    "regex.template_match": template_match,
}
