"""What `rego.metadata.chain()` and `rule()` give: the annotations of a rule and of all that contains it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator_rules.nodes import Annotation, Module, Ref, Rule, String, Term, Var

Entry = dict[str, Any]

INNER: Final = ("rule", "document")
"""Scopes of annotations that stand at a rule, the closest first."""


def metadata_chain(modules: Mapping[str, Module]) -> Callable[[Rule | None], list[Mapping[str, object]]]:
    """The function that gives a rule's chain, the closest annotations first, as `rego.metadata.chain()` does."""
    packages: dict[tuple[str, ...], list[Annotation]] = {}
    for module in modules.values():
        packages.setdefault(_names(module.package.path), []).extend(module.package.annotations)

    def chain(rule: Rule | None) -> list[Mapping[str, object]]:
        if rule is None:
            return []
        path = _names(rule.head.ref)
        own = sorted((one for one in rule.annotations if one.scope in INNER), key=lambda one: INNER.index(one.scope))
        found: list[Mapping[str, object]] = [_entry(path, one) for one in own] or [{"path": list(path)}]
        if own and own[0].scope != "rule":
            found.insert(0, {"path": list(path)})
        for length in range(len(path) - 1, -1, -1):
            scopes = ("package", "subpackages") if packages.get(path[:length]) and _is_own(rule, path[:length]) else ()
            wanted = scopes or ("subpackages",)
            annotations = packages.get(path[:length], [])
            found += [_entry(path[:length], one) for scope in wanted for one in annotations if one.scope == scope]
        return found

    def _is_own(rule: Rule, path: tuple[str, ...]) -> bool:
        return any(rule in module.rules and _names(module.package.path) == path for module in modules.values())

    return chain


def _entry(path: tuple[str, ...], annotation: Annotation) -> Entry:
    return {"annotations": {**annotation.fields, "scope": annotation.scope}, "path": list(path)}


def _names(ref: Ref) -> tuple[str, ...]:
    return tuple(_text(term) for term in ref.terms[1:])


def _text(term: Term) -> str:
    if isinstance(term, String):
        return term.value
    return term.name if isinstance(term, Var) else term.span.text
