"""Actions that wait for a person: asked for, answered, used once, and for nothing but what was shown."""

from pathlib import Path
from typing import Any

import pytest

from gateways import CONFIG, LOGIN, World
from procurator.governance.approvals.approvers import Approvers, joined
from procurator.governance.audit.verification import verify
from procurator.governance.decision import Denied, GatewayDecision
from procurator.governance.guard import Actor, acting, approved
from procurator.governance.identity.persons import Person
from procurator.governance.refusals import Refused
from procurator.values import loads

POLICY = """package procurator

# METADATA
# title: Everything that was delegated
allow if input.action.operation in {"read", "write", "execute", "delegate"}

deny contains "closed" if {
	input.approval
	input.action.parameters.amount > 900
}

# METADATA
# title: Payments are looked at by a person
propose contains "ask_first" if input.action.tool == "pay"

propose contains {"reason": "own_mail", "approval": {"self": true}} if input.action.tool == "send_mail"

propose contains {"reason": "big", "approval": {"roles": ["cfo"]}} if input.action.parameters.amount > 100

irreversible if input.action.tool == "write_file"

compensation := "restore_file" if input.action.parameters.backup
"""

PAY = {"tool": "pay", "operation": "execute", "parameters": {"to": "shop", "amount": 10}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path, policy=POLICY)


def proposed(world: World, token: str, **changes: Any) -> str:
    """The approval that an action waits for."""
    decision = world.ask(token, **{**PAY, **changes})
    assert (decision.verdict, decision.permit_id) == ("propose", None)
    assert decision.approval_id is not None
    return decision.approval_id


def given(world: World, token: str, **changes: Any) -> str:
    """An approval that Bob has given."""
    approval_id = proposed(world, token, **changes)
    world.gateway.approvals.approve(approval_id, world.person("bob"))
    return approval_id


def used(world: World, token: str, ref: str, **changes: Any) -> GatewayDecision:
    """The decision about an action with an approval."""
    return world.ask(token, **{**PAY, "approval_ref": ref, **changes})


def told(decision: GatewayDecision) -> tuple[str, str, str]:
    """Verdict, reason, and what became of the approval."""
    return decision.verdict, decision.reason, decision.record["approval"]["status"]


def refused(world: World, approval_id: str, token: str, verb: str = "approve") -> str:
    """Why an answer does not count."""
    with pytest.raises(Refused) as caught:
        getattr(world.gateway.approvals, verb)(approval_id, token)
    return caught.value.reason


# The usual way


def test_an_approved_action_is_permitted_once(world: World) -> None:
    """Whoever asks again has to ask again."""
    token = world.granted()
    ref = given(world, token)
    decision = used(world, token, ref)
    assert told(decision) == ("permit", "approved", "honored")
    assert decision.message.endswith("; approved by `bob`")
    assert decision.permit_id is not None
    assert world.gateway.report(decision.permit_id, "success").accepted
    assert told(used(world, token, ref)) == ("propose", "ask_first", "consumed")
    approval = world.gateway.approvals.show(ref)
    assert (approval.state, approval.permit_id) == ("consumed", decision.permit_id)


def test_the_answer_over_the_wire_names_the_approval(world: World) -> None:
    """So does the first answer to a request that is repeated; another one of the same action waits for the same."""
    request = world.request(world.granted(), **PAY)
    first, again = world.gateway.decide(request), world.gateway.decide(request)
    assert first.to_json()["approval_id"] == first.approval_id
    assert (again.replayed, again.approval_id) == (True, first.approval_id)
    assert proposed(world, request["token"]) == first.approval_id
    assert len(world.gateway.approvals.list()) == 1


