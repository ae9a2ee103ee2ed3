"""Frames: what the parser holds of everything that is not complete when a token does not fit.

The parser keeps tokens and the values that callbacks have made on a stack. Each open bracket on it begins a frame. The
frame tells what is expected in it behind a term.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, TypeGuard

from procurator_rules.lines import Braces, Logical, Modified, Opened, Pair, Piped, Statements
from procurator_rules.nodes import Var
from procurator_rules.reading import Reading
from procurator_rules.syntax_errors import UNCLOSED, UNCLOSED_GROUP, UNCLOSED_TEMPLATE
from procurator_rules.tokens import Token

_KINDS: Final = {
    "LBRACE": "{", "LBRACK": "[", "LPAR": "(", "ADJ_LBRACK": "ref[", "ADJ_LPAR": "call(", "TEMPLATE_OPEN": "template",
}  # fmt: skip
"""The kind of frame that each opening token begins."""

_CLOSING: Final = frozenset({"RBRACE", "RBRACK", "RPAR", "TEMPLATE_END"})
_OPERANDS: Final = frozenset({"PATH", "DOT_PATH", "NUMBER", "STRING", "RAW_STRING", "TEMPLATE"})

_AFTER_TERM: Final = {
    "call(": 'expected "," or ")"',
    "ref[": "expected [",
    "(": UNCLOSED,
    "template": UNCLOSED_TEMPLATE,
    "": "",
}
"""What is expected behind a term, by the kind of frame."""


def is_token(value: Any, *types: str) -> TypeGuard[Token]:
    """Whether a value is a token, of one of these types if any are given."""
    return isinstance(value, Token) and (not types or value.type in types)


def is_operator(value: Any) -> TypeGuard[Token]:
    """Whether a value is a token other than an operand."""
    return isinstance(value, Token) and value.type not in _OPERANDS


def flat(values: Sequence[Any]) -> list[Any]:
    """The values, with those of lists in place of the lists."""
    return [part for value in values for part in (value if isinstance(value, list) else (value,))]


class Frame:
    """What has been read since a bracket was opened, or since the text began.

    Attributes:
        kind: the bracket, `ref[` and `call(` where it continues a term; empty for the statement that is being read.
        start: the offset of the bracket.
        below: the value that stands before the bracket.
        is_body: whether it is a brace that holds lines.
        values: what has been read.
    """

    def __init__(self, kind: str, start: int, below: Any, is_body: bool) -> None:
        self.kind = kind
        self.start = start
        self.below = below
        self.is_body = is_body
        self.values: list[Any] = []

    @cached_property
    def braces(self) -> Braces | None:
        """What holds the items of a collection that are complete."""
        first = next((value for value in self.values if not is_token(value, "COMMA", "_NL", "_NLB")), None)
        return first if isinstance(first, Braces) and self.kind in ("{", "[", "") else None

    @cached_property
    def separators(self) -> list[Token]:
        """What stands behind the items of a collection."""
        if self.braces is None:
            return []
        behind = self.values[self.values.index(self.braces) + 1 :]
        return [*self.braces.separators, *(value for value in behind[:1] if is_token(value))]

    @cached_property
    def current(self) -> list[Any]:
        """The values of the item or line that is being read."""
        values = self.values
        if self.braces is not None:
            return values[values.index(self.braces) + 2 :]
        if self.kind == "call(" and (
            commas := [place for place, value in enumerate(values) if is_token(value, "COMMA")]
        ):
            return values[commas[-1] + 1 :]
        return values[1:] if values and isinstance(values[0], Statements) else values

    @cached_property
    def items(self) -> list[Any]:
        """The items of a collection that are complete."""
        return self.braces.items if self.braces is not None else []

    @cached_property
    def wants_term(self) -> bool:
        """Whether a term, a line or a statement has to come next."""
        last = self.values[-1] if self.values else None
        return last is None or isinstance(last, Statements) or is_operator(last)

    @cached_property
    def is_comprehension(self) -> bool:
        """Whether a head, `|` and perhaps lines behind that have been read."""
        if self.kind not in ("[", "{") or any(is_token(token, "COMMA") for token in self.separators):
            return False
        if self.braces is not None:
            return _has_pipe(self.braces.items[:1])
        colon = next((place for place, value in enumerate(self.current) if is_token(value, "COLON")), -1)
        return _has_pipe([value for value in self.current[colon + 1 :] if not is_token(value, "COMMA")])

    @cached_property
    def holds_lines(self) -> bool:
        """Whether lines of a body can stand in it."""
        return self.is_body or self.is_comprehension

    @cached_property
    def note(self) -> str:
        """What is expected behind a term in it."""
        if self.kind == "(" and any(
            is_token(value, "AND", "OR") or isinstance(value, Logical) for value in self.values
        ):
            return UNCLOSED_GROUP
        if self.kind in _AFTER_TERM:
            return _AFTER_TERM[self.kind]
        closing = "]" if self.kind == "[" else "}"
        if self.holds_lines:
            return f"expected \\n or ; or {closing}"
        if len(self.separators) < len(self.items):
            return self.note_behind(len(self.items) - 1)
        return _member_note(closing, self.items[:1], self.current)

    def note_behind(self, place: int) -> str:
        """What is expected behind an item of a collection."""
        return _member_note(
            "]" if self.kind == "[" else "}", self.items[: min(place, 1)], self.items[place : place + 1]
        )


def _has_pipe(values: list[Any]) -> bool:
    """Whether a line begins with a term and `|`."""
    first = values[0] if values else None
    while isinstance(first, Pair | Modified | Logical):
        first = (
            first.value if isinstance(first, Pair) else first.line if isinstance(first, Modified) else first.parts[0]
        )
    operators = [value for value in flat([first, *values[1:]]) if is_operator(value)]
    return isinstance(first, Piped) or (bool(operators) and operators[0].type == "PIPE")


def _member_note(closing: str, before: list[Any], member: list[Any]) -> str:
    """What is expected behind a member of a collection, by those before it."""
    is_pair = any(isinstance(value, Pair) or is_token(value, "COLON") for value in flat(member))
    if closing == "}" and not before:
        return "non-terminated object" if is_pair else "non-terminated set"
    if before and isinstance(before[0], Pair) and not is_pair:
        return 'expected ":"'
    return f'expected "," or "{closing}"'


def frames_at(values: Sequence[Any], at: int, reading: Reading) -> list[Frame]:
    """The frames that are open at an offset, the outermost first."""
    frames = [Frame("", 0, None, False)]
    for value in values:
        if is_token(value) and value.start >= at:
            break
        below = frames[-1].values[-1] if frames[-1].values else None
        if isinstance(value, Opened):
            frames.append(Frame("template", value.start, below, False))
            frames[-1].values.append(value)
        elif is_token(value, *_CLOSING):
            frames.pop()
            frames[-1].values.append(Var(""))
        elif is_token(value) and value.type in _KINDS:
            frames.append(Frame(_kind(value, frames[-1]), value.start, below, _holds_body(value, frames[-1], reading)))
        else:
            frames[-1].values.append(value)
    return frames


def _kind(opening: Token, frame: Frame) -> str:
    kind = _KINDS[opening.type]
    if kind in "[(" and frame.values and is_token(frame.values[-1], "PATH"):
        # White space stands between the name of a rule and its operands.
        return {"[": "ref[", "(": "call("}[kind]
    return kind


def _holds_body(opening: Token, frame: Frame, reading: Reading) -> bool:
    """Whether an opening brace begins a body, by what stands before it."""
    below = frame.values[-1] if frame.values else None
    if opening.type != "LBRACE" or below is None:
        return False
    if is_token(below, "_NLB"):
        return len(frame.values) > 1 and not isinstance(frame.values[-2], Braces)
    if is_token(below, "NOT"):
        return "not" in reading.active
    return is_token(below, "IF", "ELSE", "AND", "OR") or not isinstance(below, Token | Braces | Statements | Opened)
