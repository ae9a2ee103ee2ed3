"""The public face: engines, prepared terms, decisions, errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from procurator import UNDEFINED, Engine, Limits, Options, PolicyError, PolicyErrors, Set, dumps, loads
from procurator.engine import QUERIES_KEPT

POLICY = """package app

import data.users

allow if users[input.user].role == "admin"

allow if input.action in users[input.user].actions

names contains user if some user, _ in users
"""
USERS = {"eve": {"role": "admin", "actions": []}, "bob": {"role": "staff", "actions": ["read"]}}


def engine(policy: str = POLICY, data: Any = None, **options: Any) -> Engine:
    return Engine.from_sources({"app.rego": policy}, {"users": USERS} if data is None else data, **options)


def rendered(run: Callable[[], object]) -> str:
    """The whole text of the error that is raised."""
    with pytest.raises(PolicyError) as caught:
        run()
    return str(caught.value)


# What the contract shows


def test_paths_and_sources_make_engines(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/app.rego").write_text(POLICY)
    (tmp_path / "data.json").write_text(json.dumps({"users": USERS}))
    loaded = Engine.from_paths(tmp_path / "policies", str(tmp_path / "data.json"))
    for made in (loaded, engine(rego_version=1, strict_builtin_errors=False)):
        assert made.query("data.app.allow = x", input={"user": "eve"}) == [{"x": True}]
        assert made.query("data.app.allow = x", input={"user": "joe"}) == []
        assert made.eval("data.app.allow", input={"user": "bob", "action": "read"}) is True
        assert made.eval("data.app.allow", input={"user": "bob"}) is UNDEFINED
        allow = made.prepare("data.app.allow")
        assert allow({"user": "eve"}) is True
        assert allow.decide({"user": "eve"}).value is True
        assert made.with_data({"users": {}}).eval("data.app.allow", input={"user": "eve"}) is UNDEFINED


def test_a_rule_is_called_as_if_it_were_its_value() -> None:
    """What OPA's checks let pass where the value can be anything: the operand of such a call is compared with it."""
    made = engine("package app\n\nf := input.x\n\np if f(1)\n\nq := f()\n")
    assert made.eval("data.app", {"x": 1}) == {"f": 1, "p": True, "q": 1}
    assert made.eval("data.app", {"x": 2}) == {"f": 2, "q": 2}
    assert made.eval("data.app") == {}


QUERIES: list[tuple[str, list[dict[str, Any]]]] = [
    ("1 == 1", [{}]),
    ("1 == 2", []),
    ("data.app.nope", []),
    ("input.missing", []),
    ("x := 1; y := x + 1", [{"x": 1, "y": 2}]),
    ("data.app.names[x]", [{"x": "bob"}, {"x": "eve"}]),
    ("some x in [3, 3]", [{"x": 3}, {"x": 3}]),
    ("data.users[x].role = r", [{"x": "bob", "r": "staff"}, {"x": "eve", "r": "admin"}]),
    ('data.users[_].role == "admin"', [{}]),
    ("[y | some y in [1, 2]] = [a, b]", [{"a": 1, "b": 2}]),
    ('x := data.app.allow with input as {"user": "eve"}', [{"x": True}]),
]


@pytest.mark.parametrize(("query", "bindings"), QUERIES)
def test_queries_give_bindings(query: str, bindings: list[dict[str, Any]]) -> None:
    """One dict for each way in which the query holds, in Rego's order; none for what is undefined or false."""
    assert engine().query(query, {}) == bindings


TERMS: list[tuple[str, Any]] = [
    ("data.app.names", Set(["bob", "eve"])),
    ("count(data.app.names) + 1", 3),
    ("{x: y | some x in [1]; y := x + 1}", {1: 2}),
    ("input", {"user": "joe"}),
    ("input.user == 1", False),
    ("data.app.allow", UNDEFINED),
    ("1 / 0", UNDEFINED),
    ("false", False),
    ("null", None),
]


@pytest.mark.parametrize(("term", "value"), TERMS)
def test_terms_have_values(term: str, value: Any) -> None:
    """A value or UNDEFINED, the same by `eval` and by a prepared term."""
    found = engine()
    assert found.eval(term, {"user": "joe"}) == value
    assert found.prepare(term)({"user": "joe"}) == value


