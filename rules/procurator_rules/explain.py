"""Why a text does not parse, from what the parser holds at the token that does not fit.

The frames tell what was expected there. And since the grammar takes more than Rego does, a frame may hold something
that OPA refuses before it comes to that token: then this is the error.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from procurator_rules.bodies import body_of, operand_term
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import is_member
from procurator_rules.frames import Frame, flat, frames_at, is_operator, is_token
from procurator_rules.heads import glued_operator
from procurator_rules.hints import advice, missing_import, missing_in
from procurator_rules.lines import Braces, Opened, Pair, Statements
from procurator_rules.nodes import Number, String
from procurator_rules.reading import Reading
from procurator_rules.syntax_errors import EMPTY_BODY, begins_line, unexpected
from procurator_rules.tokens import EOF, IDENTIFIER, Token, after_space, string_at, token_at

_BREAKS: Final = frozenset({"SEMICOLON", "_NL", "_NLB"})
_ASSIGNMENTS: Final = frozenset({"EQ", "ASSIGN"})
_CLOSED_BY: Final = {"(": ")", "[": "]", "{": "}"}
_LINE_KEYWORDS: Final = frozenset({"SOME", "EVERY", "NOT"})

_INSTEAD_OF_TERM: Final = {
    "WITH": "expected ident",
    "SOME": "expected var",
    "ELSE": "expected else value term or rule body",
}
"""What is expected behind a token that no term may follow."""

_QUANTIFIED: Final = "expected `x[, y] in xs { ... }` expression"
_LEADING_ZERO: Final = re.compile("0[0-9]")

_RULE_NAME: Final = frozenset({":=", "=", "if", "contains", "("})
_NAMELIKE: Final = {
    **dict.fromkeys(("every", "if", "in", "some", "as"), _RULE_NAME),
    **dict.fromkeys(("not", "and", "or"), _RULE_NAME - {"("}),
    **dict.fromkeys(("package", "import"), frozenset({":=", "=", "("})),
}
"""The keywords that somebody may have meant as the name of a rule, and what then follows."""


def explain(at: int, values: Sequence[Any], reading: Reading) -> PolicyError:
    """The error for the token at an offset, from the values on the parser's stack."""
    at = after_space(reading.source.text, at)
    frames = frames_at(values, at, reading)
    try:
        judge = _instead_of_term if frames[-1].wants_term else _after_term
        error = judge(frames[-1], at, reading)
    except PolicyError as lexical:
        error = lexical
    else:
        error.hint = error.hint or _unclosed(frames[-1], at, reading)
    for frame in frames:
        for refused in _refused_before(frame, at, error, reading, innermost=frame is frames[-1]):
            return refused
    return error


def _unclosed(frame: Frame, at: int, reading: Reading) -> str | None:
    """The hint for a text that ends, or closes another bracket, before the innermost one is closed."""
    closing = reading.source.text[at : at + 1]
    is_closing = closing in ("", *_CLOSED_BY.values())
    if not frame.kind:
        return f"no bracket is open that `{closing}` could close" if is_closing and closing else None
    if not is_closing and (frame.holds_lines or not begins_line(reading.source.text, at)):
        return None
    bracket = reading.source.text[frame.start]
    if closing == _CLOSED_BY.get(bracket):
        return None
    place = reading.source.location(frame.start)
    what = "the template string" if bracket == "$" else f"`{bracket}`"
    return f"{what} at {place.row}:{place.column} is not closed"


# Where a term, a line or a statement would have to begin


def _instead_of_term(frame: Frame, at: int, reading: Reading) -> PolicyError:
    source = reading.source
    found = token_at(source, at)
    word = source.text[found.start : found.end]
    top = frame.values[-1] if frame.values and is_token(frame.values[-1]) else None
    if not frame.kind and (name := _keyword_name(frame, top, at, reading)):
        return name
    kind = "" if top is None else top.type
    if kind == "PIPE" and word in ("]", "}") and frame.is_comprehension:
        return unexpected(reading, at, EMPTY_BODY)
    note = _note_instead(frame, kind, word)
    if word == "." and not note and kind not in ("PACKAGE", "IMPORT"):
        return unexpected(reading, after_space(source.text, found.end), "expected number")
    if found.name == "number" and not note and source.text.startswith(".", found.end):
        return _illegal_ref("number", found.start, found.end, reading)
    return unexpected(reading, at, note, advice(at, reading) if found.name not in (EOF, IDENTIFIER) else None)


