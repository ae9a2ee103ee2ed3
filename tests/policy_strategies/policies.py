"""Whole policies with data, inputs and queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from policy_strategies.draft import Draft, RuleName, Scope, documents, objects
from policy_strategies.lines import body
from policy_strategies.rules import add_rule
from policy_strategies.terms import term

PACKAGE = "t"


@dataclass(frozen=True, slots=True)
class Policy:
    """Modules and what to ask of them.

    Attributes:
        modules: the texts; their packages are `t` and `t.sub`.
        data: the base documents, all below `base`.
        inputs: input documents.
        queries: whole queries, whose values are in variables.
    """

    modules: tuple[str, ...]
    data: dict[str, Any]
    inputs: tuple[Any, ...]
    queries: tuple[str, ...]

    def renamed(self, suffix: str) -> Policy:
        """The same policy with names of its own for its packages and its data."""

        def change(text: str) -> str:
            text = re.sub(r"^package t\b", f"package t{suffix}", text)
            return re.sub(r"\bdata\.(t|base)\b", rf"data.\g<1>{suffix}", text)

        data = {f"{name}{suffix}": value for name, value in self.data.items()}
        return Policy(tuple(map(change, self.modules)), data, self.inputs, tuple(map(change, self.queries)))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies that mostly pass the checks."""
    draft = Draft(draw, body)
    modules = []
    if draft.chance(4):
        modules.append(_module(draft, "t.sub", 2))
        draft.rules = [RuleName(f"data.t.sub.{rule.name}", rule.kind, rule.arity) for rule in draft.rules]
    modules.append(_module(draft, PACKAGE, 5))
    data = {"base": draw(objects())}
    inputs = tuple(draw(objects() if not draft.chance(8) else documents()) for _ in range(2))
    return Policy(tuple(modules), data, inputs, tuple(_queries(draft)))


def _module(draft: Draft, package: str, most: int) -> str:
    draft.logical = draft.chance(3)
    rules = [text for _ in range(draft.count(1, most)) for text in add_rule(draft)]
    imports = ["import rego.v2"] if draft.logical else []
    return "\n\n".join((f"package {package}", *imports, *rules)) + "\n"


def _replaced(draft: Draft) -> str:
    target = draft.pick(("input.a", "input", "data.base.a", "data.base", "count"))
    return f"with {target} as {_outside(draft)}"


def _outside(draft: Draft) -> str:
    """A term for a query, which names rules by their whole path."""
    text = term(draft, Scope(), draft.pick(("any", "opaque")), 0)
    return re.sub(r"(?<![.\w])[rf]\d+", lambda found: f"data.t.{found[0]}", text)


def _queries(draft: Draft) -> Sequence[str]:
    queries = ["x = data.t", draft.pick(("y = data.t[x]", "y = data.t[x][z]", f"x = data.t {_replaced(draft)}"))]
    for rule in draft.rules:
        name = rule.name if rule.name.startswith("data.") else f"data.t.{rule.name}"
        if rule.arity is not None:
            args = ", ".join(_outside(draft) for _ in range(rule.arity))
            queries.append(f"x = {name}({args})")
        else:
            queries.append(f"x = {name}")
            if draft.chance(4):
                queries.append(f"x = {name} {_replaced(draft)}")
            if rule.kind in ("set", "open"):
                queries.append(draft.pick((f"{name}[x]", f"y = {name}[x]", f'x = {name}["a"]')))
    return queries
