"""What the passes make of policies: which units remain, which look-ups are shared, which rules become a table."""

import random
from typing import Any

import pytest

from procurator import UNDEFINED, Engine, Set
from procurator.compile.plan import Unit


def units_of(policy: str, term: str = "data.t.p", *, strict: bool = False) -> dict[str, Unit]:
    """The units of a term's program after all passes, by the last name of their path."""
    engine = Engine.from_sources({"t.rego": f"package t\n{policy}"}, strict_builtin_errors=strict)
    units = engine.compiled(term, as_term=True).program.units
    return {key.path[-1]: unit for key, unit in units.items()}


@pytest.mark.parametrize(
    ("policy", "remaining"),
    [
        ("p if q\nq if input.x", {"p"}),
        ("p if q\nq if input.x\nq if input.y", {"p"}),
        ("p if not q\nq if input.x", {"p"}),
        ("p if q\nq if r\nr if input.x == 1", {"p"}),
        ("p if { some x in s; x == input.x }\ns contains y if some y in input.ys", {"p"}),
        ("p if s[input.x]\ns contains y if some y in input.ys", {"p"}),
        # The order or the repetition of members could be seen.
        ("p := [x | some x in s]\ns contains y if some y in input.ys", {"p", "s"}),
        # A value is wanted, not only whether there is one.
        ("p := q\nq := input.x", {"p", "q"}),
        ("p if { x := q; x == 2 }\nq := 1 if input.x\nq := 2 if input.y", {"p", "q"}),
        # Read twice: computed once.
        ("p if { count(s) > 1; some x in s; x == 1 }\ns contains y if some y in input.ys", {"p", "s"}),
        ("p if q\nq := false if input.x\nq if input.y", {"p", "q"}),
    ],
)
def test_conditions_and_sets_are_written_where_they_are_read(policy: str, remaining: set[str]) -> None:
    assert set(units_of(policy)) == remaining


@pytest.mark.parametrize(
    ("policy", "shared"),
    [
        ("p if input.a == 1", 0),
        ('p if { input.a == 1; input.a.b == "x" }', 0),
        ('p if input.a.b == "x"\np if input.a.b == "y"', 1),
        ("p if { some x in input.xs; x == input.a }", 1),
        ("p if { some x in input.xs; some y in data.ys[input.a]; x == y }", 2),
        ("p if { some x in input.xs; not x == input.a }", 1),
    ],
)
def test_look_ups_that_are_used_again_are_shared(policy: str, shared: int) -> None:
    assert len(units_of(policy)["p"].shared) == shared


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ('p if input.a == "%d"', ["equal"]),
        ("p if input.a == %d", ["equal"]),
        ('p contains "%d" if input.a == "x%d"', ["equal"]),
        ('p := "%d" if input.a == "x%d"', ["equal"]),
        ('p if input.a in {"%d", "x%d"}', ["member"]),
        ("p if { input.a >= %d0; input.a < %d5 }", ["range"]),
        ('p if startswith(input.a, "/%d/")', ["prefix"]),
        ('p if { startswith(input.a, "/%d/"); input.b == "%d" }', ["equal"]),
        ('p[k] := %d if { input.a == "%d"; some k in input.ks }', ["equal"]),
        # Nothing to tell the rules apart by.
        ("p if input.a != %d", []),
        ("p if input.a > %d", []),
    ],
)
def test_rules_of_one_shape_become_a_table(lines: str, kinds: list[str]) -> None:
    policy = "\n".join(lines.replace("%d", str(number)) for number in range(1, 11))
    unit = units_of(policy)["p"]
    assert [test.kind for family in unit.families for test in family.tests] == kinds
    assert len(unit.definitions) == (0 if kinds else 10)


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ("p if { input.a >= %d0; input.a < %d5 }", ["range"]),
        ("p if { input.a >= %d0; input.a < %d5; to_number(input.b) == 1 }", ["range"]),
        ('p if { "x%d" in input.as; input.b == 1 }', ["holds"]),
        ('p if input.as[_] == "x%d"', ["holds"]),
        ("p if { to_number(input.b) == 1; input.a >= %d0; input.a < %d5 }", []),
        ("p if { input.a >= %d0; to_number(input.b) == 1; input.a < %d5 }", []),
        ("p if { q(input.b) == 1; input.a >= %d0; input.a < %d5 }", []),
        ('p if { not endswith(input.b, "y"); "x%d" in input.as }', []),
    ],
)
def test_a_table_leaves_out_no_rule_that_could_fail_before(lines: str, kinds: list[str]) -> None:
    """Where errors of built-ins count."""
    policy = "\n".join(["q(x) := to_number(x)", *(lines.replace("%d", str(number)) for number in range(1, 11))])
    assert [test.kind for family in units_of(policy, strict=True)["p"].families for test in family.tests] == kinds


