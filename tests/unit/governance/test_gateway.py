"""Deciding, delegating, reporting: the whole way through the gateway."""

import asyncio
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gateways import CONFIG, World, self_key, session_proof
from procurator.governance.audit.verification import verify
from procurator.governance.decision import Denied, GatewayDecision
from procurator.governance.delegation.proofs import prove
from procurator.governance.delegation.sessions import opening
from procurator.governance.gateway import Gateway, ReportAnswer
from procurator.governance.guard import Actor, acting
from procurator.governance.refusals import Refused
from procurator.governance.signing.keys import write_private
from procurator.governance.steps import budgets as budget
from procurator.governance.steps import recording
from procurator.governance.steps.case import Case


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path)


def test_what_was_delegated_and_is_allowed_is_permitted(world: World) -> None:
    """A permit has an id, the obligation to report, and the message of the rule."""
    decision = world.ask(world.granted())
    assert (decision.verdict, decision.reason, decision.message) == (
        "permit",
        "passed",
        "Everything that was delegated",
    )
    assert decision.permit_id is not None
    assert decision.obligations == ({"type": "report_result", "required": True},)


def test_deny_beats_propose_beats_allow(world: World) -> None:
    """The policy's own reasons come through."""
    token = world.granted()
    assert world.outcome(token, tool="read_secret") == ("deny", "no_secrets")
    assert world.outcome(token, tool="pay", operation="execute") == ("propose", "ask_first")


def test_without_a_configuration_everything_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults hold no policy and nobody who could be trusted."""
    monkeypatch.chdir(tmp_path)
    with Gateway.from_config() as gateway:
        assert gateway.decide({}).reason == "malformed"


def test_the_record_says_who_what_why_and_by_which_rule(world: World) -> None:
    """One record a decision, with the fields that replay and people need."""
    token = world.passed_on(world.granted(intent="Read the report."), "orchestrator", "reader", ["read_file"])
    decision = world.ask(token, "reader", reasoning={"snapshot": "I need it."}, context={"password": "hunter2"})
    record = decision.record
    assert record["verdict"] == "permit"
    assert record["input"]["context"] == {"password": "***"}
    assert record["input"]["reasoning"] == {"snapshot": "I need it."}
    assert [link["agent"] for link in record["delegation"]["chain"]] == ["orchestrator", "reader"]
    assert record["delegation"]["root"] == {"issuer": "https://login.example", "subject": "alice"}
    assert world.records("delegation")[0]["child"]["root"]["intent"] == "Read the report."
    assert [(rule["path"], rule["title"]) for rule in record["rules"]] == [
        ("data.procurator.allow", "Everything that was delegated")
    ]
    assert record == world.records("decision")[-1]
    assert set(record) == {
        *("approval", "budget", "child", "data_revision", "decision_id", "delegation", "duration_ns", "engine_version"),
        *("entrypoint", "field", "input", "link", "message", "nondeterministic", "obligations", "path", "permit_id"),
        *("policy_revision", "proven", "reason", "request_id", "rules", "schema_version", "seen", "span_id", "time"),
        *("trace_id", "value", "verdict"),
    }


def test_impersonation_is_visible(world: World) -> None:
    """The claim `act` of the person's token is in every record, and the policy sees it; without it nobody acts."""
    alice = {"issuer": "https://login.example", "subject": "alice"}
    for act, root in (({"sub": "bob"}, alice | {"act": ["bob"]}), (None, alice)):
        person = world.person(**({"act": act} if act else {}))
        token = world.gateway.delegate(person, agent="orchestrator", tools=["read_file"], prompt_id="p1")
        assert world.records("delegation")[-1]["seen"]["delegation"]["root"] == root
        assert world.ask(token).record["delegation"]["root"] == root


