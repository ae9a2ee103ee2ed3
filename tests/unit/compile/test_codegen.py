"""Generated code: what it may contain, how deep it may nest, that it is the same every time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from procurator import UNDEFINED, Engine

RBAC = Path(__file__).parent.parent.parent / "cases" / "eval" / "rbac.rego"

NASTY = 'x"]; import os; os.system("true") #\\n\n'


def code_of(policy: str, term: str = "data.t.p") -> str:
    """The Python that a term of a policy is compiled to."""
    engine = Engine.from_sources({"t.rego": f"package t\n{policy}"})
    return engine.compiled(term, as_term=True).loaded().code.text


@pytest.mark.parametrize(
    "policy",
    [
        "p if input[`%s`] == `%s`",
        "p contains `%s` if input.x",
        "p[`%s`] := `%s` if input.x",
        "p := {`%s`: [`%s`]}",
        "p := $`a{input.x}%s`",
        "p if startswith(input.x, `%s`)\np if startswith(input.x, `%sy`)",
    ],
)
def test_no_text_of_a_policy_is_in_the_code(policy: str) -> None:
    text = code_of(policy.replace("%s", NASTY))
    assert "import os" not in text
    assert "os.system" not in text


def test_names_of_a_policy_are_not_in_the_code() -> None:
    text = code_of(
        "p if { some secret_name in input.secret_field; secret_function(secret_name) }\nsecret_function(x) if x.y"
    )
    assert "secret" not in text


@pytest.mark.parametrize(
    "line",
    [
        'startswith(1, "a")',
        'endswith(null, "a")',
        'contains(true, "a")',
        "1 == true",
        "true == 1",
        "null == 1",
        "2 == 1",
        '"a" == 1',
    ],
)
def test_lines_that_compare_constants_do_not_hold(line: str) -> None:
    """Inside of a negation OPA's checks let them pass, whatever their types."""
    engine = Engine.from_sources({"t.rego": f"package t\n\nimport rego.v2\n\np if not {line}\n\nq if not {{ {line} }}"})
    assert engine.eval("data.t") == {"p": True, "q": True}


def test_the_code_is_the_same_under_any_hash_seed() -> None:
    program = (
        "from procurator import Engine\n"
        f"policy = open('{RBAC}').read()\n"
        "engine = Engine.from_sources({'a.rego': policy}, {'user_roles': {'a': ['x']}, 'role_grants': {}})\n"
        "print(engine.compiled('data.app.rbac.allow', as_term=True).loaded().code.text)\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


@pytest.mark.parametrize("count", [3, 15, 25, 60])
def test_loops_nest_as_deep_as_the_policy_wants(count: int) -> None:
    loops = "; ".join(f"some x{n} in input.xs" for n in range(count))
    engine = Engine.from_sources(
        {"t.rego": f"package t\np := x{count - 1} if {{ {loops} }}\nq contains x0 if {{ {loops} }}"}
    )
    assert engine.eval("data.t.p", {"xs": [7]}) == 7
    assert engine.eval("count(data.t.q)", {"xs": [7]}) == 1
    assert engine.eval("data.t.p", {"xs": []}) is UNDEFINED


@pytest.mark.parametrize("count", [50, 150, 600])
def test_a_body_may_have_any_number_of_lines(count: int) -> None:
    lines = "; ".join(f"input.a{n} == {n}" for n in range(count))
    engine = Engine.from_sources({"t.rego": f"package t\np if {{ {lines} }}\nq if not p\nr := [1 | {lines}]"})
    document = {f"a{n}": n for n in range(count)}
    assert engine.eval("data.t.p", document) is True
    assert engine.eval("data.t.r", document) == [1]
    assert engine.eval("data.t.q", {**document, f"a{count - 1}": "no"}) is True


def test_negations_and_alternatives_nest() -> None:
    line = "input.x == 1"
    for _ in range(30):
        line = f"not {{ not {{ {line} }} }}"
    engine = Engine.from_sources({"t.rego": f"package t\nimport future.keywords.not\np if {line}"})
    assert engine.eval("data.t.p", {"x": 1}) is True
    assert engine.eval("data.t.p", {"x": 2}) is UNDEFINED


LOOK_UPS = """
def entry(i0=U):
    try:
        try:
            v5 = i0[k0]
        except MISSING:
            v5 = U
        try:
            v0 = i0[k1]
        except MISSING:
            v0 = U
        if v0 is not U:
            try:
                v4 = B0.get(v0, U)
            except MISSING:
                v4 = U
            if v4 is not U:
                for v1 in v4:
                    if v1[k0] == v5:
                        return True
        return k3
    except FAILURES as e:
        raise FAILED(e, i0)
"""


def test_look_ups_cost_what_they_would_in_a_function_written_by_hand() -> None:
    """A key that often misses raises nothing, and what is certain to be there is looked up where it is compared."""
    policy = "package t\np if {\n\tsome member in data.teams[input.team]\n\tmember.name == input.name\n}\n"
    engine = Engine.from_sources({"t.rego": policy}, {"teams": {"a": [{"name": "x"}]}})
    text = engine.compiled("data.t.p", as_term=True).loaded().code.text
    assert text[text.index("def entry") : text.index("def query")] == LOOK_UPS.removeprefix("\n")
    for team, name in (("a", "x"), ("a", "y"), ("b", "x"), (1, "x"), ([], "x"), ("a", ["x"])):
        expected = True if (team, name) == ("a", "x") else UNDEFINED
        assert engine.eval("data.t.p", {"team": team, "name": name}) is expected