def test_a_person_is_shown_what_is_granted(world: World) -> None:
    """The action, the agent and its chain, the person and the prompt, why, and all that the agent could do."""
    root = world.granted(intent="Buy paper.")
    token = world.passed_on(root, "orchestrator", "reader", ["pay"])
    decision = world.ask(token, "reader", **PAY, context={"password": "hunter2"}, estimated_cost={"compute_tokens": 10})
    shown = world.gateway.approvals.show(decision.approval_id or "").document
    assert {name: shown[name] for name in ("state", "prompt_id", "agent", "person", "intent", "action")} == {
        "state": "pending",
        "prompt_id": "p1",
        "agent": "reader",
        "person": {"issuer": LOGIN, "subject": "alice"},
        "intent": "Buy paper.",
        "action": PAY,
    }
    assert (shown["reason"], shown["message"]) == ("ask_first", "Payments are looked at by a person: ask_first")
    assert {"path": "data.procurator.propose", "title": "Payments are looked at by a person"} in shown["rules"]
    assert [link["agent"] for link in shown["chain"]] == ["orchestrator", "reader"]
    assert shown["envelope"]["tools"] == ["pay"]
    assert shown["context"] == {"password": "***"}
    assert shown["estimated_cost"] == {"compute_tokens": 10}
    assert (shown["decision_id"], shown["approvers"]) == (decision.decision_id, {"self": False, "roles": []})
    assert (shown["created"][:19], shown["expires"][:19]) == ("2027-01-15T08:00:00", "2027-01-15T09:00:00")


def test_all_of_it_is_in_the_log(world: World) -> None:
    """Who asked, who answered, for which permit it was used, and who tried in vain."""
    token = world.granted()
    ref = proposed(world, token)
    refused(world, ref, world.person())
    world.gateway.approvals.approve(ref, world.person("bob", roles=["cfo"]), why="as agreed")
    permit = used(world, token, ref).permit_id
    records = world.records("approval")
    assert [record["action"] for record in records] == ["proposed", "refused", "approved", "consumed"]
    assert {record["approval_id"] for record in records} == {ref}
    assert {record["prompt_id"] for record in records} == {"p1"}
    assert records[0]["envelope"]["tools"] == sorted(["read_file", "write_file", "send_mail", "pay", "read_secret"])
    assert (records[1]["wanted"], records[1]["reason"]) == ("approved", "self_approval")
    assert records[2]["by"] == {"issuer": LOGIN, "subject": "bob", "claims": {"roles": ["cfo"]}}
    assert (records[2]["why"], records[3]["permit_id"]) == ("as agreed", permit)
    decision = world.records()[records[0]["decision_seq"]]
    assert decision["approval"] == {"id": ref, "ref": None, "status": "absent"}
    assert verify(world.gateway.state.audit.entries()).is_whole


