"""A person answers at the command line, and the gateway that runs in another process knows it at its very next call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Finished, procurator

from gateways import World

PAY = {"tool": "pay", "operation": "execute", "parameters": {"to": "shop\x1b[8m"}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A running gateway."""
    made = World.made(tmp_path)
    yield made
    made.gateway.close()


def approvals(world: World, *arguments: str, stdin: str = "") -> Finished:
    """Run `procurator approvals` with the gateway's configuration."""
    place = ("-c", "agentic-governance.yaml")
    return procurator("approvals", *arguments, *place, folder=world.folder, stdin=stdin)


def waiting(world: World, token: str, **changes: Any) -> str:
    """The approval that a payment waits for."""
    return world.ask(token, **PAY, **changes).approval_id or ""


def test_an_action_is_listed_shown_approved_and_carried_out(world: World) -> None:
    """The token of the person comes on standard input; what an agent says cannot move the terminal."""
    token = world.granted(intent="Buy paper.")
    ref = waiting(world, token)
    listed = approvals(world, "list")
    assert listed.output.startswith(f"{ref} pending  until 2027-01-15T09:00:00Z agent `orchestrator`: execute `pay`")
    shown = approvals(world, "show", ref).output
    assert "\x1b" not in shown
    for line in ('parameters: {"to":"shop\\u001b[8m"}', "intent:     Buy paper.", "agents:     orchestrator"):
        assert line in shown.splitlines()
    done = approvals(world, "approve", ref, "--why", "as agreed", stdin=world.person("bob") + "\n")
    assert done == Finished(0, f"{ref}: approved\n", "")
    decision = world.ask(token, **PAY, approval_ref=ref)
    assert (decision.verdict, decision.reason) == ("permit", "approved")
    record = json.loads(approvals(world, "show", ref, "--format", "json").output)
    assert (record["state"], record["permit_id"]) == ("consumed", decision.permit_id)
    assert record["answer"]["why"] == "as agreed"
    assert approvals(world, "list").output == ""
    everything = json.loads(approvals(world, "list", "--status", "all", "-f", "json").output)
    assert [one["approval_id"] for one in everything] == [ref]


def test_an_action_is_denied(world: World) -> None:
    """With the token in a file."""
    token = world.granted()
    ref = waiting(world, token)
    (world.folder / "bob.jwt").write_text(world.person("bob"))
    assert approvals(world, "deny", ref, "bob.jwt") == Finished(0, f"{ref}: denied\n", "")
    assert world.ask(token, **PAY, approval_ref=ref).verdict == "propose"
    again = approvals(world, "approve", ref, "bob.jwt")
    assert (again.code, again.errors) == (
        1,
        f"refused: approval_answered: the approval `{ref}` is denied\n",
    )


def test_nobody_approves_their_own_at_the_command_line_either(world: World) -> None:
    """Nor without a good token, nor what is not there."""
    ref = waiting(world, world.granted())
    own = approvals(world, "approve", ref, "--format", "json", stdin=world.person())
    assert (own.code, json.loads(own.output)["reason"]) == (1, "self_approval")
    assert approvals(world, "approve", ref, stdin="x").errors.startswith("refused: person_not_verified")
    assert approvals(world, "show", "0" * 32).errors.startswith("refused: approval_unknown")
    assert json.loads(approvals(world, "list", "--prompt", "p2", "-f", "json").output) == []
