"""What Go's JSON decoder says of a text that is not one JSON value."""

from __future__ import annotations

import re
from typing import Final

from procurator.builtins.text_bytes import to_bytes
from procurator.render import quote

_SPACES: Final = " \t\r\n"
_SPACE: Final = re.compile(f"[{_SPACES}]*")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*+')
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{0,3})?")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)?(?:(?<=[0-9])\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?")
_WHOLE_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS: Final = {"t": "true", "f": "false", "n": "null"}
_MAX_DEPTH: Final = 10_000
_AFTER: Final = {"{": "after object key:value pair", "[": "after array element"}
_CLOSE: Final = {"{": "}", "[": "]"}


class _Fault(Exception):  # noqa: N818 - it carries the message that the caller wraps
    """The text goes wrong; the argument is Go's message."""


def syntax_problem(text: str) -> str:
    """The message for a text that is no JSON value, or is more than one; '' for one value."""
    # Go looks at single bytes and shows the one at fault as the character of that number.
    scan = _Scan(to_bytes(text).decode("latin-1"))
    try:
        scan.value()
        return scan.trailing()
    except _Fault as fault:
        return str(fault)


class _Scan:
    """A walk over a text up to its first fault."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def value(self) -> None:
        """Pass one whole value."""
        stack: list[str] = []
        self._open_or_scalar(stack)
        while stack:
            self._after_value(stack)

    def trailing(self) -> str:
        """The message for what stands after the first value."""
        if not self.text[self.at :].strip(_SPACES):
            return ""
        char = self._next()
        if char in "[{":
            return f"error: invalid character '{char}' after top-level value"
        start = self.at
        if char in "]},:":
            self._refuse("looking for beginning of value")
        self.value()
        value = self.text[start : self.at].encode("latin-1").decode("utf-8", "replace")
        told = value[1:-1] if char == '"' else f"%!s(bool={value})" if char in "tf" else value
        return f"error: invalid character '{told}' after top-level value"

    def _next(self) -> str:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.at == len(self.text):
            raise _Fault("EOF" if not self.text.strip(_SPACES) else "unexpected EOF")
        return self.text[self.at]

    def _refuse(self, context: str) -> None:
        if self.at >= len(self.text):
            raise _Fault("unexpected EOF")
        char = self.text[self.at]
        shown = {"'": r"'\''", '"': "'\"'"}.get(char, "'" + quote(char)[1:-1] + "'")
        raise _Fault(f"invalid character {shown} {context}")

    def _open_or_scalar(self, stack: list[str]) -> None:
        char = self._next()
        if char in "{[":
            if len(stack) >= _MAX_DEPTH:
                self._refuse("exceeded max depth")
            self.at += 1
            stack.append(char)
            self._enter(stack)
        elif char == '"':
            self._string()
        elif char in "-0123456789":
            self._number()
        elif char in _LITERALS:
            self._literal(_LITERALS[char])
        else:
            self._refuse("looking for beginning of value")

    def _enter(self, stack: list[str]) -> None:
        if self._next() == _CLOSE[stack[-1]]:
            self.at += 1
            stack.pop()
        elif stack[-1] == "{":
            self._key()
            stack.append(":")
        else:
            stack.append(":")

    def _after_value(self, stack: list[str]) -> None:
        if stack[-1] == ":":
            stack.pop()
            self._open_or_scalar(stack)
            return
        char = self._next()
        if char == _CLOSE[stack[-1]]:
            self.at += 1
            stack.pop()
        elif char == ",":
            self.at += 1
            if stack[-1] == "{":
                self._next()
                self._key()
            stack.append(":")
        else:
            self._refuse(_AFTER[stack[-1]])

    def _key(self) -> None:
        if self.text[self.at] != '"':
            self._refuse("looking for beginning of object key string")
        self._string()
        if self._next() != ":":
            self._refuse("after object key")
        self.at += 1

    def _string(self) -> None:
        match = _STRING.match(self.text, self.at)
        self.at = match.end() if match else self.at
        char = self.text[self.at : self.at + 1]
        if char == '"':
            self.at += 1
            return
        escape = _ESCAPE.match(self.text, self.at)
        if escape is None:
            self._refuse("in string literal")
        else:
            self.at = escape.end()
            self._refuse("in \\u hexadecimal character escape" if escape[1] else "in string escape code")

    def _number(self) -> None:
        match = _NUMBER.match(self.text, self.at)
        number = match.group() if match else ""
        self.at += len(number)
        if not _WHOLE_NUMBER.fullmatch(number):
            self._refuse(
                "in exponent of numeric literal"
                if "e" in number.lower()
                else "after decimal point in numeric literal"
                if "." in number
                else "in numeric literal"
            )

    def _literal(self, word: str) -> None:
        for expected in word:
            if self.text[self.at : self.at + 1] != expected:
                self._refuse(f"in literal {word} (expecting '{expected}')")
            self.at += 1
