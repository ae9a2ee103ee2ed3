"""What a person does at the command line reaches a gateway that runs in another process at its very next call."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Finished, procurator

from gateways import LOGIN, Clock, World, opened, self_key, write_folder
from procurator.governance.delegation.proofs import call_of, prove
from procurator.governance.signing.keys import generate, write_private


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A running gateway."""
    made = World.made(tmp_path)
    yield made
    made.gateway.close()


def reason(world: World, token: str, agent: str = "orchestrator") -> str:
    """The verdict on a call, with its reason where it is a deny."""
    decision = world.gateway.decide(world.request(token, agent))
    return decision.verdict if decision.permitted else f"{decision.verdict} {decision.reason}"


def token_command(world: World, *arguments: str) -> Finished:
    """Run `procurator token` with the gateway's configuration."""
    return procurator("token", *arguments, "-c", "agentic-governance.yaml", folder=world.folder)


@pytest.mark.parametrize("target", [("all",), ("prompt", "p1"), ("agent", "orchestrator")], ids="-".join)
def test_the_kill_switch_stops_a_running_gateway_and_lets_it_go_on(world: World, target: tuple[str, ...]) -> None:
    """Whatever was cached."""
    token = world.granted()
    seen = [reason(world, token)]
    killed = token_command(world, "kill", *target, "--why", "it loops")
    seen.append(reason(world, token))
    resumed = token_command(world, "resume", *target)
    seen.append(reason(world, token))
    assert (killed.code, resumed.code, seen) == (0, 0, ["permit", "deny kill_switch", "permit"])


def test_the_kill_switch_is_above_the_question_who_asks(world: World) -> None:
    """It is turned elsewhere, and named before what is wrong with a token; what is no request stays malformed."""
    seen = []
    for command in ("kill", "resume"):
        token_command(world, command, "all")
        seen.append([reason(world, "no token"), world.gateway.decide({}).reason])
    assert seen == [["deny kill_switch", "malformed"], ["deny malformed_token", "malformed"]]


@pytest.mark.parametrize(
    "target",
    [("token", "--file", "token.txt"), ("agent", "orchestrator"), ("person", "alice", "--issuer", LOGIN)],
    ids=lambda target: target[0],
)
def test_revocation_ends_the_tokens_below_in_a_running_gateway(world: World, target: tuple[str, ...]) -> None:
    """Those that were delegated before too."""
    root = world.granted()
    child = world.passed_on(root, "orchestrator", "researcher", ["read_file"])
    (world.folder / "token.txt").write_text(root)
    before = reason(world, child, "researcher")
    assert token_command(world, "revoke", *target).code == 0
    assert (before, reason(world, child, "researcher")) == ("permit", "deny revoked")
    assert token_command(world, "status").output.startswith(f"revoked {target[0]} `")


def test_no_terminal_obeys_a_name(world: World) -> None:
    """Not when it is revoked, and not when it is listed."""
    done = token_command(world, "revoke", "person", "\x1b[2K\u202emallory", "--issuer", LOGIN)
    told = rf"person `\x1b[2K\u202emallory` of `{LOGIN}`"
    assert (done.code, done.output) == (0, f"{told}: revoked\n")
    assert token_command(world, "status").output == f"revoked {told}\n"


def test_an_agent_that_is_registered_at_the_command_line_can_be_given_work(world: World) -> None:
    """And when its key is changed there, its tokens end."""
    old, new = generate(), generate()
    for name, key in (("old", old), ("new", new)):
        write_private(world.folder / f"{name}.pem", key)
    (world.folder / "key.json").write_text(json.dumps(dict(old.public.jwk)))
    done = token_command(world, "agents", "register", "scout", "--key", "key.json")
    assert done == Finished(0, "agent `scout`: registered\n", "")
    token = world.granted("orchestrator")
    child = world.passed_on(token, "orchestrator", "scout", ["read_file"])
    done = token_command(world, "agents", "rotate", "scout", "--key", "old.pem", "--new-key", "new.pem")
    assert done == Finished(0, f"agent `scout`: has the key {new.public.jkt}\n", "")
    proof = prove(old, call_of(request := world.request(child, None)), child, world.clock.seconds)
    decision = world.gateway.decide({**request, "proof": proof})
    assert (decision.verdict, decision.reason, decision.link) == ("deny", "agent_unknown", 1)


def test_what_was_done_is_in_a_log_that_is_whole(world: World) -> None:
    """By the same command line."""
    token_command(world, "kill", "all", "--why", "it loops")
    world.gateway.decide(world.request("no token"))
    token_command(world, "resume", "all")
    query = procurator("audit", "verify", "--state", "procurator.db", folder=world.folder)
    assert query.code == 0
    kinds = [entry.kind for entry in world.gateway.state.audit.entries()]
    assert kinds[-3:] == ["kill", "decision", "resume"]


def test_agents_are_registered_before_the_gateway_first_starts(tmp_path: Path) -> None:
    """The state that the configuration names is made; one that is named itself has to be there."""
    write_folder(tmp_path)
    (tmp_path / "key.json").write_text(json.dumps(dict(self_key("orchestrator").public.jwk)))
    register = ["token", "agents", "register", "orchestrator", "--key", "key.json"]
    gone = Finished(2, "", "Error: there is no file of state `procurator.db`\n")
    assert procurator(*register, "--state", "procurator.db", folder=tmp_path) == gone
    done = procurator(*register, "-c", "agentic-governance.yaml", folder=tmp_path)
    assert done == Finished(0, "agent `orchestrator`: registered\n", "")
    clock = Clock()
    world = World(tmp_path, clock, opened(tmp_path, clock))
    assert reason(world, world.granted()) == "permit"
    world.gateway.close()
    assert procurator("audit", "verify", folder=tmp_path).code == 0