def _keyword_name(frame: Frame, top: Token | None, at: int, reading: Reading) -> PolicyError | None:
    """The error for a keyword that is used as the name of a rule."""
    text = reading.source.text
    word = _word(text, at)
    starts = frame.current[is_token(frame.current[0], "DEFAULT") if frame.current else 0 :]
    if top is not None and top.type == "DEFAULT":
        return _not_a_name(word, at, reading) if word in _NAMELIKE else unexpected(reading, frame.current[0].start)
    if top is not None and len(starts) == 1 and word in _NAMELIKE.get(top, ()):
        return _not_a_name(str(top), top.start, reading)
    follows = _word(text, after_space(text, at + len(word)))
    if follows.isalpha() and not reading.is_keyword(follows):
        return None
    if top is None and reading.is_keyword(word) and follows in _NAMELIKE.get(word, ()):
        return _not_a_name(word, at, reading)
    return None


def _word(text: str, at: int) -> str:
    match = re.compile(r":=|=(?!=)|\(|[a-z]++").match(text, at)
    return "" if match is None else match.group()


def _not_a_name(word: str, at: int, reading: Reading) -> PolicyError:
    where = reading.source.location(at, at + len(word))
    return PolicyError(PARSE, f"{word} keyword cannot be used for rule name", at=where)


def _note_instead(frame: Frame, top: str, word: str) -> str:
    below = frame.values[-2:-1]
    before = frame.values[-3:-2]
    if (top == "COMMA" and before and is_token(before[0], "SOME")) or (
        top == "AS" and before and is_token(before[0], "IMPORT")
    ):
        return "expected var"
    if (
        top == "MINUS"
        and not _LEADING_ZERO.match(word)
        and (not below or isinstance(below[0], Statements) or is_operator(below[0]))
    ):
        return "expected number"
    if top == "IF" and not word and any(is_token(value, "ELSE") for value in frame.values):
        return "rule body expected"
    if top not in _INSTEAD_OF_TERM and _LEADING_ZERO.match(word):
        return "expected number without leading zero"
    return _INSTEAD_OF_TERM.get(top, "")


def _illegal_ref(kind: str, start: int, end: int, reading: Reading) -> PolicyError:
    return PolicyError(PARSE, f"illegal ref (head cannot be {kind})", at=reading.source.location(start, end))


# Behind a complete term


def _after_term(frame: Frame, at: int, reading: Reading) -> PolicyError:
    text = reading.source.text
    current = frame.current
    if text.startswith("}", at) and frame.kind == "template":
        # What follows the brace is no rest of a template string.
        string_at(reading.source, min(at + 1, len(text) - 1), at + 1, text[frame.start : frame.start + 2])
    if text.startswith(".", at):
        following = text[at + 1 : at + 2]
        is_glued = not text[at - 1].isspace() and not following.isidentifier()
        if is_glued or (not frame.kind and _is_lone_name(current, following)):
            return _after_dot(frame.values[-1], at, reading)
        if not frame.kind:
            return unexpected(reading, after_space(text, at + 1), "expected number")
    if len(current) > 1 and is_token(current[-2], "WITH"):
        return unexpected(reading, at, "expected as keyword")
    if any(is_token(value, "EVERY") for value in current):
        return _after_every(current, at, reading)
    if not frame.kind:
        return _keyword_name(frame, None, at, reading) or unexpected(reading, at, "", advice(at, reading))
    hint = missing_import(current, at, reading) if frame.holds_lines else None
    return unexpected(reading, at, frame.note, hint or advice(at, reading), after_term=True)


def _is_lone_name(current: list[Any], following: str) -> bool:
    return len(current) == 1 and is_token(current[0], "PATH") and "." not in current[0] and not following.isalpha()


