"""`procurator token grant | prove`, and the commands beside them: a person sends an agent out, which acts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import Finished, procurator

from gateways import GATEWAY, World, self_key
from procurator.governance.delegation.tokens import Link
from procurator.governance.delegation.verifying import read_unverified
from procurator.governance.signing.keys import write_private
from procurator.values import loads

CONFIG = ["-c", "agentic-governance.yaml"]
ACTION = {"operation": "read", "tool": "read_file", "parameters": {"path": "/data/a.txt", "size": 0.1}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A gateway that has gone, and beside its files the token of a person and the key of an agent."""
    world = World.made(tmp_path, now=time.time_ns())
    world.gateway.close()
    (tmp_path / "alice.jwt").write_text(world.person() + "\n")
    write_private(tmp_path / "orchestrator.pem", self_key("orchestrator"))
    return world


def grant(world: World, *arguments: str) -> Finished:
    """What the command answers for an orchestrator."""
    return procurator(
        "token", "grant", *CONFIG, "alice.jwt", "--agent", "orchestrator", *arguments, folder=world.folder
    )


def granted(world: World, *arguments: str) -> Link:
    """The link that was granted."""
    done = grant(world, *arguments)
    assert (done.code, done.errors) == (0, "")
    (link,) = read_unverified(done.output.strip())
    return link


def test_a_person_sends_an_agent_out(world: World) -> None:
    """With what is said, and no more."""
    said = ["--tool", "read_file", "--tool", "pay", "--budget", "EUR=4.50", "--ttl", "60", "--max-depth", "1"]
    claims = granted(world, *said, "--prompt-id", "p7", "--intent", "Pay the bill.").claims()
    assert claims.pop("exp") - claims.pop("iat") == 60
    wanted = {
        "iss": GATEWAY,
        "sub": "orchestrator",
        "task": "p7",
        "intent": "Pay the bill.",
        "budget": {"EUR": "4.50"},
        "del_max_depth": 1,
        "principal": {"iss": "https://login.example", "sub": "alice"},
        "authorization_details": [{"type": "attenuating_agent_token", "tools": {"pay": {}, "read_file": {}}}],
    }
    assert {name: claims[name] for name in wanted} == wanted


def test_what_may_be_done_can_be_told_by_argument_and_by_resource(world: World) -> None:
    """As AAT's `tools`, or as a whole `authorization_details`."""
    path = {"constraint_type": "exact", "value": "/data/a.txt"}
    (world.folder / "tools.json").write_text(json.dumps({"read_file": {"path": path}}))
    details = granted(world, "--tools", "tools.json").claims()["authorization_details"]
    assert details[0]["tools"] == {"read_file": {"path": path}}
    details[0]["resources"] = {"read_file": ["/data/*"]}
    (world.folder / "authority.json").write_text(json.dumps(details))
    assert granted(world, "--authority", "authority.json").claims()["authorization_details"] == details


def test_what_the_gateway_denies_is_not_granted(world: World) -> None:
    """The exit code is 1, and the log says so."""
    (world.folder / "alice.jwt").write_text(world.person(aud="urn:example:other"))
    done = grant(world, "--tool", "read_file")
    message = "deny: person_not_verified: the token is meant for somebody else\n"
    assert done == Finished(1, "", message)
    later = world.again_without_closing()
    assert later.records("delegation")[-1]["reason"] == "person_not_verified"
    later.gateway.close()


@pytest.mark.parametrize(
    "arguments", [[], ["--tool", "a", "--tools", "a.json"], ["--authority", "a.json", "--tool", "a"], ["--ttl", "0"]]
)
def test_a_grant_that_was_mistyped_is_an_error(world: World, arguments: list[str]) -> None:
    """The exit code is 2."""
    (world.folder / "a.json").write_text("{}")
    done = grant(world, *arguments)
    assert (done.code, done.output) == (2, "")


def prove(world: World, request: Any) -> Finished:
    """The request with the token of the orchestrator and its proof."""
    (world.folder / "token").write_text(grant(world, "--tool", "read_file", "--prompt-id", "p1").output)
    arguments = ["--token", "token", "--key", "orchestrator.pem"]
    return procurator("token", "prove", *arguments, stdin=json.dumps(request), folder=world.folder)


def test_a_request_is_completed_and_decided(world: World) -> None:
    """What was said stays as it is."""
    done = prove(world, {"action": ACTION, "context": {"n": 1}})
    request = loads(done.output)
    assert (done.code, done.errors) == (0, "")
    assert set(request) == {"action", "context", "prompt_id", "proof", "request_id", "token"}
    assert (json.loads(done.output)["action"], request["context"], request["prompt_id"]) == (ACTION, {"n": 1}, "p1")
    assert procurator("decide", *CONFIG, stdin=done.output, folder=world.folder).code == 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([], "`<stdin>` holds no JSON object"),
        ({"action": {**ACTION, "tool": ""}}, "malformed: `$.action.tool` is empty"),
    ],
)
def test_what_is_no_request_is_not_proved(world: World, request_: Any, message: str) -> None:
    """The exit code is 2."""
    assert prove(world, request_) == Finished(2, "", f"Error: {message}\n")


def test_what_stands_above_policy_is_turned_on_and_off(world: World) -> None:
    """By the commands beside these; it holds at the next decision."""
    request = prove(world, {"action": ACTION}).output

    def token(*arguments: str) -> Finished:
        return procurator("token", *arguments, *CONFIG, folder=world.folder)

    def reason() -> str:
        done = procurator("decide", *CONFIG, "-f", "json", stdin=request, folder=world.folder)
        return str(json.loads(done.output)["reason"])

    assert token("kill", "prompt", "p1") == Finished(0, "prompt `p1`: killed\n", "")
    assert reason() == "kill_switch"
    assert token("resume", "prompt", "p1").code == 0
    assert token("status") == Finished(0, "", "")
    assert token("revoke", "agent", "orchestrator").code == 0
    assert reason() == "revoked"
    assert token("agents", "list").output.count("\n") == 4
