"""Every decision of a run comes out the same when it is taken once more from the log."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways import CONFIG, Clock, World, opened, self_key
from procurator.governance.assembly.assemble import revision_of
from procurator.governance.assembly.policies import load_engine
from procurator.governance.config.loading import read_config
from procurator.governance.decision import Denied
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.replay import Difference, Replay, Replayed
from procurator.governance.steps.policy import PolicyStep

POLICY = """package procurator

# METADATA
# title: Within what was delegated
allow if {
    input.action.operation in {"read", "write", "execute", "delegate"}
    input.delegation.task == input.prompt_id
    known_actor
}

known_actor if input.actor.key == input.delegation.chain[count(input.delegation.chain) - 1].key
known_actor if "staff" in input.actor.claims.groups

deny contains "often" if count([a | some a in input.history.actions; a.tool == input.action.tool]) >= 3

deny contains "failed_before" if input.history.current.failures_since_replan > 0

deny contains "deep" if { input.delegation.depth == 2; input.action.tool == "write_file" }

deny contains "intent" if { input.delegation.root.intent == "Do nothing."; input.action.operation != "delegate" }

deny contains "spent" if { some line in input.budget; line.unit == "actions"; line.left == "1" }

deny contains "unlucky" if { input.action.tool == "send_mail"; rand.intn(input.request_id, 4) == 0 }

deny contains "late" if { input.action.tool == "read_file"; floor(time.now_ns() / 1000000000) % 5 == 0 }

deny contains uuid.rfc4122(input.request_id) if input.context.dear

deny contains "no_reason" if { input.action.tool == "write_file"; not input.reasoning.snapshot }

