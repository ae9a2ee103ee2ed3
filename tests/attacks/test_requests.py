"""Requests that are malformed, ambiguous, too large, or say what is not the caller's to say."""

import json
from pathlib import Path
from typing import Any

import pytest
from defence import LEAF, MIDDLE, ROOT, chain, denied, derived, granted, read

from gateways import World

POLICY = """package procurator

allow if input.action.operation in {"read", "delegate"}

# Whatever a caller may claim of itself.
deny contains "claimed" if input.actor.id == "root"
deny contains "claimed" if input.delegation.root.subject == "ceo"
deny contains "claimed" if input.budget.unlimited
deny contains "claimed" if input.approval
deny contains "claimed" if startswith(input.time, "1999")
deny contains "claimed" if count(input.history.actions) > 40
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path, policy=POLICY)


def text_of(world: World, **changes: Any) -> str:
    """A good request as JSON."""
    token = chain(world)
    request = world.request(token, LEAF, target_resource="/data/a.txt", parameters={"path": "/data/a.txt"})
    return json.dumps(request | changes)


def field(world: World, given: Any, path: str | None) -> None:
    """The request is malformed, and the field is named."""
    decision = world.gateway.decide(given)
    denied(world, decision, "malformed")
    assert decision.field == path
    assert world.records()[-1]["field"] == path


def test_the_request_that_is_attacked_is_good(world: World) -> None:
    assert world.gateway.decide(text_of(world)).verdict == "permit"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"tool": "read_file"', '"tool": "pay", "tool": "read_file"', "$.action.tool"),
        ('"path": "/data/a.txt"', '"path": "/etc/passwd", "path": "/data/a.txt"', "$.action.parameters.path"),
        ('"path": "/data/a.txt"', '"path": "/etc/passwd", "p\\u0061th": "/data/a.txt"', "$.action.parameters.path"),
        ('"prompt_id"', '"prompt_id": "p2", "prompt_id"', "$.prompt_id"),
        ('"path": "/data/a.txt"', '"n": NaN', "$.action.parameters.n"),
        ('"path": "/data/a.txt"', '"n": -Infinity', "$.action.parameters.n"),
        ('"path": "/data/a.txt"', '"n": 1e400', "$.action.parameters.n"),
        ('"path": "/data/a.txt"', '"n": 9007199254740993', "$.action.parameters.n"),
        ('"path": "/data/a.txt"', f'"n": {"9" * 5000}', "$.action.parameters.n"),
        ('"path": "/data/a.txt"', '"n": 0.1000000000000000055', "$.action.parameters.n"),
        ('"path": "/data/a.txt"', '"n": "\\ud800"', "$.action.parameters.n"),
        ('"path": "/data/a.txt"', f'"n": {"[" * 5000}{"]" * 5000}', "$.action.parameters.n" + "[0]" * 61),
        ('"path": "/data/a.txt"', f'"n": {"[" * 500_000}', "$"),
        ('"path": "/data/a.txt"', '"n": 0x10', "$"),
        ('"path": "/data/a.txt"', '"n": 1,', "$"),
        ('{"request_id"', '\ufeff{"request_id"', "$"),
    ],
    ids=[
        *("a tool twice", "an argument twice", "an argument twice under an escape", "a prompt twice", "NaN"),
        *("infinity", "1e400", "an integer that loses digits", "a huge integer", "a fraction that loses digits"),
        *("half a character", "deep nesting", "nesting without an end", "hexadecimal", "a comma too many", "a mark"),
    ],
)
def test_a_text_with(old: str, new: str, path: str, world: World) -> None:
    """What two readers could understand differently is malformed."""
    text = text_of(world)
    assert text.count(old) == 1
    decision = world.gateway.decide(text.replace(old, new))
    denied(world, decision, "malformed")
    assert decision.field in (path, "$")
    assert (decision.field == "$") is (path == "$") or "[" * 5000 in new


def test_bytes_that_are_no_text(world: World) -> None:
    """Neither UTF-16 nor half a character."""
    text = text_of(world)
    for given in (text.encode("utf-16"), text.encode() + b"\xff", b"", b"\0"):
        field(world, given, "$")


CYCLE: dict[str, Any] = {}
CYCLE["again"] = CYCLE

VALUES: dict[str, Any] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a huge integer": 10**5000,
    "an integer that loses digits": 2**53 + 1,
    "a set": {1},
    "a tuple": (1, 2),
    "bytes": b"/data/a.txt",
    "an object": object(),
    "half a character": "\ud800",
    "names that are no texts": {1: 2},
    "a cycle": CYCLE,
}


@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_json_has_not(value: str, world: World) -> None:
    """Callers in the same process can send what no text could hold."""
    request = json.loads(text_of(world))
    request["action"]["parameters"] = {"path": VALUES[value]}
    decision = world.gateway.decide(request)
    denied(world, decision, "malformed")
    assert str(decision.field).startswith("$.action.parameters")


def test_what_is_no_request(world: World) -> None:
    for given in (None, 5, [], "", "null", "[]", '"x"', {}, {"request_id": None}, object()):
        denied(world, world.gateway.decide(given), "malformed")  # type: ignore[arg-type]


REQUIRED = ("request_id", "prompt_id", "action", "token")


@pytest.mark.parametrize("name", [*REQUIRED, "action.operation", "action.tool", "action.parameters", "context"])
def test_null_in_the_place_of(name: str, world: World) -> None:
    """Null is not the same as leaving it out, and what has to be there must not be left out."""
    outer, _, inner = name.partition(".")
    request = json.loads(text_of(world))
    place = request[outer] if inner else request
    place[inner or outer] = None
    field(world, request, f"$.{name}")
    del place[inner or outer]
    if name in (*REQUIRED, "action.operation", "action.tool"):
        field(world, request, f"$.{name}")


@pytest.mark.parametrize("name", ["verdict", "permit_id", "decision_id", "Action", "admin", "time_ns", "chain"])
def test_a_member_that_is_not_known(name: str, world: World) -> None:
    """It may mean something to somebody else."""
    field(world, text_of(world, **{name: True}), f"$.{name}")


def test_a_request_of_ten_megabytes(world: World) -> None:
    """It is not kept; the denial is short, as a text and as an object."""
    request = json.loads(text_of(world))
    for place, value in (
        ("parameters", {"path": "x" * 10_000_000}),
        ("parameters", {"x" * 10_000_000: 1}),
        ("parameters", {"list": ["x"] * 2_000_000}),
        ("target_resource", "/" + "x" * 10_000_000),
    ):
        large = {**request, "action": {**request["action"], place: value}}
        for given in (large, json.dumps(large)):
            decision = world.gateway.decide(given)
            denied(world, decision, "malformed")
            assert len(decision.record_text) < 10_000
    for name in ("token", "proof", "context", "reasoning", "approval_ref"):
        value = {"context": {"x": "x" * 10_000_000}, "reasoning": {"snapshot": "x" * 10_000_000}}.get(
            name, "x" * 10_000_000
        )
        assert len(denial(world, {**request, name: value})) < 10_000


def denial(world: World, request: dict[str, Any]) -> str:
    decision = world.gateway.decide(request)
    assert (decision.verdict, decision.permit_id) == ("deny", None)
    assert world.verification().problem is None
    return decision.record_text


def test_a_report_of_ten_megabytes(world: World) -> None:
    """Nor is it; the permit stays open for a report that is none."""
    permit = world.gateway.decide(text_of(world)).permit_id or ""
    answer = world.gateway.report(permit, "success", payload={"output": "x" * 10_000_000})
    assert (answer.accepted, answer.reason) == (False, "malformed")
    assert world.gateway.report(permit, "success").accepted


# What is not the caller's to say


CLAIMS = {
    "delegation": {"root": {"subject": "ceo"}},
    "actor": {"id": "root"},
    "budget": {"unlimited": True},
    "approval": {"approved": True},
    "history": {"actions": [{}] * 50},
    "time": "1999-01-01T00:00:00Z",
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_caller_that_writes(name: str, world: World) -> None:
    """What it writes there is thrown away: the policy sees the gateway's own, and the record too."""
    decision = world.gateway.decide(text_of(world, **{name: CLAIMS[name]}))
    assert (decision.verdict, decision.reason) == ("permit", "passed")
    assert name not in decision.record["input"]
    assert decision.record["delegation"]["root"]["subject"] == "alice"
    assert world.verification().problem is None


