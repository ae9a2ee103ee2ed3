"""What is said about a text that does not parse: OPA's words, at OPA's place.

`unexpected` words the error for a token that cannot stand where it stands. `explain` finds out from the values that the
parser holds at that moment what was expected instead; `frames.py` says what those values tell.
"""

from typing import Final

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.hints import illegal_character
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Boolean,
    Call,
    Null,
    Number,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    String,
    TemplateString,
    Var,
)
from procurator_rules.reading import Reading
from procurator_rules.spans import Location, Source
from procurator_rules.tokens import EOF, IDENTIFIER, ILLEGAL, token_at

KIND_NAMES: Final[dict[type, str]] = {
    Null: "null",
    Boolean: "boolean",
    Number: "number",
    String: "string",
    Var: "var",
    Ref: "ref",
    Array: "array",
    Object: "object",
    SetTerm: "set",
    ArrayComprehension: "arraycomprehension",
    SetComprehension: "setcomprehension",
    ObjectComprehension: "objectcomprehension",
    Call: "call",
    TemplateString: "templatestring",
}
"""What OPA calls each kind of term in messages."""

UNCLOSED: Final = "non-terminated expression"
UNCLOSED_TEMPLATE: Final = "expected } to end template string expression"
UNCLOSED_GROUP: Final = "expected ) to close parenthesized group"
EMPTY_BODY: Final = "found empty body"
_WHOLE: Final = frozenset({UNCLOSED, UNCLOSED_TEMPLATE, UNCLOSED_GROUP, EMPTY_BODY})
"""Notes that are the whole message."""

_END_OF_LINE: Final = "expected \\n"
"""How a note begins that does not hold where the line has ended."""


class Misplaced(Exception):  # noqa: N818  # no error of ours leaves the parser as this one
    """The token at an offset cannot stand there; what could is told by where the parser is."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def unexpected(
    reading: Reading, at: int, note: str = "", hint: str | None = None, *, after_term: bool = False
) -> PolicyError:
    """The error for the token at an offset: `unexpected some keyword: …`.

    Args:
        reading: the text.
        at: the offset.
        note: what was expected.
        hint: what to do about it.
        after_term: whether a term stands before; then `if.x` is a name, as at the start of a line.

    Raises:
        PolicyError: what stands there is no token at all.
    """
    source = reading.source
    found = token_at(source, at)
    where = source.location(found.start, found.end) if found.name != EOF else end_of_text(source)
    if note in _WHOLE:
        return PolicyError(PARSE, note, at=where, hint=hint)
    if found.name == ILLEGAL:
        return PolicyError(PARSE, "illegal token", at=where, hint=illegal_character(source.text[at]) or hint)
    if note.startswith(_END_OF_LINE) and begins_line(source.text, at):
        note = ""
    name, kind = found.name, "token"
    word = source.text[found.start : found.end]
    is_ref = after_term and source.text[found.end : found.end + 1] in (".", "[")
    if name == IDENTIFIER and reading.is_keyword(word) and not is_ref:
        name, kind = word, "keyword"
    return PolicyError(PARSE, f"unexpected {name} {kind}{': ' if note else ''}{note}", at=where, hint=hint)


def begins_line(text: str, at: int) -> bool:
    """Whether what stands at an offset is the first on a line other than the first."""
    while at > 0 and text[at - 1] in " \t\r":
        at -= 1
    return at > 0 and text[at - 1] == "\n"


def end_of_text(source: Source) -> Location:
    """The place of the last character that is not white space."""
    last = max(0, len(source.text.rstrip()) - 1)
    return source.location(last)
