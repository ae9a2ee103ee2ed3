"""Rules of every kind, drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policy_strategies.draft import Draft, RuleName, Scope
from policy_strategies.terms import term

DEPTH = 2
VALUES = ("opaque", "any", "number", "string", "array", "object", "set", "boolean")

Maker = Callable[[Draft], list[str]]


def add_rule(draft: Draft) -> list[str]:
    """The text of a rule with all its definitions; later rules may refer to it."""
    return draft.pick(KINDS)(draft)


def braced(lines: Sequence[str]) -> str:
    """A body as source."""
    return "{\n" + "".join(f"\t{line}\n" for line in lines) + "}"


def body(draft: Draft, scope: Scope) -> str:
    return braced(draft.body(draft, scope, DEPTH, 4))


# Complete documents


def condition(draft: Draft) -> list[str]:
    name = draft.fresh("r")
    texts = [f"{name} if {body(draft, Scope())}" for _ in range(draft.count(1, 3))]
    if draft.chance(3):
        texts.append(f"default {name} := false")
    draft.rules.append(RuleName(name, "boolean"))
    return texts


def complete(draft: Draft) -> list[str]:
    name, kind = draft.fresh("r"), draft.pick(VALUES)
    texts = []
    for _ in range(draft.pick((1, 1, 2))):
        scope = Scope()
        lines = body(draft, scope)
        texts.append(f"{name} := {value_of(draft, scope, kind)} if {lines}")
    if draft.chance(3):
        texts.append(f"default {name} := {draft.constant('opaque')}")
    draft.rules.append(RuleName(name, "opaque"))
    return texts


def value_of(draft: Draft, scope: Scope, kind: str) -> str:
    """The value of a rule: constants agree more often than computed ones."""
    return draft.constant("boolean") if draft.chance(3) else term(draft, scope, kind, 1)


def constant(draft: Draft) -> list[str]:
    name, kind = draft.fresh("r"), draft.pick(VALUES)
    text = f"{name} := {term(draft, Scope(), kind, DEPTH)}"
    draft.rules.append(RuleName(name, "opaque"))
    return [text]


def chain(draft: Draft) -> list[str]:
    """A rule with `else`."""
    name = draft.fresh("r")
    text = otherwise(draft, name, {})
    draft.rules.append(RuleName(name, "opaque"))
    return [text]


def otherwise(draft: Draft, head: str, names: dict[str, str]) -> str:
    branches = []
    for _ in range(draft.count(2, 3)):
        scope = Scope(dict(names))
        lines = body(draft, scope)
        branches.append(f":= {value_of(draft, scope, 'opaque')} if {lines}")
    return f"{head} " + " else ".join(branches)


# Partial documents


def partial_set(draft: Draft) -> list[str]:
    name, kind = draft.fresh("r"), draft.pick(VALUES)
    texts = []
    for _ in range(draft.count(1, 2)):
        scope = Scope()
        lines = body(draft, scope)
        texts.append(f"{name} contains {term(draft, scope, kind, 1)} if {lines}")
    draft.rules.append(RuleName(name, "set"))
    return texts


def partial_object(draft: Draft) -> list[str]:
    name = draft.fresh("r")
    texts = []
    for _ in range(draft.count(1, 2)):
        scope = Scope()
        lines = body(draft, scope)
        texts.append(f"{name}[{head_key(draft, scope)}] := {term(draft, scope, 'opaque', 1)} if {lines}")
    draft.rules.append(RuleName(name, "open"))
    return texts


def head_key(draft: Draft, scope: Scope) -> str:
    names = scope.of("any", "opaque", "string")
    return draft.pick(names) if names else draft.constant("string")


def general(draft: Draft) -> list[str]:
    """Rules at paths below one name, some of which are known only when they hold."""
    name = draft.fresh("r")
    texts = []
    for _ in range(draft.count(1, 3)):
        scope = Scope()
        lines = body(draft, scope)
        shape = draft.pick(PATHS)
        below = shape.format(*[head_key(draft, scope) for _ in range(shape.count("{}"))])
        end = draft.pick((":=", ":=", "contains"))
        texts.append(f"{name}{below} {end} {term(draft, scope, 'opaque', 1)} if {lines}")
    draft.rules.append(RuleName(name, "open"))
    return texts


PATHS = (".a.b", "[{}].b", ".a[{}]", "[{}][{}]", "[{}].a[{}]", ".b[{}].c")


# Functions


def function(draft: Draft) -> list[str]:
    name, arity = draft.fresh("f"), draft.count(1, 2)
    texts = []
    for _ in range(draft.count(1, 3)):
        scope = Scope()
        head = f"{name}({', '.join(parameter(draft, scope) for _ in range(arity))})"
        if draft.chance(4):
            texts.append(otherwise(draft, head, scope.names))
        elif draft.chance(4):
            texts.append(f"{head} if {body(draft, scope)}")
        else:
            lines = body(draft, scope)
            texts.append(f"{head} := {term(draft, scope, 'opaque', 1)} if {lines}")
    if draft.chance(4):
        texts.append(f"default {name}({', '.join('_' * arity)}) := {draft.constant('opaque')}")
    draft.rules.append(RuleName(name, "opaque", arity))
    return texts


def parameter(draft: Draft, scope: Scope) -> str:
    shape = draft.pick(("{}", "{}", "{}", "{}", "_", "1", '"a"', "[{}, {}]", '{{"a": {}}}'))
    names = [draft.fresh() for _ in range(shape.count("{}"))]
    scope.names.update(dict.fromkeys(names, "any"))
    return shape.format(*names)


KINDS: Sequence[Maker] = (
    condition,
    complete,
    partial_set,
    partial_object,
    function,
    chain,
    general,
    constant,
)
