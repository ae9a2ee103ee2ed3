"""Budgets through the gateway: reserved with the decision, settled by the report."""

import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from budgets import redis_server
from gateways import CONFIG, LOGIN, START, World
from procurator.governance.decision import Denied
from procurator.governance.gateway import ReportAnswer
from spenders import spent

LIMITED = f"""{CONFIG}
quotas:
  max_actions_per_prompt: 4
  max_compute_tokens: 1000
  units: [credits]
  limits:
    - {{scope: person, unit: EUR, window: day, time_zone: Europe/Berlin, amount: "10.00"}}
    - {{scope: tenant, unit: EUR, window: month, amount: 1000, soft_percent: 50}}
    - {{scope: prompt, unit: credits, window: sliding, seconds: 60, amount: 5}}
    - {{scope: person, unit: actions, window: bucket, seconds: 10, amount: 100}}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path, LIMITED)


def euros(amount: str) -> dict[str, Any]:
    return {"money": {"amount": amount, "currency": "EUR"}}


def left(world: World, *wanted: str) -> dict[str, tuple[Any, Any, Any]]:
    """What is spent, reserved and remaining, by scope and unit, as a policy would see it."""
    shown = {}

    def read(tx: Any) -> None:
        for key, one in world.gateway.budgets.store.meters(tx, "", world.clock()).items():
            account, unit, _ = key.split("\t")
            name = f"{account.partition(':')[0]} {unit}"
            if name in wanted:
                known = world.gateway.budgets.units[unit]
                shown[name] = tuple(known.text(part) for part in (one.used - one.reserved, one.reserved))

    world.gateway.state.store.transact(read)
    return shown


def test_a_prompt_has_so_many_actions(world: World) -> None:
    """The next one is denied, with what is left, and so is every other until a person says so."""
    token = world.granted()
    assert [world.outcome(token)[1] for _ in range(4)] == ["passed"] * 4
    decision = world.ask(token)
    assert decision.to_json() == {
        "protocol": "aadp/0.2",
        "request_id": decision.request_id,
        "verdict": "deny",
        "reason": "cap_rate",
        "detail": "0 of 4 actions are left to the prompt `p1`",
        "evidence_id": decision.decision_id,
        "budget": {
            "dimension": "rate",
            "unit": "actions",
            "window": "prompt",
            "limit": "4",
            "consumed": "4",
            "remaining": "0",
            "window_resets_at": None,
        },
    }
    assert world.outcome(token) == ("deny", "paused")
    record = world.records("budget")[-1]
    assert (record["action"], record["by"]) == ("pause", "gateway")


def test_what_is_estimated_is_reserved_and_what_was_used_is_settled(world: World) -> None:
    """On every account of the path."""
    token = world.granted(budget={"EUR": "5", "compute_tokens": 100})
    permit = world.ask(token, estimated_cost={**euros("1.20"), "compute_tokens": 60}).permit_id or ""
    wanted = [f"{scope} EUR" for scope in ("tenant", "person", "prompt", "delegation")]
    assert left(world, *wanted) == dict.fromkeys(wanted, ("0", "1.2"))
    answer = world.gateway.report(permit, "success", actual={**euros("0.7"), "tokens": 50})
    assert answer.accepted
    assert left(world, *wanted) == dict.fromkeys(wanted, ("0.7", "0"))
    assert left(world, "delegation compute_tokens") == {"delegation compute_tokens": ("50", "0")}
    assert world.records("outcome")[-1]["settled"] == {"EUR": 0.7, "actions": 1, "compute_tokens": 50}


def test_only_what_was_not_attempted_is_given_back(world: World) -> None:
    """A failure and a timeout have cost what they were said to cost."""
    token = world.granted()
    for outcome, used in (("not_attempted", "0"), ("failure", "1"), ("timeout", "2")):
        permit = world.ask(token, estimated_cost=euros("1")).permit_id or ""
        world.gateway.report(permit, outcome)
        assert left(world, "person EUR", "prompt actions") == {
            "person EUR": (used, "0"),
            "prompt actions": (used, "0"),
        }


def test_the_record_says_what_was_before_and_after(world: World) -> None:
    """For each scope that pays."""
    token = world.granted()
    record = world.ask(token, estimated_cost=euros("1.50")).record
    of_money = [line for line in record["budget"]["scopes"] if line["unit"] == "EUR"]
    assert [(line["scope"], line["id"], line["window"]) for line in of_money] == [
        ("tenant", LOGIN, "month"),
        ("person", "alice", "day"),
        ("prompt", "p1", "prompt"),
    ]
    amounts = [(line["before"], line["reserved"], line["after"], line["limit"]) for line in of_money]
    assert amounts == [(0, 1.5, 1.5, 1000), (0, 1.5, 1.5, 10), (0, 1.5, 1.5, None)]


def test_a_day_ends_at_midnight_where_the_person_is(world: World) -> None:
    """The wire says when, and the day after has its own budget."""
    token = world.granted(ttl=60)
    world.gateway.report(world.ask(token, estimated_cost=euros("9.99")).permit_id or "", "success")
    decision = world.ask(token, estimated_cost=euros("0.02"))
    assert decision.reason == "cap_value"
    assert decision.budget == {
        "dimension": "value",
        "unit": "EUR",
        "window": "day",
        "limit": "10",
        "consumed": "9.99",
        "remaining": "0.01",
        "window_resets_at": "2027-01-15T23:00:00.000000000Z",
    }
    assert decision.record["budget"] == {"refused": decision.budget}
    world.clock.forward(1_800_057_600 - START)
    other = world.granted(prompt_id="p2")
    assert world.outcome(other, prompt_id="p2", estimated_cost=euros("10"))[1] == "passed"


@pytest.mark.parametrize(
    "cost",
    [
        {"apples": 1},
        {"money": {"amount": "1", "currency": "XXX"}},
        {"EUR": "1"},
        {"compute_tokens": -1},
        {"compute_tokens": "1.5"},
        {"seconds": "0.0000000001"},
        {"compute_tokens": 10**19},
        {"actions": 0},
        {"tokens": 1, "compute_tokens": 1},
        {"money": "1.00"},
        {"money": {"amount": "1", "currency": "USD"}},
    ],
    ids=str,
)
def test_a_cost_that_cannot_be_told_is_a_deny(world: World, cost: Any) -> None:
    """No unit, no currency, no amount, or money that no limit speaks of."""
    assert world.outcome(world.granted(), estimated_cost=cost) == ("deny", "cost_unknown")


@pytest.mark.parametrize("amount", [float("nan"), 0.5, Decimal("NaN"), Decimal("Infinity")], ids=str)
def test_what_is_no_amount_at_all_is_a_deny(world: World, amount: Any) -> None:
    """Before anybody asks for the budget."""
    assert world.ask(world.granted(), estimated_cost={"seconds": amount}).verdict == "deny"


def test_a_report_of_an_unknown_unit_does_not_count(world: World) -> None:
    """The permit stays open for one that does."""
    permit = world.ask(world.granted()).permit_id or ""
    assert world.gateway.report(permit, "success", actual={"apples": 1}) == ReportAnswer(False, "cost_unknown")
    assert world.gateway.report(permit, "success").accepted


def test_an_overdraft_is_booked_and_blocks_what_follows(world: World) -> None:
    """Even what costs nothing of the unit."""
    token = world.granted()
    permit = world.ask(token, estimated_cost={"compute_tokens": 10}).permit_id or ""
    world.gateway.report(permit, "success", actual={"compute_tokens": 1500})
    decision = world.ask(token)
    left = decision.budget or {}
    assert (decision.reason, left["consumed"], left["remaining"]) == ("cap_value", "1500", "0")


def test_a_token_spends_its_own_slice(world: World) -> None:
    """What is left to its parent does not matter, and its parent goes on."""
    token = world.granted(budget={"compute_tokens": 500})
    child = world.passed_on(token, "orchestrator", "reader", ["read_file"], budget={"compute_tokens": 100})
    assert world.outcome(child, "reader", estimated_cost={"compute_tokens": 101}) == ("deny", "cap_value")
    assert world.outcome(child, "reader", estimated_cost={"seconds": 1}) == ("deny", "cap_value")
    assert world.outcome(token, estimated_cost={"compute_tokens": 101}) == ("permit", "passed")


def test_no_more_can_be_passed_on_than_is_left(world: World) -> None:
    """What was spent is not there any more."""
    token = world.granted(budget={"compute_tokens": 500})
    world.ask(token, estimated_cost={"compute_tokens": 401})
    with pytest.raises(Denied) as caught:
        world.passed_on(token, "orchestrator", "reader", ["read_file"], budget={"compute_tokens": 100})
    assert caught.value.decision.reason == "budget_widened"
    world.passed_on(token, "orchestrator", "reader", ["read_file"], budget={"compute_tokens": 99})


@pytest.mark.parametrize(
    ("unit", "cost"), [("EUR", euros("4.01")), ("credits", {"credits": "4.01"})], ids=["EUR", "credits"]
)
def test_no_more_money_can_be_passed_on_than_is_left(tmp_path: Path, unit: str, cost: dict[str, Any]) -> None:
    """Nor of a unit that the configuration has added."""
    world = World.made(tmp_path, f"{CONFIG}\nquotas: {{units: [credits]}}\n")
    token = world.granted(budget={unit: "5"})
    world.ask(token, estimated_cost=cost)
    with pytest.raises(Denied) as caught:
        world.passed_on(token, "orchestrator", "reader", ["read_file"], budget={unit: "1"})
    assert caught.value.decision.reason == "budget_widened"
    world.passed_on(token, "orchestrator", "reader", ["read_file"], budget={unit: "0.99"})


def test_a_share_that_is_no_amount_cannot_be_passed_on(world: World) -> None:
    """Half an action, or less than the smallest part."""
    token = world.granted(budget={"compute_tokens": 500, "seconds": 5})
    for budget in ({"compute_tokens": "0.5"}, {"seconds": "0.0000000001"}):
        with pytest.raises(Denied) as caught:
            world.passed_on(token, "orchestrator", "reader", ["read_file"], budget=budget)
        assert caught.value.decision.reason == "cost_unknown"


def test_spawned_agents_are_counted(tmp_path: Path) -> None:
    """Through the gateway, and those that agents have derived by themselves."""
    config = f"{CONFIG}\nquotas: {{limits: [{{scope: prompt, unit: agents, amount: 2}}]}}\n"
    world = World.made(tmp_path, config)
    token = world.granted()
    world.passed_on(token, "orchestrator", "reader", ["read_file"])
    with pytest.raises(Denied) as caught:
        world.passed_on(token, "orchestrator", "writer", ["read_file"])
    assert caught.value.decision.reason == "cap_rate"


def test_a_permit_nobody_reports_on_is_settled_on_doubt(world: World) -> None:
    """By whoever comes next, and the log says so; a report comes too late then, whatever the clock says."""
    token = world.granted()
    decision = world.ask(token, estimated_cost=euros("2"))
    permit = decision.permit_id or ""
    world.clock.forward(601)
    other = world.granted(prompt_id="p2")
    world.outcome(other, prompt_id="p2")
    record = world.records("outcome")[-1]
    assert (record["permit_id"], record["outcome"], record["on_doubt"]) == (permit, "expired", True)
    assert record["decision_id"] == decision.decision_id
    assert record["settled"] == {"EUR": 2, "actions": 1}
    assert left(world, "person EUR") == {"person EUR": ("2", "0")}
    world.clock.forward(-601)
    assert world.gateway.report(permit, "not_attempted") == ReportAnswer(False, "permit_settled")
    assert left(world, "person EUR") == {"person EUR": ("2", "0")}


@pytest.mark.parametrize("kind", ["sqlite", "memory", "redis"])
def test_a_report_that_comes_too_late_does_not_count(tmp_path: Path, kind: str) -> None:
    """However recently it was looked for what is overdue, and even where what was reserved was forgotten."""
    url = redis_server() if kind == "redis" else None
    if kind == "redis" and url is None:
        pytest.skip("no program of Redis or Valkey")
    where = f', url: "{url}", prefix: "{{{tmp_path.name}}}"' if url else ""
    world = World.made(tmp_path, f"{CONFIG}\nquotas: {{report_seconds: 2, store: {{kind: {kind}{where}}}}}\n")
    token = world.granted()
    permits = [world.ask(token).permit_id or "" for _ in range(2)]
    world.clock.now += 19 * 10**8
    assert world.gateway.report(permits[0], "success").accepted
    world.clock.now += 2 * 10**8
    late = world if url else world.again()
    assert late.gateway.report(permits[1], "success") == ReportAnswer(False, "permit_settled")
    assert [(one["permit_id"], one["outcome"], one.get("on_doubt")) for one in late.records("outcome")] == [
        (permits[0], "success", None),
        (permits[1], "expired", True),
    ]


def test_an_action_that_takes_longer_has_more_time(world: World) -> None:
    """As often as it is asked for, each time no more than any action has; the log says so."""
    token = world.granted()
    permit = world.ask(token, estimated_cost=euros("2")).permit_id or ""
    for seconds in (500, 599, 550):
        world.clock.forward(seconds)
        assert world.gateway.extend(permit).accepted
    answer = world.gateway.extend(permit, seconds=1)
    assert answer.accepted
    record = world.records("extension")[-1]
    deadline = record.pop("deadline")
    assert record.keys() == {"permit_id", "decision_id", "decision_seq", "time"}
    assert deadline == world.records("extension")[-2]["deadline"]
    world.clock.forward(590)
    assert left(world, "person EUR") == {"person EUR": ("0", "2")}
    assert world.gateway.report(permit, "success", actual=euros("1")).accepted
    assert left(world, "person EUR") == {"person EUR": ("1", "0")}


def test_what_has_ended_gets_no_more_time(world: World) -> None:
    """Nor what there is not, nor for longer than any action has."""
    token = world.granted()
    permits = [world.ask(token).permit_id or "" for _ in range(2)]
    reasons = [world.gateway.extend(permits[0], seconds=seconds).reason for seconds in (0, 601, True, "1")]  # type: ignore[arg-type]
    assert reasons == ["malformed"] * 4
    assert world.gateway.extend("0" * 32).reason == "permit_unknown"
    assert world.gateway.extend("\ud800").reason == "malformed"
    world.gateway.report(permits[0], "failure")
    world.clock.forward(601)
    assert [world.gateway.extend(permit).reason for permit in permits] == ["permit_settled"] * 2
    assert [one["outcome"] for one in world.records("outcome")] == ["failure", "expired"]
    assert world.records("extension") == []


def test_a_process_that_dies_leaves_its_reservations_to_the_next(world: World) -> None:
    """What it has reserved is in the file."""
    world.ask(world.granted(), estimated_cost=euros("2"))
    after = world.again_without_closing()
    after.clock.forward(601)
    after.granted(prompt_id="p2")
    assert after.records("outcome")[-1]["on_doubt"]
    assert left(after, "person EUR") == {"person EUR": ("2", "0")}


KILLED = """
import os, signal, sys
sys.path[:0] = sys.argv[1].split(":")
from pathlib import Path
from gateways import Clock, World, opened
clock = Clock()
world = World(Path(sys.argv[2]), clock, opened(Path(sys.argv[2]), clock))
cost = {"money": {"amount": "2", "currency": "EUR"}}
print(world.ask(sys.argv[3], request_id="k1", estimated_cost=cost).permit_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_what_a_process_has_reserved_that_was_killed_is_settled_on_doubt(tmp_path: Path, kind: str) -> None:
    """After its deadline, not before, by whoever comes next."""
    url = redis_server() if kind == "redis" else None
    if kind == "redis" and url is None:
        pytest.skip("no program of Redis or Valkey")
    where = f', url: "{url}", prefix: "{{{tmp_path.name}}}"' if url else ""
    limits = "[{scope: person, unit: EUR, amount: 5}]"
    world = World.made(tmp_path, f"{CONFIG}\nquotas: {{store: {{kind: {kind}{where}}}, limits: {limits}}}\n")
    arguments = [sys.executable, "-c", KILLED, ":".join(part for part in sys.path if part), str(tmp_path)]
    killed = subprocess.run([*arguments, world.granted()], stdout=subprocess.PIPE, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    world.clock.forward(599)
    world.granted(prompt_id="p2")
    assert left(world, "person EUR") == {"person EUR": ("0", "2")}
    world.clock.forward(2)
    world.granted(prompt_id="p3")
    [record] = world.records("outcome")
    assert (record["permit_id"], record["outcome"], record["on_doubt"]) == (killed.stdout.strip(), "expired", True)
    assert left(world, "person EUR") == {"person EUR": ("2", "0")}


def test_what_is_denied_or_tried_out_costs_nothing(world: World) -> None:
    """Neither a policy's no nor a dry run."""
    token = world.granted()
    assert world.outcome(token, tool="read_secret", estimated_cost=euros("1")) == ("deny", "no_secrets")
    assert left(world, "person EUR") == {"person EUR": ("0", "0")}


def test_soft_limits_warn(world: World) -> None:
    """The decision carries what is left."""
    token = world.granted()
    assert world.ask(token, estimated_cost={"compute_tokens": 799}).warnings == ()
    decision = world.ask(token, estimated_cost={"compute_tokens": 1})
    assert [(one["unit"], one["consumed"], one["remaining"]) for one in decision.warnings] == [
        ("compute_tokens", "800", "200")
    ]
    assert decision.to_json()["warnings"] == [dict(one) for one in decision.warnings]


def test_a_limit_may_warn_earlier_than_others(tmp_path: Path) -> None:
    """Its own percentage goes before that of all."""
    limit = "{scope: person, unit: actions, amount: 10, soft_percent: 20}"
    world = World.made(tmp_path, f"{CONFIG}\nquotas: {{soft_percent: 90, limits: [{limit}]}}\n")
    token = world.granted()
    warnings = [[one["limit"] for one in world.ask(token).warnings] for _ in range(2)]
    assert warnings == [[], ["10"]]


def test_policies_see_what_is_left(tmp_path: Path) -> None:
    """Before this action, in the transaction of its decision."""
    policy = """package procurator
allow if input.action.operation == "delegate"
decision := {"verdict": "permit", "message": json.marshal(prompt)}
prompt := [line | some line in input.budget; line.scope == "prompt"; line.unit == "actions"]
"""
    world = World.made(tmp_path, f"{CONFIG}\nentrypoint: data.procurator.decision\nquotas: {{}}\n", policy)
    token = world.granted()
    world.ask(token)
    assert world.ask(token).message == (
        '[{"id":"p1","limit":200,"remaining":199,"reserved":1,"scope":"prompt","spent":0,"unit":"actions",'
        '"window":"prompt"}]'
    )


def test_processes_and_threads_together_spend_exactly_the_limit(tmp_path: Path) -> None:
    """None too much, none lost, whoever reports and whoever does not."""
    limits = '[{scope: person, unit: EUR, window: day, amount: "1.00"}]'
    world = World.made(tmp_path, f"{CONFIG}\nquotas: {{max_compute_tokens: 10000, limits: {limits}}}\n")
    token = world.granted(budget={"EUR": "5", "compute_tokens": 400})
    reasons = spent(tmp_path, token, processes=2, threads=3, decisions=30)
    assert (reasons["passed"], reasons["cap_value"], sum(reasons.values())) == (100, 1, 180)
    assert reasons["paused"] == 79
    wanted = ("person EUR", "prompt EUR", "prompt actions", "delegation compute_tokens")
    shown = left(world, *wanted)
    sums = {name: sum(map(Decimal, amounts)) for name, amounts in shown.items()}
    assert sums == {
        "person EUR": 1,
        "prompt EUR": 1,
        "prompt actions": 100,
        "delegation compute_tokens": 300,
    }
