"""Lines of bodies, drawn at random: what they bind is in the scope afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policy_strategies.draft import Draft, RuleName, Scope
from policy_strategies.terms import document, path, term

Line = Callable[[Draft, Scope, int], list[str]]

VALUES = ("any", "any", "number", "string", "array", "object", "set", "boolean", "opaque")
COMPARABLE = ("any", "any", "number", "string", "opaque")


def body(draft: Draft, scope: Scope, depth: int, most: int) -> list[str]:
    """The lines of a body."""
    lines: list[str] = []
    for _ in range(draft.count(1, most)):
        lines += draft.pick(LINES if depth > 0 else SHORT)(draft, scope, depth - 1)
    return lines


def bind(draft: Draft, scope: Scope, kind: str = "any") -> str:
    """A new variable."""
    name = draft.fresh()
    scope.names[name] = kind
    return name


def collection(draft: Draft, scope: Scope, depth: int) -> tuple[str, str]:
    """A collection, and the rough type of its members."""
    kind = draft.pick(("any", "any", "any", "array", "set", "object", "rule"))
    if kind == "rule":
        return document(draft, scope, depth), "opaque"
    return term(draft, scope, kind, depth), "any" if kind == "any" else "opaque"


# Binding


def assign(draft: Draft, scope: Scope, depth: int) -> list[str]:
    kind = draft.pick(VALUES)
    value = term(draft, scope, kind, depth)
    return [f"{bind(draft, scope, kind)} := {value}"]


PATTERNS = ("[{}, {}]", "[{}]", "[{}, _]", '{{"a": {}}}', '{{"a": {}, "b": {}}}', "[[{}], {}]")
TESTING_PATTERNS = (*PATTERNS, "[{}, 1]", '{{"a": {}, "b": "a"}}')


def pattern(draft: Draft, scope: Scope, shapes: Sequence[str] = TESTING_PATTERNS) -> str:
    """A pattern with new variables in it."""
    shape = draft.pick(shapes)
    return shape.format(*[bind(draft, scope) for _ in range(shape.count("{}"))])


def destructure(draft: Draft, scope: Scope, depth: int) -> list[str]:
    value = term(draft, scope, "any", depth)
    if draft.chance(2):
        return [f"{pattern(draft, scope, PATTERNS)} := {value}"]
    return [f"{pattern(draft, scope)} = {value}"]


def unify(draft: Draft, scope: Scope, depth: int) -> list[str]:
    known, value = term(draft, scope, "opaque", depth), term(draft, scope, "any", depth)
    name = bind(draft, scope)
    shapes = (
        f"{name} = {value}",
        f"{value} = {name}",
        f"[{name}, {known}] = {value}",
        f"[{known}, {name}] = [{known}, {value}]",
    )
    return [draft.pick(shapes)]


def some_in(draft: Draft, scope: Scope, depth: int) -> list[str]:
    members, kind = collection(draft, scope, depth)
    if draft.chance(4) and kind == "any":
        return [f"some {pattern(draft, scope)} in {members}"]
    key = f"{bind(draft, scope, kind)}, " if draft.chance(2) else ""
    return [f"some {key}{bind(draft, scope, kind)} in {members}"]


def some_declared(draft: Draft, scope: Scope, depth: int) -> list[str]:
    source = path(draft, scope, depth)
    key, value = bind(draft, scope), bind(draft, scope)
    return [f"some {key}, {value}", f"{value} = {source}[{key}]"]


def iterate(draft: Draft, scope: Scope, depth: int) -> list[str]:
    """A reference whose keys are found by looking."""
    source = draft.pick((path, path, document))(draft, scope, depth)
    kind = "any" if source.startswith(("input", "data.base")) else "opaque"
    key = "[_]" if draft.chance(2) else f"[{bind(draft, scope, kind)}]"
    below = draft.pick(("", "", "[_]", ".a")) if kind == "any" else ""
    return [f"{bind(draft, scope, kind)} = {source}{key}{below}"]


def walk(draft: Draft, scope: Scope, depth: int) -> list[str]:
    value = term(draft, scope, "any", depth)
    return [f"walk({value}, [{bind(draft, scope, 'opaque')}, {bind(draft, scope)}])"]


# Testing


def compare(draft: Draft, scope: Scope, depth: int) -> list[str]:
    left = term(draft, scope, draft.pick(COMPARABLE), depth)
    operator = draft.pick(("==", "!=", "<", "<=", ">", ">="))
    # Equality of two types that have nothing in common is a mistake.
    right = term(draft, scope, "any" if operator in ("==", "!=") else "opaque", depth)
    return [f"{left} {operator} {right}"]


def equals(draft: Draft, scope: Scope, depth: int) -> list[str]:
    """The commonest line of all: a look-up and a constant."""
    return [f"{path(draft, scope, depth)} == {draft.constant('opaque')}"]


def truth(draft: Draft, scope: Scope, depth: int) -> list[str]:
    return [term(draft, scope, draft.pick(("any", "boolean", "number")), depth)]


def rule(draft: Draft, scope: Scope, depth: int) -> list[str]:
    return [document(draft, scope, depth)]


def member(draft: Draft, scope: Scope, depth: int) -> list[str]:
    item = term(draft, scope, "opaque", depth)
    members, _ = collection(draft, scope, depth)
    return [f"{item} in {members}"]


def keyed_member(draft: Draft, scope: Scope, depth: int) -> list[str]:
    members, _ = collection(draft, scope, depth)
    key, item = term(draft, scope, "opaque", 0), term(draft, scope, "opaque", depth)
    return [f"{key}, {item} in {members}"]


TESTS: Sequence[Line] = (equals, compare, truth, rule, member)


def negated(draft: Draft, scope: Scope, depth: int) -> list[str]:
    if draft.logical and draft.chance(2):
        return [f"not {block(draft, scope, depth)}"]
    [line] = draft.pick(TESTS)(draft, scope, depth)
    return [f"not {line}"]


def block(draft: Draft, scope: Scope, depth: int, first: Sequence[str] = ()) -> str:
    """A body in braces with a scope of its own."""
    lines = [*first, *draft.body(draft, scope.nested(), depth, 2)]
    return "{ " + "; ".join(lines) + " }"


def every(draft: Draft, scope: Scope, depth: int) -> list[str]:
    members, kind = collection(draft, scope, depth)
    inner = scope.nested()
    names = [bind(draft, inner, kind) for _ in range(draft.count(1, 2))]
    # A variable that the body does not use is a mistake.
    uses = [f"{name} {draft.pick(('!=', '<=', '=='))} {term(draft, scope, 'opaque', 0)}" for name in names]
    return [f"every {', '.join(names)} in {members} {block(draft, inner, depth, uses)}"]


def logical(draft: Draft, scope: Scope, depth: int) -> list[str]:
    if not draft.logical:
        return compare(draft, scope, depth)
    sides = []
    for _ in range(2):
        if draft.chance(2):
            sides.append(block(draft, scope, depth))
        else:
            sides += draft.pick(TESTS)(draft, scope, depth)
    return [f"{sides[0]} {draft.pick(('or', 'and'))} {sides[1]}"]


def printed(draft: Draft, scope: Scope, depth: int) -> list[str]:
    return [f"print({term(draft, scope, 'opaque', depth)}, {path(draft, scope, depth)})"]


# Modifiers


def modified(draft: Draft, scope: Scope, depth: int) -> list[str]:
    """A line in which something is replaced."""
    modifiers = [draft.pick(MODIFIERS)(draft, scope, depth) for _ in range(draft.pick((1, 1, 2)))]
    line = draft.pick((assign, compare, rule, rule, member, negated))
    [text] = line(draft, scope, depth)
    return [" ".join((text, *modifiers))]


def with_input(draft: Draft, scope: Scope, depth: int) -> str:
    below = draft.pick(("", ".a", ".b", ".a.b", ".c"))
    value = term(draft, scope, draft.pick(("any", "object", "opaque")), depth)
    return f"with input{below} as {value}"


def with_data(draft: Draft, scope: Scope, depth: int) -> str:
    below = draft.pick(("", ".a", ".b", ".a.b"))
    return f"with data.base{below} as {term(draft, scope, draft.pick(('any', 'object', 'opaque')), depth)}"


def with_rule(draft: Draft, scope: Scope, depth: int) -> str:
    rules = [one for one in draft.documents() if one.kind != "open"]
    if not rules:
        return with_input(draft, scope, depth)
    return f"with {replaceable(draft.pick(rules))} as {term(draft, scope, draft.pick(('any', 'opaque')), depth)}"


def replaceable(one: RuleName) -> str:
    return one.name if one.name.startswith("data.") else f"data.t.{one.name}"


MOCKS = (("count", 1), ("upper", 1), ("type_name", 1), ("to_number", 1), ("startswith", 2))


def with_function(draft: Draft, scope: Scope, _depth: int) -> str:
    own = [(replaceable(one), one.arity) for one in draft.functions()]
    name, arity = draft.pick((*own, *MOCKS))
    others = [other for other, other_arity in (*own, *MOCKS) if other_arity == arity and other != name]
    if others and draft.chance(2):
        return f"with {name} as {draft.pick(others)}"
    return f"with {name} as {term(draft, scope, draft.pick(('any', 'opaque')), 0)}"


MODIFIERS = (with_input, with_input, with_data, with_rule, with_function)

SHORT: Sequence[Line] = (equals, compare, truth, member, assign, iterate, some_in)

LINES: Sequence[Line] = (
    equals,
    compare,
    assign,
    some_in,
    rule,
    iterate,
    member,
    keyed_member,
    negated,
    unify,
    destructure,
    truth,
    some_declared,
    every,
    modified,
    modified,
    logical,
    walk,
    printed,
)