def test_what_is_remembered_between_decisions_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is too much of it, it begins anew; it is remembered for speed alone."""
    monkeypatch.setattr(recording, "TEXTS_KEPT", 2)
    monkeypatch.setattr(budget, "COSTS_KEPT", 2)
    monkeypatch.setattr(budget, "PATHS_KEPT", 2)
    texts, budgets = world.gateway._parts.recorder._chains, world.gateway.budgets
    sizes = []
    for number in range(5):
        token = world.granted(prompt_id=f"p{number}")
        cost = {"compute_tokens": number}
        assert world.outcome(token, prompt_id=f"p{number}", estimated_cost=cost) == ("permit", "passed")
        sizes.append((len(texts), len(budgets._costs), len(budgets._known)))
    assert sizes == [(1, 1, 1), (2, 2, 2), (1, 1, 1), (2, 2, 2), (1, 1, 1)]


def test_a_repeated_request_gets_the_first_answer(world: World) -> None:
    """Nothing is decided or written a second time."""
    request = world.request(world.granted())
    first, second = world.gateway.decide(request), world.gateway.decide(request)
    assert (second.permit_id, second.replayed) == (first.permit_id, True)
    assert len(world.records("decision")) == 1


def test_the_kill_switch_stands_above_an_earlier_permit(world: World) -> None:
    """A permit is not given again after it was turned on."""
    request = world.request(world.granted())
    assert world.gateway.decide(request).verdict == "permit"
    world.gateway.admin.kill("prompt", "p1")
    assert world.gateway.decide(request).reason == "kill_switch"


def test_a_request_id_is_good_for_one_request(world: World) -> None:
    """Another body under the same id is refused, and does not take the first one's place."""
    token = world.granted()
    first = world.request(token, request_id="same")
    other = world.request(token, request_id="same", parameters={"path": "/data/b.txt"})
    assert world.gateway.decide(first).verdict == "permit"
    assert world.gateway.decide(other).reason == "request_id_reused"
    assert world.gateway.decide(first).replayed