def test_a_policy_that_a_caller_would_like_to_please(tmp_path: Path) -> None:
    """Nothing of what would permit it is there."""
    policy = """package procurator
allow if input.action.operation == "delegate"
allow if input.actor.id == "root"
allow if input.delegation.root.subject == "ceo"
allow if input.approval.approved
allow if input.budget.unlimited
"""
    world = World.made(tmp_path, policy=policy)
    denied(world, world.gateway.decide(text_of(world, **CLAIMS)), "default_deny")


# Request ids


def test_the_id_of_another_agents_request(world: World) -> None:
    """Ids of agents do not collide, and none gets the other's answer."""
    token = granted(world)
    first, second = (derived(world, token, ROOT, agent) for agent in (MIDDLE, LEAF))
    permit = read(world, first, MIDDLE, request_id="r-1")
    other = read(world, second, LEAF, request_id="r-1")
    assert (permit.verdict, other.verdict, other.replayed) == ("permit", "permit", False)
    assert permit.permit_id != other.permit_id
    assert other.record["delegation"]["chain"][-1]["agent"] == LEAF
    denied(world, read(world, second, LEAF, request_id="r-1", context={"x": 1}), "request_id_reused")
    assert read(world, first, MIDDLE, request_id="r-1").permit_id == permit.permit_id


