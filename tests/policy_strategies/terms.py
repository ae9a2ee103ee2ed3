"""Terms, drawn at random over what is bound and defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from policy_strategies.draft import KEYS, Draft, Scope

Maker = Callable[[Draft, Scope, int], str]


def term(draft: Draft, scope: Scope, kind: str, depth: int) -> str:
    """A term of a rough type, or one that may turn out to be of any."""
    if draft.chance(4) and kind != "opaque":
        kind = "any"
    makers = LEAVES[kind] if depth <= 0 else (*LEAVES[kind], *TERMS[kind])
    return draft.pick(makers)(draft, scope, depth - 1)


# Leaves


def variable_of(*kinds: str) -> Maker:
    def make(draft: Draft, scope: Scope, depth: int) -> str:
        names = scope.of(*kinds)
        return draft.pick(names) if names else LEAVES[kinds[0]][0](draft, scope, depth)

    return make


def constant_of(kind: str) -> Maker:
    return lambda draft, _scope, _depth: draft.constant(kind)


def path(draft: Draft, scope: Scope, _depth: int) -> str:
    """A reference into the input or base documents."""
    root = draft.pick(("input", "input", "data.base"))
    # What `with` puts below a name is an object to the checks, so that what follows a root is a name.
    keys = [
        draft.pick((".a", ".b", ".a", ".c", '["b"]')),
        *[key(draft, scope) for _ in range(draft.pick((0, 0, 1, 2)))],
    ]
    return root + "".join(keys)


def key(draft: Draft, scope: Scope) -> str:
    """A key of a reference; a bound variable now and then."""
    names = scope.of("any", "opaque", "string", "number")
    if names and draft.chance(3):
        return f"[{draft.pick(names)}]"
    return draft.pick((".a", ".b", ".c", "[0]", "[1]", '["a"]'))


def document(draft: Draft, scope: Scope, depth: int) -> str:
    """A rule, or what is in it."""
    rules = draft.documents()
    if not rules:
        return path(draft, scope, depth)
    rule = draft.pick(rules)
    names = scope.of("any")
    return f"{rule.name}[{draft.pick(names)}]" if names and rule.kind == "open" and draft.chance(2) else rule.name


def document_of(kind: str) -> Maker:
    def make(draft: Draft, scope: Scope, _depth: int) -> str:
        rules = [rule.name for rule in draft.documents() if rule.kind == kind]
        return draft.pick(rules) if rules else term(draft, scope, kind, 0)

    return make


def call(draft: Draft, scope: Scope, depth: int) -> str:
    """A call of a function that rules define."""
    functions = draft.functions()
    if not functions:
        return path(draft, scope, depth)
    function = draft.pick(functions)
    args = [
        term(draft, scope, draft.pick(("any", "any", "number", "opaque")), depth) for _ in range(function.arity or 0)
    ]
    return f"{function.name}({', '.join(args)})"


# Terms of more than one part


def form(text: str, *kinds: str) -> Maker:
    """A text with a term of each of these types in it."""

    def make(draft: Draft, scope: Scope, depth: int) -> str:
        return text.format(*[term(draft, scope, kind, depth) for kind in kinds])

    return make


def array(draft: Draft, scope: Scope, depth: int) -> str:
    return f"[{items(draft, scope, depth)}]"


def items(draft: Draft, scope: Scope, depth: int) -> str:
    return ", ".join(term(draft, scope, "opaque", depth) for _ in range(draft.count(0, 3)))


def set_term(draft: Draft, scope: Scope, depth: int) -> str:
    inner = items(draft, scope, depth)
    return f"{{{inner}}}" if inner else "set()"


def object_term(draft: Draft, scope: Scope, depth: int) -> str:
    names = KEYS[: draft.count(0, 2)]
    return "{" + ", ".join(f'"{name}": {term(draft, scope, "opaque", depth)}' for name in names) + "}"


def comprehension(text: str) -> Maker:
    """`[{0} | …]`, with one term for each place."""

    def make(draft: Draft, scope: Scope, depth: int) -> str:
        inner = scope.nested()
        lines = draft.body(draft, inner, depth, 2)
        heads = [term(draft, inner, "opaque", 0) for _ in range(text.count("{}"))]
        return text.format(*heads).replace("BODY", "; ".join(lines))

    return make


def template(draft: Draft, scope: Scope, depth: int) -> str:
    return f'$"x{{{term(draft, scope, "opaque", depth)}}}y"'


LEAVES: Mapping[str, Sequence[Maker]] = {
    "any": (path, path, variable_of("any")),
    "number": (constant_of("number"), constant_of("number"), variable_of("number")),
    "string": (constant_of("string"), variable_of("string")),
    "boolean": (constant_of("boolean"), variable_of("boolean")),
    "array": (array, variable_of("array")),
    "object": (object_term, document_of("object"), variable_of("object")),
    "set": (set_term, document_of("set"), variable_of("set")),
    "opaque": (
        constant_of("opaque"),
        path,
        document,
        variable_of("opaque", "any", "number", "string", "boolean", "array", "object", "set"),
        variable_of("any", "opaque"),
    ),
}

TERMS: Mapping[str, Sequence[Maker]] = {
    "any": (
        form("object.get({}, {}, null)", "any", "opaque"),
        form("json.unmarshal(json.marshal({}))", "opaque"),
    ),
    "number": (
        form("count({})", "any"),
        form("count({})", "array"),
        form("sum({})", "any"),
        form("({} + {})", "number", "number"),
        form("({} - {})", "number", "number"),
        form("({} / {})", "number", "number"),
        form("to_number({})", "any"),
        form("abs({})", "number"),
    ),
    "string": (
        form("upper({})", "string"),
        form("type_name({})", "opaque"),
        form('concat("-", {})', "any"),
        form('sprintf("%v.%d", [{}, {}])', "opaque", "number"),
        form("json.marshal({})", "opaque"),
        template,
    ),
    "boolean": (
        form("({} == {})", "any", "opaque"),
        form("({} in {})", "opaque", "any"),
        form("is_string({})", "opaque"),
        form("startswith({}, {})", "string", "string"),
        form('regex.match("^a", {})', "string"),
    ),
    "array": (
        array,
        comprehension("[{} | BODY]"),
        form("array.concat({}, {})", "array", "any"),
        form('split({}, "b")', "string"),
        form("sort({})", "any"),
        form("numbers.range(0, {})", "number"),
    ),
    "object": (
        object_term,
        comprehension("{{{}: {} | BODY}}"),
        form("object.union({}, {})", "object", "any"),
    ),
    "set": (
        set_term,
        comprehension("{{{} | BODY}}"),
        form("({} | {})", "set", "set"),
        form("({} & {})", "set", "set"),
        form("object.keys({})", "any"),
    ),
    "opaque": (call, array, object_term, template, comprehension("[{} | BODY]"), comprehension("{{{} | BODY}}")),
}
