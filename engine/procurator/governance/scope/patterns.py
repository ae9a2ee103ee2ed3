"""Globs over paths as regular languages.

`*` is any text without a slash, `**` any text, `**/` any number of whole segments, `?` one character but a slash,
`[abc]`, `[a-z]` and `[!...]` one character, `{a,b}` alternatives. A pattern is matched against normal forms
(`paths.py`), so it has to be one itself: what no normal form holds is refused where the pattern is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from procurator.governance.scope.automata import (
    ANY_CHAR,
    Alt,
    Automaton,
    Chars,
    Language,
    Seq,
    Star,
    Undecided,
    all_but,
    chars,
    literal,
    optional,
)
from procurator.governance.scope.paths import (
    PathError,
    check_authority,
    normal_path,
    plain_text,
    refuse_percent,
    without_default_port,
)

_MAX_NESTING: Final = 8
_SLASH: Final = (ord("/"), ord("/"))
_NOT_SLASH: Final = all_but([_SLASH])
_META: Final = re.compile(r"[*?\[\]{}]")
_DOTS: Final = re.compile(r"(?:^|[/{,])\.{1,2}(?=[/,}]|$)")
_URL: Final = re.compile(r"[A-Za-z*?\[{][^/]*://[^/]*")

PathTest = Callable[[str], bool]


class PatternError(ValueError):
    """A text is no pattern; the message says why."""


def normal_pattern(text: str) -> str:
    """The pattern in the spelling that normal forms have."""
    try:
        plain = plain_text(text)
        refuse_percent(plain)
    except PathError as error:
        raise PatternError(str(error)) from None
    if not plain.strip("/"):
        return _only_slashes(plain)
    head = _URL.match(plain)
    if head and _META.search(head[0]) is None:
        _check_head(head[0])
    body = plain[head.end() :] or "/" if head else plain.rstrip("/")
    if "//" in body or _DOTS.search(body):
        raise PatternError("has a segment that no path has (empty, `.` or `..`)")
    return (without_default_port(head[0].lower()) if head else "") + body


def _check_head(head: str) -> None:
    try:
        check_authority(*head.split("://", 1))
    except PathError as error:
        raise PatternError(str(error)) from None


def _only_slashes(text: str) -> str:
    if text != "/":
        raise PatternError("is empty")
    return text


def normal_root(text: str) -> str:
    """The root of a tree of paths: absolute, in normal form."""
    if not text.startswith("/"):
        raise PatternError("is not an absolute path")
    try:
        return normal_path(text)
    except PathError as error:
        raise PatternError(str(error)) from None


def glob_language(pattern: str) -> Language:
    """The paths a normal pattern matches."""
    return _Reader(pattern).alternatives(depth=0)


def path_automaton(language: Language) -> Automaton:
    """The automaton of a language of paths."""
    try:
        return Automaton(language)
    except Undecided:
        raise PatternError("is too long") from None


def below(root: str) -> Language:
    """A path and everything under it."""
    if root == "/":
        return Seq((literal("/"), Star(ANY_CHAR)))
    return Seq((literal(root), optional(Seq((literal("/"), Star(ANY_CHAR))))))


def glob_test(pattern: str) -> PathTest | None:
    """A test of normal forms that needs no automaton, for a pattern that is simple enough."""
    if _META.search(pattern) is None:
        return pattern.__eq__
    prefix = pattern.removesuffix("**")
    if prefix != pattern and _META.search(prefix) is None:
        return lambda path: path.startswith(prefix)
    return None


def below_test(root: str) -> PathTest:
    """Whether a path is the root or under it."""
    prefix = root.rstrip("/") + "/"
    return lambda path: path == root or path.startswith(prefix)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def alternatives(self, depth: int) -> Language:
        """Up to the end, or to the brace that closes."""
        if depth > _MAX_NESTING:
            raise PatternError("has too many braces within braces")
        branches = [Seq(tuple(self._pieces(depth)))]
        while depth and self._take(","):
            branches.append(Seq(tuple(self._pieces(depth))))
        if depth and not self._take("}"):
            raise PatternError("has a brace that is not closed")
        return branches[0] if len(branches) == 1 else Alt(tuple(branches))

    def _pieces(self, depth: int) -> Iterator[Language]:
        while self.at < len(self.text):
            char = self.text[self.at]
            if depth and char in ",}":
                return
            self.at += 1
            read = _PIECES.get(char)
            yield read(self, depth) if read else literal(char)

    def star(self, _depth: int) -> Language:
        begins = self.at == 1 or self.text[self.at - 2] == "/"
        if not self._take("*"):
            return Star(_NOT_SLASH)
        while self._take("*"):
            continue
        if begins and self._take("/"):
            return optional(Seq((Star(ANY_CHAR), literal("/"))))
        return Star(ANY_CHAR)

    def one(self, _depth: int) -> Language:
        return _NOT_SLASH

    def braces(self, depth: int) -> Language:
        return self.alternatives(depth + 1)

    def stray(self, _depth: int) -> Language:
        raise PatternError(f"has a `{self.text[self.at - 1]}` that closes nothing")

    def members(self, _depth: int) -> Chars:
        """A class of characters, after its bracket."""
        negated = self._take("!") or self._take("^")
        end = self.text.find("]", self.at + 1)
        if end < 0:
            raise PatternError("has a bracket that is not closed")
        ranges = list(_ranges(self.text[self.at : end]))
        self.at = end + 1
        if any(low <= _SLASH[0] <= high for low, high in ranges):
            raise PatternError("has a slash in brackets")
        return all_but([*ranges, _SLASH]) if negated else chars(ranges)

    def _take(self, char: str) -> bool:
        found = self.text.startswith(char, self.at)
        self.at += found
        return found


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for low, high, single in re.findall(r"(.)-(.)|(.)", text, re.DOTALL):
        pair = (ord(single), ord(single)) if single else (ord(low), ord(high))
        if pair[0] > pair[1]:
            raise PatternError(f"has the range `{low}-{high}`, which is empty")
        yield pair


_PIECES: Final[Mapping[str, Callable[[_Reader, int], Language]]] = {
    "*": _Reader.star,
    "?": _Reader.one,
    "[": _Reader.members,
    "]": _Reader.stray,
    "{": _Reader.braces,
    "}": _Reader.stray,
}

# Regular supersets and subsets of the normal forms, for comparing paths with texts.
_CONTROLS: Final = ((0, 0x1F), (0x7F, 0x9F), (ord("\\"), ord("\\")))
_INNER: Final = chars([(0x20, 0x24), (0x26, 0x2D), (0x30, 0x5B), (0x5D, 0x7E)])
_WITHIN: Final = chars([*_INNER.ranges, (ord("."), ord("."))])
_DOT: Final = literal(".")


def _segment(inner: Chars, within: Chars) -> Language:
    return Alt(
        (
            Seq((inner, Star(within))),
            Seq((_DOT, inner, Star(within))),
            Seq((_DOT, _DOT, within, Star(within))),
        )
    )


def _without_colon(members: Chars) -> Chars:
    colon = ord(":")
    return chars(
        part
        for low, high in members.ranges
        for part in ((low, min(high, colon - 1)), (max(low, colon + 1), high))
        if part[0] <= part[1]
    )


_SEGMENT: Final = _segment(_INNER, _WITHIN)
_FIRST: Final = _segment(_without_colon(_INNER), _without_colon(_WITHIN))

NORMAL: Final = Seq((all_but(_CONTROLS), Star(all_but(_CONTROLS))))
"""Every normal form is one of these."""

PLAIN: Final = Seq((Alt((Seq((literal("/"), _SEGMENT)), _FIRST)), Star(Seq((literal("/"), _SEGMENT)))))
"""Each of these is its own normal form. What begins with a scheme may have none."""
