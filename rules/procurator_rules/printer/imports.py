"""Which imports a module has when it is printed, and how they are grouped and sorted."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from procurator_rules.expressions import dotted
from procurator_rules.nodes import (
    Call,
    Every,
    Expr,
    Import,
    LogicalAnd,
    LogicalOr,
    Module,
    Not,
    Ref,
    Rule,
    String,
    Var,
)
from procurator_rules.printer.order import key_of
from procurator_rules.printer.page import Page, Piece, Pieces
from procurator_rules.printer.style import Target, is_keyword_import, keyword_of, names_of
from procurator_rules.printer.terms import path_text
from procurator_rules.spans import NO_SOURCE
from procurator_rules.visitor import walk

LOGICAL: Final = frozenset({"and", "or", "not"})
NODES: Final = {Every: "every", Not: "not", LogicalAnd: "and", LogicalOr: "or"}


def placed_imports(module: Module, target: Target) -> list[tuple[int, Import]]:
    """The imports that the printed module has, each with its row: those that stay, then those that are added.

    Added are keywords that are used, and `rego.v1` for two versions; they count as standing below the last import of
    keywords, else in the first row.
    """
    kept = list(module.imports)
    words = names_of(kept)
    added: list[str] = []
    if "rego.v2" in words or (target.oldest >= 1 and target.drop_imports):
        kept = [node for node in kept if keyword_of(node) != "rego.v1"]
    elif target.oldest != target.newest and "rego.v1" not in words:
        added.append("rego.v1")
    has_v1 = bool(names_of(kept) & {"rego.v1", "rego.v2"}) or "rego.v1" in added
    row = _row_of_added(kept)
    if target.newest >= 1 or has_v1:
        if target.drop_imports or has_v1:
            kept = [node for node in kept if not is_keyword_import(node)]
        if "rego.v2" not in words:
            row = _row_of_added(kept) if not added else row
            added += _missing(_used_keywords(module, target) & LOGICAL, kept)
    else:
        added += _missing(_used_keywords(module, target), kept)
    placed = [(row_of(node), node) for node in kept]
    return placed + [(row, _keyword_import(word)) for word in added]


def row_of(node: Import | Rule) -> int:
    """The row of a statement; 0 where no text stands behind."""
    return 0 if node.span.source is NO_SOURCE else node.span.row


def _row_of_added(kept: Sequence[Import]) -> int:
    rows = [row_of(node) for node in kept if is_keyword_import(node) or keyword_of(node) == "rego.v1"]
    return max(rows) + 1 if rows else 1


def _missing(used: set[str], kept: Sequence[Import]) -> list[str]:
    words = {word for node in kept if is_keyword_import(node) and (word := keyword_of(node)) is not None}
    if "" in words:
        return []
    return sorted(word for word in used if word not in words and not (word == "in" and "every" in words))


def _used_keywords(module: Module, target: Target) -> set[str]:
    found: set[str] = set()
    if target.oldest >= 1 and module.source.text and not names_of(module.imports):
        # Without an import no keyword beyond those of v1 can have been read.
        return found
    for rule in module.rules:
        for node in walk(rule):
            found.update(_keywords_of(node))
    return found


def _keywords_of(node: Any) -> Iterator[str]:
    if type(node) is not Expr:
        return
    word = NODES.get(type(node.term))
    if word is not None:
        yield word
        if node.negated:
            yield "not"
    elif type(node.term) is Call and dotted(node.term.operator).startswith("internal.member_"):
        yield "in"


def _keyword_import(word: str) -> Import:
    names = word.split(".") if "." in word else ["future", "keywords", word]
    return Import(Ref((Var(names[0]), *map(String, names[1:]))))


# Printing


def imports(_page: Page, placed: Sequence[tuple[int, Import]]) -> Pieces:
    """Imports in their groups: those in rows next to each other are sorted together."""
    groups: list[list[tuple[int, Import]]] = []
    last = 0
    for row, node in placed:
        if not groups or row - last > 1:
            groups.append([])
        groups[-1].append((row, node))
        last = row or last
    return [(_group, group) for group in groups]


def _group(page: Page, placed: Sequence[tuple[int, Import]]) -> Pieces:
    page.visit_above(placed[0][0])
    comments = {row: page.take_comment(row) for row, _node in placed}
    pieces: list[Piece] = []
    for row, node in sorted(placed, key=_sort_key):
        pieces += ("import ", _path(page, node), comments[row], (Page.end_line,))
        comments[row] = ""
    return [*pieces, (Page.blank_line,)]


def _sort_key(placed: tuple[int, Import]) -> tuple[Any, ...]:
    node = placed[1]
    return key_of(node.path), node.alias or ""


def _path(page: Page, node: Import) -> str:
    if is_keyword_import(node):
        names = [part.value for part in node.path.terms[1:] if type(part) is String]
        return ".".join(("future", *names))
    return path_text(page, node.path.terms) + (f" as {node.alias}" if node.alias is not None else "")
