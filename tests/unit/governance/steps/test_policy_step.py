"""What the policy says about an action."""

import threading
from typing import Any

import pytest

from procurator.engine import Engine
from procurator.governance.approvals.approvers import Approvers
from procurator.governance.steps.policy import PolicyOutcome, PolicyStep
from procurator.limits import Limits
from procurator_rules.errors import PolicyError

NOW = 1_700_000_000_000_000_000


def step(text: str, entrypoint: str = "data.procurator.decision", **engine: Any) -> PolicyStep:
    """The step over one policy text."""
    return PolicyStep(Engine.from_sources({"p.rego": text}, **engine), entrypoint)


def said(text: str, document: Any = None, **engine: Any) -> tuple[str, str, str, tuple[dict[str, Any], ...]]:
    """Verdict, reason, message and obligations."""
    outcome = step(text, **engine).decide({} if document is None else document)
    return outcome[:4]


# An object at the entry point


def test_the_object_at_the_entry_point_is_the_decision() -> None:
    """With the rules that held, in order, and where they stand."""
    text = """package procurator

is_reading if input.action.operation == "read"

# METADATA
# title: Readers may read
# custom: {ticket: 7}
decision := {"verdict": "permit", "reason": "reader", "message": "go on", "obligations": ["log"]} if is_reading
"""
    outcome = step(text).decide({"action": {"operation": "read"}})
    assert outcome == PolicyOutcome(
        "permit",
        "reader",
        "Readers may read: go on",
        ({"type": "log"},),
        {"verdict": "permit", "reason": "reader", "message": "go on", "obligations": ["log"]},
        (
            {
                "path": "data.procurator.is_reading",
                "rule": 0,
                "file": "p.rego",
                "row": 3,
                "title": None,
                "custom": None,
            },
            {
                "path": "data.procurator.decision",
                "rule": 1,
                "file": "p.rego",
                "row": 8,
                "title": "Readers may read",
                "custom": {"ticket": 7},
            },
        ),
        (0, 1),
        {},
    )


@pytest.mark.parametrize(
    ("verdict", "reason", "message"),
    [
        ("permit", "passed", "the policy permits the action"),
        ("deny", "policy_denied", "a rule of the policy denies the action"),
        ("propose", "approval_required", "the policy wants a person to approve the action"),
        ("dry_run", "dry_run", "the action would be permitted, but is only tried out"),
    ],
)
def test_a_verdict_alone_has_its_usual_words(verdict: str, reason: str, message: str) -> None:
    """Each of the four."""
    assert said(f'package procurator\ndecision := {{"verdict": "{verdict}"}}') == (verdict, reason, message, ())


def test_a_policy_may_have_reasons_of_its_own() -> None:
    """Without a message they stand for one."""
    text = 'package procurator\ndecision := {"verdict": "deny", "reason": "x-acme.too_late"}'
    assert said(text) == ("deny", "x-acme.too_late", "x-acme.too_late", ())


def test_annotations_say_what_the_policy_leaves_open() -> None:
    """`reason` and `message` of `custom`, but the policy's own come first."""
    head = """package procurator
# METADATA
# title: Office hours
# custom:
#   reason: too_late
#   message: come back at nine
"""
    assert said(head + 'decision := {"verdict": "deny"}') == ("deny", "too_late", "Office hours: come back at nine", ())
    own = 'decision := {"verdict": "deny", "reason": "own", "message": "no"}'
    assert said(head + own) == ("deny", "own", "Office hours: no", ())


def test_titles_of_rules_that_did_not_decide_stay_out_of_the_message() -> None:
    """They are among the rules all the same."""
    text = """package procurator
# METADATA
# title: Helper
is_ok if input.ok

decision := {"verdict": "permit"} if is_ok
"""
    outcome = step(text).decide({"ok": True})
    assert outcome.message == "the policy permits the action"
    assert [rule["title"] for rule in outcome.rules] == ["Helper", None]