@pytest.mark.parametrize(
    "text", ["x := 1; x", "data.users[x]", "not true", "some x in [1]", "every x in [1] { x }", "data.users[_]"]
)
def test_only_terms_without_variables_are_evaluated(text: str) -> None:
    message = f"rego_parse_error: expected one term without variables, found `{text}`"
    assert rendered(lambda: engine().eval(text)) == f"{message}\n  hint: use `query` for anything but a single term"


def test_a_term_has_one_value() -> None:
    """A relation may give several, of which none counts more than the others."""
    term = "walk(input)"
    wanted = (
        "eval_conflict_error: a term has to have one value, this one has several\n"
        "  hint: use `query` for all of them, or a comprehension"
    )
    assert engine().eval(term, 1) == [[], 1]
    prepared = engine().prepare(term)
    for run in (partial(engine().eval, term), prepared, prepared.decide):
        assert rendered(partial(run, [1])) == wanted
    assert engine().eval("[x | x := data.users[_]]") == engine().eval("[x | some x in data.users]")


def test_the_latest_queries_stay_compiled() -> None:
    """Up to a number that the guide names; then the oldest goes."""
    assert QUERIES_KEPT == 512
    made = engine()
    with patch("procurator.engine.QUERIES_KEPT", 2):
        one, two = made.compiled("x = 1"), made.compiled("x = 2")
        assert made.compiled("x = 1") is one
        made.compiled("x = 3")
        assert made.compiled("x = 2") is two
        assert made.compiled("x = 1") is not one


def test_without_an_input_it_is_undefined() -> None:
    assert engine().eval("input") is UNDEFINED
    assert engine().prepare("input")() is UNDEFINED
    assert engine().eval("input", None) is None


# Decisions


def test_a_decision_names_the_rules_that_held() -> None:
    allow = engine().prepare("data.app.allow")
    decision = allow.decide({"user": "eve"})
    [rule] = decision.rules
    assert (decision.value, decision.path) == (True, (rule.number,))
    assert (rule.path, rule.file, rule.row) == ("data.app.allow", "app.rego", 5)
    refused = allow.decide({"user": "joe"})
    assert (refused.value, refused.rules, refused.path) == (UNDEFINED, (), ())
    assert repr(allow.decide({"user": "bob", "action": "read"})) == "Decision(True, rules=['data.app.allow'])"


def test_any_term_can_be_decided() -> None:
    decision = engine().prepare("count(data.app.names) > 1").decide({})
    assert decision.value is True
    assert {rule.path for rule in decision.rules} == {"data.app.names"}


# Own built-ins