def _after_dot(top: Any, at: int, reading: Reading) -> PolicyError:
    if is_token(top, "STRING", "RAW_STRING"):
        return _illegal_ref("string", top.start, top.end, reading)
    return unexpected(reading, at + 1, "expected identifier")


def _after_every(current: list[Any], at: int, reading: Reading) -> PolicyError:
    if _has_in(current):
        return unexpected(reading, at, "missing body")
    place = next(place for place, value in enumerate(current) if is_token(value, "EVERY"))
    first = next((value for value in flat(current[place + 1 :]) if not isinstance(value, Token)), None)
    behind = at if first is None else after_space(reading.source.text, first.span.end)
    return unexpected(reading, behind, _QUANTIFIED)


# What OPA refuses before it comes to the token


def _refused_before(
    frame: Frame, at: int, error: PolicyError, reading: Reading, *, innermost: bool
) -> Iterator[PolicyError]:
    """The errors for what stands in a frame that OPA does not take, the first of them first."""
    if frame.kind == "(" and is_token(frame.below, "DEFAULT"):
        yield unexpected(reading, frame.below.start)
    if frame.kind in ("call(", "ref[") and (head := _scalar(frame.below)):
        yield _illegal_ref(*head, reading)
    if frame.kind in ("[", "{"):
        yield from _refused_item(frame, reading)
    yield from _refused_braces(frame, reading)
    if not frame.kind and (operator := glued_operator(frame.current)):
        yield unexpected(reading, operator.start)
    yield from _refused_in_line(frame, reading)
    comma = _pending_comma(frame)
    if comma is not None and (frame.wants_term or not innermost or not _has_in(frame.current)):
        yield unexpected(reading, comma.start, frame.note, missing_import(frame.current[:0], comma.start, reading))
    some = next((value for value in frame.current if is_token(value, "SOME")), None)
    complete = innermost and not frame.wants_term and _has_in(frame.current)
    if some is not None and not complete and (not frame.kind or frame.holds_lines):
        after = _after_some(frame, some, at, error, reading)
        if after is not None:
            yield after
    if any(is_token(value, "EVERY") for value in frame.current) and (frame.wants_term or not innermost):
        comma = next((value for value in frame.current if is_token(value, "COMMA")), None)
        if comma is not None:
            yield unexpected(reading, comma.start, _QUANTIFIED)


def _refused_braces(frame: Frame, reading: Reading) -> Iterator[PolicyError]:
    """Braces that are complete and yet neither the body nor the collection that they would have to be."""
    before: Any = None
    for value in [*frame.values, *frame.items[-1:]]:
        parts = value if isinstance(value, list) else [value]
        for place, part in enumerate(parts):
            if isinstance(part, Braces) and part is not frame.braces:
                is_body = place == 0 and _opens_body(before)
                error = _refusal(part, is_body and len(parts) == 1, reading)
                if error is not None:
                    yield unexpected(reading, parts[1].start) if is_body and len(parts) > 1 else error
        before = value


def _opens_body(before: Any) -> bool:
    if is_token(before):
        return before.type in ("IF", "ELSE", "AND", "OR")
    return not isinstance(before, Braces | Statements | Opened | None)


def _refusal(braces: Braces, is_body: bool, reading: Reading) -> PolicyError | None:
    try:
        if is_body:
            body_of(braces, reading)
        else:
            operand_term(braces, reading)
    except PolicyError as error:
        return error
    return None


def _scalar(value: Any) -> tuple[str, int, int] | None:
    kind = {"STRING": "string", "RAW_STRING": "string", "NUMBER": "number"}.get(getattr(value, "type", ""))
    if kind is not None:
        return kind, value.start, value.end
    if isinstance(value, String | Number):
        return "string" if isinstance(value, String) else "number", value.span.start, value.span.end
    return None


