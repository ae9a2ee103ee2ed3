"""What `rego.metadata.chain()` and `rule()` give: the annotations of a rule and of all that contains it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from procurator_rules.annotations import RULE, rule_path
from procurator_rules.checks.metadata import AnnotationSet, annotation_set
from procurator_rules.nodes import Module, Package, Ref, Rule, String, Term
from procurator_rules.spans import Span

Entry = dict[str, Any]


def metadata_chain(modules: Mapping[str, Module]) -> Callable[[Rule | None], list[Mapping[str, object]]]:
    """The function that gives a rule's chain, the closest annotations first, as `rego.metadata.chain()` does."""

    @cache
    def known() -> tuple[AnnotationSet, Mapping[Span, Package]]:
        packages = {rule.span: module.package for module in modules.values() for rule in module.rules}
        return annotation_set(modules), packages

    def chain(rule: Rule | None) -> list[Mapping[str, object]]:
        if rule is None:
            return []
        annotations, packages = known()
        package = packages[rule.span]
        found = list(annotations.about(package, rule))[::-1]
        own: list[Mapping[str, object]] = [{"path": _names(rule_path(package, rule))}]
        if found and found[0].scope == RULE:
            own = []
        return own + [{"annotations": one.fields, "path": _names(one.path)} for one in found if one.path is not None]

    return chain


def _names(ref: Ref) -> list[str]:
    return [_text(term) for term in ref.terms[1:]]


def _text(term: Term) -> str:
    return term.value if isinstance(term, String) else term.span.text