def test_people_are_told_when_it_is_durable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each approval; the log has what they are told."""
    seen: list[Any] = []
    monkeypatch.setattr(type(world.gateway._parts.notifier), "send", lambda _self, records: seen.extend(records))
    token = world.granted()
    requests = [world.request(token, **PAY), world.request(token, **PAY), world.request(token)]
    verdicts = [decision.verdict for decision in world.gateway.decide_many(requests)]
    ref = proposed(world, token)
    assert verdicts == ["propose", "propose", "permit"]
    assert seen == world.records("notification")
    (notice,) = seen
    assert {name: notice[name] for name in ("event", "prompt_id", "approval_id", "agent", "message")} == {
        "event": "proposed",
        "prompt_id": "p1",
        "approval_id": ref,
        "agent": "orchestrator",
        "message": "agent `orchestrator` asks to execute `pay`: Payments are looked at by a person: ask_first",
    }


# What is no approval


def test_a_pending_denied_unknown_or_expired_approval_counts_as_none(world: World) -> None:
    """The policy does not even see it, and asks anew where nothing is pending."""
    token = world.granted()
    ref = proposed(world, token)
    decision = used(world, token, ref)
    assert (told(decision), decision.approval_id) == (("propose", "ask_first", "pending"), ref)
    world.gateway.approvals.deny(ref, world.person("bob"))
    decision = used(world, token, ref)
    assert told(decision) == ("propose", "ask_first", "denied")
    assert decision.approval_id not in (None, ref)
    assert told(used(world, token, "0" * 32)) == ("propose", "ask_first", "unknown")
    assert told(world.ask(token, approval_ref="0" * 32)) == ("permit", "passed", "unknown")


def test_an_approval_expires(world: World) -> None:
    """Asked for or given; turning the clock back does not bring it back, not even after a new start."""
    ref = given(world, world.granted())
    world.clock.forward(3600)
    token = world.granted()
    waiting = proposed(world, token)
    assert told(used(world, token, ref)) == ("propose", "ask_first", "expired")
    world.clock.forward(-3600)
    world = world.again()
    assert world.gateway.approvals.show(ref).state == "expired"
    world.clock.forward(2 * 3600 + 10)
    assert refused(world, waiting, world.person("bob")) == "approval_expired"
    assert {approval.state for approval in world.gateway.approvals.list(None)} == {"expired"}
    assert world.gateway.approvals.list() == []
    assert proposed(world, world.granted()) != waiting


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"to": "shop", "amount": 11}},
        {"parameters": {"to": "shop", "amount": 10, "note": None}},
        {"operation": "write"},
        {"target_resource": "shop"},
        {"estimated_cost": {"compute_tokens": 1000}},
        {"context": {"urgent": True}},
    ],
)
def test_an_approval_is_of_one_action(world: World, changes: dict[str, Any]) -> None:
    """What it is worth, and all that a policy may decide on, is a part of it; tracing is none."""
    token = world.granted()
    ref = given(world, token)
    assert told(used(world, token, ref, **changes)) == ("propose", "ask_first", "action_mismatch")
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    assert told(used(world, token, ref, context=trace)) == ("permit", "approved", "honored")


def test_an_approval_is_for_one_agent_prompt_and_authority(world: World) -> None:
    """A new token with the same authority will do, one with another will not."""
    token = world.granted()
    ref = given(world, token)
    others = [
        (world.granted("writer"), "writer", {}),
        (world.granted(prompt_id="p2"), "orchestrator", {"prompt_id": "p2"}),
        (world.granted(tools=["pay"]), "orchestrator", {}),
        (world.passed_on(token, "orchestrator", "reader", ["pay"]), "reader", {}),
    ]
    for other, agent, more in others:
        decision = world.ask(other, agent, **PAY, approval_ref=ref, **more)
        assert told(decision) == ("propose", "ask_first", "action_mismatch")
    world.clock.forward(200)
    assert told(used(world, world.granted(), ref)) == ("permit", "approved", "honored")


def test_an_approval_is_for_one_person(world: World) -> None:
    """Somebody else behind the same agent and prompt is somebody else, and so is who acts for the person."""
    ref = given(world, world.granted())
    for person in (world.person("carol"), world.person(act={"sub": "carol"})):
        token = world.gateway.delegate(person, agent="orchestrator", tools=["pay"], prompt_id="p1")
        assert told(used(world, token, ref)) == ("propose", "ask_first", "principal_mismatch")


def test_what_a_caller_writes_of_an_approval_is_thrown_away(world: World) -> None:
    """Policies see the gateway's word alone."""
    request = world.request(world.granted(), **PAY) | {"approval": {"status": "approved"}}
    assert told(world.gateway.decide(request)) == ("propose", "ask_first", "absent")


# What stands above it


def test_the_policy_stays_the_authority(world: World) -> None:
    """What it denies now is denied, and the approval is not used up by that."""
    token, rich = world.granted(), {"parameters": {"to": "shop", "amount": 1000}}
    approval_id = proposed(world, token, **rich)
    world.gateway.approvals.approve(approval_id, world.person("bob", roles=["cfo"]))
    assert told(used(world, token, approval_id, **rich)) == ("deny", "closed", "honored")
    assert world.gateway.approvals.show(approval_id).state == "approved"


def test_policies_see_the_approval(tmp_path: Path) -> None:
    """Who gave it and when, from the gateway alone; a permit that they give themselves uses it up."""
    policy = """package procurator

decision := {"verdict": "permit"} if input.action.operation == "delegate"

else := {"verdict": "permit", "message": json.marshal(seen)} if seen := object.remove(input.approval, ["id"])

else := {"verdict": "propose"}
"""
    world = World.made(tmp_path, policy=policy)
    token = world.granted()
    ref = given(world, token)
    decision = used(world, token, ref)
    shown = world.gateway.approvals.show(ref).document
    assert loads(decision.message) == {
        "approved_by": {"issuer": LOGIN, "subject": "bob"},
        "approved_at": shown["answer"]["at"],
        "requested_at": shown["created"],
        "expires": shown["expires"],
        "reason": "approval_required",
        "status": "approved",
    }
    assert (decision.verdict, decision.reason) == ("permit", "passed")
    assert told(used(world, token, ref)) == ("propose", "approval_required", "consumed")