def _refused_item(frame: Frame, reading: Reading) -> Iterator[PolicyError]:
    """A line break instead of a comma, a comma in a body, a pair in an array, no pair in an object."""
    separators: list[Token | None] = [*frame.separators, None]
    check = _refused_line if frame.holds_lines else _refused_member
    for place, separator in zip(range(len(frame.items)), separators, strict=False):
        yield from check(frame, place, separator, reading)


def _refused_line(frame: Frame, place: int, separator: Token | None, reading: Reading) -> Iterator[PolicyError]:
    item = frame.items[place]
    if isinstance(item, Pair) and (place or not frame.is_comprehension):
        yield unexpected(reading, item.colon.start, frame.note)
    following = frame.items[place + 1 : place + 2]
    if is_token(separator, "COMMA") and following and not _has_in(following):
        yield unexpected(reading, separator.start, frame.note, missing_import([], separator.start, reading))


def _refused_member(frame: Frame, place: int, separator: Token | None, reading: Reading) -> Iterator[PolicyError]:
    item = frame.items[place]
    is_object = frame.kind == "{" and isinstance(frame.items[0], Pair)
    tokens = [part for part in flat([item]) if is_token(part, *_ASSIGNMENTS)]
    if isinstance(item, Pair) and not is_object:
        tokens.append(item.colon)
    if separator is not None and is_object and not isinstance(item, Pair):
        tokens.append(separator)
    for token in tokens[:1]:
        yield unexpected(reading, token.start, frame.note_behind(place))
    if separator is not None and separator.type in _BREAKS:
        at = separator.start if separator.type == "SEMICOLON" else separator.end
        yield unexpected(reading, at, frame.note_behind(place), _unclosed(frame, at, reading))


def _has_in(values: list[Any]) -> bool:
    return any(is_token(value, "IN") or is_member(value) for value in flat(values))


def _refused_in_line(frame: Frame, reading: Reading) -> Iterator[PolicyError]:
    """An assignment inside a term, a second one, a colon in a body, `some` in a set."""
    is_line = frame.holds_lines or frame.kind in ("", "template")
    colons = 0 if frame.kind != "{" or frame.is_body else 1
    assignments = 1 if is_line else 0
    for value in flat(frame.current):
        if not isinstance(value, Token):
            continue
        if value.type in _LINE_KEYWORDS and not is_line and frame.kind != "(":
            yield unexpected(reading, value.start)
        assignments -= value.type in _ASSIGNMENTS
        colons -= value.type == "COLON"
        if assignments < 0 or colons < 0:
            yield unexpected(reading, value.start, frame.note, advice(value.start, reading))


def _pending_comma(frame: Frame) -> Token | None:
    """The comma of an unfinished `k, v in xs`."""
    if frame.kind == "call(" or any(is_token(value, "SOME", "EVERY") for value in frame.current):
        return None
    if frame.braces is None:
        leading = frame.values[:1] if frame.kind in ("[", "{") else []
        return next((value for value in frame.current if is_token(value, "COMMA") and value not in leading), None)
    last = frame.separators[-1:]
    if frame.is_body and last and last[0].type == "COMMA" and len(frame.separators) == len(frame.braces.items):
        return last[0]
    return None


def _after_some(frame: Frame, some: Token, end: int, error: PolicyError, reading: Reading) -> PolicyError | None:
    """The error for what follows `some`, of which OPA reads variables alone when it finds no `x in xs`."""
    source = reading.source
    at = some.end
    while True:
        at = after_space(source.text, at)
        found = token_at(source, at)
        word = source.text[found.start : found.end]
        if found.name != IDENTIFIER or reading.is_keyword(word):
            hint = missing_in(some.start, reading) or _inner_hint(error)
            return None if at >= end else unexpected(reading, at, "expected var", hint)
        at = after_space(source.text, found.end)
        if not source.text.startswith(",", at):
            break
        at += 1
    if at >= end or "\n" in source.text[found.end : at]:
        return None
    return unexpected(reading, at, frame.note, _inner_hint(error), after_term=True)


def _inner_hint(error: PolicyError) -> str:
    place = f"{error.location.row}:{error.location.column}: " if error.location else ""
    return f"`some x in xs` was read up to {place}{error.message}"
