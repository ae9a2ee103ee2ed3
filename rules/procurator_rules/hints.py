"""Hints for texts that do not parse: the import that a keyword needs, the word that was meant, the usual way."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final

from procurator_rules.lines import Piped
from procurator_rules.nodes import Expr, SomeDecl, Var
from procurator_rules.reading import Reading
from procurator_rules.tokens import Token

_EXAMPLES: Final = {"in": "x in xs", "and": "x and y", "or": "x or y"}
"""What each keyword between two terms allows to write."""

_STATEMENTS: Final = ("default", "import", "package")
_RULES: Final = {"if": "p if { ... }", "contains": "p contains x"}

_SECOND_OF_PAIR: Final = re.compile(r",[^,;|{}\n]+\bin\b")
_DECLARED: Final = re.compile(r"some[^;\n]+\bin\b")
_QUANTIFIED: Final = re.compile(r"every\s+\w+(?:\s*,\s*\w+)?\s+in\b")

_ADVICE: Final = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"(?<=/)/", "comments begin with `#`"),
        (r"&&|(?<=&)&", "the lines of a body hold together as they are: put a line break or `;` between them"),
        (r"\|\||(?<=\|)\|", "write one rule for each alternative"),
        (r":=|=(?!=)", "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`"),
        (r":", 'a pair belongs in an object: `x := {"key": 1}`'),
        (r"else\b", "`else` follows the body of a rule: `p := 1 if { ... } else := 2 if { ... }`"),
        (r"(?:elif|elseif)\b", "write `else := value if { ... }`"),
    )
)
"""What to say about a text that begins so; the first that fits is taken."""

_OPERATORS: Final = ("contains", "in", "with")
"""Keywords that stand behind a term, for the one that was meant by a misspelt word."""

_QUOTES: Final = {
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", 'strings stand in straight quotes: `"text"`'),
    **dict.fromkeys("'\u2018\u2019", 'strings stand in double quotes: `"text"`'),
}


def missing_import(current: Sequence[Any], at: int, reading: Reading) -> str | None:
    """The import without which what stands behind a term is no operator.

    Args:
        current: what has been read of the line.
        at: the offset behind it.
        reading: the text.
    """
    text = reading.source.text
    if "every" not in reading.active and _is_name(current, "every") and _QUANTIFIED.match(text, _start(current)):
        return _import_hint("every", "every x in xs { ... }")
    if "in" not in reading.active and (text.startswith(",", at) and _SECOND_OF_PAIR.match(text, at)):
        return _import_hint("in", _EXAMPLES["in"])
    word = _word(text, at)
    if word not in _EXAMPLES or word in reading.active:
        return None
    last = current[-1] if current else None
    last = last.line if isinstance(last, Piped) else last
    declares = any(isinstance(value, Token) and value.type == "SOME" for value in current) or (
        isinstance(last, Expr) and isinstance(last.term, SomeDecl)
    )
    return _import_hint(word, "some x in xs" if declares and word == "in" else _EXAMPLES[word])


def missing_in(some: int, reading: Reading) -> str | None:
    """The hint for what follows `some` at an offset, if it is a membership that an import would allow."""
    if "in" in reading.active or not _DECLARED.match(reading.source.text, some):
        return None
    return _import_hint("in", "some x in xs")


def _is_name(current: Sequence[Any], name: str) -> bool:
    value = current[0] if len(current) == 1 else None
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return value == name if isinstance(value, Token) else isinstance(value, Var) and value.name == name


def _start(current: Sequence[Any]) -> int:
    value = current[0][0] if isinstance(current[0], list) else current[0]
    return value.start if isinstance(value, Token) else value.span.start


def _import_hint(keyword: str, example: str, what: str = "expressions") -> str:
    return f"`import future.keywords.{keyword}` for `{example}` {what}"


def _word(text: str, at: int) -> str:
    match = re.compile(r"[A-Za-z_]\w*").match(text, at)
    return "" if match is None else match.group()


def rule_keyword(name: str, reading: Reading, *, first: bool) -> str | None:
    """What to do about a statement that has a name like the keyword of a rule.

    Args:
        name: the name.
        reading: the text.
        first: whether a statement could begin with the keyword.
    """
    if name in _RULES and name not in reading.active:
        return _import_hint(name, _RULES[name], "rules")
    return meant(name, _STATEMENTS if first else _RULES)


def advice(at: int, reading: Reading) -> str | None:
    """What to write instead of what stands at an offset behind a term."""
    text = reading.source.text
    for beginning, hint in _ADVICE:
        if beginning.match(text, at):
            return hint
    word = _word(text, at)
    return None if reading.is_keyword(word) else meant(word, _OPERATORS)


def illegal_character(character: str) -> str | None:
    """What to write instead of a character that begins no token."""
    return _QUOTES.get(character)


def meant(word: str, among: Iterable[str]) -> str | None:
    """The hint for a misspelt word."""
    close = get_close_matches(word, sorted(among), 1, 0.75) if len(word) > 1 else []
    return f"did you mean `{close[0]}`?" if close and close[0] != word else None
