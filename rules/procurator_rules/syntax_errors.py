"""What is said about a text that does not parse: OPA's words, at OPA's place.

`token_error` names a token that cannot stand where it stands; `explain` turns Lark's errors into ours, with what was
expected there; `bad_characters` says what is wrong with text that is no token at all.
"""

import re
from collections.abc import Callable, Collection
from typing import Final

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.lexer import Token

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.keywords import ALWAYS
from procurator_rules.spans import Source

OPERATOR_NAMES: Final = {
    "+": "plus", "-": "minus", "*": "mul", "/": "div", "%": "rem", "&": "and", "|": "or", "=": "eq", "==": "equal",
    ":=": "assign", "!=": "neq", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte",
}  # fmt: skip
"""OPA's names of operators in messages."""

_TYPE_NAMES: Final = {
    "NUMBER": "number",
    "STRING": "string",
    "RAW_STRING": "string",
    "TEMPLATE": "template-string-part",
    "$END": "eof",
}
_KEYWORD_TYPES: Final = frozenset(["PACKAGE", "IMPORT", "DEFAULT", "AS", "ELSE", "WITH", "SOME", "NOT", "IF", "CONTAINS", "EVERY", "IN", "AND", "OR"])
_TERM_START: Final = frozenset({"PATH", "NUMBER", "STRING", "LPAR"})


def token_error(
    source: Source, start: int, end: int, name: str, note: str = "", hint: str | None = None
) -> PolicyError:
    """`unexpected <name> token`, or `keyword` where the name is one; the note says what was expected."""
    kind = "keyword" if name in ALWAYS or (name.upper() in _KEYWORD_TYPES and name not in ("and", "or")) else "token"
    return PolicyError(
        PARSE, f"unexpected {name} {kind}{': ' if note else ''}{note}", at=source.location(start, end), hint=hint
    )


def keyword_error(source: Source, token: Token, note: str = "") -> PolicyError:
    """`unexpected some keyword: …` for a keyword token."""
    return PolicyError(
        PARSE,
        f"unexpected {token} keyword{': ' if note else ''}{note}",
        at=source.location(token.start_pos or 0, token.end_pos),
    )


def operator_error(source: Source, token: Token, note: str) -> PolicyError:
    """`unexpected eq token: …` for an operator or a mark of punctuation."""
    start = token.start_pos or 0
    return token_error(source, start, token.end_pos or start + 1, name_of(token), note)


def name_of(token: Token) -> str:
    """What OPA calls a token."""
    if token.type in _KEYWORD_TYPES:
        return str(token)
    if token.type in ("PATH", "DOT_PATH"):
        first = token.strip(".").split(".")[0]
        return "." if token.startswith(".") else first if first in ("true", "false", "null") else "identifier"
    return _TYPE_NAMES.get(token.type) or OPERATOR_NAMES.get(token, str(token).strip() or "whitespace")


def explain(error: UnexpectedInput, source: Source, reserved: frozenset[str], end: int) -> PolicyError:
    """Our error for one of Lark's."""
    accepted: Collection[str] = frozenset()
    if isinstance(error, UnexpectedCharacters):
        return bad_characters(source, error.pos_in_stream, error.allowed or frozenset(), end)
    if isinstance(error, UnexpectedToken):
        accepted = error.accepts or error.expected
        token = error.token
        if token.type == "$END":
            return _at_end(source, accepted, end)
        if token.type in ("_NL", "_NLB"):
            return _next_line(source, token, accepted, reserved, end)
        return _token(source, token, accepted, reserved)
    return PolicyError(PARSE, "unexpected eof token", at=source.location(end))


def _token(source: Source, token: Token, accepted: Collection[str], reserved: frozenset[str]) -> PolicyError:
    start = token.start_pos or 0
    if token.type in ("WS", "COMMENT"):
        return bad_characters(source, start, accepted, len(source.text))
    if token.type in ("ADJ_LBRACK", "ADJ_LPAR", "DOT_PATH") and (scalar := _scalar_before(source.text, start)):
        at = source.location(start - len(scalar[1]), start)
        return PolicyError(PARSE, f"illegal ref (head cannot be {scalar[0]})", at=at)
    stop = token.end_pos or start + 1
    if token.type == "PATH":
        stop = start + len(token.split(".")[0])
    name = name_of(token)
    if name == "identifier" and token in reserved:
        return keyword_error(source, token)
    return token_error(source, start, stop, name, expectation(accepted, source.text, start), _hint(token, accepted))


