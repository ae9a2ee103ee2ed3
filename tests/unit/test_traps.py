"""Where Python's values and Rego's part ways: each case is a policy that a naive translation gets wrong."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from procurator import UNDEFINED, Engine, PolicyError, Set, dumps, loads
from procurator.runtime.interpreter import interpret


def value_of(policy: str, document: Any = UNDEFINED, data: Any = None, term: str = "data.t.p") -> Any:
    """The value of `p` in a package of one file."""
    return Engine.from_sources({"t.rego": f"package t\n{policy}"}, data).eval(term, document)


@pytest.mark.parametrize(
    ("policy", "document", "wanted"),
    [
        ("p if input.level == 1", {"level": True}, UNDEFINED),
        ("p if input.level == 1", {"level": 1}, True),
        ("p if input.level == 1", {"level": 1.0}, True),
        ("p if input.level == true", {"level": 1}, UNDEFINED),
        ("p if input.a == input.b", {"a": 1, "b": True}, UNDEFINED),
        ("p if input.a == input.b", {"a": [1], "b": [True]}, UNDEFINED),
        ("p if input.a == input.b", {"a": {"x": 0}, "b": {"x": False}}, UNDEFINED),
        ("p if input.a != input.b", {"a": 1, "b": True}, True),
        ("p if input.x in {1, 2}", {"x": True}, UNDEFINED),
        ("p if input.x in {1, 2}", {"x": 2.0}, True),
        ("p if input.x in [true]", {"x": 1}, UNDEFINED),
        ("p := count({input.a, input.b})", {"a": 1, "b": True}, 2),
        ("p := count({input.a, input.b})", {"a": 1, "b": 1.0}, 1),
        ("p := {1: 2, true: 3}[input.x]", {"x": True}, 3),
        ("p := {1: 2, true: 3}[input.x]", {"x": 1}, 2),
        ("p := [10, 20][input.x]", {"x": True}, UNDEFINED),
        ("p := [10, 20][input.x]", {"x": -1}, UNDEFINED),
        ("p := input.name[0]", {"name": "abc"}, UNDEFINED),
        ("p := input.name[input.i]", {"name": "abc", "i": 0}, UNDEFINED),
        ("p := input.list.x", {"list": [1]}, UNDEFINED),
        ("p := input.missing", {}, UNDEFINED),
        ("p := input.null", {"null": None}, None),
        ("p := input.false", {"false": False}, False),
        ("p if input.null", {"null": None}, True),
        ("p if input.zero", {"zero": 0}, True),
        ("p if input.empty", {"empty": ""}, True),
        ("p if input.false", {"false": False}, UNDEFINED),
        ("p if not input.missing", {}, True),
        ("p if not input.false", {"false": False}, True),
        ("p if not input.null", {"null": None}, UNDEFINED),
        ("p if not 1 / input.zero", {"zero": 0}, True),
        ("p if not abs(1 / input.zero) == 1", {"zero": 0}, UNDEFINED),
        ("p if not input.x > 1", {}, UNDEFINED),
        ("p if not input.x > 1", {"x": 0}, True),
        ("p if not input.x != 1", {}, UNDEFINED),
        ("p if not startswith(input.x, `a`)", {}, UNDEFINED),
        ("p if not input.x == 1", {}, True),
        ("p if not [input.x] == [1]", {}, UNDEFINED),
        ("p if input.x < input.y", {"x": None, "y": False}, True),
        ("p if input.x < input.y", {"x": True, "y": 0}, True),
        ("p if input.x < input.y", {"x": 10**30, "y": ""}, True),
        ("p if input.x < input.y", {"x": "z", "y": []}, True),
        ("p if input.x < input.y", {"x": [9], "y": {}}, True),
        ("p if input.x >= 3", {"x": "1"}, True),
        ("p if input.x >= 3", {"x": True}, UNDEFINED),
        ("p := sort(input.xs)", {"xs": ["é", "z", "Z", "a"]}, ["Z", "a", "z", "é"]),
        ("p := 0.1 + 0.2", UNDEFINED, 0.3),
        ("p := 18446744073709551617 + 1", UNDEFINED, 18446744073709551618),
        ("p := json.marshal(input)", {"b": "<>&", "a": 1}, '{"a":1,"b":"\\u003c\\u003e\\u0026"}'),
        ("p if regex.match(`^(a+)+$`, input.x)", {"x": "a" * 40 + "!"}, UNDEFINED),
        ("p if glob.match(`*.b`, [], `a.b`)", UNDEFINED, True),
        ("p if glob.match(`*`, [], `a.b`)", UNDEFINED, UNDEFINED),
        ("p := sprintf(`%d %v %s`, [1, true, `x`])", UNDEFINED, "1 true x"),
    ],
)
def test_the_value_is_regos(policy: str, document: Any, wanted: Any) -> None:
    found = value_of(policy, document)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize("shape", [{"1": "x"}, {"a": {"b": ["s"]}}, {"a": {"b": [1, True]}}, {"a": 3}])
def test_code_for_one_shape_of_data_is_not_used_for_another(shape: dict[str, Any]) -> None:
    engine = Engine.from_sources(
        {"t.rego": "package t\np contains x if some x in data.a[input.k]"}, {"a": {"b": ["s"]}}
    )
    assert engine.eval("data.t.p", {"k": "b"}) == Set(["s"])
    other = engine.with_data(shape)
    wanted = Set(shape["a"]["b"]) if isinstance(shape.get("a"), dict) else Set()
    assert other.eval("data.t.p", {"k": "b"}) == wanted
    assert engine.eval("data.t.p", {"k": "b"}) == Set(["s"])


def test_one_decision_sees_one_instant() -> None:
    policy = (
        "p if { some i in numbers.range(1, 5); time.now_ns() != time.now_ns() }\nq := [time.now_ns(), time.now_ns()]"
    )
    assert value_of(policy) is UNDEFINED
    first, second = value_of(policy, term="data.t.q")
    assert first == second


def test_a_member_of_one_type_is_no_key_of_another() -> None:
    policy = 'p := [k | some k, _ in {1: "a", "1": "b", true: "c", null: "d", [1]: "e", {"x"}: "f"}]'
    assert dumps(value_of(policy)) == '[null,true,1,"1",[1],["x"]]'


def test_sets_and_objects_come_out_in_order() -> None:
    assert dumps(value_of('p := {"b": {3, 1, 2}, "a": {"z": 1, "y": 2}}')) == '{"a":{"y":2,"z":1},"b":[1,2,3]}'


def test_arrays_from_objects_follow_the_order_of_keys() -> None:
    assert value_of("p := [v | some v in input]", {"b": 1, "a": 2, "c": 3}) == [2, 1, 3]


def test_the_input_is_taken_as_it_is_and_left_as_it_was() -> None:
    document = {"a": {"b": 1}, "list": [3, 1, 2]}
    policy = """
