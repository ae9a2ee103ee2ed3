"""Template strings: from their pieces of constant text and their expressions to a node."""

from typing import Any, Final

from procurator_rules.bodies import line_expr
from procurator_rules.capabilities import TEMPLATE_STRINGS
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.lines import Opened
from procurator_rules.nodes import Boolean, Call, Every, Expr, Null, Number, SomeDecl, String, TemplateString, Term, Var
from procurator_rules.operands import unescape
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.tokens import Token

_STATEMENTS: Final[dict[type, str]] = {SomeDecl: "'some'", Every: "'every'"}
_CALLS: Final = {"eq": "unification ('=')", "assign": "assignment (':=')"}
_CONSTANTS: Final = (String, Number, Boolean, Null)


def check_supported(first: Token, reading: Reading) -> None:
    """Refuse a template string, given by its first token, where the capabilities have none."""
    if not reading.capabilities.supports(TEMPLATE_STRINGS):
        message = "template strings are not supported by current capabilities"
        raise PolicyError(PARSE, message, at=reading.span(first))


class TemplateParts(Opened):
    """A template string while it is being read, from its first token on."""

    def __init__(self, first: Token, reading: Reading) -> None:
        self.start = first.start
        self.raw = first[1] == "`"
        self.reading = reading
        self.parts: list[Term | Expr] = []
        check_supported(first, reading)
        self._add(first.start + 2, first.end - 1)

    def add_text(self, token: Token) -> None:
        """Add the constant text between two expressions, or behind the last."""
        self._add(token.start + 1, token.end - 1)

    def _add(self, start: int, end: int) -> None:
        if start == end:
            return
        span = Span(self.reading.source, start, end)
        text = span.text.replace("\\{", "{")
        value = text if self.raw or "\\" not in text else unescape(f'"{text}"', span)
        self.parts.append(String(value, raw=self.raw, span=span))

    def add_line(self, opening: Token, line: Any) -> "TemplateParts":
        """Add the expression behind the token that opens its braces."""
        expr = line_expr(line, self.reading)
        problem = _problem(expr)
        if problem:
            raise PolicyError(PARSE, f"unexpected {problem} in template-string expression", at=expr.span)
        comments = self.reading.comments
        commented = bool(comments) and comments[-1].span.start >= opening.end
        plain = isinstance(expr.term, _CONSTANTS) and not commented
        self.parts.append(expr.term if plain else expr)  # type: ignore[arg-type]  # a constant is a term
        return self

    def finish(self, last: Token) -> TemplateString:
        """The node, from the first token to the last."""
        span = Span(self.reading.source, self.start, last.end)
        return TemplateString(tuple(self.parts), multi_line=self.raw, span=span)


def _problem(expr: Expr) -> str | None:
    """What makes an expression unfit for a template string."""
    if expr.negated:
        return "negation ('not')"
    term = expr.term
    if isinstance(term, Call) and term.infix and isinstance(name := term.operator.terms[0], Var):
        return _CALLS.get(name.name)
    return _STATEMENTS.get(type(term))
