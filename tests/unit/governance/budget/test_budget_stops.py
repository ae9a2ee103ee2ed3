"""What happens at limits: warnings, notifications, pauses, and what people do about them."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateways import CONFIG, World, self_key
from procurator.governance.decision import Denied
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.notifications import Notifier
from procurator.governance.refusals import Refused

OF_ACTIONS = "{scope: person, unit: actions"
ACCOUNT = "prompt:p1 https://login.example alice"


def made(folder: Path, quotas: str, more: str = "") -> World:
    return World.made(folder, f"{CONFIG}\nquotas: {{{quotas}}}\n{more}\n")


def test_a_person_lets_a_paused_prompt_go_on(tmp_path: Path) -> None:
    """With a higher limit; without one it is paused again."""
    world = made(tmp_path, "max_actions_per_prompt: 1")
    token = world.granted()
    assert [world.outcome(token)[1] for _ in range(3)] == ["passed", "cap_rate", "paused"]
    world.gateway.admin.resume_prompt("p1", by="carol", why="it is worth it")
    assert [world.outcome(token)[1] for _ in range(2)] == ["cap_rate", "paused"]
    world.gateway.admin.resume_prompt("p1", raised={"actions": "2"}, by="carol")
    assert [world.outcome(token)[1] for _ in range(4)] == ["passed", "passed", "cap_rate", "paused"]
    actions = [(one["action"], one["by"]) for one in world.records("budget")]
    assert actions == [
        ("pause", "gateway"),
        ("resume", "carol"),
        ("pause", "gateway"),
        ("resume", "carol"),
        ("pause", "gateway"),
    ]


def test_a_pause_is_still_there_after_a_new_start(tmp_path: Path) -> None:
    """For another process too, which sees at once when it ends."""
    world = made(tmp_path, "max_actions_per_prompt: 1")
    token = world.granted()
    assert [world.outcome(token)[1] for _ in range(2)] == ["passed", "cap_rate"]
    other = world.again_without_closing()
    assert other.outcome(token, request_id="o1")[1] == "paused"
    world.gateway.admin.resume_prompt("p1", raised={"actions": "1"})
    assert other.outcome(token, request_id="o2")[1] == "passed"


def test_a_prompt_that_was_ended_stays_so(tmp_path: Path) -> None:
    """Nobody can let it go on, and nothing more is delegated for it."""
    world = made(tmp_path, "")
    token = world.granted()
    world.gateway.admin.end_prompt("p1", by="carol", why="enough")
    decision = world.ask(token)
    assert (decision.reason, decision.message) == ("ended", "the prompt `p1` was ended: enough")
    with pytest.raises(Denied):
        world.granted()
    with pytest.raises(Refused) as caught:
        world.gateway.admin.resume_prompt("p1")
    assert caught.value.reason == "ended"


def test_the_balance_of_a_prompt(tmp_path: Path) -> None:
    """What is spent, reserved and left, with the accounts above it."""
    world = made(tmp_path, 'limits: [{scope: person, unit: EUR, window: day, amount: "9.50"}]')
    token = world.granted()
    world.ask(token, estimated_cost={"money": {"amount": "1.25", "currency": "EUR"}})
    [balance] = world.gateway.admin.balance("p1")
    assert (balance["prompt_id"], balance["state"]) == ("p1", "goes on")
    assert balance["lines"][0] == {
        "scope": "person",
        "id": "alice",
        "unit": "EUR",
        "window": "day",
        "limit": 9.5,
        "spent": 0,
        "reserved": 1.25,
        "remaining": 8.25,
    }
    with pytest.raises(Refused):
        world.gateway.admin.balance("p9")


def test_whose_prompt_is_meant_has_to_be_said(tmp_path: Path) -> None:
    """Two persons may call their prompts the same; each has an account."""
    world = made(tmp_path, "max_actions_per_prompt: 1")
    of_alice = world.granted()
    of_bob = world.gateway.delegate(world.person("bob"), agent="orchestrator", tools=["read_file"], prompt_id="p1")
    assert [world.outcome(of_alice)[1] for _ in range(2)] == ["passed", "cap_rate"]
    assert world.outcome(of_bob)[1] == "passed"
    with pytest.raises(Refused, match="say whose is meant"):
        world.gateway.admin.resume_prompt("p1")
    world.gateway.admin.resume_prompt("p1", person="alice", raised={"actions": "1"})
    assert world.outcome(of_alice)[1] == "passed"


@pytest.mark.parametrize(
    ("raised", "scope"), [({"apples": "1"}, "prompt"), ({"actions": "x"}, "prompt"), ({"EUR": "1"}, "person")]
)
def test_only_limits_that_there_are_can_be_raised(tmp_path: Path, raised: dict[str, str], scope: str) -> None:
    """By amounts of their units."""
    world = made(tmp_path, "")
    world.granted()
    with pytest.raises(Refused) as caught:
        world.gateway.admin.resume_prompt("p1", raised=raised, scope=scope)
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("unit", ["EUR", "credits"])
def test_limits_of_money_and_of_added_units_are_raised(tmp_path: Path, unit: str) -> None:
    """Like those of any unit."""
    world = made(tmp_path, f'units: [credits], limits: [{{scope: person, unit: {unit}, window: day, amount: "1"}}]')
    world.granted()
    world.gateway.admin.resume_prompt("p1", raised={unit: "0.50"}, scope="person")
    [line] = [one for one in world.gateway.admin.balance("p1")[0]["lines"] if one["unit"] == unit]
    assert (line["scope"], line["limit"]) == ("person", Decimal("1.5"))


def test_agents_that_only_spawn_agents_are_stopped(tmp_path: Path) -> None:
    """Too many without an action that succeeds pause the prompt; a success begins the count anew."""
    world = made(tmp_path, "runaway_agents: 3")
    token = world.granted()
    for name in ("reader", "writer"):
        world.passed_on(token, "orchestrator", name, ["read_file"])
    world.gateway.report(world.ask(token).permit_id or "", "failure")
    with pytest.raises(Denied) as caught:
        world.passed_on(token, "orchestrator", "researcher", ["read_file"])
    assert caught.value.decision.reason == "runaway_spawning"
    assert world.outcome(token)[1] == "paused"
    world.gateway.admin.resume_prompt("p1")
    world.passed_on(token, "orchestrator", "researcher", ["read_file"])


def test_a_success_begins_the_count_anew(tmp_path: Path) -> None:
    """What works may spawn."""
    world = made(tmp_path, "runaway_agents: 2")
    token = world.granted()
    world.passed_on(token, "orchestrator", "reader", ["read_file"])
    world.gateway.report(world.ask(token).permit_id or "", "success")
    world.passed_on(token, "orchestrator", "writer", ["read_file"])


def test_a_fan_out_too_wide_pauses_the_prompt(tmp_path: Path) -> None:
    """Like a limit."""
    world = made(tmp_path, "", "delegation: {max_fan_out: 1}")
    token = world.granted()
    world.passed_on(token, "orchestrator", "reader", ["read_file"])
    with pytest.raises(Denied) as caught:
        world.passed_on(token, "orchestrator", "writer", ["read_file"])
    assert caught.value.decision.reason == "fan_out_exceeded"
    assert world.outcome(token)[1] == "paused"


def test_what_was_ended_is_not_paused_by_agents_that_go_on(tmp_path: Path) -> None:
    """Nobody could let it go on otherwise."""
    world = made(tmp_path, "", "delegation: {max_fan_out: 1}")
    token, key = world.granted(), self_key("orchestrator")
    world.passed_on(token, "orchestrator", "reader", ["read_file"])
    world.gateway.admin.end_prompt("p1", why="enough")
    derived = derive(token, key, Share("writer", self_key("writer").public), now=world.clock.seconds)
    assert world.outcome(derived, "writer") == ("deny", "fan_out_exceeded")
    assert world.outcome(token) == ("deny", "ended")


@pytest.mark.parametrize("limit", ["window: sliding, seconds: 60", "window: bucket, seconds: 60"])
def test_a_rate_that_is_too_high_pauses_nothing(tmp_path: Path, limit: str) -> None:
    """Time alone mends it."""
    world = made(tmp_path, f"limits: [{{scope: prompt, unit: actions, amount: 2, {limit}}}]")
    token = world.granted()
    assert [world.outcome(token)[1] for _ in range(4)] == ["passed", "passed", "cap_rate", "cap_rate"]
    world.clock.forward(61)
    assert world.outcome(token)[1] == "passed"
    world.clock.forward(-50)
    assert [world.outcome(token)[1] for _ in range(2)] == ["passed", "cap_rate"]


@pytest.mark.parametrize(
    ("quotas", "permits"),
    [
        ("max_actions_per_prompt: 4, limits: [{scope: prompt, unit: actions, amount: 10}]", 4),
        ("max_actions_per_prompt: 10, limits: [{scope: prompt, unit: actions, amount: 4}]", 4),
        (f"limits: [{OF_ACTIONS}, amount: 3, time_zone: Europe/Paris}}, {OF_ACTIONS}, amount: 5}}]", 3),
    ],
)
def test_of_several_limits_for_the_same_the_strictest_holds(tmp_path: Path, quotas: str, permits: int) -> None:
    """And what is spent is booked once."""
    world = made(tmp_path, quotas)
    token = world.granted()
    assert [world.outcome(token)[1] for _ in range(permits + 1)] == ["passed"] * permits + ["cap_rate"]
    [line] = [one for one in world.gateway.admin.balance("p1")[0]["lines"] if one["limit"] == permits]
    assert (line["unit"], line["reserved"], line["remaining"]) == ("actions", permits, 0)


def test_a_limit_on_agents_that_prove_nothing_is_one_of_those(tmp_path: Path) -> None:
    """Beside the one that there is anyway."""
    world = made(tmp_path, "limits: [{scope: prompt, unit: unproven_agents, amount: 3}]")
    token = world.granted()
    world.passed_on(token, "orchestrator", "reader", ["read_file"])
    world.passed_on(token, "orchestrator", "writer", ["read_file"])
    with pytest.raises(Denied) as caught:
        world.passed_on(token, "orchestrator", "researcher", ["read_file"])
    assert caught.value.decision.reason == "runaway_spawning"


def test_the_slice_of_a_token_pauses_nothing(tmp_path: Path) -> None:
    """Whoever gave it goes on."""
    world = made(tmp_path, "")
    token = world.granted(budget={"actions": 1})
    assert [world.outcome(token)[1] for _ in range(3)] == ["passed", "cap_rate", "cap_rate"]


# Notifications


@contextmanager
def hook(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """A server on this machine, and what was posted to it."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_people_hear_of_limits(tmp_path: Path) -> None:
    """Once when a soft limit is crossed, and when a prompt is paused: in the log, by a command, by a webhook."""
    out = tmp_path / "told.jsonl"
    script = f"import sys; open({str(out)!r}, 'a').write(sys.stdin.read() + chr(10))"
    with hook() as (url, posted):
        told = f"notifications: {{command: [{sys.executable!r}, -c, {json.dumps(script)}], webhook: {url}}}"
        world = made(tmp_path, "max_actions_per_prompt: 4, soft_percent: 50", told)
        token = world.granted()
        assert [world.outcome(token)[1] for _ in range(6)] == ["passed"] * 4 + ["cap_rate", "paused"]
        world.gateway.close()
    logged = world.again_without_closing().records("notification")
    assert posted == logged == [json.loads(text) for text in out.read_text().splitlines()]
    assert [(one["event"], one["account"]) for one in logged] == [("soft_limit", ACCOUNT), ("paused", ACCOUNT)]
    assert (logged[0]["consumed"], logged[0]["remaining"]) == ("2", "2")