p := [sort(input.list), x, input] if x := input.a with input.a.c as 2
"""
    value_of(policy, document)
    assert document == {"a": {"b": 1}, "list": [3, 1, 2]}


REPLACED: list[tuple[str, Any]] = [
    ("data.t.ones with count as data.t.seven", [7]),
    ("data.t.ones with count as data.t.never", []),
    ("data.t.other with count as data.t.never", 1),
    ("data.t.other with count as input.nothing", UNDEFINED),
]


@pytest.mark.parametrize(("term", "value"), REPLACED)
def test_a_rule_in_the_place_of_a_function_is_looked_up_by_each_call(term: str, value: Any) -> None:
    """That it is undefined matters to calls alone, where anything else is looked up once, before."""
    rules = "ones := [x | x := count(input)]\nother := 1\nseven := 7\nnever if input == 0"
    policy = f"{rules}\np := x if {{ x := {term} }}"
    assert value_of(policy, [1]) == value


def test_a_rule_that_takes_the_place_of_what_it_calls_ends_in_an_error() -> None:
    engine = Engine.from_sources({"t.rego": "package t\np := count([1])"})
    query = engine.compiled("x = data.t.p with count as data.t.p")
    runs: list[Callable[[], object]] = [lambda: query.rows(1), lambda: interpret(query.program, query.environment, 1)]
    for run in runs:
        with pytest.raises(PolicyError) as caught:
            run()
        assert caught.value.message == "evaluation stopped: nesting is too deep"


@pytest.mark.parametrize(
    "text", ["1.50", "100000000000000000000.1", "0.1000000000000000000001", "12345678901234567890"]
)
def test_no_digit_of_a_number_is_lost(text: str) -> None:
    assert Decimal(dumps(value_of("p := input.x", loads(f'{{"x": {text}}}')))) == Decimal(text)


def test_a_conflict_says_where() -> None:
    with pytest.raises(PolicyError) as caught:
        value_of("p := 1 if input.a\np := 2 if input.b", {"a": True, "b": True})
    assert caught.value.code == "eval_conflict_error"
    assert caught.value.message == "rule data.t.p produced conflicting values:\n  1 at t.rego:2\n  2 at t.rego:3"
    assert caught.value.location is not None
    assert (caught.value.location.file, caught.value.location.row) == ("t.rego", 3)


@pytest.mark.parametrize(
    ("key", "wanted"),
    [("null", UNDEFINED), ("[1]", UNDEFINED), ("true", UNDEFINED), ("1", "one"), ("`1`", "one")],
)
def test_only_numbers_stand_for_the_strings_of_base_documents(key: str, wanted: Any) -> None:
    assert value_of(f"p := data.base[{key}]", data={"base": {"1": "one"}}) == wanted
