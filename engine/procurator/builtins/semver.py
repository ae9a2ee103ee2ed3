"""Built-ins of the family `semver`: validity and precedence of semantic versions 2.0.0."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator.builtins.operands import BuiltinError, string
from procurator.render import quote
from procurator.values import Value

_NUMBER: Final = "(0|[1-9][0-9]*)"
_IDENTIFIERS: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION: Final = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?", re.ASCII)
_LEADING_ZERO: Final = re.compile(r"0[0-9]+", re.ASCII)
_INT64_DIGITS: Final = 19

Precedence = tuple[Any, ...]


def compare(first: Value, second: Value) -> Value:
    """-1, 0 or 1 by the precedence of two versions; build metadata does not count."""
    a, b = (_valid(string(value, position), position) for position, value in ((1, first), (2, second)))
    return (a > b) - (a < b)


def is_valid(value: Value) -> Value:
    """Whether the value is a string that is a semantic version; a leading v is allowed."""
    return isinstance(value, str) and _precedence(value) is not None


def _valid(text: str, position: int) -> Precedence:
    precedence = _precedence(text)
    if precedence is None:
        raise BuiltinError(f"operand {position}: string {quote(text)} is not a valid SemVer")
    return precedence


def _precedence(text: str) -> Precedence | None:
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    *numbers, before = match.groups()
    if any(len(number) > _INT64_DIGITS or int(number) >= 1 << 63 for number in numbers):
        return None
    if before is None:
        return (*map(int, numbers), 1)
    identifiers = before.split(".")
    if any(_LEADING_ZERO.fullmatch(identifier) for identifier in identifiers):
        return None
    return (*map(int, numbers), 0, [_rank(identifier) for identifier in identifiers])


def _rank(identifier: str) -> tuple[int, int, str]:
    # Without leading zeros a number is greater when it is longer, so none need be converted, however long.
    return (0, len(identifier), identifier) if identifier.isdigit() else (1, 0, identifier)


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "semver.compare": compare,
    "semver.is_valid": is_valid,
}