def test_kill_switch_and_revocation_stand_above_approvals(world: World) -> None:
    """Of what is done, and of who has approved it; nothing of that uses it up."""
    token = world.granted()
    ref = given(world, token)
    world.gateway.admin.kill("prompt", "p1")
    decision = used(world, token, ref)
    assert (decision.verdict, decision.reason, decision.record["approval"]) == ("deny", "kill_switch", None)
    assert refused(world, proposed(world, world.granted(prompt_id="p2"), prompt_id="p2"), "no token") == (
        "person_not_verified"
    )
    world.gateway.admin.resume("prompt", "p1")
    world.gateway.admin.revoke("person", "bob", issuer=LOGIN)
    assert told(used(world, token, ref)) == ("propose", "ask_first", "approver_refused")
    waiting = proposed(world, token)
    assert refused(world, waiting, world.person("bob")) == "revoked"
    world.gateway.admin.kill()
    assert refused(world, waiting, world.person("carol")) == "kill_switch"


def test_an_action_that_does_not_come_about_leaves_the_approval(tmp_path: Path) -> None:
    """A limit, an obligation that nobody knows, a dry run."""
    policy = POLICY + '\npropose contains {"obligations": ["dance"]} if input.action.parameters.dance\n'
    world = World.made(tmp_path, CONFIG + "quotas: {max_compute_tokens: 5}\n", policy)
    token = world.granted()
    dancing = {"parameters": {"dance": True}}
    ref = given(world, token, **dancing)
    assert told(used(world, token, ref, **dancing)) == ("deny", "unknown_obligation", "honored")
    costly = {"estimated_cost": {"compute_tokens": 6}}
    other = given(world, token, **costly)
    assert told(used(world, token, other, **costly))[::2] == ("deny", "honored")
    assert {approval.state for approval in world.gateway.approvals.list(None)} == {"approved"}


def test_in_dry_run_nobody_is_asked(tmp_path: Path) -> None:
    """The verdict is what it would be; an approval of before is not used up."""
    world = World.made(tmp_path, policy=POLICY)
    token = world.granted()
    ref = given(world, token)
    world.gateway.close()
    (tmp_path / "agentic-governance.yaml").write_text(CONFIG + "policy_engine: {mode: dry_run}\n")
    world = world.again_without_closing()
    assert told(used(world, token, ref)) == ("dry_run", "dry_run", "honored")
    decision = world.ask(token, **PAY)
    assert (decision.verdict, decision.approval_id) == ("propose", None)
    assert [approval.state for approval in world.gateway.approvals.list(None)] == ["approved"]


# Who may approve


def test_nobody_approves_their_own_agents_action(world: World) -> None:
    """Neither the person, nor who acts for them, nor either of them as somebody else; but they may deny it."""
    person = world.person(act={"sub": "dora"})
    token = world.gateway.delegate(person, agent="orchestrator", tools=["pay"], prompt_id="p1")
    ref = proposed(world, token)
    approvers = [
        world.person("alice"),
        world.person("dora"),
        world.person("bob", act={"sub": "alice"}),
        world.person("bob", act={"sub": "carol", "act": {"sub": "dora"}}),
    ]
    assert [refused(world, ref, approver) for approver in approvers] == ["self_approval"] * 4
    assert world.gateway.approvals.deny(ref, world.person("alice")).state == "denied"
    assert refused(world, ref, world.person("bob")) == "approval_answered"


def test_the_policy_or_the_configuration_may_allow_it(tmp_path: Path) -> None:
    """The policy for what it proposes, the configuration for the rest."""
    world = World.made(tmp_path, policy=POLICY)
    token = world.granted()
    mail = {"tool": "send_mail", "parameters": {}}
    ref = proposed(world, token, **mail)
    world.gateway.approvals.approve(ref, world.person())
    assert told(used(world, token, ref, **mail)) == ("permit", "approved", "honored")
    world.gateway.close()
    (tmp_path / "agentic-governance.yaml").write_text(CONFIG + "approvals: {self_approval: allow, roles: [lead]}\n")
    world = world.again_without_closing()
    ref = proposed(world, token)
    assert refused(world, ref, world.person()) == "approver_not_allowed"
    world.gateway.approvals.approve(ref, world.person(groups=["lead"]))
    assert told(used(world, token, ref)) == ("permit", "approved", "honored")