def _hint(token: Token, accepted: Collection[str]) -> str | None:
    if "IF" in accepted and token.type in ("LBRACE", "PATH"):
        return "write `if` before the body of a rule"
    if token in ("&", "&&") or token == "and":
        return "lines of a body are joined by `;` or a line break"
    if token.type == "EQ" and "OP" in accepted:
        return "compare with `==`"
    return None


def _next_line(
    source: Source, token: Token, accepted: Collection[str], reserved: frozenset[str], end: int
) -> PolicyError:
    # The line break stands where no statement may end: what follows it is at fault.
    at = token.end_pos or 0
    word = re.compile(r"[A-Za-z_][A-Za-z_\d]*|[0-9.]+|.").match(source.text, at)
    text = word.group() if word else ""
    kinds = (
        (r"[A-Za-z_]", "PATH"),
        (r"[0-9.]", "NUMBER"),
        (r'["]', "STRING"),
        (r"[`]", "RAW_STRING"),
        (r"\$", "TEMPLATE"),
    )
    kind = next((name for pattern, name in kinds if re.match(pattern, text)), "OTHER")
    return _token(source, Token(kind, text, at, end_pos=at + len(text)), accepted, reserved)


def _at_end(source: Source, accepted: Collection[str], end: int) -> PolicyError:
    text = source.text[:end]
    trimmed = text.rstrip()
    return token_error(source, end, end, "eof", expectation(accepted, text, len(trimmed)))


def _scalar_before(text: str, at: int) -> tuple[str, str] | None:
    for kind, pattern in (
        ("string", r'"(?:[^"\\\n]|\\.)*"$'),
        ("string", r"`[^`]*`$"),
        ("number", r"[0-9][0-9.eE+-]*$"),
    ):
        if match := re.search(pattern, text[max(0, at - 200) : at]):
            return kind, match.group()
    return None


_EXPECTATIONS: Final[tuple[tuple[Callable[[Collection[str]], bool], str], ...]] = (
    (lambda a: a == {"PATH"}, "expected var"),
    (lambda a: "RBRACK" in a and "COMMA" in a, 'expected "," or "]"'),
    (lambda a: "RPAR" in a and "COMMA" in a and "SEMICOLON" not in a, 'expected "," or ")"'),
    (lambda a: "AS" in a and "OP" not in a and "_NL" not in a, "expected as keyword"),
)
"""What to say was expected, by the tokens that could have followed."""


def expectation(accepted: Collection[str], text: str, at: int) -> str:
    """What would have been right at a place, in OPA's words; empty where any term would have been."""
    if set(accepted) >= _TERM_START and "OP" not in accepted:
        return ""
    opening = innermost_bracket(text, at)
    if "OP" in accepted or "SEMICOLON" in accepted:
        return _AFTER_TERM.get(opening, "")
    return next((words for holds, words in _EXPECTATIONS if holds(accepted)), "")


_AFTER_TERM: Final = {
    "f(": 'expected "," or ")"',
    "(": "non-terminated expression",
    "r[": "expected ]",
    "[": 'expected "," or "]"',
    "[|": "expected \\n or ; or ]",
    "{:": "non-terminated object",
    "{,": 'expected "," or "}"',
    "{|": "expected \\n or ; or }",
    "{": "expected \\n or ; or }",
}
"""After a whole term, what could follow depends on the bracket around it: see `innermost_bracket`."""

_SKIM = re.compile(r'"(?>[^"\\\n]++|\\.)*+"|`[^`]*+`|#[^\n]*+|\bif\s*\{|[\w\])}"`]?[\[({]|[\])}]|[,:|](?!=)')