def told_of(world: World) -> list[tuple[str, str]]:
    """How much was used, and which limit there was, when people were told that the limit is near."""
    told = [one for one in world.records("notification") if one["event"] == "soft_limit"]
    return [(one["consumed"], one["limit"]) for one in told]


def test_people_hear_of_a_soft_limit_once(tmp_path: Path) -> None:
    """However often it is reached anew; and for another process, or after a new start, they have heard of it."""
    world = made(tmp_path, "max_compute_tokens: 1000")
    token = world.granted()
    for _ in range(3):
        permit = world.ask(token, estimated_cost={"compute_tokens": 800}).permit_id or ""
        world.gateway.report(permit, "not_attempted")
    other = world.again_without_closing()
    assert len(other.ask(token, request_id="o1", estimated_cost={"compute_tokens": 850}).warnings) == 1
    assert told_of(world) == [("800", "1000")]


def test_people_hear_of_a_soft_limit_that_a_report_or_a_new_agent_has_reached(tmp_path: Path) -> None:
    """With the next decision."""
    limit = "{scope: prompt, unit: agents, amount: 4}"
    world = made(tmp_path, f"max_compute_tokens: 1000, soft_percent: 75, limits: [{limit}]")
    token, key = world.granted(), self_key("orchestrator")
    permit = world.ask(token, estimated_cost={"compute_tokens": 10}).permit_id or ""
    world.gateway.report(permit, "success", actual={"compute_tokens": 900})
    assert told_of(world) == []
    assert [one["unit"] for one in world.ask(token).warnings] == ["compute_tokens"]
    for agent in ("reader", "writer"):
        derived = derive(token, key, Share(agent, self_key(agent).public), now=world.clock.seconds)
        assert world.outcome(derived, agent) == ("permit", "passed")
    assert told_of(world) == [("900", "1000"), ("3", "4")]


