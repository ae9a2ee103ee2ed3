"""What is declared of the built-ins, what the registry finds and what the families have are the same."""

import json
from importlib import import_module
from types import ModuleType

import pytest
from sources import ROOT

from procurator.builtins.registry import CONTEXTUAL, FAMILIES, builtin

DECLARATIONS = ROOT / "rules/procurator_rules/capabilities.json"
NAMES = [name for names in FAMILIES.values() for name in names.split()]

COMPILED = {"internal.print", "print", "rego.metadata.chain", "rego.metadata.rule"}
"""What the compiler makes constants or traces of: nothing is called at run time."""


def tables(family: ModuleType) -> tuple[set[str], set[str]]:
    """The names of a family's functions, and of those that take the evaluation."""
    return set(getattr(family, "TABLE", {})), set(getattr(family, "CONTEXT_TABLE", {}))


def test_every_declared_function_is_there_and_no_other() -> None:
    declared = {one["name"] for one in json.loads(DECLARATIONS.read_text(encoding="utf-8"))["builtins"]}
    assert len(declared) == 206
    assert set(NAMES) == declared - COMPILED
    assert declared >= COMPILED


def test_no_function_is_in_two_families() -> None:
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_tables_of_a_family_have_what_the_registry_says(name: str) -> None:
    """The registry imports a family when one of its names is used, so a name that is missing there is never found."""
    plain, contextual = tables(import_module(f"procurator.builtins.{name}"))
    listed = set(FAMILIES[name].split())
    assert plain == listed - CONTEXTUAL
    assert contextual == listed & CONTEXTUAL


@pytest.mark.parametrize("name", NAMES)
def test_every_function_is_found(name: str) -> None:
    assert callable(builtin(name))