VALUES: list[Any] = [
    0,
    1,
    3,
    3.0,
    35,
    35.5,
    50,
    True,
    False,
    None,
    "",
    "1",
    "x3",
    "/3/",
    "/3/a",
    "/33/",
    [3],
    {},
    UNDEFINED,
]


@pytest.mark.parametrize(
    "line",
    [
        "p contains %d if input.a == %d",
        'p contains %d if input.a == "x%d"',
        "p contains %d if input.a in {%d, %d0, true}",
        "p contains %d if { input.a >= %d0; input.a < %d5 }",
        "p contains %d if { input.a > %d0; input.a <= %d5 }",
        "p contains %d if { %d0 <= input.a; %d5 > input.a }",
        'p contains %d if startswith(input.a, "/%d")',
        "p contains %d if { input.a >= %d; input.a < 40 }",
    ],
)
def test_a_table_finds_what_the_rules_would(line: str) -> None:
    numbers = list(range(1, 12))
    random.Random(7).shuffle(numbers)
    table = "\n".join(line.replace("%d", str(number)) for number in numbers)
    # One at a time there is no second rule to make a table with.
    single = [Engine.from_sources({"t.rego": f"package t\n{line.replace('%d', str(number))}"}) for number in numbers]
    engine = Engine.from_sources({"t.rego": f"package t\n{table}"})
    for value in VALUES:
        document = {} if value is UNDEFINED else {"a": value}
        wanted = Set(member for one in single for member in one.eval("data.t.p", document))
        assert engine.eval("data.t.p", document) == wanted, value


def test_a_decision_names_the_rule_of_the_row() -> None:
    policy = "package t\n" + "\n".join(f'p if input.user == "u{n}"' for n in range(20))
    prepared = Engine.from_sources({"t.rego": policy}).prepare("data.t.p")
    decision = prepared.decide({"user": "u7"})
    assert (decision.value, [(rule.path, rule.row) for rule in decision.rules]) == (True, [("data.t.p", 9)])
    assert prepared.decide({"user": "nobody"}).rules == ()


def test_a_decision_names_rules_that_were_written_into_others() -> None:
    policy = "package t\nallow if admin\nallow if owner\nadmin if input.admin\nowner if input.owner"
    prepared = Engine.from_sources({"t.rego": policy}).prepare("data.t.allow")
    assert [rule.row for rule in prepared.decide({"owner": True}).rules] == [5, 3]


def test_a_set_can_be_decided_on() -> None:
    prepared = Engine.from_sources({"t.rego": 'package t\np contains "a" if input.x'}).prepare("data.t.p")
    decision = prepared.decide({"x": 1})
    assert (decision.value, [rule.row for rule in decision.rules]) == (Set(["a"]), [2])


def test_a_decision_follows_the_rules_that_are_functions_of_their_own() -> None:
    policy = "package t\np if { some x in s; count(s) > 1; x == 2 }\ns contains x if some x in input.xs"
    decision = Engine.from_sources({"t.rego": policy}).prepare("data.t.p").decide({"xs": [1, 2]})
    assert (decision.value, {rule.row for rule in decision.rules}) == (True, {2, 3})