def test_a_limit_that_was_raised_is_near_later(tmp_path: Path) -> None:
    """At the same part of it; people hear of it again then."""
    world = made(tmp_path, "max_actions_per_prompt: 4, soft_percent: 50")
    token = world.granted()
    assert [len(world.ask(token).warnings) for _ in range(3)] == [0, 1, 1]
    world.gateway.admin.resume_prompt("p1", raised={"actions": "6"})
    assert [len(world.ask(token).warnings) for _ in range(4)] == [0, 1, 1, 1]
    assert told_of(world) == [("2", "4"), ("5", "10")]


def test_people_hear_of_a_soft_limit_again_when_its_window_is_over(tmp_path: Path) -> None:
    """A day later, or when the time of a sliding window has gone by."""
    limits = ("window: sliding, seconds: 60", "window: day")
    told = ", ".join(f"{{scope: person, unit: actions, amount: 2, soft_percent: 50, {limit}}}" for limit in limits)
    world = made(tmp_path, f"soft_percent: 100, limits: [{told}]", "delegation: {token_ttl_seconds: 80000}")
    token = world.granted(ttl=80_000)
    seen = []
    for seconds in (1, 30, 60, 60_000):
        world.gateway.report(world.ask(token).permit_id or "", "not_attempted")
        seen.append(len(told_of(world)))
        world.clock.forward(seconds)
    assert (seen, world.ask(token).permitted, len(told_of(world))) == ([2, 2, 2, 3], True, 5)


