"""Regular expressions compiled by RE2, bounded in number and memory, with the messages of Go's `regexp`.

They are searched in bytes: RE2 works on UTF-8, and encoding a text once serves every match in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from procurator.builtins.text_bytes import printable, to_bytes

_MAX_PATTERNS: Final = 128
_MAX_BYTES: Final = 32 * 1024 * 1024
_GO_WORDS: Final = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
    "trailing \\": "trailing backslash at end of expression",
    "pattern too large - compile failed": "expression too large",
    "expression nests too deeply": "expression nests too deeply",
}

_ESCAPES: Final = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\(\?P?<(?P<name>[^>]*)>", re.DOTALL)
_GROUP_START: Final = re.compile(r"\(\?<[^>]*>?", re.DOTALL)
_NAME: Final = re.compile("[0-9A-Za-z_]+")

Span = tuple[int, int]


class PatternError(ValueError):
    """A text is no regular expression; the message is Go's."""


class Pattern(NamedTuple):
    """A compiled pattern; its matcher searches bytes."""

    matcher: Any
    names: dict[str, int]


@lru_cache(maxsize=1)
def _re2() -> Any:
    import re2

    return re2


@lru_cache(maxsize=2)
def _options(*, captures: bool) -> Any:
    options = _re2().Options()
    options.max_mem = _MAX_BYTES
    options.log_errors = False
    options.never_capture = not captures
    return options


@lru_cache(maxsize=_MAX_PATTERNS)
def compile_pattern(pattern: str) -> Pattern:
    """The pattern with its groups."""
    matcher = _compiled(pattern, captures=True)
    return Pattern(matcher, matcher.groupindex)


@lru_cache(maxsize=_MAX_PATTERNS)
def compile_test(pattern: str) -> Any:
    """The matcher of a pattern that only has to say whether it matches."""
    return _compiled(pattern, captures=False)


def _compiled(pattern: str, *, captures: bool) -> Any:
    _refuse_what_go_has_not(pattern)
    try:
        return _re2().compile(printable(pattern), _options(captures=captures))
    except _re2().error as error:
        problem, _, shown = error.args[0].decode("utf-8", "replace").partition(": ")
        if shown in ("(?<=", "(?<!"):  # a look-behind, to Go a group with an impossible name
            problem, shown = "invalid named capture", _GROUP_START.findall(pattern, pattern.index(shown))[0]
        raise _refusal(_GO_WORDS.get(problem, problem), shown) from None


def _refuse_what_go_has_not(pattern: str) -> None:
    # RE2 has an escape for a single byte and lets any letter stand in the name of a group.
    for escape in _ESCAPES.finditer(pattern):
        if escape[0] == r"\C":
            raise _refusal("invalid escape sequence", r"\C")
        if escape["name"] is not None and not _NAME.fullmatch(escape["name"]):
            raise _refusal("invalid named capture", escape[0])


def _refusal(problem: str, shown: str) -> PatternError:
    return PatternError(f"error parsing regexp: {problem}: `{shown}`")


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches somewhere in the text."""
    if r"\B" in pattern:
        return any(find_all(compile_pattern(pattern), to_bytes(text), 1))
    return compile_test(pattern).search(to_bytes(text)) is not None


def find_all(pattern: Pattern, text: bytes, limit: int = -1) -> Iterator[Sequence[Span]]:
    """The spans of each match and its groups, from left to right; no empty match right after another match."""
    at, last = 0, -1
    while limit and at <= len(text):
        match = pattern.matcher.search(text, at)
        if match is None:
            return
        start, end = match.span()
        if start < len(text) and text[start] & 0xC0 == 0x80:
            at = start + 1  # to RE2 there is a place for `\B` inside a character
            continue
        accepted = end != at or start != last
        at = end if end != at else at + _character(text, at)
        last = end
        if accepted:
            limit -= 1
            yield [match.span(group) for group in range(pattern.matcher.groups + 1)]


def _character(text: bytes, at: int) -> int:
    """How many bytes the character has; 1 past the end."""
    end = at + 1
    while end < len(text) and text[end] & 0xC0 == 0x80:
        end += 1
    return end - at
