"""Tokens: the pieces of text that the grammar is written in, and what OPA calls a piece of text in its messages."""

import re
from typing import Final, NamedTuple

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.spans import Source


class Token(str):
    """A piece of text that a terminal of the grammar has matched.

    Attributes:
        type: the name of the terminal.
        start: the offset of its first character.
        end: the offset behind its last.
    """

    __slots__ = ("end", "start", "type")

    type: str
    start: int
    end: int


SPACE: Final = r"(?>[ \t\r\n]++|#[^\n]*+)*+"
"""White space and comments, which may stand between any two tokens."""

EOF: Final = "eof"
ILLEGAL: Final = "illegal"
IDENTIFIER: Final = "identifier"
WHITESPACE: Final = "whitespace"

OPERATOR_NAMES: Final = {
    "+": "plus", "-": "minus", "*": "mul", "/": "div", "%": "rem", "&": "and", "|": "or", "=": "eq", "==": "equal",
    ":=": "assign", "!=": "neq", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte",
}  # fmt: skip
"""OPA's names of operators in messages."""

TEMPLATE_NAMES: Final = {'$"': "template-string", "$`": "raw-template-string"}


class Found(NamedTuple):
    """A token as OPA names it."""

    name: str
    start: int
    end: int


_SPACE = re.compile(SPACE)
_WORD = re.compile(r"[A-Za-z_][A-Za-z_\d]*+")
_MARK = re.compile(r":=|[=!<>]=|[-+*/%&|=<>\[\]{}(),:;.]")
_NUMBER = re.compile(
    r"[0-9]++(?P<point>\.(?P<fraction>[0-9]*+))?(?P<letter>[eE][+-]?(?P<exponent>[0-9]*+))?(?P<rest>[A-Za-z_][A-Za-z_\d]*+)?"
)
_CONTENTS: Final = {
    '"': re.compile(r'(?>[^"\\\n]++|\\(?:["\\/bfnrt]|u[^\n]{4}))*+'),
    "`": re.compile(r"[^`]*+"),
    '$"': re.compile(r'(?>[^"\\\n{]++|\\(?:["\\/bfnrt{]|u[^\n]{4}))*+'),
    "$`": re.compile(r"(?>[^`\\{]++|\\\{?)*+"),
}
"""What may stand between the quotes of each kind of string."""

_STRAY: Final[dict[str, tuple[str, str | None]]] = {
    "!": ("illegal ! character", "negate an expression with `not`, compare with `!=`"),
    "$": ("illegal $ character", None),
    "\u00a0": ("illegal non-breaking space character, use a regular space instead", None),
}


def after_space(text: str, at: int) -> int:
    """The offset of the next token, or of the end of the text."""
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def token_at(source: Source, at: int) -> Found:
    """The token that begins at an offset.

    Raises:
        PolicyError: what is there is no token: an unfinished string, a malformed number, a stray character.
    """
    text = source.text
    if at >= len(text):
        return Found(EOF, at, at)
    if match := _WORD.match(text, at):
        return Found(IDENTIFIER, at, match.end())
    if match := _NUMBER.match(text, at):
        return _number(source, match)
    if match := _MARK.match(text, at):
        return Found(OPERATOR_NAMES.get(match.group(), match.group()), at, match.end())
    opening = text[at : at + 2] if text[at] == "$" else text[at]
    if opening in _CONTENTS:
        return string_at(source, at, at + len(opening), opening)
    if text[at] in _STRAY:
        message, hint = _STRAY[text[at]]
        raise PolicyError(PARSE, message, at=source.location(at), hint=hint)
    return Found(WHITESPACE if text[at] in " \t\r\n" else ILLEGAL, at, at + 1)


def _number(source: Source, match: re.Match[str]) -> Found:
    problem = None
    if match["point"] and not match["fraction"]:
        problem = "expected fraction"
    elif match["letter"] and not match["exponent"]:
        problem = "expected exponent"
    elif match["rest"]:
        problem = "illegal number format"
    if problem is not None:
        raise PolicyError(PARSE, problem, at=source.location(*match.span()))
    return Found("number", *match.span())


def string_at(source: Source, start: int, begin: int, opening: str) -> Found:
    """The string that starts at an offset and has its contents from begin on.

    Raises:
        PolicyError: it does not end, or has an escape that JSON does not know.
    """
    text = source.text
    contents = _CONTENTS[opening].match(text, begin)
    end = begin if contents is None else contents.end()
    stop = text[end : end + 1]
    if stop == opening[-1]:
        return Found(f"{TEMPLATE_NAMES[opening]}-end" if opening in TEMPLATE_NAMES else "string", start, end + 1)
    if stop == "{":
        return Found(f"{TEMPLATE_NAMES[opening]}-part", start, end + 1)
    if stop == "\\" and text[end + 1 : end + 2] not in ("", "u"):
        raise PolicyError(
            PARSE,
            "illegal escape sequence",
            at=source.location(start, end + 2),
            hint=f"`{text[end : end + 2]}` is no escape: write `\\\\` for a backslash, or a raw string in back-ticks",
        )
    line_end = text.find("\n", begin)
    hint = f"close it with {opening[-1]}"
    at = source.location(start, len(text) if line_end < 0 else line_end)
    raise PolicyError(PARSE, "non-terminated string", at=at, hint=hint)