FULL: dict[str, Any] = {
    "request_id": "same",
    "action": {
        "operation": "write",
        "tool": "write_file",
        "target_resource": "/data/b.txt",
        "parameters": {"to": ["ann@example.org"], "copy": None, "urgent": True, "size": 1.5},
    },
    "context": {"channel": {"name": "chat"}},
    "reasoning": {"snapshot": "s", "tool_rationale": "t", "context_digest": "sha256:" + "0a" * 32},
    "estimated_cost": {"compute_tokens": 12, "seconds": 3},
    "approval_ref": "ap-1",
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full request with another value at a path with dots, or, for `...`, without any."""
    *above, name = path.split(".")
    request = deepcopy(FULL)
    part = request
    for step in above:
        part = part[step]
    part[name] = value
    if value is ...:
        del part[name]
    return request


CHANGES = [
    ("action.operation", "read"),
    ("action.tool", "send_mail"),
    ("action.target_resource", ...),
    ("action.parameters", {}),
    ("action.parameters.urgent", 1),
    ("action.parameters.copy", ...),
    ("context", {}),
    ("reasoning", ...),
    ("reasoning.snapshot", ...),
    ("estimated_cost.compute_tokens", "12"),
    ("approval_ref", ...),
]


@pytest.mark.parametrize("keep", ["true", "false"])
def test_every_member_tells_requests_apart(tmp_path: Path, keep: str) -> None:
    """Whatever differs under one request id is refused, though the record may not keep it."""
    world = World.made(tmp_path, CONFIG + f"audit: {{capture_reasoning: {keep}}}\n")
    token, other = world.granted(), world.granted()
    first = world.gateway.decide(world.request(token, **FULL))
    assert (first.verdict, first.reason, first.replayed) == ("permit", "passed", False)
    for path, value in CHANGES:
        assert (path, world.ask(token, **changed(path, value)).reason) == (path, "request_id_reused")
    assert world.ask(other, **FULL).reason == "request_id_reused"
    assert world.ask(token, **FULL).replayed


def test_names_come_in_any_order_and_the_proof_counts_not_at_all(world: World) -> None:
    """It is the same request with another proof, and with what is empty left out or null."""
    token = world.granted()
    first = world.gateway.decide(world.request(token, **FULL))
    assert first.verdict == "permit"
    world.clock.forward(2)
    again = world.request(token, **FULL)
    assert world.gateway.decide(dict(reversed(again.items()))).permit_id == first.permit_id
    least = world.request(token, request_id="least")
    assert world.gateway.decide(least).verdict == "permit"
    empty = {"context": {}, "reasoning": None, "estimated_cost": {}, "approval_ref": None}
    assert world.gateway.decide(least | empty).replayed


def test_a_report_counts_once(world: World) -> None:
    """The second one, and one for no permit, do not."""
    decision = world.ask(world.granted())
    permit = decision.permit_id or ""
    answer = world.gateway.report(permit, "success", actual={"tokens": 812})
    assert (answer.accepted, answer.reason) == (True, None)
    assert world.gateway.report(permit, "failure") == ReportAnswer(False, "permit_settled")
    assert world.gateway.report("0" * 32, "success") == ReportAnswer(False, "permit_unknown")
    assert world.gateway.report(permit, "fine") == ReportAnswer(False, "malformed")
    record = world.records("outcome")[-1]
    assert record.pop("time") > decision.record["time"]
    assert record == {
        "permit_id": permit,
        "decision_id": decision.decision_id,
        "decision_seq": world.records().index(decision.record),
        "outcome": "success",
        "actual": {"tokens": 812},
        "settled": {"actions": 1, "compute_tokens": 812},
        "payload": {},
    }
    told = [(one["permit_id"], one["outcome"], one["reason"]) for one in world.records("report")]
    refused = [
        (permit, "failure", "permit_settled"),
        ("0" * 32, "success", "permit_unknown"),
        (None, None, "malformed"),
    ]
    assert told == refused


def test_a_report_that_does_not_count_hides_what_is_secret(world: World) -> None:
    """And keeps nothing of what came with it."""
    world.gateway.report("0" * 32, "success", payload={"password": "hunter2"})
    world.gateway.report("0" * 32, "hunter2", payload={"hunter2": 1})
    assert len(world.records("report")) == 2
    assert "hunter2" not in str(world.records("report"))


def test_what_a_caller_writes_of_itself_is_thrown_away(world: World) -> None:
    """Delegation, actor, budget, approval and history are the gateway's to say."""
    request = world.request(world.granted())
    request |= {"actor": {"id": "root"}, "delegation": {"root": {"subject": "ceo"}}, "budget": {}, "approval": True}
    decision = world.gateway.decide(request)
    assert decision.record["delegation"]["root"]["subject"] == "alice"


def test_many_are_decided_as_each_would_be(world: World) -> None:
    """The same answers, written together."""
    token = world.granted()
    requests = [world.request(token), world.request(token, tool="read_secret"), {"request_id": 1}]
    reasons = [decision.reason for decision in world.gateway.decide_many(requests)]
    assert reasons == ["passed", "no_secrets", "malformed"]


def test_a_session_spares_signatures(world: World) -> None:
    """One signed proof opens it, and its key makes the proofs that follow."""
    token = world.granted()
    proof = prove(self_key("orchestrator"), opening("open-1"), token, world.clock.seconds)
    session = world.gateway.open_session(token, proof, "open-1")
    request = world.request(token, None)
    request["proof"] = session_proof(session, request, world.clock.seconds)
    assert world.gateway.decide(request).verdict == "permit"
    world.gateway.admin.revoke("agent", "orchestrator")
    later = world.request(token, None)
    later["proof"] = session_proof(session, later, world.clock.seconds)
    assert world.gateway.decide(later).reason in ("revoked", "proof_invalid")


def test_a_delegation_is_decided_by_the_policy(tmp_path: Path) -> None:
    """What it denies is not delegated, and the log says so."""
    policy = 'package procurator\nallow if input.action.operation == "delegate"\n'
    policy += 'deny contains "not_to_writers" if input.action.target_resource == "writer"\n'
    world = World.made(tmp_path, policy=policy)
    with pytest.raises(Denied) as caught:
        world.granted("writer")
    assert caught.value.decision.reason == "not_to_writers"
    assert world.records("delegation")[-1]["verdict"] == "deny"


def test_a_delegation_is_recorded_with_what_it_allows(world: World) -> None:
    """The link that was made is in the record."""
    world.granted(tools={"read_file": {"path": {"constraint_type": "exact", "value": "/a"}}})
    child = world.records("delegation")[-1]["child"]
    assert child["agent"] == "orchestrator"
    assert child["authorization_details"][0]["tools"]["read_file"]["path"]["value"] == "/a"


def test_an_agent_that_is_not_registered_gets_nothing(world: World) -> None:
    """Who it is cannot be proved."""
    with pytest.raises(Denied) as caught:
        world.granted("nobody")
    assert caught.value.decision.reason == "agent_unknown"


def test_the_log_verifies_after_all_of_it(world: World) -> None:
    """Every entry is in its place."""
    token = world.granted()
    for tool in ("read_file", "read_secret", "pay"):
        world.ask(token, tool=tool)
    assert verify(world.gateway.state.audit.entries()).is_whole


def test_state_outlives_the_process(world: World) -> None:
    """Agents, kill switch, revocations, requests and permits are there after a new start."""
    token = world.granted()
    request = world.request(token)
    permit = world.gateway.decide(request).permit_id or ""
    world.gateway.admin.kill("prompt", "p2")
    later = world.again()
    assert later.gateway.decide(request).permit_id == permit
    assert later.gateway.report(permit, "success").accepted
    with pytest.raises(Denied) as caught:
        later.granted(prompt_id="p2")
    assert caught.value.decision.reason == "kill_switch"


def test_in_dry_run_nothing_is_permitted(tmp_path: Path) -> None:
    """What would be a permit says so, and has no permit id."""
    world = World.made(tmp_path)
    token = world.granted()
    world.gateway.close()
    (tmp_path / "agentic-governance.yaml").write_text(CONFIG + "policy_engine: {mode: dry_run}\n")
    decision = world.again_without_closing().ask(token)
    assert (decision.verdict, decision.reason, decision.permit_id) == ("dry_run", "dry_run", None)


def test_whatever_breaks_is_a_deny(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even an error nobody has thought of, and without telling what was in it."""
    token = world.granted()

    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(type(world.gateway.admission), "stand", broken)
    decision = world.ask(token)
    assert (decision.verdict, decision.reason) == ("deny", "internal_error")
    assert "hunter2" not in decision.record_text + decision.message
    monkeypatch.setattr(type(world.gateway.state.store), "transact", broken)
    assert world.ask(token).to_json()["reason"] == "internal_error"


def test_what_breaks_when_it_is_written_down_is_in_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves nothing else behind, and the decisions beside it stand for themselves."""
    token = world.granted()
    write = recording.Recorder.text

    def broken(self: recording.Recorder, case: Case, result: recording.Result, duration_ns: int) -> str:
        if case.input_text != "null":
            raise RuntimeError("hunter2")
        return write(self, case, result, duration_ns)

    monkeypatch.setattr(recording.Recorder, "text", broken)
    requests = [world.request(token) for _ in range(3)]
    decisions = [world.gateway.decide(requests[0]), *world.gateway.decide_many(requests[1:])]
    said = ("deny", "internal_error", "the gateway failed with `RuntimeError`")
    logged = [record for record in world.records("decision") if record["input"] is None]
    assert [(one.verdict, one.reason, one.message) for one in decisions] == [said] * 3
    assert [one["decision_id"] for one in logged] == [one.decision_id for one in decisions]
    assert [one["request_id"] for one in logged] == [one["request_id"] for one in requests]
    monkeypatch.undo()
    assert [world.gateway.decide(request).verdict for request in requests] == ["permit"] * 3


# Governed functions


@pytest.fixture
def actor(world: World) -> Actor:
    return Actor(world.granted(), "p1", world.prover("orchestrator"))


def test_a_governed_function_runs_when_permitted(world: World, actor: Actor) -> None:
    """Its arguments are the parameters, and it reports success."""

    @world.gateway.governed(tool="read_file", operation="read", resource=lambda path, **_: path)
    def read(path: str, limit: int = 10) -> str:
        return f"{limit} of {path}"

    with acting(actor):
        assert read("/data/a.txt") == "10 of /data/a.txt"
    action = world.records("decision")[-1]["input"]["action"]
    assert action == {
        "operation": "read",
        "tool": "read_file",
        "target_resource": "/data/a.txt",
        "parameters": {"path": "/data/a.txt", "limit": 10},
    }
    assert world.records("outcome")[-1]["outcome"] == "success"


def test_who_holds_a_token_and_its_key_acts(tmp_path: Path) -> None:
    """The token says for which prompt; the key signs the proofs, at the time of the machine."""
    world = World.made(tmp_path, now=time.time_ns())
    write_private(tmp_path / "key.pem", self_key("orchestrator"))
    actor = Actor.holding(world.granted(prompt_id="p9"), tmp_path / "key.pem", {"place": "here"})
    for parameters in ({"path": "/a"}, {}):
        request = actor.request({"operation": "read", "tool": "read_file", "parameters": parameters})
        decision = world.gateway.decide(request)
        assert (decision.verdict, decision.record["input"]["context"]) == ("permit", {"place": "here"})
    assert world.gateway.decide(actor.request({"operation": "read", "tool": "read_file"})).permitted
    world.gateway.close()


def test_a_governed_function_does_not_run_when_denied(world: World, actor: Actor) -> None:
    """It raises what carries the decision; without an actor too."""
    ran: list[str] = []

    @world.gateway.governed(tool="read_secret", operation="read")
    def read(name: str) -> None:
        ran.append(name)

    with acting(actor), pytest.raises(Denied) as caught:
        read("root")
    assert isinstance(caught.value.decision, GatewayDecision)
    assert caught.value.decision.reason == "no_secrets"
    with pytest.raises(Denied, match="nobody is acting"):
        read("root")
    assert ran == []


def test_a_governed_coroutine_reports_how_it_went(world: World, actor: Actor) -> None:
    """Failure when it raises, timeout when that is a timeout."""

    @world.gateway.governed(tool="send_mail")
    async def send(to: str) -> str:
        if to == "nobody":
            raise ValueError(to)
        if to == "slow":
            raise TimeoutError
        return to

    with acting(actor):
        assert asyncio.run(send("bob")) == "bob"
        with pytest.raises(ValueError, match="nobody"):
            asyncio.run(send("nobody"))
        with pytest.raises(TimeoutError):
            asyncio.run(send("slow"))
    assert [record["outcome"] for record in world.records("outcome")] == ["success", "failure", "timeout"]


def test_an_obligation_nobody_can_meet_stops_the_call(tmp_path: Path) -> None:
    """It is reported as not attempted, with what was asked."""
    policy = """package procurator
allow if input.action.operation == "delegate"
decision := {"verdict": "permit", "obligations": [{"type": "isolate", "environment": "sandbox"}]}
"""
    world = World.made(tmp_path, policy=policy)
    token = world.gateway.delegate(world.person(), agent="orchestrator", tools=["send_mail"], prompt_id="p1")

    @world.gateway.governed(tool="send_mail")
    def send() -> None:
        raise AssertionError

    with acting(Actor(token, "p1", world.prover("orchestrator"))), pytest.raises(Denied):
        send()
    record = world.records("outcome")[-1]
    assert (record["outcome"], record["payload"]) == ("not_attempted", {"unmet_obligations": ["isolate"]})


def test_an_unknown_obligation_is_a_deny(tmp_path: Path) -> None:
    """What nobody knows how to meet is not asked of anybody."""
    policy = 'package procurator\ndecision := {"verdict": "permit", "obligations": o}\n'
    policy += 'o := [{"type": "stand_on_one_leg"}] if input.action.operation != "delegate" else := []\n'
    world = World.made(tmp_path, policy=policy)
    assert world.outcome(world.granted()) == ("deny", "unknown_obligation")


def test_a_session_needs_a_good_proof(world: World) -> None:
    """A proof of something else opens nothing."""
    token = world.granted()
    proof = prove(self_key("writer"), opening("open-1"), token, world.clock.seconds)
    with pytest.raises(Refused) as caught:
        world.gateway.open_session(token, proof, "open-1")
    assert caught.value.reason == "proof_invalid"


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ('http.send({"method": "GET", "url": "http://127.0.0.1:1/"}).status_code == 200', "eval_builtin_error"),
        ('startswith(input.context.name, "mallory")', "eval_type_error"),
        ("to_number(input.context.text) > 1", "eval_builtin_error"),
    ],
)
def test_a_built_in_that_fails_is_no_permit(tmp_path: Path, failing: str, code: str) -> None:
    """In Rego it is undefined, of which `not` would make a permit; the log has the deny."""
    rules = ['allow if input.action.operation == "delegate"', "allow if { input.context.name; not blocked }"]
    policy = "\n".join(["package procurator", *rules, f"blocked if {failing}"])
    world = World.made(tmp_path, policy=policy)
    decision = world.ask(world.granted(), context={"name": 7, "text": "x"})
    message = f"evaluation ended with `{code}` at {tmp_path / 'policy.rego'}:4"
    assert (decision.verdict, decision.reason, decision.message) == ("deny", "policy_error", message)
    record = world.records("decision")[-1]
    assert (record["reason"], record["message"], record["value"]) == ("policy_error", message, None)