def test_somebody_else_may_be_called_the_same(world: World) -> None:
    """By another issuer; by the same one it is the same person."""
    ref = proposed(world, world.granted())
    behind = world.gateway.approvals.show(ref).principal
    problems = [
        Approvers().problem(Person(issuer, "alice", (), {}), behind) for issuer in (LOGIN, "https://other.example")
    ]
    assert problems == ["self_approval", None]


@pytest.mark.parametrize(
    ("several", "own"),
    [
        ([True, True], True),
        ([True, None], None),
        ([None, False], False),
        ([True, False], False),
    ],
)
def test_whoever_approves_for_several_reasons_may_for_each(several: list[bool | None], own: bool | None) -> None:
    """What one of them forbids, neither the others nor the configuration allow; a role is needed for each."""
    reasons = [Approvers(one, ((f"role{number}",),)) for number, one in enumerate(several)]
    assert joined(reasons) == Approvers(own, (("role0",), ("role1",)))


def test_an_approver_needs_the_roles_that_the_policy_names(world: World) -> None:
    """To deny too; a claim that is no list of texts is none."""
    big = {"parameters": {"amount": 500}}
    ref = proposed(world, world.granted(), **big)
    for claims in ({}, {"roles": ["ceo"]}, {"roles": "cfo"}, {"roles": [["cfo"]]}, {"scope": "cfo"}):
        assert refused(world, ref, world.person("bob", **claims)) == "approver_not_allowed"
    assert refused(world, ref, world.person("bob"), "deny") == "approver_not_allowed"
    assert refused(world, ref, world.person("alice", roles=["cfo"])) == "self_approval"
    assert world.gateway.approvals.approve(ref, world.person("bob", groups=["cfo"])).state == "approved"


def test_an_approval_has_to_be_enough_for_what_the_policy_asks_now(tmp_path: Path) -> None:
    """Where the policy has changed since, it is asked for again."""
    world = World.made(tmp_path, policy=POLICY)
    token = world.granted()
    ref = given(world, token)
    world.gateway.close()
    (tmp_path / "policy.rego").write_text(POLICY.replace("> 100", "> 1"))
    world = world.again_without_closing()
    decision = used(world, token, ref)
    assert told(decision) == ("propose", "ask_first", "approver_refused")
    assert decision.approval_id not in (None, ref)


def test_approving_is_authenticated(world: World) -> None:
    """A token that is not good answers nothing, and neither does an agent's."""
    token = world.granted()
    ref = proposed(world, token)
    now = world.clock.seconds
    bad = ["", "x", token, world.person("bob", exp=now - 60, iat=now - 120), world.person("bob", aud="another")]
    assert [refused(world, ref, one) for one in bad] == ["person_not_verified"] * 5
    assert refused(world, "0" * 32, world.person("bob")) == "approval_unknown"
    with pytest.raises(Refused, match="malformed"):
        world.gateway.approvals.approve(ref, world.person("bob"), why="x" * 5000)
    with pytest.raises(Refused, match="approval_unknown"):
        world.gateway.approvals.show("0" * 32)
    with pytest.raises(Refused, match="malformed"):
        world.gateway.approvals.list("open")
    assert world.gateway.approvals.show(ref).state == "pending"


def test_an_approval_is_good_until_its_very_end(world: World) -> None:
    """In the nanosecond that is named as the end it is over."""
    ref = proposed(world, world.granted())
    approvals = world.gateway.approvals
    end = approvals.show(ref).expires_ns

    def states(tx: Any) -> list[str]:
        found = [approvals.proposals.find(tx, ref, now_ns) for now_ns in (end - 1, end)]
        return [one.state for one in found if one is not None]

    assert world.gateway.state.store.transact(states) == ["pending", "expired"]


# What cannot be undone


def test_what_cannot_be_undone_is_never_permitted_without_approval(world: World) -> None:
    """Unless there is a command that makes up for it."""
    token, write = world.granted(), {"tool": "write_file", "operation": "write", "parameters": {"path": "/a"}}
    decision = world.ask(token, **write)
    assert (decision.verdict, decision.reason) == ("propose", "no_compensating_command")
    ref = decision.approval_id or ""
    world.gateway.approvals.approve(ref, world.person("bob"))
    assert told(world.ask(token, **write, approval_ref=ref)) == ("permit", "approved", "honored")
    write["parameters"] = {"path": "/a", "backup": True}
    assert told(world.ask(token, **write)) == ("permit", "passed", "absent")


