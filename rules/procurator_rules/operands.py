"""Operands: names, references, calls, numbers and strings, from their tokens to nodes."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from procurator_rules.bodies import operand_term
from procurator_rules.capabilities import KEYWORDS_IN_REFS
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import operator_ref
from procurator_rules.keywords import LOGICAL
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
    Term,
    Var,
)
from procurator_rules.reading import Reading
from procurator_rules.spans import NO_SPAN, Span
from procurator_rules.syntax_errors import KIND_NAMES, Misplaced, unexpected
from procurator_rules.tokens import Token, after_space

CONSTANTS: Final[dict[str, Callable[[Span], Term]]] = {
    "true": lambda span: Boolean(True, span=span),
    "false": lambda span: Boolean(False, span=span),
    "null": lambda span: Null(span=span),
}
WILDCARD: Final = "_"
ROOTS: Final = frozenset({"input", "data"})
REF_HEADS: Final = frozenset(
    {Var, Array, Object, SetTerm, ArrayComprehension, SetComprehension, ObjectComprehension, Call}
)
MAX_MAGNITUDE: Final = 30_103
"""Decimal digits of 2 ** 100,000, OPA's limit."""

LONG_NUMBER: Final = 300
"""Length from which on a number without exponent is measured."""


class RefParts:
    """A reference while its operands are still being read."""

    __slots__ = ("end", "start", "terms")

    def __init__(self, head: Term) -> None:
        self.start = head.span.start
        self.end = head.span.end
        self.terms: list[Term] = list(head.terms) if type(head) is Ref else [head]


Unfinished: TypeAlias = "Any"
"""What the grammar calls `ref`: a term, braces, a group, or RefParts."""


# Names


def name_term(token: Token, reading: Reading) -> Term:
    """A name, a dotted path or a constant."""
    start = token.start
    span = Span(reading.source, start, token.end)
    if "." in token:
        if token[: token.index(".")] in reading.reserved:
            _keyword_led(token, reading)
        return _dotted(token, span, reading)
    if token in reading.reserved:
        return _reserved(token, span, reading)
    if token == WILDCARD:
        return Var(reading.wildcard(), span=span)
    if token in ROOTS:
        return Ref((Var(str(token), span=span),), span=span)
    return Var(str(token), span=span)


def path_term(token: Token, reading: Reading) -> Term:
    """A name or a dotted path after `package` or `import`, where a keyword may stand first."""
    if token.split(".", 1)[0] in reading.reserved and not reading.capabilities.supports(KEYWORDS_IN_REFS):
        raise Misplaced(token.start)
    span = reading.span(token)
    return _dotted(token, span, reading) if "." in token else Var(str(token), span=span)


def _reserved(token: Token, span: Span, reading: Reading) -> Term:
    constant = CONSTANTS.get(token)
    following = reading.source.text[span.end : span.end + 1]
    if following == "[":
        _keyword_led(token, reading)
    elif constant is not None:
        return constant(span)
    elif following != "(" or token not in LOGICAL:
        raise Misplaced(span.start)
    return Var(str(token), span=span)


def _keyword_led(token: Token, reading: Reading) -> None:
    if not reading.capabilities.supports(KEYWORDS_IN_REFS):
        raise Misplaced(token.start)
    reading.loose_keywords.add(token.start)


def loose_keyword(at: int, reading: Reading) -> PolicyError:
    """The error for a reference that begins with a keyword where only other names can begin one."""
    head = re.compile("[a-z]+").match(reading.source.text, at)
    kind = CONSTANTS[head.group()](NO_SPAN) if head is not None and head.group() in CONSTANTS else None
    if head is None or kind is None:
        return unexpected(reading, at)
    message = f"illegal ref (head cannot be {KIND_NAMES[type(kind)]})"
    return PolicyError(PARSE, message, at=reading.source.location(*head.span()))


def _dotted(token: Token, span: Span, reading: Reading) -> Ref:
    names = token.split(".")
    head = names[0]
    at = token.start + len(head)
    name = reading.wildcard() if head == WILDCARD else head
    terms: list[Term] = [Var(name, span=Span(span.source, token.start, at))]
    _append_names(terms, names, at, reading)
    return Ref(tuple(terms), span=span)


