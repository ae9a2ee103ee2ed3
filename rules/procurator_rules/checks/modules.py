"""What the names of a module mean: its own rules, those of other files of its package, and its imports."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from procurator_rules.nodes import Import, Module, Ref, String, Term, Var

Names: TypeAlias = Mapping[str, Ref]

KEYWORD_IMPORTS: Final = frozenset({"future", "rego"})

ROOTS: Final = frozenset({"data", "input"})
"""The documents that are always there."""


def exports(modules: Mapping[str, Module]) -> dict[tuple[Term, ...], dict[str, Ref]]:
    """For each package path the names of its rules, with their full paths."""
    found: dict[tuple[Term, ...], dict[str, Ref]] = {}
    for module in modules.values():
        path = module.package.path.terms
        known = found.setdefault(path, {})
        for rule in module.rules:
            head = rule.head.ref.terms[0]
            if isinstance(head, Var) and head.name not in known:
                known[head.name] = Ref((*path, String(head.name)))
    return found


def import_names(imports: tuple[Import, ...]) -> dict[str, Ref]:
    """The names of imports of documents, with what they stand for."""
    return {one.name: one.path for one in imports if not is_keyword_import(one)}


def is_keyword_import(one: Import) -> bool:
    """Whether an import turns keywords on rather than naming a document."""
    root = one.path.terms[0]
    return isinstance(root, Var) and root.name in KEYWORD_IMPORTS


def is_root(term: object) -> bool:
    """Whether a term is `input` or `data` itself."""
    if not isinstance(term, Ref) or len(term.terms) > 1:
        return False
    head = term.terms[0]
    return isinstance(head, Var) and head.name in ROOTS