def corporate(answers: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    def lookup(kind: str, key: str) -> Any:
        if kind not in answers:
            raise ValueError(f"no directory of {kind}")
        return answers[kind].get(key, UNDEFINED)

    return {"corp.lookup": lookup, "corp.now": lambda: 7}


LOOKUPS: list[tuple[str, Any, Any]] = [
    ('corp.lookup("dept", "eve")', "ops", "ops"),
    ('corp.lookup("dept", "joe")', UNDEFINED, UNDEFINED),
    (
        'corp.lookup("city", "eve")',
        UNDEFINED,
        """app.rego:3:6: eval_builtin_error: corp.lookup: no directory of city
  3 | p := corp.lookup("city", "eve")
    |      ^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    ),
    ("corp.now()", 7, 7),
    ("x if x := corp.now() with corp.now as 8", 8, 8),
]


@pytest.mark.parametrize(("call", "value", "strict_outcome"), LOOKUPS)
def test_own_functions_are_built_ins(call: str, value: Any, strict_outcome: Any) -> None:
    """UNDEFINED is undefined; a ValueError is a built-in's error: undefined too, or raised when strict."""
    policy = f"package app\n\np := {call}\n"
    own = corporate({"dept": {"eve": "ops"}})
    assert engine(policy, builtins=own).eval("data.app.p") == value
    strict = engine(policy, builtins=own, strict_builtin_errors=True)
    if isinstance(strict_outcome, str) and "\n" in strict_outcome:
        assert rendered(lambda: strict.eval("data.app.p")) == strict_outcome
    else:
        assert strict.eval("data.app.p") == strict_outcome


def test_the_arity_of_an_own_function_is_that_of_its_signature() -> None:
    policy = 'package app\n\np := corp.lookup("dept")\n'
    assert rendered(lambda: engine(policy, builtins=corporate({}))).startswith(
        "app.rego:3:6: rego_type_error: corp.lookup: arity mismatch\n"
    )
    for function in (lambda *_: 1, lambda *, key: key):
        with pytest.raises(TypeError) as caught:
            engine(builtins={"corp.f": function})
        assert str(caught.value) == (
            "built-in `corp.f`: a function with a fixed number of positional parameters is needed"
        )


def test_an_own_function_that_runs_out_of_stack_is_not_undefined() -> None:
    """How deep the stack is already must not decide about a value."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    policy = "package app\n\np := own.text(1)\n"
    made = engine(policy, builtins={"own.text": lambda _: dumps(deep)})
    assert rendered(lambda: made.eval("data.app.p")).startswith(
        "app.rego:3:6: eval_cancel_error: evaluation stopped: nesting is too deep\n"
    )


def test_own_functions_take_the_place_of_built_ins() -> None:
    policy = 'package app\n\np := upper("x")\n'
    assert engine(policy, builtins={"upper": lambda text: f"<{text}>"}).eval("data.app.p") == "<x>"
    assert engine(policy).eval("data.app.p") == "X"


# Capabilities, options and limits

COUNT = "package app\n\np := count([1])\n"
UNKNOWN_COUNT = (
    "app.rego:3:6: rego_type_error: undefined function count\n"
    "  3 | p := count([1])\n"
    "    |      ^^^^^^^^^^"
)  # fmt: skip


@pytest.mark.parametrize("capabilities", ['{"builtins": []}', {"builtins": []}])
def test_capabilities_say_what_a_policy_may_call(capabilities: Any) -> None:
    assert rendered(lambda: engine(COUNT, capabilities=capabilities)) == UNKNOWN_COUNT
    assert engine(COUNT).eval("data.app.p") == 1


def test_nothing_outside_is_reached_unless_allowed() -> None:
    policy = 'package app\n\np := http.send({"method": "get", "url": "https://example.com"})\n'
    text = rendered(lambda: engine(policy, strict_builtin_errors=True).eval("data.app.p"))
    assert text.startswith("app.rego:3:6: eval_builtin_error: http.send: ")
    env = 'package app\n\np := object.get(opa.runtime(), ["env", "HOME"], "hidden")\n'
    assert engine(env).eval("data.app.p") == "hidden"
    assert engine(env, options=Options(runtime_env=True)).eval("data.app.p") != "hidden"


LOOP = (
    "package app\n\np := count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i + j < 0])\n"
)
LIMITS: list[tuple[Limits, str]] = [
    (Limits(steps=100), "evaluation stopped: it took more than 100 steps"),
    (Limits(seconds=0.05), "evaluation stopped: it took more than 0.05 seconds"),
]


@pytest.mark.parametrize(("limits", "message"), LIMITS)
def test_a_limit_ends_the_evaluation(limits: Limits, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        engine(LOOP, limits=limits).eval("data.app.p")
    assert (caught.value.code, caught.value.message) == ("eval_cancel_error", message)


def test_what_stays_below_its_limits_is_not_stopped() -> None:
    """Each evaluation counts for itself."""
    limited = engine(limits=Limits(steps=10, seconds=60)).prepare("data.app.names")
    assert [limited({}) for _ in range(20)] == [Set(["bob", "eve"])] * 20


def test_prints_go_where_they_are_wanted() -> None:
    policy = 'package app\n\np if {\n\tprint("user:", input.user, input.x)\n}\n'
    printed: list[str] = []
    assert engine(policy, print_to=lambda text, _span: printed.append(text)).eval("data.app.p", {"user": "eve"})
    assert printed == ["user: eve <undefined>"]
    assert engine(policy).eval("data.app.p", {"user": "eve"}) is True


def test_strict_policies_use_what_they_declare() -> None:
    policy = "package app\n\np if {\n\tx := 1\n\tinput.y\n}\n"
    assert rendered(lambda: engine(policy, strict=True)) == (
        "app.rego:4:2: rego_compile_error: assigned var x unused\n"
        "  4 | \tx := 1\n"
        "    | \t^^^^^^"
    )  # fmt: skip
    assert engine(policy).eval("data.app.p", {"y": 1}) is True


def test_old_policies_need_their_version() -> None:
    policy = "package app\n\np[x] { x = 1 }\n"
    assert engine(policy, rego_version=0).eval("data.app.p") == Set([1])
    assert rendered(lambda: engine(policy)).startswith("2 errors occurred:\napp.rego:3:1: rego_parse_error: ")


# Errors


def test_an_error_has_its_code_its_place_and_a_picture() -> None:
    policy = "package app\n\np := 1 if input.a\n\np := 2 if input.b\n"
    with pytest.raises(PolicyError) as caught:
        engine(policy).eval("data.app.p", {"a": 1, "b": 1})
    error = caught.value
    assert error.code == "eval_conflict_error"
    assert error.location is not None
    assert (error.location.file, error.location.row, error.location.column) == ("app.rego", 5, 1)
    assert str(error).splitlines() == [
        "app.rego:5:1: eval_conflict_error: rule data.app.p produced conflicting values:",
        "  1 at app.rego:3",
        "  2 at app.rego:5",
        "  5 | p := 2 if input.b",
        "    | ^^^^^^^^^^^^^^^^^",
    ]


def test_several_errors_are_raised_together() -> None:
    sources = {"b.rego": "package b\n\np := x\n", "a.rego": "package a\n\nq := y\nr := z\n"}
    with pytest.raises(PolicyErrors) as caught:
        Engine.from_sources(sources)
    errors = caught.value
    assert [str(error.location) for error in errors.errors] == ["a.rego:3", "a.rego:4", "b.rego:3"]
    assert (errors.code, errors.message) == ("rego_unsafe_var_error", "var y is unsafe")
    assert isinstance(errors, PolicyError)


def test_mistakes_in_queries_have_a_place_in_the_query() -> None:
    assert rendered(lambda: engine().query("x := 1; y > x")) == (
        "1:9: rego_unsafe_var_error: var y is unsafe\n"
        "  1 | x := 1; y > x\n"
        "    |         ^"
    )  # fmt: skip


# Sharing


def test_new_data_leaves_the_old_engine_as_it_was() -> None:
    first = engine()
    allow = first.prepare("data.app.allow")
    assert allow({"user": "eve"}) is True
    second = first.with_data({"users": {"joe": {"role": "admin"}}})
    assert second.prepare("data.app.allow")({"user": "joe"}) is True
    assert second.eval("data.app.allow", {"user": "eve"}) is UNDEFINED
    assert first.eval("data.app.allow", {"user": "eve"}) is True
    assert allow({"user": "joe"}) is UNDEFINED


def test_engines_cannot_be_changed() -> None:
    found = engine()
    with pytest.raises(AttributeError):
        found.checked = found.checked  # type: ignore[misc]


def test_what_is_given_is_never_changed() -> None:
    data = {"users": {"eve": {"actions": ["b", "a"]}}}
    document = {"user": "eve", "deep": {"list": [3, 1]}}
    policy = """package app

p := sort(data.users.eve.actions)
q := x if x := input.deep.list with input.deep.list as [9]
r := object.union(input, {"deep": {"new": 1}})
"""
    found = engine(policy, data)
    assert found.eval("[data.app.p, data.app.q, data.app.r.deep]", document) == [
        ["a", "b"],
        [9],
        {"list": [3, 1], "new": 1},
    ]
    assert data == {"users": {"eve": {"actions": ["b", "a"]}}}
    assert document == {"user": "eve", "deep": {"list": [3, 1]}}


def test_threads_share_an_engine() -> None:
    """Many threads compile and run the same and different queries; each gets the answer to its own."""
    found = engine()
    allow = found.prepare("data.app.allow")

    def work(number: int) -> tuple[Any, Any, Any]:
        user = ("eve", "joe")[number % 2]
        other = found.with_data({"users": {f"u{number}": {"role": "admin"}}})
        return (
            allow({"user": user}),
            found.eval(f"input.n + {number % 7}", {"n": number}),
            other.eval("data.app.names", {}),
        )

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(work, range(64)))
    wanted = [((True, UNDEFINED)[n % 2], n + n % 7, Set([f"u{n}"])) for n in range(64)]
    assert outcomes == wanted


# JSON


def test_json_keeps_every_digit_and_the_order_of_rego() -> None:
    text = '{"a":[0.1,12345678901234567890.1],"b":100000000000000000000001}'
    assert loads(text) == {"a": [0.1, Decimal("12345678901234567890.1")], "b": 10**23 + 1}
    assert dumps(loads(text)) == text
    assert dumps(Set([3, 1, "a", None, True])) == '[null,true,1,3,"a"]'
    assert dumps({"b": 1, "a": True}) == '{"a":true,"b":1}'