def _append_names(terms: list[Term], names: list[str], at: int, reading: Reading) -> None:
    source = reading.source
    for name in names[1:]:
        end = at + 1 + len(name)
        terms.append(String(name, span=Span(source, at + 1, end)))
        if name in reading.reserved and not reading.capabilities.supports(KEYWORDS_IN_REFS):
            raise unexpected(reading, at + 1, "expected identifier")
        at = end


# References and calls


def with_names(operand: Unfinished, token: Token, reading: Reading) -> RefParts:
    """`ref.name.name`."""
    parts = _parts(operand, token, reading)
    _append_names(parts.terms, token.split("."), token.start, reading)
    parts.end = token.end
    return parts


def with_index(operand: Unfinished, opening: Token, index: Term, closing: Token, reading: Reading) -> RefParts:
    """`ref[index]`."""
    parts = _parts(operand, opening, reading)
    parts.terms.append(index)
    parts.end = closing.end
    return parts


def _parts(head: Unfinished, following: Token, reading: Reading) -> RefParts:
    if type(head) is RefParts:
        return head
    head = operand_term(head, reading)
    _check_head(head, following)
    reading.extended += type(head) is Call
    return RefParts(head)


def _check_head(head: Term, following: Token) -> None:
    # Only round brackets can keep a reference from what follows it.
    if type(head) not in REF_HEADS and (type(head) is not Ref or head.span.end < following.start):
        raise PolicyError(PARSE, f"illegal ref (head cannot be {KIND_NAMES[type(head)]})", at=head.span)


def call(operator: Unfinished, opening: Token, args: Sequence[Term], closing: Token, reading: Reading) -> Term:
    """`name(args)`, or `set()`."""
    name = finish(operator, reading)
    span = Span(reading.source, name.span.start, closing.end)
    if type(name) is Var:
        if name.name == "set" and not args:
            return SetTerm((), span=span)
        name = Ref((name,), span=name.span)
    if type(name) is not Ref:
        _check_head(operand_term(name, reading), opening)
        raise Misplaced(opening.start)
    return Call(name, tuple(args), span=span)


def finish(operand: Unfinished, reading: Reading) -> Any:
    """A reference whose operands are all there; anything else as it is."""
    if type(operand) is RefParts:
        return Ref(tuple(operand.terms), span=Span(reading.source, operand.start, operand.end))
    return operand


def negative(sign: Token, operand: Unfinished, reading: Reading) -> Term:
    """`-1`, or `-x` as `0 - x`."""
    term = finish(operand, reading)
    at = reading.span(sign)
    begin = after_space(at.source.text, at.end)
    if type(term) not in (Number, Var, Ref, Call) or at.source.text[begin] == "(":
        raise unexpected(reading, begin, "expected number")
    if type(term) is Number:
        return Number(f"-{term.text}", span=Span(at.source, at.start, term.span.end))
    span = Span(at.source, at.start, term.span.end)
    return Call(operator_ref("minus", at), (Number("0", span=at), term), infix=True, span=span)


# Numbers and strings


def number(token: Token, reading: Reading) -> Number:
    """A number as written.

    Raises:
        PolicyError: it is too big, or too close to zero, to calculate with.
    """
    text, span = str(token), reading.span(token)
    if (len(text) > LONG_NUMBER or "e" in text or "E" in text) and abs(_magnitude(text)) > MAX_MAGNITUDE:
        raise PolicyError(PARSE, "number too big", at=span)
    return Number(text, span=span)


def _magnitude(text: str) -> int:
    """The number of digits before the point, or minus that of the zeros behind it; 0 for zero."""
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    if not mantissa.strip("0."):
        return 0
    whole = whole.lstrip("0")
    digits = len(whole) or len(fraction.lstrip("0")) - len(fraction)
    return digits + int(exponent[:LONG_NUMBER] or 0)


def string(token: Token, reading: Reading) -> String:
    """`"text"`, its escapes resolved."""
    span = reading.span(token)
    if "\\" not in token:
        return String(token[1:-1], span=span)
    return String(unescape(str(token), span), span=span)


def unescape(text: str, span: Span) -> str:
    """What a string of JSON stands for.

    Raises:
        PolicyError: it is none.
    """
    try:
        value = json.loads(text)
    except ValueError:
        raise PolicyError(PARSE, f"illegal string literal: {text}", at=span) from None
    # Go replaces half a surrogate pair by U+FFFD.
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