def innermost_bracket(text: str, at: int) -> str:
    """The bracket that is open at a place, with what has been seen inside it.

    Returns:
        `f(` for a call, `r[` for the operand of a reference; `(`, `[` and `{`, the latter two with `|`, `:` or `,` when
        one of those stood inside; the empty string outside of brackets.
    """
    stack: list[str] = []
    for match in _SKIM.finditer(text, 0, at):
        token = match.group()
        last = token[-1]
        if last in "[({" and token[0] not in '"`#':
            stack.append(_opened(token))
        elif token in "])}" and stack:
            stack.pop()
        elif token in ",:|" and stack and stack[-1] in ("[", "{") and not (token == "," and stack[-1] == "["):
            stack[-1] += token
    return stack[-1] if stack else ""


def _opened(token: str) -> str:
    adjacent = len(token) == 2 and token[0] not in "[({"
    if token[-1] == "(":
        return "f(" if adjacent else "("
    if token[-1] == "[":
        return "r[" if adjacent else "["
    return "{"


_NUMBER_TEXT = re.compile(r"[0-9]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?[A-Za-z_\d]*")
_ESCAPE = re.compile(r'\\(?!["\\/bfnrt]|u[^\n]{4})')


def bad_characters(source: Source, at: int, accepted: Collection[str], end: int) -> PolicyError:
    """What is wrong with text that is no token: unfinished strings, malformed numbers, stray characters."""
    text = source.text
    if at >= end:
        return _at_end(source, accepted, end)
    character = text[at]
    make = _BAD.get(character)
    if make is not None:
        return make(source, at)
    if character in "0123456789." and (number := _NUMBER_TEXT.match(text, at)) and number.group():
        return _bad_number(source, at, number.group())
    if character == "." and re.match(r"\.[A-Za-z_\[]", text[at:]):
        return token_error(source, at, at + 1, ".", expectation(accepted, text, at))
    return PolicyError(PARSE, "illegal token", at=source.location(at))


def _bad_string(source: Source, at: int) -> PolicyError:
    start = at + 1 if source.text[at] == "$" else at
    line_end = source.text.find("\n", start)
    line = source.text[start : len(source.text) if line_end < 0 else line_end]
    closed = re.match(r'"(?>[^"\\]++|\\.)*+"', line)
    escape = _ESCAPE.search(closed.group() if closed else line)
    if escape:
        where = start + escape.start()
        return PolicyError(
            PARSE,
            "illegal escape sequence",
            at=source.location(where, where + 2),
            hint="write `\\\\` for a backslash, or use a raw string in back-ticks",
        )
    return PolicyError(PARSE, "non-terminated string", at=source.location(at, start + len(line)))


def _bad_raw_string(source: Source, at: int) -> PolicyError:
    return PolicyError(PARSE, "non-terminated string", at=source.location(at))


def _bad_number(source: Source, at: int, text: str) -> PolicyError:
    where = source.location(at, at + len(text))
    if re.search(r"\.(?![0-9])", text):
        return PolicyError(PARSE, "expected fraction", at=where)
    if re.search(r"[eE][+-]?$", text):
        return PolicyError(PARSE, "expected exponent", at=where)
    if re.match(r"0[0-9]+(?![A-Za-z_])", text):
        return PolicyError(PARSE, "unexpected number token: expected number without leading zero", at=where)
    return PolicyError(PARSE, "illegal number format", at=where)


def _bad_dollar(source: Source, at: int) -> PolicyError:
    return PolicyError(PARSE, "illegal $ character", at=source.location(at))


def _bad_mark(source: Source, at: int) -> PolicyError:
    return PolicyError(
        PARSE, "illegal ! character", at=source.location(at), hint="negate an expression with `not`, compare with `!=`"
    )


def _bad_space(source: Source, at: int) -> PolicyError:
    return PolicyError(
        PARSE, "illegal non-breaking space character, use a regular space instead", at=source.location(at)
    )


_BAD: Final[dict[str, Callable[[Source, int], PolicyError]]] = {
    '"': _bad_string,
    "`": _bad_raw_string,
    "$": _bad_dollar,
    "!": _bad_mark,
    "\u00a0": _bad_space,
}
