r"""Built-ins of the family `glob`, with the patterns of the Go library gobwas/glob.

`*` is any text without a delimiter, `**` any text, `?` one character but a delimiter, `[abc]`, `[a-z]` and `[!...]` one
character, `{a,b}` alternatives, `\` the next character itself. A pattern becomes one of RE2, which matches in linear
time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from procurator.builtins.operands import BuiltinError, collection, refuse_element, string
from procurator.builtins.re2_patterns import PatternError, compile_test
from procurator.builtins.text_bytes import printable, to_bytes
from procurator.values import Value

_META: Final = re.compile(r"[*?\\\[\]{}]")


class GlobError(ValueError):
    """A pattern is malformed; the message is the library's."""


def match(pattern: Value, delimiters: Value, value: Value) -> Value:
    """Whether the pattern matches the whole string. No delimiters given means the dot; null means none at all."""
    text = string(pattern, 1)
    chosen = _delimiters(delimiters)
    checked = string(value, 3)
    try:
        return compile_glob(text, chosen).search(to_bytes(printable(checked))) is not None
    except (GlobError, PatternError) as error:
        raise BuiltinError(str(error)) from None


def quote_meta(value: Value) -> Value:
    """A pattern that matches just this string."""
    return _META.sub(lambda char: "\\" + char[0], string(value, 1))


def _delimiters(value: Value) -> str:
    members = collection(value, 2, "array", "null")
    if members is None:
        return ""
    for member in members:
        if not isinstance(member, str):
            refuse_element(2, value, member, "string")
        if len(member) != 1:
            refuse_element(2, value, member, "rune")
    return "".join(members) or "."


@lru_cache(maxsize=256)
def compile_glob(pattern: str, delimiters: str) -> Any:
    """The matcher of a pattern; it searches bytes."""
    return compile_test(rf"(?s)\A(?:{''.join(_Translation(printable(pattern), delimiters).pieces())})\z")


def _literal(chars: str) -> str:
    return "".join([f"\\x{{{ord(char):X}}}" for char in chars])


class _Translation:
    """Reads a pattern and gives it as an expression of RE2, piece by piece."""

    def __init__(self, pattern: str, delimiters: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0
        self.any = f"[^{_literal(delimiters)}]" if delimiters else "."

    def pieces(self) -> Iterator[str]:
        """The pieces of the expression."""
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            if char in _READERS and (self.depth or char not in "},"):
                self.at += 1
                yield _READERS[char](self)
            else:
                yield _literal(self.text("?*[{}," if self.depth else "?*[{"))
        if self.depth:
            raise self.refusal("unclosed `{`")

    def text(self, ends: str) -> str:
        """The characters up to one of these, a backslash taking away what the next one means."""
        chars = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in ends:
            char = self._next()
            if char == "\\":
                if self.at == len(self.pattern):
                    raise self.refusal("unexpected end of input" if ends == "]" else "trailing backslash")
                char = self._next()
            chars.append(char)
        return "".join(chars)

    def star(self) -> str:
        if self.pattern[self.at : self.at + 1] != "*":
            return f"{self.any}*"
        self.at += 1
        return ".*"

    def open_terms(self) -> str:
        self.depth += 1
        return "(?:"

    def close_terms(self) -> str:
        self.depth -= 1
        return ")"

    def one_of(self) -> str:
        """A class of characters, after its bracket."""
        negation = self.pattern[self.at : self.at + 1] == "!"
        self.at += negation
        chars = self._range() if self.pattern[self.at + 1 : self.at + 2] == "-" else self._set()
        return f"[{'^' if negation else ''}{chars}]"

    def _range(self) -> str:
        low, _, high, end = self._next(), self._next(), self._next(), self._next()
        if end != "]":
            raise self.refusal("expected close range character")
        if high < low:
            raise self.refusal("range hi character is less than lo")
        return f"{_literal(low)}-{_literal(high)}"

    def _set(self) -> str:
        if self.at == len(self.pattern):
            raise self.refusal("unexpected end of input")
        chars = self.text("]")
        self._next()
        if not chars:
            raise self.refusal("could not parse range")
        return _literal(chars)

    def _next(self) -> str:
        if self.at == len(self.pattern):
            raise self.refusal("unexpected end of input")
        self.at += 1
        return self.pattern[self.at - 1]

    def refusal(self, problem: str) -> GlobError:
        """The error for a problem at the place reached, which is told in bytes."""
        return GlobError(f"glob: syntax error at {len(self.pattern[: self.at].encode())}: {problem}")


_READERS: Final[Mapping[str, Callable[[_Translation], str]]] = {
    "?": lambda translation: translation.any,
    "*": _Translation.star,
    "[": _Translation.one_of,
    "{": _Translation.open_terms,
    "}": _Translation.close_terms,
    ",": lambda _: "|",
}

TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "glob.match": match,
    "glob.quote_meta": quote_meta,
}
