"""Annotations by what they are about, across modules: no two of one scope for one package or document."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from procurator_rules.annotations import DOCUMENT, PACKAGE, RULE, SUBPACKAGES, rule_path
from procurator_rules.checks.program import Program
from procurator_rules.errors import TYPE, PolicyError
from procurator_rules.nodes import Annotation, Module, Package, Ref, Rule
from procurator_rules.spans import Span


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """All annotations of some modules.

    Attributes:
        rules: those of scope `rule`, by the place of the rule directly below.
        packages: those of scope `package`, by path.
        paths: those of scopes `document` and `subpackages`, by path.
        errors: those that say again what another one says already.
    """

    rules: dict[Span, list[Annotation]] = field(default_factory=dict)
    packages: dict[Ref, Annotation] = field(default_factory=dict)
    paths: dict[Ref, Annotation] = field(default_factory=dict)
    errors: list[PolicyError] = field(default_factory=list)

    def add(self, module: Module) -> None:
        """Take in the annotations of a module."""
        rows = [rule.span.row for rule in module.rules] if module.annotations else []
        for annotation in module.annotations:
            if annotation.scope == RULE:
                rule = module.rules[bisect_right(rows, annotation.span.row)]
                self.rules.setdefault(rule.span, []).append(annotation)
            else:
                self._add_unique(annotation)

    def _add_unique(self, annotation: Annotation) -> None:
        known = self.packages if annotation.scope == PACKAGE else self.paths
        if annotation.path is None or annotation.scope not in (PACKAGE, DOCUMENT, SUBPACKAGES):
            return
        first = known.setdefault(annotation.path, annotation)
        if first is not annotation:
            message = f"{annotation.scope} annotation redeclared: {_start(first).location}"
            self.errors.append(PolicyError(TYPE, message, at=_start(annotation)))

    def about(self, package: Package, rule: Rule) -> Iterator[Annotation]:
        """What applies to a rule, whose name can be resolved or not: the farthest first, the nearest last."""
        if self.paths or self.packages:
            terms = package.path.terms
            above = (Ref(terms[:length]) for length in range(1, len(terms) + 1))
            yield from (self.paths[path] for path in above if path in self.paths)
            if package.path in self.packages:
                yield self.packages[package.path]
            document = self.paths.get(rule_path(package, rule))
            if document is not None:
                yield document
        yield from self.rules.get(rule.span, ())


def _start(annotation: Annotation) -> Span:
    span = annotation.span
    return Span(span.source, span.start, span.start + len(span.text.partition("\n")[0]))


def annotation_set(modules: Iterable[Module] | Mapping[str, Module]) -> AnnotationSet:
    """The annotations of modules, in the order of the modules."""
    found = AnnotationSet()
    for module in modules.values() if isinstance(modules, Mapping) else modules:
        found.add(module)
    return found


def stage(program: Program) -> list[PolicyError]:
    """Annotations that are there twice."""
    return annotation_set(program.modules).errors
