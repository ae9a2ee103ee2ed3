"""Strings, but for `sprintf` and templates, which have files of their own. Positions count characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from procurator.builtins.operands import (
    BuiltinError,
    OperandError,
    collection,
    integer,
    number,
    object_,
    string,
    strings,
)
from procurator.numbers import number_text, truncated
from procurator.values import Value

# What Unicode calls white space; Python's own notion adds four control characters.
_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_FORMATS: Final = {2: "b", 8: "o", 10: "d", 16: "x"}
# A replacement that makes a longer text than this is a mistake or an attack.
_MAX_LENGTH: Final = 1 << 27


# Tests and searches


def contains(text: Value, part: Value) -> bool:
    """Whether the text holds the part."""
    source = string(text, 1)
    return string(part, 2) in source


def starts_with(text: Value, prefix: Value) -> bool:
    """Whether the text begins with the prefix."""
    return string(text, 1).startswith(string(prefix, 2))


def ends_with(text: Value, suffix: Value) -> bool:
    """Whether the text ends with the suffix."""
    return string(text, 1).endswith(string(suffix, 2))


def any_prefix_match(texts: Value, prefixes: Value) -> bool:
    """Whether one of the texts begins with one of the prefixes."""
    found, affixes = _choices(texts, 1), tuple(_choices(prefixes, 2))
    return any(text.startswith(affixes) for text in found)


def any_suffix_match(texts: Value, suffixes: Value) -> bool:
    """Whether one of the texts ends with one of the suffixes."""
    found, affixes = _choices(texts, 1), tuple(_choices(suffixes, 2))
    return any(text.endswith(affixes) for text in found)


def _choices(value: Value, position: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    collection(value, position, "string", "set", "array")
    return strings(value, position)


def count(text: Value, part: Value) -> int:
    """How often the part occurs without overlap."""
    return string(text, 1).count(string(part, 2))


def index_of(text: Value, part: Value) -> int:
    """The place of the first occurrence, or -1."""
    where, what = string(text, 1), string(part, 2)
    if not what:
        raise BuiltinError("empty search character")
    return where.find(what)


def index_of_n(text: Value, part: Value) -> list[int]:
    """The places of all occurrences, overlapping ones too."""
    where, what = string(text, 1), string(part, 2)
    found: list[int] = []
    place = index_of(where, what)
    while place >= 0:
        found.append(place)
        place = where.find(what, place + 1)
    return found


# Parts


def substring(text: Value, offset: Value, length: Value) -> str:
    """So many characters from the offset on; all of them when the length is negative."""
    source, start, size = string(text, 1), integer(offset, 2), integer(length, 3)
    if start < 0:
        raise BuiltinError("negative offset")
    return source[start:] if size < 0 else source[start : start + size]


def split(text: Value, separator: Value) -> list[str]:
    """The parts between the separators; with an empty separator, the characters."""
    source, mark = string(text, 1), string(separator, 2)
    return source.split(mark) if mark else list(source)


def split_n(text: Value, separator: Value, limit: Value) -> list[str]:
    """The first so many parts, or with a negative limit the last."""
    parts, size = split(text, separator), integer(limit, 3)
    return parts[:size] if size >= 0 else parts[max(len(parts) + size, 0) :]


def concat(separator: Value, parts: Value) -> str:
    """The strings of an array or a set, joined."""
    mark, found = string(separator, 1), strings(parts, 2, "set", "array")
    _check_length(len(mark) * len(found))
    return mark.join(found)


def trim(text: Value, cutset: Value) -> str:
    """The text without any of the characters at either end."""
    source, characters = string(text, 1), string(cutset, 2)
    return source.strip(characters) if characters else source


def trim_left(text: Value, cutset: Value) -> str:
    """The text without any of the characters at its start."""
    source, characters = string(text, 1), string(cutset, 2)
    return source.lstrip(characters) if characters else source


def trim_right(text: Value, cutset: Value) -> str:
    """The text without any of the characters at its end."""
    source, characters = string(text, 1), string(cutset, 2)
    return source.rstrip(characters) if characters else source


def trim_prefix(text: Value, prefix: Value) -> str:
    """The text without the prefix, if it has it."""
    return string(text, 1).removeprefix(string(prefix, 2))


def trim_suffix(text: Value, suffix: Value) -> str:
    """The text without the suffix, if it has it."""
    return string(text, 1).removesuffix(string(suffix, 2))


def trim_space(text: Value) -> str:
    """The text without white space at either end."""
    return string(text, 1).strip(_SPACE)


# Changes


def lower(text: Value) -> str:
    """The text in lower case, character by character."""
    source = string(text, 1)
    return source.lower() if source.isascii() else "".join(map(_lower_character, source))


def upper(text: Value) -> str:
    """The text in upper case, character by character."""
    source = string(text, 1)
    return source.upper() if source.isascii() else "".join(map(_upper_character, source))


def _lower_character(character: str) -> str:
    # Python makes two characters of a dotted capital I, the only one that grows.
    return character.lower()[0]


def _upper_character(character: str) -> str:
    # Where capitals take several characters, Unicode's one-character form is the title case, if there is one.
    for candidate in (character.upper(), character.title()):
        if len(candidate) == 1:
            return candidate
    return character


def reverse(text: Value) -> str:
    """The characters from last to first."""
    return string(text, 1)[::-1]


def replace(text: Value, old: Value, new: Value) -> str:
    """The text with every occurrence of the old part replaced."""
    source, before, after = string(text, 1), string(old, 2), string(new, 3)
    if len(after) > len(before):
        _check_length(source.count(before) * len(after))
    return source.replace(before, after)


def replace_n(patterns: Value, text: Value) -> str:
    """The text with every key of the object replaced by its value, in one pass; of two keys the lesser one counts."""
    pairs, source = object_(patterns, 1), string(text, 2)
    keys = sorted(_all_strings(pairs.keys(), "key"))
    _all_strings(pairs.values(), "value")
    pieces = re.findall("|".join([*map(re.escape, filter(None, keys)), "."]), source, re.DOTALL)
    # An empty key matches before every piece and at the end, besides the key that matches there.
    gap: str = pairs.get("", "")
    parts = [pairs.get(piece, piece) for piece in pieces]
    _check_length(len(gap) * len(parts) + sum(map(len, parts)))
    return gap + gap.join(parts) + (gap if parts else "")


def _all_strings(values: Iterable[Value], kind: str) -> list[str]:
    found = list(values)
    if not all(isinstance(value, str) for value in found):
        raise OperandError.of(f"operand 1 non-string {kind} found in pattern object")
    return found


def _check_length(length: int) -> None:
    if length > _MAX_LENGTH:
        raise BuiltinError("text too long")


def format_int(value: Value, base: Value) -> str:
    """The digits of a number in base 2, 8, 10 or 16; what stands behind the point is dropped."""
    source, radix = number(value, 1), number(base, 2)
    if type(radix) is not int or radix not in _FORMATS:
        raise OperandError(2, "one of {2, 8, 10, 16}", got="")
    whole = truncated(source)
    return number_text(whole) if radix == 10 else format(whole, _FORMATS[radix])


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "concat": concat,
    "contains": contains,
    "endswith": ends_with,
    "format_int": format_int,
    "indexof": index_of,
    "indexof_n": index_of_n,
    "lower": lower,
    "replace": replace,
    "split": split,
    "startswith": starts_with,
    "strings.any_prefix_match": any_prefix_match,
    "strings.any_suffix_match": any_suffix_match,
    "strings.count": count,
    "strings.replace_n": replace_n,
    "strings.reverse": reverse,
    "strings.split_n": split_n,
    "substring": substring,
    "trim": trim,
    "trim_left": trim_left,
    "trim_prefix": trim_prefix,
    "trim_right": trim_right,
    "trim_space": trim_space,
    "trim_suffix": trim_suffix,
    "upper": upper,
}
