"""The callbacks of the grammar: each makes nodes from the values that the parser has just put together.

They run inside the parser's loop, so no tree of Lark's is ever built. A method bears the name of an alternative in
`rego.lark` and gets its values, tokens included, in a list.
"""

from typing import Any

from procurator_rules import declarations, imports, operands, rule_forms
from procurator_rules.bodies import (
    ASSIGNMENTS,
    body_of_items,
    brace_term,
    bracket_term,
    groups,
    has_head,
    is_declaration,
    join_pair,
    line_expr,
    logical_line,
    member_line,
    settle,
    term_of,
)
from procurator_rules.declarations import Quantifier
from procurator_rules.errors import PolicyError
from procurator_rules.expressions import find_operator
from procurator_rules.heads import HeadLine
from procurator_rules.keywords import GROUPING
from procurator_rules.line_errors import not_a_term
from procurator_rules.lines import Braces, Group, Logical, Modified, Negated, Pair, Piped, Statements
from procurator_rules.nodes import (
    Array,
    Body,
    Call,
    Expr,
    Import,
    Number,
    Package,
    Ref,
    Rule,
    String,
    TemplateString,
    Term,
    With,
)
from procurator_rules.operands import RefParts, finish
from procurator_rules.reading import Reading
from procurator_rules.rule_forms import RuleLines
from procurator_rules.spans import NO_SPAN, Span
from procurator_rules.syntax_errors import UNCLOSED, Misplaced, unexpected
from procurator_rules.templates import TemplateParts
from procurator_rules.tokens import Token


