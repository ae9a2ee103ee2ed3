"""How errors spell references: as OPA does, with the names that the policy gives its variables."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator_rules import keywords
from procurator_rules.ast_locations import line_extent
from procurator_rules.constants import quoted
from procurator_rules.nodes import Boolean, Call, Expr, Null, Number, Ref, String, Term, Var
from procurator_rules.spans import NO_SOURCE, Span

KEYWORDS: Final = keywords.ALWAYS | keywords.V1
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*\Z")


def shown_name(name: str) -> str:
    """The name of a variable as the policy has it."""
    return "_" if name[0] == "$" else name.partition("#")[0]


def ref_text(terms: tuple[Term, ...]) -> str:
    """A reference: names after dots, all else in brackets, keywords too."""
    return part_text(terms[0]) + "".join(map(_operand, terms[1:]))


def _operand(term: Term) -> str:
    if isinstance(term, String) and NAME.match(term.value) and term.value not in KEYWORDS:
        return f".{term.value}"
    return f"[{part_text(term)}]"


def part_text(term: Term) -> str:
    """One term of a reference."""
    spell = SPELLINGS.get(type(term))
    if spell is not None:
        return spell(term)
    return "" if term.span.source is NO_SOURCE else term.span.text


def _call(term: Call) -> str:
    if term.infix:
        return term.span.text
    return f"{ref_text(term.operator.terms)}({', '.join(map(part_text, term.args))})"


SPELLINGS: Final[Mapping[type, Callable[[Any], str]]] = {
    Null: lambda _: "null",
    Boolean: lambda term: "true" if term.value else "false",
    Number: lambda term: term.text,
    String: lambda term: quoted(term.value),
    Var: lambda term: shown_name(term.name),
    Ref: lambda term: ref_text(term.terms),
    Call: _call,
}


def line_span(line: Expr) -> Span:
    """Where a line is reported: with the round brackets around it."""
    start = line_extent(line, operand=False).start
    return Span(line.span.source, min(start, line.span.start), line.span.end)