def test_an_object_may_be_made_of_several_rules() -> None:
    """Rules below the entry point give its members."""
    text = 'package procurator\ndecision.verdict := "permit" if input.ok\ndecision.message := "fine"'
    assert said(text, {"ok": True}) == ("permit", "passed", "fine", ())
    assert said(text) == (
        "deny",
        "policy_output_invalid",
        "what the policy answers has no `verdict` that is one of `permit`, `deny`, `propose`, `dry_run`",
        (),
    )


# Rules that allow, deny and propose

RULES = """package procurator
allow if input.allow
deny contains reason if some reason in input.deny
propose contains reason if some reason in input.propose
"""


@pytest.mark.parametrize("text", [RULES, RULES.replace("package procurator", "package procurator.decision")])
@pytest.mark.parametrize(
    ("document", "verdict", "reason", "message"),
    [
        ({}, "deny", "default_deny", "no rule permits the action"),
        ({"allow": False}, "deny", "default_deny", "no rule permits the action"),
        ({"allow": True}, "permit", "passed", "the policy permits the action"),
        ({"propose": ["ask her"]}, "propose", "approval_required", "ask her"),
        ({"allow": True, "propose": ["ask her"]}, "propose", "approval_required", "ask her"),
        ({"allow": True, "deny": ["not now"]}, "deny", "policy_denied", "not now"),
        ({"allow": True, "propose": ["ask her"], "deny": ["not now"]}, "deny", "policy_denied", "not now"),
        ({"allow": True, "deny": ["not_now"]}, "deny", "not_now", "not_now"),
        ({"allow": True, "deny": [{}]}, "deny", "policy_denied", "a rule of the policy denies the action"),
        ({"deny": ["b", "a c", {"reason": "z"}]}, "deny", "b", "a c; b; z"),
        ({"deny": [{"reason": "r", "message": "m"}]}, "deny", "r", "m"),
    ],
)
def test_deny_beats_propose_beats_permit_and_nothing_is_a_deny(
    text: str, document: dict[str, Any], verdict: str, reason: str, message: str
) -> None:
    """In the package of the entry point, and in the package that is the entry point."""
    assert step(text).decide(document)[:3] == (verdict, reason, message)


def test_obligations_of_all_that_say_the_verdict_are_kept() -> None:
    """Those of what is overruled are not; sets become arrays."""
    text = """package procurator
propose contains {"reason": "a", "obligations": [{"type": "notify", "to": {"x", "y"}}]}
propose contains {"reason": "b", "obligations": {"log"}}
deny contains {"obligations": ["never"]} if input.deny
"""
    obligations = ({"type": "notify", "to": ["x", "y"]}, {"type": "log"})
    assert said(text) == ("propose", "a", "a; b", obligations)
    assert said(text, {"deny": True})[3] == ({"type": "never"},)


def test_annotations_of_the_rules_that_decide_reach_the_message() -> None:
    """Only of those that held, and only of the verdict's."""
    text = """package procurator
# METADATA
# title: Everybody may
# custom: {reason: everybody}
allow := true

# METADATA
# title: No deletes
# custom: {reason: no_deletes, message: keep it}
deny if input.tool == "delete"

# METADATA
# title: No drops
deny contains "dropping is for ever" if input.tool == "drop"
"""
    rules = text.replace("deny if", "deny contains {} if")
    assert said(rules) == ("permit", "everybody", "Everybody may", ())
    assert said(rules, {"tool": "delete"}) == ("deny", "no_deletes", "No deletes: keep it", ())
    assert said(rules, {"tool": "drop"}) == ("deny", "policy_denied", "No drops: dropping is for ever", ())
    outcome = step(rules).decide({"tool": "drop"})
    assert [rule["title"] for rule in outcome.rules] == ["Everybody may", "No drops"]
    assert outcome.value == {"allow": True, "deny": ["dropping is for ever"]}


def test_a_plain_deny_counts() -> None:
    """`deny if` says no more than that."""
    text = "package procurator\nallow := true\ndefault deny := false\ndeny if input.bad"
    assert said(text)[:2] == ("permit", "passed")
    assert said(text, {"bad": True})[:2] == ("deny", "policy_denied")


