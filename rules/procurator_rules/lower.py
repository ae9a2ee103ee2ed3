"""The callbacks of the grammar: each makes nodes from the pieces that Lark has just put together.

They run inside Lark's parser, so no tree of Lark's is ever built. A method bears the name of an alternative in `rego.lark`
and gets its children, tokens included, in a list.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from lark.lexer import Token

from procurator_rules import rule_forms
from procurator_rules.bodies import (
    body_of_items,
    brace_term,
    bracket_term,
    join_pair,
    line_expr,
    operand_term,
    settle,
    term_of,
)
from procurator_rules.capabilities import KEYWORDS_IN_REFS, TEMPLATE_STRINGS
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import operator_ref
from procurator_rules.keywords import LOGICAL
from procurator_rules.lines import Braces, Group, Logical, Modified, Negated, Pair, Piped
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Body,
    Boolean,
    Call,
    Comment,
    Every,
    Expr,
    Null,
    Number,
    Object,
    ObjectComprehension,
    Ref,
    Rule,
    SetComprehension,
    SetTerm,
    SomeDecl,
    String,
    TemplateString,
    Term,
    Var,
    With,
)
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import keyword_error, operator_error, token_error

CONSTANTS: Final[dict[str, Callable[[Span], Term]]] = {
    "true": lambda span: Boolean(True, span=span),
    "false": lambda span: Boolean(False, span=span),
    "null": lambda span: Null(span=span),
}
ROOTS: Final = frozenset({"input", "data"})
REF_HEADS: Final = (Var, Array, Object, SetTerm, ArrayComprehension, SetComprehension, ObjectComprehension, Call)
HEAD_NAMES: Final = {Boolean: "boolean", Null: "null", Number: "number", String: "string", Ref: "ref"}
MAX_NUMBER_EXPONENT = 100_000
LONG_NUMBER = 300


class RefParts:
    """A reference while its operands are still being read."""

    __slots__ = ("end", "start", "terms")

    def __init__(self, head: Term) -> None:
        self.start = head.span.start
        self.end = head.span.end
        if type(head) is Ref:
            self.terms = list(head.terms)
        else:
            self.terms = [head]


class Lowering:
    """Callbacks for one Lark parser; `reading` is set anew for each text.

    Attributes:
        reading: the state of the text being parsed.
        parse_template: parses the text between two offsets as one expression of a template string.
    """

    reading: Reading
    parse_template: "Callable[[int, int], Expr]"

    # Lists

    def list_empty(self, _c: list[Any]) -> list[Any]:
        return []

    def list_append(self, c: list[Any]) -> list[Any]:
        c[0].append(c[1])
        return c[0]  # type: ignore[no-any-return]

    def list_same(self, c: list[Any]) -> list[Any]:
        return c[0]  # type: ignore[no-any-return]

    def list_start(self, c: list[Any]) -> list[Any]:
        return [term_of(c[0], self.reading, 'expected "," or ")"')]

    def list_comma(self, c: list[Any]) -> list[Any]:
        c[0].append(term_of(c[2], self.reading, 'expected "," or ")"'))
        return c[0]  # type: ignore[no-any-return]

    # Operands

    def ref_path(self, c: list[Token]) -> Term:
        token = c[0]
        reading = self.reading
        start = token.start_pos or 0
        span = Span(reading.source, start, token.end_pos or 0)
        if "." in token:
            return self._dotted(token, start, span)
        if token in reading.reserved:
            return self._reserved(token, span)
        if token == "_":
            return Var(reading.wildcard(), span=span)
        if token in ROOTS:
            return Ref((Var(str(token), span=span),), span=span)
        return Var(str(token), span=span)

    def _reserved(self, token: Token, span: Span) -> Term:
        constant = CONSTANTS.get(token)
        if constant is not None:
            return constant(span)
        following = self.reading.source.text[span.end : span.end + 1]
        if following == "[" or (following == "(" and token in LOGICAL):
            if following == "[":
                self._keyword_head(span.start, token)
            return Var(str(token), span=span)
        raise keyword_error(self.reading.source, token)

    def _keyword_head(self, start: int, word: str) -> None:
        if not self.reading.capabilities.supports(KEYWORDS_IN_REFS):
            raise token_error(self.reading.source, start, start + len(word), word)
        self.reading.loose_keywords[start] = word

    def _dotted(self, token: Token, start: int, span: Span) -> Ref:
        source = span.source
        names = token.split(".")
        head = names[0]
        if head in self.reading.reserved:
            self._keyword_head(start, head)
        at = start + len(head)
        name = self.reading.wildcard() if head == "_" else head
        terms: list[Term] = [Var(name, span=Span(source, start, at))]
        self._append_names(terms, names, at, source)
        return Ref(tuple(terms), span=span)

    def _append_names(self, terms: list[Term], names: list[str], at: int, source: Any) -> None:
        for name in names[1:]:
            end = at + 1 + len(name)
            terms.append(String(name, span=Span(source, at + 1, end)))
            if name in self.reading.reserved and not self.reading.capabilities.supports(KEYWORDS_IN_REFS):
                raise token_error(source, at + 1, end, name, "expected identifier")
            at = end

    def ref_dot(self, c: list[Any]) -> RefParts:
        parts = self._parts(c[0])
        token = c[1]
        self._append_names(parts.terms, token.split("."), token.start_pos, self.reading.source)
        parts.end = token.end_pos
        return parts

    def ref_index(self, c: list[Any]) -> RefParts:
        parts = self._parts(c[0])
        parts.terms.append(term_of(c[2], self.reading, "expected ]"))
        parts.end = c[3].end_pos
        return parts

    def _parts(self, head: Any) -> RefParts:
        if type(head) is RefParts:
            return head
        head = operand_term(head, self.reading)
        if (
            type(head) is Ref
            and head.span.source.text[head.span.start - 1 : head.span.start] == "("
            and self._in_brackets(head)
        ):
            raise PolicyError(PARSE, "illegal ref (head cannot be ref)", at=head.span)
        if type(head) is not Ref and not isinstance(head, REF_HEADS):
            raise PolicyError(PARSE, f"illegal ref (head cannot be {HEAD_NAMES[type(head)]})", at=head.span)
        return RefParts(head)

    def _in_brackets(self, head: Ref) -> bool:
        return head.span.source.text[head.span.end :].lstrip()[:1] == ")"

    def call_empty(self, c: list[Any]) -> RefParts | Term:
        return self._call(c[0], (), c[-1])

    def call(self, c: list[Any]) -> RefParts | Term:
        return self._call(c[0], tuple(c[2]), c[-1])

    def _call(self, operator: Any, args: tuple[Term, ...], closing: Token) -> Term:
        span = Span(
            self.reading.source,
            operator.start if type(operator) is RefParts else operator.span.start,
            closing.end_pos or 0,
        )
        if type(operator) is Var and operator.name == "set" and not args:
            return SetTerm((), span=span)
        name = self._finish(operator)
        if type(name) is Var:
            name = Ref((name,), span=name.span)
        if type(name) is not Ref:
            raise token_error(self.reading.source, closing.start_pos or 0, closing.end_pos or 0, "(")
        return Call(name, args, span=span)

    def _finish(self, operand: Any) -> Any:
        if type(operand) is RefParts:
            return Ref(tuple(operand.terms), span=Span(self.reading.source, operand.start, operand.end))
        return operand

    def operand_ref(self, c: list[Any]) -> Any:
        return self._finish(c[0])

    def number(self, c: list[Token]) -> Number:
        return self._number(str(c[0]), self.reading.span(c[0]))

    def _number(self, text: str, span: Span) -> Number:
        if len(text) > LONG_NUMBER or "e" in text or "E" in text:
            mantissa, _, exponent = text.lower().partition("e")
            if abs(int(exponent or 0)) + len(mantissa) > MAX_NUMBER_EXPONENT or len(exponent) > LONG_NUMBER:
                raise PolicyError(PARSE, "number too big", at=span)
        return Number(text, span=span)

    def negative_number(self, c: list[Token]) -> Number:
        return self._number(f"-{c[1]}", self.reading.between(c[0], c[1]))

    def negative_ref(self, c: list[Any]) -> Call:
        sign = c[0]
        term = self._finish(c[1])
        at = self.reading.span(sign)
        if not isinstance(term, Var | Ref | Call):
            raise operator_error(self.reading.source, sign, "expected number")
        span = Span(at.source, at.start, term.span.end)
        return Call(operator_ref("minus", at), (Number("0", span=at), term), infix=True, span=span)

    def string(self, c: list[Token]) -> String:
        token = c[0]
        span = self.reading.span(token)
        if "\\" not in token:
            return String(token[1:-1], span=span)
        return String(self._unescape(str(token), span), span=span)

    def _unescape(self, text: str, span: Span) -> str:
        try:
            value = json.loads(text, strict=False)
        except ValueError:
            raise PolicyError(PARSE, f"illegal string literal: {text}", at=span) from None
        # Go replaces half a surrogate pair by U+FFFD.
        return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def raw_string(self, c: list[Token]) -> String:
        return String(c[0][1:-1], raw=True, span=self.reading.span(c[0]))

    def template_string(self, c: list[Token]) -> TemplateString:
        reading = self.reading
        span = reading.span(c[0])
        if not reading.capabilities.supports(TEMPLATE_STRINGS):
            raise PolicyError(PARSE, "template strings are not supported by current capabilities", at=span)
        template = reading.templates[span.start]
        raw = template.quote == "`"
        parts: list[Term | Expr] = []
        for part in template.parts:
            at = Span(reading.source, part.start, part.end)
            if part.constant:
                text = at.text.replace("\\{", "{")
                value = text if raw or "\\" not in text else self._unescape(f'"{text}"', at)
                parts.append(String(value, raw=raw, span=at))
            else:
                parts.append(self._template_part(part.start, part.end))
        return TemplateString(tuple(parts), multi_line=raw, span=span)

    def _template_part(self, start: int, end: int) -> Term | Expr:
        comments = len(self.reading.comments)
        expr = self.parse_template(start, end)
        problem = _in_template(expr)
        if problem:
            raise PolicyError(PARSE, f"unexpected {problem} in template-string expression", at=expr.span)
        if (
            isinstance(expr.term, String | Number | Boolean | Null)
            and not expr.withs
            and len(self.reading.comments) == comments
        ):
            return expr.term
        return expr

    def template_expr(self, c: list[Any]) -> Expr:
        return line_expr(c[0], self.reading)

    # Brackets

    def array_empty(self, c: list[Token]) -> Array:
        return Array((), span=self.reading.between(c[0], c[1]))

    def array(self, c: list[Any]) -> Term:
        return bracket_term(self._brackets(c), self.reading)

    def brace_empty(self, c: list[Token]) -> Braces:
        return Braces([], False, [], False, self.reading.between(c[0], c[1]))

    def brace(self, c: list[Any]) -> Braces:
        return self._brackets(c)

    def _brackets(self, c: list[Any]) -> Braces:
        braces: Braces = c[1] if type(c[1]) is Braces else c[2]
        braces.leading_comma = braces is not c[1]
        braces.span = self.reading.between(c[0], c[-1])
        return braces

    def ref_brace(self, c: list[Braces]) -> Any:
        braces = c[0]
        # Only braces that hold lines or a single item can still turn out to be a body.
        if braces.items and type(braces.items[0]) is Pair:
            return brace_term(braces, self.reading)
        return braces

    def items_start(self, c: list[Any]) -> Braces:
        return Braces([settle(c[0], self.reading)], False, [], False, None)  # type: ignore[arg-type]  # set by _brackets

    def items_comma(self, c: list[Any]) -> Braces:
        braces: Braces = c[0]
        braces.items.append(settle(c[2], self.reading))
        braces.commas.append(c[1])
        return braces

    def items_line(self, c: list[Any]) -> Braces:
        braces: Braces = c[0]
        braces.items.append(settle(c[-1], self.reading))
        braces.lines = True
        return braces

    def pair(self, c: list[Any]) -> Pair:
        return Pair(settle(c[0], self.reading), c[1], settle(c[2], self.reading))

    def paren(self, c: list[Any]) -> Any:
        line = c[1]
        if type(line) is list and not (len(line) == 1 and type(line[0]) is Group):
            return term_of(line, self.reading, "non-terminated expression")
        group = Group(line, self.reading.between(c[0], c[2]))
        if not self.reading.active & LOGICAL:
            return operand_term(group, self.reading)
        return Group(line_expr(line, self.reading), group.span)

    def paren_pair(self, c: list[Any]) -> Term:
        if type(c[1]) is not list or type(c[3]) is not list:
            raise operator_error(self.reading.source, c[2], "non-terminated expression")
        return term_of(join_pair(c[1], c[3], self.reading), self.reading, "non-terminated expression")

    # Chains and lines

    def chain_start(self, c: list[Any]) -> list[Any]:
        return c

    def chain_more(self, c: list[Any]) -> list[Any]:
        c[0] += c[1:]
        return c[0]  # type: ignore[no-any-return]

    def chain_pair(self, c: list[Any]) -> list[Any]:
        return join_pair(c[0], c[2], self.reading)

    def piped_statement(self, c: list[Any]) -> Piped:
        return Piped(c[0], c[1], c[2])

    def not_(self, c: list[Any]) -> Negated:
        return Negated(c[0], c[1])

    def some(self, c: list[Any]) -> Expr:
        return rule_forms.some_expr(c[0], c[1], self.reading)

    def every(self, c: list[Any]) -> Expr:
        return rule_forms.every_expr(c[0], c[1], c[2], self.reading)

    def withs_start(self, c: list[Any]) -> list[With]:
        return [self._with(*c)]

    def withs_more(self, c: list[Any]) -> list[With]:
        c[0].append(self._with(*c[1:]))
        return c[0]  # type: ignore[no-any-return]

    def _with(self, keyword: Token, target: Any, _as: Token, chain: list[Any]) -> With:
        reading = self.reading
        target = operand_term(self._finish(target), reading)
        if not isinstance(target, Ref | Var):
            raise PolicyError(PARSE, "unexpected token: expected with target path", at=target.span)
        value = term_of(chain, reading)
        return With(target, value, span=Span(reading.source, keyword.start_pos or 0, value.span.end))

    def modified(self, c: list[Any]) -> Modified:
        return Modified(c[0], c[1])

    def logical(self, c: list[Any]) -> Logical:
        if type(c[0]) is Logical:
            c[0].parts += c[1:]
            return c[0]
        return Logical(c)

    # Bodies and rules

    def query_items(self, c: list[Any]) -> Body:
        braces: Braces = c[-1]
        return body_of_items(braces.items, braces.commas, self.reading)

    def query_empty(self, _c: list[Any]) -> Body:
        return ()

    def head_plain(self, c: list[Any]) -> rule_forms.HeadLine:
        return rule_forms.HeadLine(c[0])

    def head_default(self, c: list[Any]) -> rule_forms.HeadLine:
        return rule_forms.HeadLine(c[1], default=c[0])

    def head_contains(self, c: list[Any]) -> rule_forms.HeadLine:
        return rule_forms.HeadLine(c[0], key=term_of(c[2], self.reading, "expected rule key term"), contains=c[1])

    def rule_bare(self, c: list[Any]) -> Rule:
        return rule_forms.bare_rule(c[0], self.reading)

    def rule_if(self, c: list[Any]) -> rule_forms.RuleLines:
        return rule_forms.RuleLines(c[0]).with_body(c[2], c[1], self.reading)

    def rule_if_pair(self, c: list[Any]) -> rule_forms.RuleLines:
        if type(c[2]) is not list:
            raise operator_error(self.reading.source, c[3], END_NOTE)
        line = body_of_items([c[2], c[4]], [c[3]], self.reading)[0]
        return rule_forms.RuleLines(c[0]).with_body(line, c[1], self.reading)

    def rule_brace(self, c: list[Any]) -> rule_forms.RuleLines:
        return rule_forms.RuleLines(c[0]).with_braces(c[-1], self.reading)

    def rule_chained(self, c: list[Any]) -> rule_forms.RuleLines:
        return c[0].with_braces(c[-1], self.reading)  # type: ignore[no-any-return]

    def else_if(self, c: list[Any]) -> rule_forms.RuleLines:
        return c[0].with_else(c[1], None, c[3], self.reading)  # type: ignore[no-any-return]

    def else_brace(self, c: list[Any]) -> rule_forms.RuleLines:
        return c[0].with_else(c[1], None, c[2], self.reading)  # type: ignore[no-any-return]

    def else_value(self, c: list[Any]) -> rule_forms.RuleLines:
        return c[0].with_else(c[1], (c[2], c[3]), None, self.reading)  # type: ignore[no-any-return]

    def else_value_if(self, c: list[Any]) -> rule_forms.RuleLines:
        return c[0].with_else(c[1], (c[2], c[3]), c[5], self.reading)  # type: ignore[no-any-return]

    def else_value_brace(self, c: list[Any]) -> rule_forms.RuleLines:
        return c[0].with_else(c[1], (c[2], c[3]), c[-1], self.reading)  # type: ignore[no-any-return]

    def rule_done(self, c: list[Any]) -> list[Rule]:
        return c[0].rules(self.reading)  # type: ignore[no-any-return]

    def package(self, c: list[Any]) -> Any:
        return rule_forms.package(c[0], operand_term(self._finish(c[1]), self.reading), self.reading)

    def import_plain(self, c: list[Any]) -> Any:
        return rule_forms.import_(c[0], operand_term(self._finish(c[1]), self.reading), None, self.reading)

    def import_alias(self, c: list[Any]) -> Any:
        return rule_forms.import_(c[0], operand_term(self._finish(c[1]), self.reading), c[3], self.reading)

    def module(self, c: list[Any]) -> list[Any]:
        return c[0]  # type: ignore[no-any-return]

    # Terminals

    def add_comments(self, token: Token) -> Token:
        """Keep the comments inside a piece of white space."""
        text = str(token)
        at = text.find("#")
        while at >= 0:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            start = (token.start_pos or 0) + at
            span = Span(self.reading.source, start, start + end - at)
            self.reading.comments.append(Comment(text[at + 1 : end].rstrip("\r"), span=span))
            at = text.find("#", end)
        return token


END_NOTE: Final = "expected \\n or ; or }"

_TEMPLATE_PROBLEMS: Final = {SomeDecl: "'some'", Every: "'every'"}
_TEMPLATE_CALLS: Final = {"eq": "unification ('=')", "assign": "assignment (':=')"}


def _in_template(expr: Expr) -> str | None:
    """What makes an expression unfit for a template string."""
    if expr.negated:
        return "negation ('not')"
    term = expr.term
    if isinstance(term, Call) and term.infix and isinstance(name := term.operator.terms[0], Var):
        return _TEMPLATE_CALLS.get(name.name)
    return _TEMPLATE_PROBLEMS.get(type(term))