def test_the_request_of_another_agent_word_for_word(world: World) -> None:
    """Whoever has not its key does not get its answer again."""
    request = json.loads(text_of(world))
    assert world.gateway.decide(request).verdict == "permit"
    stolen = {**request, "proof": world.prover("writer")(request)}
    denied(world, world.gateway.decide(stolen), "proof_invalid")
    denied(world, world.gateway.decide({**request, "proof": None}), "proof_missing")


def test_an_id_that_was_used_up_by_somebody_else(world: World) -> None:
    """A request that is not admitted does not take an id from who will use it."""
    request = json.loads(text_of(world))
    denied(world, world.gateway.decide({**request, "proof": "x"}), "proof_invalid")
    denied(world, world.gateway.decide({**request, "token": "x.y.z"}), "malformed_token")
    assert world.gateway.decide(request).verdict == "permit"


def test_the_same_request_with_another_token(world: World) -> None:
    """The first answer was about another chain."""
    first, second = chain(world), chain(world)
    assert read(world, first, LEAF, request_id="r-1").verdict == "permit"
    denied(world, read(world, second, LEAF, request_id="r-1"), "request_id_reused")


@pytest.mark.parametrize("name", ["", "a b", "../x", "r\n1", "x" * 129, "\u0440", 5, "r-1\n"])
def test_an_id_of_another_shape(name: Any, world: World) -> None:
    """Ids are short and plain."""
    for place in ("request_id", "prompt_id"):
        field(world, json.loads(text_of(world)) | {place: name}, f"$.{place}")


# Reports


def test_a_report_for_what_was_not_permitted(world: World) -> None:
    """Only a permit can be reported on, once, with an outcome that there is."""
    decision = read(world, chain(world), LEAF, operation="write")
    for permit in (decision.decision_id, "", "x", "0" * 32, None, 5):
        answer = world.gateway.report(permit, "success")  # type: ignore[arg-type]
        assert answer.accepted is False
    permit = world.gateway.decide(text_of(world)).permit_id or ""
    for outcome in ("Success", "", None, "permit"):
        assert world.gateway.report(permit, outcome).reason == "malformed"  # type: ignore[arg-type]
    assert world.gateway.report(permit, "not_attempted").accepted
    assert world.gateway.report(permit, "success").reason == "permit_settled"
    assert len(world.records("outcome")) == 1
    assert world.verification().problem is None
