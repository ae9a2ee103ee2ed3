"""From syntax trees to text.

format_module    a policy file, as OPA's formatter prints it
format_term      one term in one line, format_body a body in one line: for messages
"""

from itertools import groupby
from typing import Final

from procurator_rules.errors import PolicyError
from procurator_rules.nodes import Body, Import, Module, Package, Rule, String, Term, Var
from procurator_rules.parser import parse_module
from procurator_rules.printer.comments import Comments
from procurator_rules.printer.imports import imports, placed_imports, row_of
from procurator_rules.printer.page import Page, Piece, Pieces
from procurator_rules.printer.places import NOWHERE
from procurator_rules.printer.rules import rules
from procurator_rules.printer.statements import body, line
from procurator_rules.printer.style import V0, V0_AND_V1, V1_ONLY, Style, Target, style_of
from procurator_rules.printer.terms import path_text, term
from procurator_rules.spans import NO_SOURCE

__all__ = ["V0", "V0_AND_V1", "V1_ONLY", "Target", "format_body", "format_module", "format_term"]

PLAIN_STYLE: Final = Style()
ROUNDS: Final = 6
"""How often a text is printed again at most, until its comments stay where they are."""


def format_module(module: Module, target: Target | None = None) -> str:
    """A policy file as OPA's formatter prints it, comments included; printing what was printed changes nothing.

    The target says which versions of Rego must be able to read the text; by default it is the module's own.
    """
    wanted = target or (V1_ONLY if module.rego_version >= 1 else V0)
    text, settled = _print(module, wanted)
    if settled or text == module.source.text:
        return text
    return _settle(text, module, wanted) or _print(module, wanted, careful=True)[0]


def _settle(text: str, module: Module, target: Target) -> str | None:
    """Print again what was printed until no comment moves on; None where one is lost on the way."""
    comments = _texts(module)
    for _ in range(ROUNDS):
        try:
            again = parse_module(text, module.source.name, target.oldest)
        except PolicyError:
            return None
        if _texts(again) != comments:
            return None
        before = text
        text, _ = _print(again, target)
        if text == before:
            return text
    return None


def _texts(module: Module) -> list[str]:
    return sorted(comment.text.strip() for comment in module.comments)


def _print(module: Module, target: Target, careful: bool = False) -> tuple[str, bool]:
    comments = Comments(module.source, module.comments)
    page = Page(style_of(module, target), module.source, comments, (body, line), careful)
    if not module.source.text:
        page.fixed = NOWHERE
    pieces: list[Piece] = [(_package, module.package)]
    for is_rule, run in groupby(_statements(module, target), key=lambda pair: type(pair[1]) is Rule):
        statements = list(run)
        pieces.append((rules, [node for _, node in statements]) if is_rule else (imports, statements))
    page.print([*pieces, (Page.write_rest,)])
    # What becomes of a rule in v0 can have its brackets elsewhere, and comments are placed by these.
    return page.result(), page.settled and (page.style.v1 or not module.comments) and not page.style.translates


def _statements(module: Module, target: Target) -> list[tuple[int, Import | Rule]]:
    """Imports and rules, each with its row, in the order of the text."""
    found: list[tuple[int, Import | Rule]] = [(row_of(node), node) for node in module.rules]
    placed: list[tuple[int, Import | Rule]] = [*placed_imports(module, target)]
    added = [pair for pair in placed if pair[1].span.source is NO_SOURCE]
    first = min((row for row, _ in found), default=0)
    if any(row >= first for row, _ in added):
        # An import below a rule would have no effect.
        kept = [pair for pair in placed if pair[1].span.source is not NO_SOURCE]
        return [*added, *sorted([*kept, *found], key=_order)]
    return sorted([*placed, *found], key=_order)


def _order(placed: tuple[int, Import | Rule]) -> tuple[int, int]:
    row, node = placed
    return (row, node.span.start)


def _package(page: Page, node: Package) -> Pieces:
    _data, first, *others = node.path.terms
    name = Var(first.value) if type(first) is String else first
    return [(Page.visit, page.row(node)), "package ", path_text(page, (name, *others)), (Page.blank_line,)]


def format_term(node: Term) -> str:
    """One term in one line."""
    return _in_one_line([(term, node)])


def format_body(nodes: Body) -> str:
    """A body in one line."""
    pieces: list[Piece] = []
    for node in nodes:
        pieces += ("; " if pieces else "", (Page.body_line, node))
    return _in_one_line(pieces)


def _in_one_line(pieces: list[Piece]) -> str:
    page = Page(PLAIN_STYLE, NO_SOURCE, Comments(NO_SOURCE, ()), (body, line))
    # Rows are of no account where everything stands in the same place.
    page.fixed = NOWHERE
    page.print(pieces)
    return page.result().rstrip("\n")
