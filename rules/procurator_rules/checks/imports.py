"""Imports that nothing uses, and imports that hide one another."""

from procurator_rules.checks.modules import is_keyword_import
from procurator_rules.checks.program import Program
from procurator_rules.checks.text import ref_text
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import Import, Module


def check_unused(program: Program) -> list[PolicyError]:
    """When strict: imports of documents that nothing mentions."""
    if not program.options.strict:
        return []
    return [
        PolicyError(COMPILE, f"{_text(one)} unused", at=one.span)
        for name, module in program.modules.items()
        for one in module.imports
        if not is_keyword_import(one) and one.name not in program.used[name]
    ]


def check_duplicates(program: Program) -> list[PolicyError]:
    """Two imports of one name, in Rego v1 and, when strict, in all modules."""
    return [
        error
        for module in program.modules.values()
        if program.options.strict or module.rego_version >= 1
        for error in _duplicates(module)
    ]


def _duplicates(module: Module) -> list[PolicyError]:
    first: dict[str, Import] = {}
    repeated = [one for one in module.imports if first.setdefault(one.name, one) is not one]
    return [PolicyError(COMPILE, f"import must not shadow {_text(first[one.name])}", at=one.span) for one in repeated]


def _text(one: Import) -> str:
    path = f"import {ref_text(one.path.terms)}"
    return path if one.alias is None else f"{path} as {one.alias}"