def test_the_object_stands_above_rules_beside_it() -> None:
    """Where there is an object, it is made of them as the policy wants."""
    text = """package procurator
deny contains "no"
decision := {"verdict": "permit"} if "admin" in input.roles
"""
    assert said(text, {"roles": ["admin"]})[:2] == ("permit", "passed")
    assert said(text)[:2] == ("deny", "default_deny")


def test_the_rules_see_one_clock() -> None:
    """They are asked together."""
    text = """package procurator
allow := true
deny contains {"message": sprintf("%d", [time.now_ns()])}
propose contains {"message": sprintf("%d", [time.now_ns()])}
"""
    outcome = step(text).decide({})
    assert outcome.value["deny"] == outcome.value["propose"]
    assert outcome.nondeterministic == {"time.now_ns": {"[]": int(outcome.message)}}


# Approvals


def approvers(rules: str) -> Approvers:
    """Who may approve."""
    return step(f"package procurator\n{rules}").decide({}).approvers


def test_a_policy_says_who_may_approve() -> None:
    """In the object, or in the members of `propose`: then each of them has to be content."""
    given = '"approval": {"self": true, "roles": ["cfo", "ceo"]}'
    assert approvers(f'decision := {{"verdict": "propose", {given}}}') == Approvers(True, (("cfo", "ceo"),))
    assert approvers(f"propose contains {{{given}}}") == Approvers(True, (("cfo", "ceo"),))
    two = f'propose contains {{{given}}}\npropose contains {{"approval": {{"roles": ["legal"]}}}}'
    assert approvers(two) == Approvers(None, (("cfo", "ceo"), ("legal",)))
    assert approvers(f'propose contains {{{given}}}\npropose contains {{"approval": {{"self": false}}}}').own is False
    assert approvers('propose contains "ask_first"') == Approvers()


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        ('decision := {"verdict": "permit"}', False),
        ('decision := {"verdict": "permit", "irreversible": false}', False),
        ('decision := {"verdict": "permit", "irreversible": true}', True),
        ('decision := {"verdict": "permit", "irreversible": true, "compensation": "refund"}', False),
        ("allow := true\nirreversible := true", True),
        ("allow := true\nirreversible if 1 == 2", False),
        ('allow := true\nirreversible := true\ncompensation := "refund"', False),
        ("# METADATA\n# custom: {irreversible: true}\nallow := true", True),
        ("# METADATA\n# custom: {irreversible: 'yes'}\nallow := true", True),
        ("# METADATA\n# custom: {irreversible: false}\nallow := true", False),
        ("# METADATA\n# custom: {irreversible: true, compensation: refund}\nallow := true", False),
        ("# METADATA\n# custom: {irreversible: true, compensation: 1}\nallow := true", True),
        ('# METADATA\n# custom: {irreversible: true}\nallow := true\ncompensation := "refund"', False),
    ],
)
def test_what_cannot_be_undone_is_told(rules: str, needed: bool) -> None:
    """By the object, a rule of that name or an annotation; a command that makes up for it is enough."""
    outcome = step(f"package procurator\n{rules}").decide({})
    assert (outcome.verdict, outcome.needs_approval) == ("permit", needed)


# What is no decision

OTHERS = (
    "has members other than `approval`, `compensation`, `irreversible`, `message`, `obligations`, `reason`, `verdict`"
)

