"""Annotations of a rule and of all that contains it, as policies see them."""

from __future__ import annotations

from typing import Any

import pytest

from procurator import Engine

MAIN = """
# METADATA
# title: the package
# scope: package
package a.b

# METADATA
# title: the document
# scope: document

# METADATA
# title: farther
# METADATA
# title: closer
p := rego.metadata.chain() if input.x == 1

p := rego.metadata.chain() if input.x == 2

# METADATA
# title: of keys
q[x] := rego.metadata.chain() if some x in ["u"]

# METADATA
# title: below keys
w[x].z := rego.metadata.chain() if some x in ["u"]

# METADATA
# title: a function
f(_) := rego.metadata.chain()

rule := rego.metadata.rule()
"""
OTHER = """
package a.b

p := rego.metadata.chain() if input.x == 3

# METADATA
# title: after data
a.b.c[1] := rego.metadata.chain()
"""
ABOVE = """
# METADATA
# title: all below
# scope: subpackages
package a
"""


def entry(title: str, scope: str, *path: str) -> dict[str, Any]:
    """An entry of a chain."""
    return {"annotations": {"title": title, "scope": scope}, "path": list(path)}


AROUND = [entry("the package", "package", "a", "b"), entry("all below", "subpackages", "a")]
DOCUMENT = entry("the document", "document", "a", "b", "p")

CHAINS: dict[str, tuple[str, int, list[Any]]] = {
    "the closest first": (
        "p",
        1,
        [entry("closer", "rule", "a", "b", "p"), entry("farther", "rule", "a", "b", "p"), DOCUMENT],
    ),
    "another rule of the document": ("p", 2, [{"path": ["a", "b", "p"]}, DOCUMENT]),
    "a rule of another module": ("p", 3, [{"path": ["a", "b", "p"]}, DOCUMENT]),
    "up to the first variable": ("q.u", 0, [entry("of keys", "rule", "a", "b", "q")]),
    "and no farther": ("w.u.z", 0, [entry("below keys", "rule", "a", "b", "w")]),
    "a function": ("f(1)", 0, [entry("a function", "rule", "a", "b", "f")]),
    "a path like the package's": ("a.b.c[1]", 0, [entry("after data", "rule", "a", "b", "a", "b", "c", "1")]),
}


@pytest.mark.parametrize("case", CHAINS)
def test_chains(case: str) -> None:
    """A chain goes from the rule to the document, the package and the packages above, across modules."""
    name, x, own = CHAINS[case]
    engine = Engine.from_sources({"main.rego": MAIN, "other.rego": OTHER, "above.rego": ABOVE})
    assert engine.eval(f"data.a.b.{name}", {"x": x}) == own + AROUND


def test_a_rule_without_annotations() -> None:
    """Without any the chain is the path, the metadata of the rule are empty, and a query has neither."""
    engine = Engine.from_sources({"a.rego": "package a\np := rego.metadata.chain()\nr := rego.metadata.rule()"})
    assert engine.eval("data.a") == {"p": [{"path": ["a", "p"]}], "r": {}}
    assert engine.eval("rego.metadata.chain()") == []
