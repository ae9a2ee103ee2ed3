"""Policies that answer nonsense, fail, or never end, and ask for what nobody can do: a deny each time."""

from pathlib import Path

import pytest
from defence import denied, refused

from gateways import CONFIG, World

DELEGATING = 'package procurator\n\ndelegating if input.action.operation == "delegate"\n\n'
OBJECT = DELEGATING + 'decision := {"verdict": "permit"} if delegating\n\n'

INVALID = {
    "no object": "decision := 7 if not delegating",
    "a text": 'decision := "permit" if not delegating',
    "true": "decision := true if not delegating",
    "an empty object": "decision := {} if not delegating",
    "an unknown verdict": 'decision := {"verdict": "PERMIT"} if not delegating',
    "a verdict that is true": 'decision := {"verdict": true} if not delegating',
    "a set of verdicts": 'decision := {"verdict": {"permit"}} if not delegating',
    "a member that nobody knows": 'decision := {"verdict": "permit", "but": "not really"} if not delegating',
    "a reason that is no text": 'decision := {"verdict": "permit", "reason": 7} if not delegating',
    "a message that is no text": 'decision := {"verdict": "permit", "message": ["x"]} if not delegating',
    "obligations that are none": 'decision := {"verdict": "permit", "obligations": 7} if not delegating',
    "an obligation without a type": 'decision := {"verdict": "permit", "obligations": [{"to": "x"}]} if not delegating',
}


def asked(folder: Path, policy: str, config: str = CONFIG) -> tuple[World, str]:
    """A gateway with a policy, and a token."""
    world = World.made(folder, config, policy)
    return world, world.granted()


@pytest.mark.parametrize("name", INVALID)
def test_a_policy_that_answers_with(name: str, tmp_path: Path) -> None:
    world, token = asked(tmp_path, OBJECT + INVALID[name])
    denied(world, world.ask(token), "policy_output_invalid")


RULES = {
    "an allow that is a text": 'allow := "yes" if not delegating\nallow if delegating',
    "an allow that is one": "allow := 1 if not delegating\nallow if delegating",
    "a deny that is a number": "allow if true\ndeny := 7 if not delegating",
    "a denial without words": "allow if true\ndeny contains 7 if not delegating",
    "a denial with a verdict": 'allow if true\ndeny contains {"verdict": "permit"} if not delegating',
    "a proposal without words": "allow if true\npropose contains null if not delegating",
}


@pytest.mark.parametrize("name", RULES)
def test_a_policy_with(name: str, tmp_path: Path) -> None:
    world, token = asked(tmp_path, DELEGATING + RULES[name])
    denied(world, world.ask(token), "policy_output_invalid")


ERRORS = {
    "contradicts itself": """
decision := {"verdict": "permit"} if input.action.tool == "read_file"
decision := {"verdict": "deny"} if input.action.operation == "read"
""",
    "has two values for one name": """
kinds[input.action.tool] := 1 if not delegating
kinds[input.action.tool] := 2 if not delegating
decision := {"verdict": "permit"} if kinds.read_file
""",
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_policy_that(name: str, tmp_path: Path) -> None:
    world, token = asked(tmp_path, OBJECT + ERRORS[name])
    denied(world, world.ask(token), "policy_error")


ENDLESS = """
decision := {"verdict": "permit"} if {
    not delegating
    every a in numbers.range(1, 100000) {
        every b in numbers.range(1, 100000) {
            a + b > 0
        }
    }
}
"""


@pytest.mark.parametrize("limits", ["{steps: 20000}", "{seconds: 0.05}"])
def test_a_policy_that_never_ends(limits: str, tmp_path: Path) -> None:
    """It is stopped by the first limit it meets, and the next call is decided."""
    world, token = asked(tmp_path, OBJECT + ENDLESS, CONFIG + f"limits: {limits}\n")
    for _ in range(2):
        decision = world.ask(token)
        denied(world, decision, "policy_error")
        assert "eval_cancel_error" in decision.message
    assert world.granted()


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(.*a){20}$"])
def test_an_expression_that_never_ends(pattern: str, tmp_path: Path) -> None:
    """Matching takes linear time."""
    rule = f'decision := {{"verdict": "permit"}} if regex.match("{pattern}", input.action.parameters.path)\n'
    world, token = asked(tmp_path, OBJECT + rule)
    denied(world, world.ask(token, parameters={"path": "a" * 100_000 + "!"}), "default_deny")


def test_a_policy_that_says_nothing(tmp_path: Path) -> None:
    """Nothing is a deny, and an empty denial too."""
    world, token = asked(tmp_path, OBJECT)
    denied(world, world.ask(token), "default_deny")


@pytest.mark.parametrize("said", ["allow if delegating", "allow if true\ndeny if not delegating"])
def test_a_policy_that_does_not_allow(said: str, tmp_path: Path) -> None:
    world, token = asked(tmp_path, DELEGATING + said)
    denied(world, world.ask(token), "policy_denied" if "deny" in said else "default_deny")


def test_a_policy_that_is_not_there(tmp_path: Path) -> None:
    """Not even a token is given."""
    world = World.made(tmp_path, CONFIG + "entrypoint: data.elsewhere\n")
    refused(world, world.granted, "default_deny")


OBLIGATIONS = {
    "nobody knows": '{"type": "stand_on_one_leg"}',
    "is spelt in another way": '{"type": "Report_Result"}',
    "has more to it than it should": '{"type": "isolate", "environment": "x", "unless": "in a hurry"}',
    "has less to it than it should": '{"type": "isolate"}',
    "ends at a time that is none": '{"type": "undo_available_until", "until": "tomorrow"}',
    "is a name that nobody knows": '"stand_on_one_leg"',
}


@pytest.mark.parametrize("name", OBLIGATIONS)
def test_an_obligation_that(name: str, tmp_path: Path) -> None:
    """A permit with it would be one without conditions to whoever does not understand it."""
    rule = f'decision := {{"verdict": "permit", "obligations": [{OBLIGATIONS[name]}]}} if not delegating\n'
    world, token = asked(tmp_path, OBJECT + rule)
    denied(world, world.ask(token), "unknown_obligation")


def test_a_delegation_with_an_obligation_that_nobody_knows(tmp_path: Path) -> None:
    """No token is given."""
    policy = 'package procurator\ndecision := {"verdict": "permit", "obligations": ["stand_on_one_leg"]}\n'
    world = World.made(tmp_path, policy=policy)
    refused(world, world.granted, "unknown_obligation")


def test_deny_and_propose_and_allow_at_once(tmp_path: Path) -> None:
    """Deny is stronger than propose, and that than allow."""
    policy = DELEGATING + "allow if true\npropose contains x if { not delegating; x := input.action.tool }\n"
    policy += 'deny contains "never" if input.action.tool == "pay"\n'
    world, token = asked(tmp_path, policy)
    denied(world, world.ask(token, tool="pay"), "never")
    assert world.outcome(token, tool="read_file") == ("propose", "read_file")