@pytest.mark.parametrize("verdict", ["deny", "dry_run"])
def test_what_cannot_be_undone_is_not_proposed_where_it_is_denied(tmp_path: Path, verdict: str) -> None:
    """No approval makes a permit of it."""
    policy = f"""package procurator

decision := {{"verdict": "permit"}} if input.action.operation == "delegate"

else := {{"verdict": "{verdict}", "irreversible": true}}
"""
    world = World.made(tmp_path, policy=policy)
    decision = world.ask(world.granted())
    assert (decision.verdict, decision.approval_id) == (verdict, None)


# Governed functions, delegations, processes, lists


def test_a_governed_function_runs_with_an_approval(world: World) -> None:
    """Once; without it, it raises what says which one is waited for."""
    actor = Actor(world.granted(), "p1", world.prover("orchestrator"))

    @world.gateway.governed(tool="pay")
    def pay(amount: int) -> int:
        return amount

    with acting(actor):
        with pytest.raises(Denied) as caught:
            pay(10)
        ref = caught.value.decision.approval_id or ""
        world.gateway.approvals.approve(ref, world.person("bob"))
        with approved(ref):
            assert pay(10) == 10
            with pytest.raises(Denied, match="ask_first"):
                pay(10)


def test_a_delegation_can_wait_for_approval_too(tmp_path: Path) -> None:
    """Of a person, and of an agent."""
    policy = """package procurator

allow if input.action.tool != "never"

propose contains "who_is_that" if input.action.target_resource in {"orchestrator", "reader"}
"""
    world = World.made(tmp_path, policy=policy)

    def asked(give: Any, **more: Any) -> str:
        with pytest.raises(Denied) as caught:
            give(**more)
        assert caught.value.decision.reason == "who_is_that"
        ref = caught.value.decision.approval_id or ""
        world.gateway.approvals.approve(ref, world.person("bob"))
        return ref

    assert world.gateway.approvals.list() == []
    ref = asked(world.granted)
    with pytest.raises(Denied):
        world.granted(approval_ref=ref, tools=["pay"])
    token = world.granted(approval_ref=ref)
    handed_on = (token, "orchestrator", "reader", ["read_file"])
    ref = asked(lambda **more: world.passed_on(*handed_on, **more))
    child = world.passed_on(*handed_on, approval_ref=ref)
    assert world.outcome(child, "reader") == ("permit", "passed")


def test_an_approval_is_used_once_by_all_processes(world: World) -> None:
    """It is in the file, and is approved wherever the person is."""
    token = world.granted()
    other = world.again_without_closing()
    ref = proposed(world, token)
    other.gateway.approvals.approve(ref, world.person("bob"))
    decisions = [used(one, token, ref).reason for one in (world, other, world)]
    assert decisions == ["approved", "ask_first", "ask_first"]


def test_approvals_of_a_batch_are_used_once(world: World) -> None:
    """Also where they share a commit."""
    token = world.granted()
    ref = given(world, token)
    requests = [world.request(token, **PAY, approval_ref=ref) for _ in range(3)]
    assert [one.verdict for one in world.gateway.decide_many(requests)] == ["permit", "propose", "propose"]


def test_approvals_are_listed_by_state_and_prompt(world: World) -> None:
    """The oldest first; those that wait without asking for others."""
    first = proposed(world, world.granted())
    second = proposed(world, world.granted(prompt_id="p2"), prompt_id="p2")
    third = given(world, world.granted(), parameters={})
    listed = world.gateway.approvals.list
    ids = [[one.approval_id for one in found] for found in (listed(), listed(None), listed("approved"))]
    assert ids == [[first, second], [first, second, third], [third]]
    assert [one.approval_id for one in listed(prompt_id="p2")] == [second]


def test_what_was_asked_in_a_transaction_that_failed_is_not_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is anybody told."""
    token = world.granted()

    def broken(*_args: object, **_named: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(type(world.gateway.approvals), "log", broken)
        assert world.ask(token, **PAY).reason == "internal_error"
    assert world.gateway.approvals.list(None) == []