INVALID = {
    "decision := true": "is no object",
    "decision := [1]": "is no object",
    'decision := {"verdict": "allow"}': "has no `verdict` that is one of `permit`, `deny`, `propose`, `dry_run`",
    'decision := {"verdict": true}': "has no `verdict` that is one of `permit`, `deny`, `propose`, `dry_run`",
    'decision := {"verdict": ["permit"]}': "has no `verdict` that is one of `permit`, `deny`, `propose`, `dry_run`",
    'decision := {"verdict": "permit", "obligation": []}': OTHERS,
    'decision := {"verdict": "permit", 1: 2}': OTHERS,
    'decision := {"verdict": "permit", "reason": 1}': "has a `reason` that is no text",
    'decision := {"verdict": "permit", "reason": null}': "has a `reason` that is no text",
    'decision := {"verdict": "permit", "message": ""}': "has a `message` that is no text",
    'decision := {"verdict": "permit", "obligations": {"a": 1}}': "has `obligations` that are no array and no set",
    'decision := {"verdict": "permit", "obligations": [{}]}': (
        "has an obligation that is neither a text nor an object with a `type`"
    ),
    'decision := {"verdict": "permit", "obligations": [{"type": 1}]}': (
        "has an obligation that is neither a text nor an object with a `type`"
    ),
    'allow := "yes"': "has an `allow` that is no boolean",
    'allow contains "yes"': "has an `allow` that is no boolean",
    'allow := true\ndeny := "no"': "has a `deny` that is neither a set nor a boolean",
    "allow := true\ndeny.x := 1": "has a `deny` that is neither a set nor a boolean",
    "allow := true\npropose := 1": "has a `propose` that is neither a set nor a boolean",
    "allow := true\ndeny contains 1": (
        "has a member of `deny` that is neither a text nor an object of `reason`, `message`, `obligations`"
    ),
    'allow := true\npropose contains {"verdict": "permit"}': (
        "has a member of `propose` that is neither a text nor an object of `reason`, `message`, `obligations`, "
        "`approval`"
    ),
    'allow := true\ndeny contains {"approval": {}}': (
        "has a member of `deny` that is neither a text nor an object of `reason`, `message`, `obligations`"
    ),
    "allow := true\nirreversible := 1": "has an `irreversible` that is no boolean",
    "allow := true\nirreversible.x := true": "has an `irreversible` that is no boolean",
    'allow := true\nirreversible contains "pay"': "has an `irreversible` that is no boolean",
    "allow := true\ncompensation := null": "has a `compensation` that is no text",
    'decision := {"verdict": "permit", "irreversible": "no"}': "has an `irreversible` that is no boolean",
    'decision := {"verdict": "permit", "compensation": ""}': "has a `compensation` that is no text",
    'decision := {"verdict": "propose", "approval": true}': "has an `approval` that is no object of `roles` and `self`",
    'decision := {"verdict": "propose", "approval": {"by": 1}}': (
        "has an `approval` that is no object of `roles` and `self`"
    ),
    'decision := {"verdict": "propose", "approval": {"self": 1}}': "has an `approval` whose `self` is no boolean",
    'decision := {"verdict": "propose", "approval": {"roles": "cfo"}}': "has an `approval` whose `roles` are no texts",
    'decision := {"verdict": "propose", "approval": {"roles": []}}': "has an `approval` whose `roles` are no texts",
    'allow := 1\ndeny contains "no"': "has an `allow` that is no boolean",
}


@pytest.mark.parametrize("rules", INVALID)
def test_what_is_no_decision_is_a_deny(rules: str) -> None:
    """With what is wrong, and without the value."""
    message = f"what the policy answers {INVALID[rules]}"
    assert said(f"package procurator\n{rules}") == ("deny", "policy_output_invalid", message, ())


def test_an_undefined_decision_is_a_deny() -> None:
    """Whether the rule does not hold, or is not there at all."""
    wanted = ("deny", "default_deny", "no rule permits the action", ())
    held = step('package procurator\ndecision := {"verdict": "permit"} if input.ok')
    absent = step("package other\nallow := true")
    assert held.decide({})[:4] == absent.decide({})[:4] == wanted
    assert PolicyStep(Engine.from_sources({})).decide({})[:4] == wanted
    assert (held.is_defined, absent.is_defined) == (True, False)