class Lowering:
    """Callbacks for one text."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    # Lists

    def list_empty(self, _c: list[Any]) -> Statements:
        return Statements()

    def list_append(self, c: list[Any]) -> list[Any]:
        c[0].append(c[1])
        return c[0]  # type: ignore[no-any-return]

    def list_same(self, c: list[Any]) -> list[Any]:
        return c[0]  # type: ignore[no-any-return]

    def list_start(self, c: list[Any]) -> list[Any]:
        return [term_of(c[0], self.reading)]

    def list_comma(self, c: list[Any]) -> list[Any]:
        c[0].append(term_of(c[2], self.reading))
        return c[0]  # type: ignore[no-any-return]

    # Operands

    def ref_path(self, c: list[Token]) -> Term:
        return operands.name_term(c[0], self.reading)

    def number(self, c: list[Token]) -> Number:
        return operands.number(c[0], self.reading)

    def string(self, c: list[Token]) -> String:
        return operands.string(c[0], self.reading)

    def raw_string(self, c: list[Token]) -> String:
        return String(c[0][1:-1], raw=True, span=self.reading.span(c[0]))

    def ref_dot(self, c: list[Any]) -> RefParts:
        return operands.with_names(c[0], c[1], self.reading)

    def ref_index(self, c: list[Any]) -> RefParts:
        return operands.with_index(c[0], c[1], term_of(c[2], self.reading), c[3], self.reading)

    def call_empty(self, c: list[Any]) -> Term:
        return operands.call(c[0], c[1], (), c[-1], self.reading)

    def call(self, c: list[Any]) -> Term:
        return operands.call(c[0], c[1], c[2], c[-1], self.reading)

    # Template strings

    def template_constant(self, c: list[Token]) -> TemplateString:
        return TemplateParts(c[0], self.reading).finish(c[0])

    def template_start(self, c: list[Any]) -> TemplateParts:
        return TemplateParts(c[0], self.reading).add_line(c[0], c[1])

    def template_more(self, c: list[Any]) -> TemplateParts:
        parts: TemplateParts = c[0]
        parts.add_text(c[1])
        return parts.add_line(c[1], c[2])

    def template_string(self, c: list[Any]) -> TemplateString:
        parts: TemplateParts = c[0]
        parts.add_text(c[1])
        return parts.finish(c[1])

    # Brackets

    def array_empty(self, c: list[Token]) -> Array:
        return Array((), span=self.reading.between(c[0], c[1]))

    def array(self, c: list[Any]) -> Term:
        return bracket_term(self.brace(c), self.reading)

    def brace_empty(self, c: list[Token]) -> Braces:
        return Braces([], [], False, self.reading.between(c[0], c[1]))

    def brace(self, c: list[Any]) -> Braces:
        braces: Braces = c[1] if type(c[1]) is Braces else c[2]
        braces.leading_comma = braces is not c[1]
        if c[-2] is not braces:
            braces.separators.append(c[-2])
        braces.items[-1] = settle(braces.items[-1], self.reading)
        braces.span = self.reading.between(c[0], c[-1])
        return braces

    def ref_brace(self, c: list[Braces]) -> Any:
        braces = c[0]
        # Only braces that hold lines or a single item can still turn out to be a body; others are read now, unless they
        # stand where a body has to stand.
        if braces.items and type(braces.items[0]) is Pair and not self.reading.active & GROUPING:
            return brace_term(braces, self.reading)
        return braces

    def items_start(self, c: list[Any]) -> Braces:
        return Braces([c[0]], [], False, NO_SPAN)

    def items_more(self, c: list[Any]) -> Braces:
        braces: Braces = c[0]
        last = braces.items[-1]
        if c[1].type == "COMMA" and Logical in (type(last), type(c[2])):
            start = 2 if len(braces.items) == 1 and has_head(last) else 0
            try:
                braces.items[-1] = member_line(last, c[1], c[2], self.reading, start)
            except Misplaced:
                pass
            else:
                return braces
        braces.items[-1] = settle(last, self.reading)
        braces.separators.append(c[1])
        braces.items.append(c[2])
        return braces

    def pair(self, c: list[Any]) -> Pair:
        return Pair(settle(c[0], self.reading), c[1], settle(c[2], self.reading))

    def paren(self, c: list[Any]) -> Any:
        line = c[1]
        if type(line) is list and not (len(line) == 1 and type(line[0]) is Group):
            term = term_of(line, self.reading)
            if type(term) is Ref:
                self.reading.enclosed.add(term.span.start)
            return term
        if not self.reading.active & GROUPING or not groups(line):
            raise not_a_term(line, self.reading, UNCLOSED)
        return Group(line_expr(line, self.reading), self.reading.between(c[0], c[2]))

    # Chains and lines

    def chain(self, c: list[Any]) -> list[Any]:
        c[0] = finish(c[0], self.reading)
        return c

    def chain_negative(self, c: list[Any]) -> list[Any]:
        return [operands.negative(c[0], c[1], self.reading)]

    def chain_more(self, c: list[Any]) -> list[Any]:
        chain: list[Any] = c[0]
        if c[1].type in ASSIGNMENTS and find_operator(chain, ASSIGNMENTS) > 0:
            raise Misplaced(c[1].start)
        chain.append(c[1])
        chain.append(finish(c[2], self.reading) if len(c) == 3 else operands.negative(c[2], c[3], self.reading))
        return chain

    def chain_pair(self, c: list[Any]) -> list[Any]:
        return join_pair(c[0], c[1], c[2], self.reading)

    def line_pair(self, c: list[Any]) -> Any:
        return member_line(c[0], c[1], c[2], self.reading)

    def piped_statement(self, c: list[Any]) -> Piped:
        return Piped(c[0], c[1], c[2])

    def not_(self, c: list[Any]) -> Negated:
        return Negated(c[0], c[1])

    def not_piped(self, c: list[Any]) -> Negated:
        return Negated(c[0], Piped(c[1], c[2], c[3]))

    def some(self, c: list[Any]) -> Expr:
        return declarations.some_expr(c[0], c[1], self.reading)

    def every_opened(self, c: list[Any]) -> Quantifier:
        return declarations.quantifier(c[0], c[1], self.reading)

    def every(self, c: list[Any]) -> Expr:
        return declarations.every_expr(c[0], c[-1], self.reading)

    def modified(self, c: list[Any]) -> Modified:
        line, keyword = c[0], c[1]
        if is_declaration(line):
            raise Misplaced(keyword.start)
        target = declarations.with_target(finish(c[2], self.reading), self.reading)
        value = term_of(c[4], self.reading)
        one = With(target, value, span=Span(self.reading.source, keyword.start, value.span.end))
        if type(line) is not Modified:
            return Modified(line, [one])
        line.withs.append(one)
        return line

    def logical(self, c: list[Any]) -> Logical:
        return logical_line(c[0], c[1], c[2], self.reading)

    def logical_piped(self, c: list[Any]) -> Logical:
        return logical_line(c[0], c[1], Piped(c[2], c[3], c[4]), self.reading)

    # Bodies and rules

    def query_items(self, c: list[Any]) -> Body:
        braces: Braces = c[-1]
        braces.items[-1] = settle(braces.items[-1], self.reading)
        return body_of_items(braces, self.reading)

    def query_empty(self, _c: list[Any]) -> Body:
        return ()

    def name_index(self, c: list[Any]) -> RefParts:
        return self.ref_index([self.ref_path(c), *c[1:]])

    def name_call(self, c: list[Any]) -> Term:
        return self.call([self.ref_path(c), *c[1:]])

    def head_plain(self, c: list[Any]) -> HeadLine:
        return HeadLine(c[0])

    def head_spaced(self, c: list[Any]) -> HeadLine:
        chain = [finish(c[0], self.reading)]
        if len(c) > 1:
            if type(c[2]) is not list:
                raise not_a_term(c[2], self.reading, "")
            chain += (c[1], *c[2])
        return HeadLine(chain, is_spaced=True)

    def head_default(self, c: list[Any]) -> HeadLine:
        head: HeadLine = c[1]
        if head.default is not None:
            raise unexpected(self.reading, c[0].start)
        head.default = c[0]
        return head

    def head_contains(self, c: list[Any]) -> HeadLine:
        line = [finish(c[0], self.reading)] if isinstance(c[0], RefParts | Call) else c[0]
        return HeadLine(line, contains=c[1], key=term_of(c[2], self.reading))

    def rule_bare(self, c: list[Any]) -> Rule | PolicyError:
        return rule_forms.bare_rule(c[0], self.reading)

    def lines_start(self, c: list[Any]) -> list[Any]:
        return [c[0], c[2]]

    def lines_more(self, c: list[Any]) -> list[Any]:
        c[0].append(c[2])
        return c[0]  # type: ignore[no-any-return]

    def rule_several(self, c: list[Any]) -> PolicyError:
        return rule_forms.several(c[0], self.reading)

    def rule_opened(self, c: list[Any]) -> RuleLines:
        return RuleLines.after_if(c[0], c[1], self.reading)

    def rule_if(self, c: list[Any]) -> RuleLines:
        rule: RuleLines = c[0]
        return rule.with_line(c[1], self.reading)

    def rule_brace(self, c: list[Any]) -> RuleLines:
        return RuleLines.before_brace(c[0], c[-1], self.reading)

    def rule_chained(self, c: list[Any]) -> RuleLines:
        rule: RuleLines = c[0]
        return rule.with_braces(c[-1], self.reading)

    def else_if(self, c: list[Any]) -> RuleLines:
        return c[0].with_else(c[1], None, c[3], self.reading)  # type: ignore[no-any-return]

    def else_brace(self, c: list[Any]) -> RuleLines:
        return c[0].with_else(c[1], None, c[2], self.reading)  # type: ignore[no-any-return]

    def else_value(self, c: list[Any]) -> RuleLines:
        return c[0].with_else(c[1], (c[2], c[3]), None, self.reading)  # type: ignore[no-any-return]

    def else_value_if(self, c: list[Any]) -> RuleLines:
        return c[0].with_else(c[1], (c[2], c[3]), c[5], self.reading)  # type: ignore[no-any-return]

    def else_value_brace(self, c: list[Any]) -> RuleLines:
        return c[0].with_else(c[1], (c[2], c[3]), c[-1], self.reading)  # type: ignore[no-any-return]

    def rule_done(self, c: list[Any]) -> list[Rule]:
        return c[0].rules(self.reading)  # type: ignore[no-any-return]

    def path_name(self, c: list[Any]) -> Term:
        return operands.path_term(c[0], self.reading)

    def package(self, c: list[Any]) -> Package:
        return imports.package(c[0], finish(c[1], self.reading), self.reading)

    def path_with_dash(self, c: list[Any]) -> Package:
        hint = 'a name has no dash; a part of a path can be written as a string: `data.a["b-c"]`'
        raise unexpected(self.reading, c[2].start, hint=hint)

    def import_plain(self, c: list[Any]) -> Import:
        return imports.import_(c[0], finish(c[1], self.reading), None, self.reading)

    def import_alias(self, c: list[Any]) -> Import:
        return imports.import_(c[0], finish(c[1], self.reading), c[3], self.reading)

    def module(self, c: list[Any]) -> list[Any]:
        return c[0]  # type: ignore[no-any-return]
