"""The heads of rules: from the chain that a statement begins with to a name, operands and a value."""

from dataclasses import dataclass
from typing import Any

from procurator_rules.bodies import ASSIGNMENTS, operand_term, term_of
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import find_operator
from procurator_rules.nodes import Call, Head, Ref, Term, Var
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import KIND_NAMES, unexpected
from procurator_rules.tokens import Token


@dataclass(slots=True)
class HeadLine:
    """The head of a rule as read: a line that may hold an assignment, and what stood around it.

    Attributes:
        line: a chain, or for what is no rule any line.
        default: the keyword before it.
        contains: the keyword behind it, and key what follows that.
        is_spaced: whether white space stands behind the name.
    """

    line: Any
    default: Token | None = None
    contains: Token | None = None
    key: Term | None = None
    is_spaced: bool = False

    @property
    def is_named(self) -> bool:
        """Whether a name begins it, alone or with `=` or `:=` behind it, as in all rules."""
        if type(self.line) is not list or (len(self.line) > 1 and self.line[1].type not in ASSIGNMENTS):
            return False
        return _name_of(self.line[0]) is not None

    @property
    def takes_body(self) -> bool:
        """Whether a body can follow."""
        return self.default is None and self.is_named and not _in_brackets(self.line[0].span)


def _in_brackets(span: Span) -> bool:
    text, at = span.source.text, span.start
    while at > 0 and text[at - 1].isspace():
        at -= 1
    return text[at - 1 : at] == "("


def glued_operator(line: Any) -> Token | None:
    """The operator of a term that directly follows the name at the start of a statement: `p+1`, unlike `p + 1`."""
    parts = [part for value in line for part in (value if isinstance(value, list) else (value,))][:2]
    if len(parts) < 2 or not isinstance(parts[1], Token) or parts[1].type not in ("OP", "MINUS", "PIPE"):
        return None
    name, operator = parts
    end = name.end if isinstance(name, Token) and name.type == "PATH" and "." not in name else None
    if isinstance(name, Var):
        end = name.span.end
    return operator if end == operator.start else None


def _name_of(target: Any) -> tuple[Ref, tuple[Term, ...] | None] | None:
    args = None
    if isinstance(target, Call) and not target.infix:
        args, target = target.args, target.operator
    if isinstance(target, Var):
        target = Ref((target,), span=target.span)
    if not isinstance(target, Ref) or not isinstance(target.terms[0], Var):
        return None
    return target, args


def make_head(line: HeadLine, reading: Reading, *, with_key: bool = False) -> Head:
    """The head of a rule.

    Args:
        line: the head as read.
        reading: the text it is from.
        with_key: whether `p[x]` is the partial set of v0.
    """
    target = operand_term(line.line[0], reading)
    name = _name_of(target)
    if name is None:
        raise PolicyError(PARSE, f"{KIND_NAMES[type(target)]} cannot be used for rule name", at=target.span)
    ref, args = name
    reading.loose_keywords.discard(ref.span.start)
    if line.contains is not None and line.key is not None:
        return _with_contains(line, line.contains, line.key, ref, args, reading)
    value = term_of(line.line[2:], reading) if len(line.line) > 1 else None
    span = Span(reading.source, target.span.start, value.span.end if value else target.span.end)
    key = None
    if with_key and args is None and len(ref.terms) == 2 and value is None:
        key = ref.terms[1]
        ref = Ref(ref.terms[:1], span=ref.terms[0].span)
    assign = value is not None and line.line[1].type == "ASSIGN"
    return Head(ref, args, key, value, assign, span=span)


def _with_contains(
    line: HeadLine, contains: Token, key: Term, ref: Ref, args: tuple[Term, ...] | None, reading: Reading
) -> Head:
    if args is not None:
        note = (
            "the contains keyword can only be used with multi-value rule definitions "
            f"(e.g., {ref.span.text} contains <VALUE> {{ ... }})"
        )
        raise unexpected(reading, contains.start, note)
    if find_operator(line.line, ASSIGNMENTS) > 0:
        hint = "a rule has either a value or members: leave out one of `:=` and `contains`"
        raise PolicyError(PARSE, "var cannot be used for rule name", at=reading.span(contains), hint=hint)
    span = Span(reading.source, ref.span.start, key.span.end)
    return Head(ref, None, key, contains=True, span=span)