def test_of_what_is_only_tried_out_nobody_hears(tmp_path: Path) -> None:
    """Nothing is spent."""
    world = made(tmp_path, "max_actions_per_prompt: 1")
    token = world.granted()
    config = (tmp_path / "agentic-governance.yaml").read_text()
    (tmp_path / "agentic-governance.yaml").write_text(f"{config}\npolicy_engine: {{mode: dry_run}}\n")
    tried = world.again()
    assert tried.outcome(token) == ("dry_run", "dry_run")
    assert tried.records("notification") == []


def test_what_cannot_be_told_is_in_the_log(tmp_path: Path) -> None:
    """With the reason; the decision does not depend on it."""
    with hook(status=500) as (url, posted):
        told = f"notifications: {{command: [{sys.executable!r}, -c, 'raise SystemExit(3)'], webhook: {url}}}"
        world = made(tmp_path, "max_actions_per_prompt: 2, soft_percent: 100", told)
        token = world.granted()
        assert [world.outcome(token)[1] for _ in range(2)] == ["passed"] * 2
        world.gateway.close()
        assert len(posted) == 1
    reasons = [one["not_sent"] for one in world.again_without_closing().records("notification") if "not_sent" in one]
    assert [reason.partition(":")[0] for reason in reasons] == ["CalledProcessError", "HTTPError"]


def test_a_notifier_waits_for_nobody() -> None:
    """What is too much is said to be."""
    failed: list[str] = []
    block = threading.Event()

    class Slow(Notifier):
        def _run(self, _body: bytes) -> None:
            block.wait()

    notifier = Slow(command=["x"], failed=lambda _record, why: failed.append(why))
    notifier.send([{"n": number} for number in range(1002)])
    assert set(failed) == {"too many are waiting to be sent"}
    block.set()
    notifier.close()
