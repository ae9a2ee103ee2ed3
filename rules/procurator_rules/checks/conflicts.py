"""Rules that cannot stand side by side: of one path but different kinds, inside the extent of others, in data's way."""

from collections.abc import Iterable, Iterator

from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import Definition, Key, Node, prefix_of
from procurator_rules.checks.text import ref_text
from procurator_rules.errors import COMPILE, TYPE, PolicyError
from procurator_rules.nodes import Module, Ref, Rule, String, Var


def check_conflicts(program: Program) -> list[PolicyError]:
    """Conflicts of rules with rules, with base documents and with packages."""
    tree = program.tree
    by_rule = [error for node in tree.below() if node.definitions for error in _of_node(node, program)]
    return [*by_rule, *_with_documents(program), *_with_packages(program)]


def _of_node(node: Node, program: Program) -> Iterator[PolicyError]:
    definitions = node.definitions
    last = definitions[-1]
    if node.children:
        inside = _inside(node)
        if inside:
            name = ref_text(last.rule.head.ref.terms)
            listed = "\n".join(f"  rule {ref_text(ref.terms)} at {place}" for ref, place in inside)
            message = f"rule {name} conflicts with:\n{listed}"
            yield PolicyError(TYPE, message, at=definitions[0].rule.span)
            return
    if len(definitions) == 1:
        return
    if _differ(definitions):
        message = f"conflicting rules {ref_text(last.rule.head.ref.terms)} found"
        yield PolicyError(TYPE, message, at=definitions[0].rule.span)
        return
    defaults = [one for one in definitions if one.rule.default]
    if len(defaults) > 1:
        places = ", ".join(str(one.rule.span.location) for one in defaults)
        message = f"multiple default rules {ref_text(last.rule.head.ref.terms)} found at {places}"
        yield PolicyError(TYPE, message, at=program.modules[defaults[0].module].package.span)


def _differ(definitions: list[Definition]) -> bool:
    """Whether rules of one path are of different kinds or take different numbers of arguments."""
    kinds = {(one.is_multi_value, one.is_ground, len(one.rule.head.args or ())) for one in definitions}
    return len(kinds) > 1


def _inside(node: Node) -> list[tuple[Ref, str]]:
    """The rules inside the extent of those of a node that cannot be there, with their places.

    Nothing can be inside a value; no functions can be inside an object whose keys are found out by evaluation.
    """
    ground = any(one.is_ground for one in node.definitions)
    found: list[Definition] = []
    for below in node.below():
        if below is not node:
            found += [one for one in below.definitions if ground or one.is_function]
    return [(one.rule.head.ref, str(one.rule.span.location)) for one in _outermost(found)]


def _outermost(definitions: Iterable[Definition]) -> list[Definition]:
    """Of rules inside one another the outer ones, of several with one path the first."""
    kept: dict[tuple[Key, ...], Definition] = {}
    for one in definitions:
        if not any(one.prefix[:length] in kept for length in range(len(one.prefix) + 1)):
            kept[one.prefix] = one
    return sorted(kept.values(), key=lambda one: ref_text(one.rule.head.ref.terms))


def _with_documents(program: Program) -> Iterator[PolicyError]:
    """Rules where base documents are."""
    exists = program.options.path_exists
    if exists is None:
        return
    waiting: list[tuple[Node, tuple[str, ...]]] = [(program.tree, ())]
    while waiting:
        node, path = waiting.pop()
        if node.definitions and exists(path):
            message = f"conflicting rule for data path {'/'.join(path)} found"
            yield PolicyError(COMPILE, message, at=node.definitions[0].rule.span)
            continue
        waiting += [(below, (*path, key)) for key, below in node.children.items() if isinstance(key, str)]


def _with_packages(program: Program) -> Iterator[PolicyError]:
    """Rules whose path is that of a package."""
    packages: dict[tuple[Key, ...], list[Module]] = {}
    for module in program.modules.values():
        packages.setdefault(prefix_of(module.package.path), []).append(module)
    for module in program.modules.values():
        package = len(module.package.path.terms)
        for rule in module.rules:
            prefix = prefix_of(rule.head.ref)
            if prefix in packages and len(prefix) + 1 == len(rule.head.ref.terms):
                yield from _with_package(module, rule, packages[prefix], package)


def _with_package(module: Module, rule: Rule, others: list[Module], package: int) -> Iterator[PolicyError]:
    name, *operands = rule.head.ref.terms[package:]
    shown = ref_text((Var(name.value) if isinstance(name, String) else name, *operands))
    for other in others:
        path = other.package.path.terms
        # A package path is shown without `data`.
        first = path[1]
        dotted = ref_text((Var(first.value) if isinstance(first, String) else first, *path[2:]))
        message = f"package {dotted} conflicts with rule {shown} defined at {rule.span.location}"
        yield PolicyError(TYPE, message, at=module.package.span)
