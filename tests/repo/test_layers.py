"""Imports go one way."""

import ast

from sources import FILES, MODULE_NAMES

LAYERS = (
    "procurator_rules.spans",
    "procurator_rules.errors",
    "procurator_rules.nodes",
    "procurator_rules.visitor",
    "procurator_rules.capabilities",
    "procurator_rules.annotations",
    "procurator_rules.parser",
    "procurator_rules.printer",
    "procurator_rules.signatures",
    "procurator_rules.checks",
    "procurator_rules.lint",
    "procurator_rules",
    "procurator_stdlib",
    "procurator.values",
    "procurator.builtins",
    "procurator.compile",
    "procurator.runtime.trace",
    "procurator.runtime.interpreter",
    "procurator.engine",
    "procurator.governance.refusals",
    "procurator.governance.strict_json",
    "procurator.governance.signing",
    "procurator.governance.scope",
    "procurator.governance.transactions",
    "procurator.governance.store",
    "procurator.governance.delegation",
    "procurator.governance.identity",
    "procurator.governance.audit",
    "procurator.governance.budget",
    "procurator.governance.config.settings",
    "procurator.governance.state",
    "procurator.governance.approvals",
    "procurator.governance.steps",
    "procurator.governance.people",
    "procurator.governance.assembly",
    "procurator.governance.gateway",
    "procurator.governance",
    "procurator.cli",
    "procurator",
)
"""From bottom to top: a module that is named here, or is in a package named here, imports none that comes later.

Modules between these stand wherever their imports allow it.
"""

ROOTS = {"procurator", "procurator.governance", "procurator_rules"}
"""Packages whose own name says nothing about where the modules in them stand."""

LATE = {"procurator.builtins._http.transport"}
"""Modules that import one of ours where it is used, because that one brings something heavy: here `http` and `ssl`."""


def layer(module: str) -> int | None:
    """The place of a module among the layers; None for one that has none."""
    names = [name for name in LAYERS if module == name or module.startswith(f"{name}.")]
    closest = max(names, key=len, default=None)
    if closest is None or (closest in ROOTS and module != closest):
        return None
    return LAYERS.index(closest)


def test_the_rule_language_knows_nothing_of_the_engine() -> None:
    """No module of the rules imports the engine or the shipped policies."""
    wrong = [
        f"{file.module} imports {name}"
        for file in FILES
        if file.module.partition(".")[0] == "procurator_rules"
        for node in ast.walk(file.tree)
        if isinstance(node, ast.stmt)
        for name, _ in file.imported_by(node)
        if name.partition(".")[0] != "procurator_rules"
    ]
    assert wrong == []


def test_a_module_imports_nothing_from_a_later_layer() -> None:
    """The list above is kept."""
    wrong = [
        f"{file.module} imports {name}"
        for file in FILES
        for name, _ in file.imports()
        if (own := layer(file.module)) is not None and (layer(name) or 0) > own
    ]
    assert wrong == []


def test_no_two_modules_import_each_other() -> None:
    """There are no cycles, not even through several modules."""
    below = {file.module: {name for name, _ in file.imports() if name in MODULE_NAMES} for file in FILES}
    finished: set[str] = set()
    while ready := {module for module in below if module not in finished and below[module] <= finished}:
        finished |= ready
    assert sorted(set(below) - finished) == []


def test_own_modules_are_imported_at_the_top() -> None:
    """Only the command line loads its commands late, and what has a reason."""
    late = [
        f"{file.path.name}:{node.lineno}"
        for file in FILES
        if not file.module.startswith("procurator.cli") and file.module not in LATE
        for function in ast.walk(file.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and any(file.imported_by(node))
    ]
    assert late == []