propose contains "ask_first" if input.action.tool == "pay"
"""
MORE = "quotas: {max_actions_per_prompt: 30}\n"
TOOLS = ["read_file", "write_file", "send_mail", "pay"]

steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "report", "failure", "pass on", "derive", "begin", "wait", "again"]),
        st.integers(0, 1000),
    ),
    min_size=20,
    max_size=40,
)


def replayed(world: World) -> list[Replayed]:
    """All decisions of a world, taken once more."""
    config = read_config((world.folder / "agentic-governance.yaml").read_text()).within(world.folder)
    engine = load_engine(config)
    replay = Replay(PolicyStep(engine, config.entrypoint), revision_of(config, engine))
    return list(replay.entries(world.gateway.state.audit.entries()))


def run(world: World, taken: list[tuple[str, int]]) -> World:
    """Let agents do what the steps say."""
    tokens, permits = [begun(world, 0)], []
    for what, number in taken:
        token, holders = tokens[number % len(tokens)]
        if what == "ask":
            changes: dict[str, Any] = {"tool": TOOLS[number % 4], "parameters": {"n": number % 3, "x": [0.1, None]}}
            changes |= {"reasoning": {"snapshot": "Why not."}} if number % 2 else {}
            changes |= {"context": {"dear": number % 7 == 0}, "target_resource": f"/r/{number % 2}"}
            decision = world.ask(token, holders[-1], **changes)
            permits += [decision.permit_id] if decision.permit_id else []
        elif what in ("report", "failure") and permits:
            world.gateway.report(permits.pop(number % len(permits)), "success" if what == "report" else "failure")
        elif what == "begin":
            with suppress(Denied):
                tokens.append(begun(world, number))
        elif what in ("pass on", "derive") and len(holders) < 3:
            agent = ("orchestrator", "researcher", "reader")[len(holders)]
            with suppress(Denied):
                tokens.append((handed_on(world, token, holders[-1], agent, what), (*holders, agent)))
        elif what == "wait":
            world.clock.forward(number % 7)
        elif what == "again":
            world = world.again()
    return world


def handed_on(world: World, token: str, holder: str, agent: str, how: str) -> str:
    """A token for another agent, through the gateway or without it."""
    if how == "pass on":
        return world.passed_on(token, holder, agent, TOOLS)
    share = Share(agent, self_key(agent).public)
    return derive(token, self_key(holder), share, now=world.clock.seconds)


def begun(world: World, number: int) -> tuple[str, tuple[str, ...]]:
    """A token from one of two persons, who call their prompts the same."""
    person = world.person(("alice", "carol")[number // 3 % 2], groups=["staff"])
    intent = ("Do nothing.", "Do it.", None)[number % 3]
    more = {"budget": {"actions": 20}} if number % 2 else {}
    token = world.gateway.delegate(
        person, agent="orchestrator", tools=TOOLS, prompt_id="p1", intent="Do it." if number == 0 else intent, **more
    )
    return token, ("orchestrator",)


@given(taken=steps)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_every_decision_replays_to_the_same_value_and_path(taken: list[tuple[str, int]]) -> None:
    """With history, budgets, delegation, claims, the clock and randomness."""
    with tempfile.TemporaryDirectory() as folder:
        world = World.made(Path(folder), CONFIG + MORE, POLICY)
        world = run(world, taken)
        found = replayed(world)
        asked = [record for record in world.records() if record.get("seen") is not None]
        assert [one.decision_id for one in found] == [record["decision_id"] for record in asked]
        assert [one for one in found if one.differences or one.unknown] == []
        world.gateway.close()


def test_other_policies_are_said_to_be_so(tmp_path: Path) -> None:
    """A record names the policies that decided, and no others are taken for them."""
    world = World.made(tmp_path, CONFIG, POLICY)
    begun(world, 1)
    (tmp_path / "policy.rego").write_text(POLICY + "\nmore := 1\n")
    assert [one.unknown for one in replayed(world)] == ["it was decided by other policies or documents"]


def test_what_a_record_has_otherwise_is_found(tmp_path: Path) -> None:
    """Somebody has changed what the policy said, or the way to it."""
    world = World.made(tmp_path, CONFIG, POLICY)
    token, _ = begun(world, 1)
    world.ask(token, tool="pay")
    config = read_config(CONFIG).within(tmp_path)
    engine = load_engine(config)
    entries = list(world.gateway.state.audit.entries())
    at = next(number for number, entry in enumerate(entries) if entry.kind == "decision")
    record = json.loads(entries[at].body or "")
    changed = {**record, "value": {"allow": True}, "path": [*record["path"], 0]}
    entries[at] = entries[at]._replace(body=json.dumps(changed))
    replay = Replay(PolicyStep(engine, config.entrypoint), revision_of(config, engine))
    found = list(replay.entries(entries))[-1]
    assert found.differences == (
        Difference("value", {"allow": True}, record["value"]),
        Difference("path", [*record["path"], 0], record["path"]),
    )


def test_what_is_masked_is_not_taken_once_more(tmp_path: Path) -> None:
    """Nor what rests on a history that is."""
    world = World.made(tmp_path, CONFIG, POLICY)
    token, _ = begun(world, 1)
    world.ask(token, tool="write_file", parameters={"password": "x"}, reasoning={"snapshot": "x"})
    world.ask(token, tool="write_file", parameters={}, reasoning={"snapshot": "x"})
    masked = "parts of what the policy was shown are masked"
    assert [one.unknown for one in replayed(world)] == [None, masked, masked]


@pytest.mark.parametrize("masked", ["/delegation/root/subject", "/delegation/root"])
def test_whose_a_decision_is_has_to_be_known(tmp_path: Path, masked: str) -> None:
    """Where the log does not say who the person is, nobody knows which actions were before it."""
    world = World.made(tmp_path, f"{CONFIG}\nmasks: {{paths: [{masked}]}}\n", POLICY)
    for number in (1, 4):
        token, _ = begun(world, number)
        world.ask(token, tool="write_file", reasoning={"snapshot": "x"})
    begun(world, 1)
    unknown = "parts of what the policy was shown are masked"
    assert [one.unknown for one in replayed(world)] == [None, *[unknown] * 4]


def test_a_built_in_that_failed_fails_again(tmp_path: Path) -> None:
    """It ended the decision then, and ends it now."""
    failing = '\ndeny contains "unknown" if not startswith(input.context.name, input.context.number)\n'
    world = World.made(tmp_path, CONFIG, POLICY + failing)
    token, _ = begun(world, 1)
    assert world.outcome(token, context={"name": "x", "number": 7}) == ("deny", "policy_error")
    assert [one for one in replayed(world) if one.differences or one.unknown] == []


def test_a_delegation_that_the_log_has_not_any_more(tmp_path: Path) -> None:
    """Its entry was pruned."""
    world = World.made(tmp_path, CONFIG, POLICY)
    token, _ = begun(world, 1)
    world.ask(token, tool="pay")
    entries = [entry for entry in world.gateway.state.audit.entries() if entry.kind != "delegation"]
    config = read_config(CONFIG).within(tmp_path)
    engine = load_engine(config)
    found = list(Replay(PolicyStep(engine, config.entrypoint), revision_of(config, engine)).entries(entries))
    assert (found[-1].unknown or "").startswith("the log does not have the delegation of the token")


def test_where_reasoning_is_not_kept_policies_that_look_at_it_cannot_be_asked_again(tmp_path: Path) -> None:
    world = World.made(tmp_path, CONFIG + "audit: {capture_reasoning: false}\n", POLICY)
    begun(world, 1)
    config = read_config(CONFIG).within(tmp_path)
    engine = load_engine(config)
    replay = Replay(PolicyStep(engine, config.entrypoint), revision_of(config, engine), keeps_reasoning=False)
    found = list(replay.entries(world.gateway.state.audit.entries()))
    assert [one.unknown for one in found] == ["the policy looks at the reasoning, which is not kept"]


def test_a_clock_of_another_process(tmp_path: Path) -> None:
    """Decisions of several processes are one run."""
    world = World.made(tmp_path, CONFIG, POLICY)
    other = World(tmp_path, Clock(), opened(tmp_path, Clock()))
    token, _ = begun(world, 1)
    for each in (world, other, world):
        each.ask(token, tool="write_file", reasoning={"snapshot": "x"}, request_id=f"r{id(each)}-{each.clock.now}")
    assert [one for one in replayed(other) if one.differences or one.unknown] == []
