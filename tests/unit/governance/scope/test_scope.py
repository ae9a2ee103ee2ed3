"""What authorities admit, which contains which, and how they are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from procurator.governance.scope.authority import (
    Authority,
    Effective,
    Refusal,
    Widening,
    amount_of,
    audience_contains,
    budget_contains,
    contains,
    expiry_contains,
    widening,
)
from procurator.governance.scope.authorization_details import (
    ScopeError,
    authority_from_json,
    authority_to_json,
    budget_from_json,
    constraint_from_json,
)

DATA = {"constraint_type": "subpath", "root": "/data"}
REPORTS = {"constraint_type": "pattern", "pattern": "/data/reports/**"}
FEW = {"constraint_type": "range", "min": 1, "max": 10}
ANYTHING = {"constraint_type": "wildcard"}
FILE = "/data/reports/q3.csv"


def entry(tools: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
    """`authorization_details` with one entry."""
    return [{"type": "attenuating_agent_token", "tools": tools, **members}]


def authority(tools: dict[str, Any], **members: Any) -> Authority:
    """The authority of that."""
    return authority_from_json(entry(tools, **members))


READER = authority(
    {
        "read_file": {"path": DATA, "limit": FEW | {"optional": True}},
        "now": {},
        "ping": {"*": ANYTHING, "host": ANYTHING},
    },
    operations={"read_file": ["read"], "now": ["read", "execute"]},
    resources={"read_file": ["/data/**", "s3://bucket/*"]},
    closed=["now"],
)

REFUSED: list[tuple[tuple[str, str, str | None, dict[str, Any]], Refusal | None]] = [
    (("read_file", "read", FILE, {"path": FILE}), None),
    (("read_file", "read", "s3://bucket/a", {"path": FILE, "limit": 10}), None),
    (("now", "execute", None, {}), None),
    (("now", "read", "anything", {}), None),
    (("ping", "delegate", None, {"host": None, "more": [1]}), None),
    (
        ("write_file", "read", FILE, {"path": FILE}),
        Refusal("tool_not_allowed", "write_file", "tool `write_file` is not granted"),
    ),
    (
        ("Read_file", "read", FILE, {"path": FILE}),
        Refusal("tool_not_allowed", "Read_file", "tool `Read_file` is not granted"),
    ),
    (
        ("read_file", "write", FILE, {"path": FILE}),
        Refusal("operation_not_allowed", "write", "operation `write` is not granted"),
    ),
    (
        ("read_file", "", FILE, {"path": FILE}),
        Refusal("operation_not_allowed", "", "operation `` is not granted"),
    ),
    (
        ("read_file", "read", None, {"path": FILE}),
        Refusal("resource_not_allowed", "", "the call names no resource"),
    ),
    (
        ("read_file", "read", "/etc", {"path": FILE}),
        Refusal("resource_not_allowed", "/etc", "resource is not granted"),
    ),
    (
        ("read_file", "read", "/data/..", {"path": FILE}),
        Refusal("resource_not_allowed", "/data/..", "resource is not granted"),
    ),
    (
        ("read_file", "read", "/data/%2e%2e/x", {"path": FILE}),
        Refusal("resource_not_allowed", "/data/%2e%2e/x", "resource holds a percent-encoded character"),
    ),
    (
        ("read_file", "read", "s3://bucket/a/b", {"path": FILE}),
        Refusal("resource_not_allowed", "s3://bucket/a/b", "resource is not granted"),
    ),
    (
        ("read_file", "read", FILE, {}),
        Refusal("argument_missing", "path", "argument `path` is missing"),
    ),
    (
        ("read_file", "read", FILE, {"path": None}),
        Refusal("constraint_not_satisfied", "path", "argument `path` does not satisfy its `subpath` constraint"),
    ),
    (
        ("read_file", "read", FILE, {"path": "/data/\x1b"}),
        Refusal("constraint_not_satisfied", "path", "argument `path` holds a control character"),
    ),
    (
        ("read_file", "read", FILE, {"path": FILE, "limit": None}),
        Refusal("constraint_not_satisfied", "limit", "argument `limit` does not satisfy its `range` constraint"),
    ),
    (
        ("read_file", "read", FILE, {"path": FILE, "limit": True}),
        Refusal("constraint_not_satisfied", "limit", "argument `limit` does not satisfy its `range` constraint"),
    ),
    (
        ("read_file", "read", FILE, {"path": FILE, "Path": FILE}),
        Refusal("unknown_field", "Path", "no argument `Path` is granted"),
    ),
    (
        ("read_file", "read", FILE, {"path": FILE, "*": 1}),
        Refusal("unknown_field", "*", "no argument `*` is granted"),
    ),
    (("now", "read", None, {"zone": "UTC"}), Refusal("unknown_field", "zone", "no argument `zone` is granted")),
    (("ping", "read", None, {"more": 1}), Refusal("argument_missing", "host", "argument `host` is missing")),
]


@pytest.mark.parametrize(("call", "wanted"), REFUSED)
def test_calls_that_are_within_an_authority_and_others(
    call: tuple[str, str, str | None, dict[str, Any]], wanted: Refusal | None
) -> None:
    """A refusal says which part of the call is outside, and why."""
    assert READER.refusal(*call) == wanted
    assert READER.admits(*call) is (wanted is None)


PARENT = {"t": {"path": DATA, "limit": FEW | {"optional": True}}}

WIDENED: list[tuple[Any, Any, Widening | None]] = [
    (PARENT, PARENT, None),
    (PARENT, {}, None),
    (PARENT, {"t": {"path": REPORTS}}, None),
    (PARENT, {"t": {"path": REPORTS, "limit": {"constraint_type": "exact", "value": 5}}}, None),
    ({"t": {}}, {"t": {"path": REPORTS}}, None),
    ({"t": {"*": ANYTHING, "path": DATA}}, {"t": {"path": DATA, "more": ANYTHING}}, None),
    ({"t": {"a": ANYTHING | {"optional": True}, "*": ANYTHING}}, {"t": {}}, None),
    (PARENT, {"u": {}}, Widening("$.tools.u", "the parent does not grant this tool")),
    (PARENT, {"t": {}}, Widening("$.tools.t.*", "the parent admits no other arguments than it names")),
    (PARENT, {"t": {"limit": FEW}}, Widening("$.tools.t.path", "the parent requires this argument")),
    (
        PARENT,
        {"t": {"path": DATA | {"optional": True}}},
        Widening("$.tools.t.path", "the parent requires this argument"),
    ),
    (
        PARENT,
        {"t": {"path": DATA, "more": ANYTHING}},
        Widening("$.tools.t.more", "the parent does not admit this argument"),
    ),
    (
        PARENT,
        {"t": {"path": {"constraint_type": "subpath", "root": "/"}}},
        Widening("$.tools.t.path", "not contained in the parent's constraint, or not known to be"),
    ),
    (
        {"t": {"*": ANYTHING, "a": FEW | {"optional": True}}},
        {"t": {}},
        Widening("$.tools.t.a", "not contained in the parent's constraint, or not known to be"),
    ),
    (
        {"t": {"*": ANYTHING, "a": ANYTHING}},
        {"t": {"*": ANYTHING, "b": ANYTHING}},
        Widening("$.tools.t.a", "the parent requires this argument"),
    ),
]


@pytest.mark.parametrize(("parent", "child", "wanted"), WIDENED)
def test_arguments_of_a_child_are_contained(parent: Any, child: Any, wanted: Widening | None) -> None:
    """Arguments may be narrowed, dropped where they are optional, and added where the parent is open."""
    assert widening(authority(parent), authority(child)) == wanted
    assert contains(authority(parent), authority(child)) is (wanted is None)


@pytest.mark.parametrize(
    ("parent", "child", "wanted"),
    [
        ({}, {}, None),
        ({}, {"operations": {"t": ["read"]}, "resources": {"t": ["/a"]}, "closed": ["t"]}, None),
        ({"operations": {"t": ["read", "write"]}}, {"operations": {"t": ["write"]}}, None),
        ({"resources": {"t": ["/a/**", "/b"]}}, {"resources": {"t": ["/b", "/a/x/*"]}}, None),
        ({"resources": {"t": ["/a"]}}, {"resources": {"t": []}}, None),
        ({"operations": {"t": ["read"]}}, {}, Widening("$.tools.t.operations", "the parent does not grant `delegate`")),
        (
            {"operations": {"t": []}},
            {"operations": {"t": ["read"]}},
            Widening("$.tools.t.operations", "the parent does not grant `read`"),
        ),
        (
            {"resources": {"t": ["**"]}},
            {},
            Widening("$.tools.t.resources", "the parent's calls must name a resource"),
        ),
        (
            {"resources": {"t": ["/a/*", "/b"]}},
            {"resources": {"t": ["/b", "/a/**"]}},
            Widening("$.tools.t.resources", "not contained in the parent's, or not known to be"),
        ),
        ({"closed": ["t"]}, {}, Widening("$.tools.t.*", "the parent admits no other arguments than it names")),
    ],
)
def test_operations_and_resources_of_a_child_are_contained(parent: Any, child: Any, wanted: Widening | None) -> None:
    """What is not limited is wider than what is."""
    assert widening(authority({"t": {}}, **parent), authority({"t": {}}, **child)) == wanted


def test_a_chain_admits_what_all_its_links_admit() -> None:
    """The first link that refuses is named; a chain of nothing allows nothing."""
    root, middle = authority({"t": {"path": DATA}, "u": {}}), authority({"t": {"path": REPORTS}})
    chain = Effective((root, middle))
    assert chain.tools == ("t",)
    assert chain.refusal("t", "read", None, {"path": FILE}) is None
    outside = Refusal(
        "constraint_not_satisfied", "path", "argument `path` does not satisfy its `pattern` constraint", 1
    )
    assert chain.refusal("t", "read", None, {"path": "/data/x"}) == outside
    assert chain.refusal("u", "read", None, {}) == Refusal("tool_not_allowed", "u", "tool `u` is not granted", 1)
    assert Effective((root, middle), nested=True).refusal("t", "read", None, {"path": "/data/x"}) == outside
    assert Effective((middle, root)).admits("t", "read", None, {"path": "/data/x"}) is False
    assert Effective(()).refusal("t", "read", None, {}) == Refusal("tool_not_allowed", "t", "the chain is empty")


MALFORMED = [
    ({}, "$: is not an array"),
    ([1], "$[0]: is not an object"),
    ([{"type": "attenuating_agent_token"}], "$[0]: has no `tools`"),
    (entry({}) * 2, "$[1]: there is more than one entry of type `attenuating_agent_token`"),
    (entry({}, invocation_constraints={}), "$[0].invocation_constraints: is not known here"),
    (entry({"t": []}), "$[0].tools.t: is not an object"),
    (entry({"t": {}}, operations={"u": ["read"]}), "$[0].operations.u: is not known here"),
    (
        entry({"t": {}}, operations={"t": ["read", "Write"]}),
        "$[0].operations.t[1]: is none of read, write, execute, delegate",
    ),
    (entry({"t": {}}, operations={"t": "read"}), "$[0].operations.t: is not an array"),
    (
        entry({"t": {}}, resources={"t": ["/a", "/a/../b"]}),
        "$[0].resources.t[1]: has a segment that no path has (empty, `.` or `..`)",
    ),
    (entry({"t": {}}, resources={"t": [None]}), "$[0].resources.t[0]: is not a string"),
    (entry({"t": {"a": FEW}}, closed=["t"]), "$[0].closed[0]: is not a tool with an empty object in `tools`"),
    (entry({"t": {"*": FEW}}), "$[0].tools.t.*: must be a `wildcard` constraint and nothing else"),
    (entry({"t": {"a": FEW | {"optional": 1}}}), "$[0].tools.t.a.optional: is not a boolean"),
    (entry({"t": {"a": {"value": 1}}}), "$[0].tools.t.a.constraint_type: is missing"),
    (
        entry({"t": {"a": {"constraint_type": "Exact", "value": 1}}}),
        "$[0].tools.t.a.constraint_type: unknown constraint type `Exact`",
    ),
    (
        entry({"t": {"a": {"constraint_type": "cel", "expression": "true"}}}),
        "$[0].tools.t.a.constraint_type: `cel` is refused: containment of programs cannot be decided",
    ),
    (entry({"t": {"a": FEW | {"step": 2}}}), "$[0].tools.t.a.step: is not known here"),
    (entry({"t": {"a": FEW | {"min": "0"}}}), "$[0].tools.t.a.min: is not a number"),
    (entry({"t": {"a": FEW | {"min": True}}}), "$[0].tools.t.a.min: is not a number"),
    (entry({"t": {"a": FEW | {"min": 11}}}), "$[0].tools.t.a: `min` is greater than `max`"),
    (
        entry({"t": {"a": {"constraint_type": "range", "min": 1, "max_inclusive": False}}}),
        "$[0].tools.t.a.max_inclusive: there is no `max`",
    ),
    (
        entry({"t": {"a": {"constraint_type": "not", "constraint": {"constraint_type": "any", "constraints": [{}]}}}}),
        "$[0].tools.t.a.constraint.constraints[0].constraint_type: is missing",
    ),
    (entry({"t": {"a": {"constraint_type": "all", "constraints": []}}}), "$[0].tools.t.a.constraints: is empty"),
    (
        entry({"t": {"a": {"constraint_type": "all", "constraints": [FEW | {"optional": True}]}}}),
        "$[0].tools.t.a.constraints[0].optional: is not known here",
    ),
    (entry({"t": {"a": {"constraint_type": "exact"}}}), "$[0].tools.t.a: has no `value`"),
    (
        entry({"t": {"a": {"constraint_type": "exact", "value": {}}}}),
        "$[0].tools.t.a.value: is not a string, number, boolean or null",
    ),
    (entry({"t": {"a": {"constraint_type": "one_of", "values": []}}}), "$[0].tools.t.a.values: is empty"),
    (entry({"t": {"a": {"constraint_type": "subpath", "root": "data"}}}), "$[0].tools.t.a: is not an absolute path"),
    (
        entry({"t": {"a": {"constraint_type": "subpath", "root": "/a/%2e"}}}),
        "$[0].tools.t.a: holds a percent-encoded character",
    ),
    (
        entry({"t": {"a": {"constraint_type": "pattern", "pattern": "/a/[b"}}}),
        "$[0].tools.t.a: has a bracket that is not closed",
    ),
    (
        entry({"t": {"a": {"constraint_type": "pattern", "pattern": "/a/{b"}}}),
        "$[0].tools.t.a: has a brace that is not closed",
    ),
    (
        entry({"t": {"a": {"constraint_type": "pattern", "pattern": "/\uff41"}}}),
        "$[0].tools.t.a: holds a character that stands for another one (changes under NFKC)",
    ),
    (
        entry({"t": {"a": {"constraint_type": "regex", "pattern": "(a"}}}),
        "$[0].tools.t.a: error parsing regexp: missing closing ): `(a`",
    ),
    (
        entry({"t": {"a": {"constraint_type": "regex", "pattern": "a(?=b)"}}}),
        "$[0].tools.t.a: error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
    ),
]


@pytest.mark.parametrize(("details", "message"), MALFORMED)
def test_a_malformed_authority_is_refused_with_its_place(details: Any, message: str) -> None:
    """Nothing unknown is passed over, and nothing is guessed."""
    with pytest.raises(ScopeError) as error:
        authority_from_json(details)
    assert str(error.value) == message


def test_constraints_may_not_nest_without_end() -> None:
    """Thirty-two are fine, one more is not."""
    nested: dict[str, Any] = FEW
    for _ in range(31):
        nested = {"constraint_type": "not", "constraint": nested}
    assert constraint_from_json(nested).admits("x") is True
    with pytest.raises(ScopeError, match="nested more than 32 deep"):
        constraint_from_json({"constraint_type": "not", "constraint": nested})


def test_entries_of_other_types_give_no_authority() -> None:
    """They are passed over, as AAT wants; without an entry of ours nothing is granted."""
    assert authority_from_json([{"type": "other", "tools": {"t": {}}}]) == Authority({})
    assert authority_from_json([{"type": "other"}, *entry({})]) == Authority({})


def test_an_authority_is_written_as_it_is_read() -> None:
    """With all that it can have."""
    details = entry(
        {
            "read": {"path": DATA, "limit": FEW | {"optional": True}},
            "now": {},
            "any": {},
            "open": {"a": FEW, "*": ANYTHING},
        },
        closed=["now"],
        operations={"read": ["read", "write"], "now": []},
        resources={"read": ["/data/**"], "any": []},
    )
    assert authority_to_json(authority_from_json(details)) == details


BUDGETS: list[tuple[Any, Any, bool]] = [
    ({"eur": "10.00", "tokens": 5}, {"eur": 10, "tokens": 5}, True),
    ({"eur": "10.00", "tokens": 5}, {"eur": "9.999999999999999999999"}, True),
    ({"eur": "10"}, {"eur": "10.000000000000000000000001"}, False),
    ({"eur": 10}, {"usd": 1}, False),
    ({"eur": 10}, {"eur": 1, "usd": 0}, False),
    ({"eur": 10}, {}, True),
    ({}, {"eur": 0}, False),
]


@pytest.mark.parametrize(("parent", "child", "wanted"), BUDGETS)
def test_a_budget_is_never_larger(parent: Any, child: Any, wanted: bool) -> None:
    """Unit by unit, exactly; a unit that is not named is one of which nothing may be spent."""
    assert budget_contains(budget_from_json(parent), budget_from_json(child)) is wanted
    assert budget_contains(None, budget_from_json(child)) is True
    assert budget_contains(budget_from_json(parent), None) is False


@pytest.mark.parametrize(
    "amount", [1.0, -1, True, None, "1e3", "-1", "+1", "", ".5", "1.", "NaN", Decimal("NaN"), "\u0661"]
)
def test_an_amount_is_exact_and_not_negative(amount: Any) -> None:
    """Floats, signs, exponents and digits of other scripts are refused."""
    with pytest.raises(ScopeError) as error:
        budget_from_json({"eur": amount})
    assert str(error.value) == "$.eur: is no amount: an integer or a decimal text is wanted"


def test_amounts_keep_their_digits() -> None:
    """Integers stay integers, texts become decimals."""
    assert [amount_of(value) for value in (0, 10**30, "0.10", Decimal("0.1"))] == [
        0,
        10**30,
        Decimal("0.10"),
        Decimal("0.1"),
    ]


def test_an_audience_is_never_wider() -> None:
    """None is everybody, an empty audience nobody, and a text is one name, not its letters."""
    assert audience_contains(None, None) is True
    assert audience_contains(None, "a") is True
    assert audience_contains(["a", "b"], "b") is True
    assert audience_contains(["a", "b"], ["b", "a"]) is True
    assert audience_contains("ab", []) is True
    assert audience_contains("ab", None) is False
    assert audience_contains("ab", "a") is False
    assert audience_contains("ab", ["a", "b"]) is False
    assert audience_contains("a", ["a", "b"]) is False


def test_a_child_never_outlives_its_parent() -> None:
    """Seconds are exact numbers; a bool is none."""
    assert expiry_contains(100, 100) is True
    assert expiry_contains(100, Decimal("99.5")) is True
    assert expiry_contains(100, 101) is False
    assert expiry_contains(100, Decimal("100.1")) is False
    assert expiry_contains(100, True) is False