def test_an_error_in_the_policy_is_a_deny_that_tells_its_code_and_place() -> None:
    """But nothing of the input."""
    text = """package procurator
decision := {"verdict": "permit"} if input.x
decision := {"verdict": "deny"} if input.y
"""
    assert said(text, {"x": "secret", "y": "secret"}) == (
        "deny",
        "policy_error",
        "evaluation ended with `eval_conflict_error` at p.rego:3",
        (),
    )
    strict = "package procurator\nallow if to_number(input.x) == 1"
    assert said(strict, {"x": "secret"}, strict_builtin_errors=True)[1:3] == (
        "policy_error",
        "evaluation ended with `eval_builtin_error` at p.rego:2",
    )


def test_limits_hold() -> None:
    """A policy that takes too long is stopped, and denies."""
    text = "package procurator\nallow if { some x in numbers.range(1, 100000); x < 0 }"
    assert said(text, limits=Limits(steps=1000))[:3] == (
        "deny",
        "policy_error",
        "evaluation ended with `eval_cancel_error` at p.rego:2",
    )


def test_an_answer_that_is_too_deep_is_a_deny() -> None:
    """A policy may give back what it was given."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    text = 'package procurator\ndecision := {"verdict": "permit", "obligations": [{"type": "x", "y": input.y}]}'
    assert said(text, {"y": deep})[1:3] == ("policy_output_invalid", "what the policy answers is nested too deeply")


# Entry points


@pytest.mark.parametrize("entrypoint", ["data", "input.x", "allow", "data.p[x]", "1"])
def test_an_entry_point_is_a_reference_to_data(entrypoint: str) -> None:
    """It is found out before anything is asked."""
    with pytest.raises(PolicyError):
        step(RULES, entrypoint)


def test_an_entry_point_may_have_any_names() -> None:
    """A rule or a package anywhere."""
    text = 'package team["a-b"].rules\nverdict := {"verdict": "permit"}'
    assert step(text, 'data.team["a-b"].rules.verdict').decide({}).verdict == "permit"
    assert step(RULES, "data.procurator").decide({"allow": True}).verdict == "permit"


def test_a_function_is_no_entry_point() -> None:
    """It has no value by itself."""
    with pytest.raises(PolicyError, match=r"function data\.procurator\.decision used as reference"):
        step('package procurator\ndecision(x) := {"verdict": "permit"}')


# Replay, sharing


def test_answers_from_outside_are_recorded_and_replayed() -> None:
    """Clock and randomness; the instant can be given too."""
    text = """package procurator
decision := {"verdict": "deny", "message": sprintf("%d %d", [time.now_ns(), rand.intn("x", 1000000000)])}
"""
    asked = step(text)
    first = asked.decide({}, now_ns=NOW)
    number = first.nondeterministic["rand.intn"]['["x",1000000000]']
    assert first.message == f"{NOW} {number}"
    assert first.nondeterministic == {"time.now_ns": {"[]": NOW}, "rand.intn": {'["x",1000000000]': number}}
    again = asked.decide({}, replayed=first.nondeterministic)
    assert (again.message, again.path) == (first.message, first.path)


def test_what_a_caller_does_with_obligations_does_not_reach_the_next_decision() -> None:
    """Constants of the policy are copied."""
    asked = step('package procurator\ndecision := {"verdict": "permit", "obligations": [{"type": "log", "x": [1]}]}')
    first = asked.decide({})
    first.obligations[0]["x"].append(2)
    first.value["verdict"] = "deny"
    assert asked.decide({}).obligations == ({"type": "log", "x": [1]},)
    assert asked.decide({}).value["verdict"] == "permit"


def test_threads_share_a_step() -> None:
    """Each gets the outcome of its own document."""
    asked = step(RULES)
    found: dict[int, list[str]] = {}

    def decide(number: int) -> None:
        found[number] = [asked.decide({"deny": [f"n{number}"]}).reason for _ in range(200)]

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [f"n{number}"] * 200 for number in range(4)}


def test_an_engine_with_a_cache_decides_the_same(tmp_path: Any) -> None:
    """What the cache has is not parsed again."""
    first = step(RULES, cache=tmp_path).decide({"deny": ["no"]})
    assert step(RULES, cache=tmp_path).decide({"deny": ["no"]}) == first == step(RULES).decide({"deny": ["no"]})
