"""`procurator budget`: what prompts spend, and what a person does about one reaches a running gateway at once."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Finished, procurator

from gateways import CONFIG, LOGIN, World

QUOTAS = """
quotas:
  max_actions_per_prompt: 2
  limits: [{scope: person, unit: EUR, window: day, amount: "10.00"}]
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A running gateway."""
    made = World.made(tmp_path, CONFIG + QUOTAS)
    yield made
    made.gateway.close()


def budget(world: World, *arguments: str) -> Finished:
    """Run `procurator budget` with the gateway's configuration."""
    return procurator("budget", *arguments, "-c", "agentic-governance.yaml", folder=world.folder)


def test_a_person_lets_a_prompt_go_on_and_ends_it(world: World) -> None:
    """The gateway that runs sees it with its next decision, and the log says who it was."""
    token = world.granted()
    seen = [world.outcome(token)[1] for _ in range(4)]
    shown = budget(world, "show")
    resumed = budget(world, "resume", "p1", "--raise", "actions=1", "--why", "nearly done")
    seen.append(world.outcome(token)[1])
    ended = budget(world, "end", "p1", "--why", "enough")
    seen.append(world.outcome(token)[1])
    again = budget(world, "end", "p1")
    assert seen == ["passed", "passed", "cap_rate", "paused", "passed", "ended"]
    assert shown.output == "prompt `p1` of `alice` is paused: cap_rate: 0 of 2 actions are left to the prompt `p1`\n"
    assert resumed.output == "prompt `p1`: goes on, 1 actions more\n"
    assert (ended.output, again.output) == ("prompt `p1`: ended\n", "prompt `p1`: ended already\n")
    assert [(one["action"], one["changed"]) for one in world.records("budget")[1:]] == [
        ("resume", True),
        ("end", True),
        ("end", False),
    ]


def test_what_a_prompt_spends_is_shown(world: World) -> None:
    """For people as a table, for programs as JSON."""
    token = world.granted()
    permit = world.ask(token, estimated_cost={"money": {"amount": "2.50", "currency": "EUR"}}).permit_id
    world.gateway.report(permit or "", "success", actual={"money": {"amount": "2", "currency": "EUR"}})
    shown = budget(world, "show", "p1")
    told = json.loads(budget(world, "show", "p1", "--format", "json").output)
    assert shown.output == (
        "prompt `p1` of `alice` goes on\n"
        "  person  EUR              day     2 spent  0 reserved  8 of 10 left\n"
        "  prompt  actions          prompt  1 spent  0 reserved  1 of 2 left\n"
        "  prompt  compute_tokens   prompt  0 spent  0 reserved  500000 of 500000 left\n"
        "  prompt  unproven_agents  prompt  0 spent  0 reserved  100 of 100 left\n"
        "  prompt  replans          prompt  0 spent  0 reserved  10 of 10 left\n"
    )
    assert told[0]["person"] == {"issuer": LOGIN, "subject": "alice"}
    assert told[0]["lines"][0] == {
        "scope": "person",
        "id": "alice",
        "unit": "EUR",
        "window": "day",
        "limit": 10,
        "spent": 2,
        "reserved": 0,
        "remaining": 8,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "p9"), "no prompt `p9` has spent anything"),
        (("resume", "p9"), "no prompt `p9` has spent anything"),
        (("resume", "p1", "--raise", "actions"), "`actions` is not of the form UNIT=AMOUNT"),
        (("resume", "p1", "--raise", "apples=1"), "`apples` is no unit that is known"),
        (("end", "p1", "--person", "bob"), "`p1` is a prompt of nobody: say whose is meant"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_there_is_not_is_an_error(world: World, arguments: tuple[str, ...], said: str) -> None:
    """And nothing changes."""
    world.granted()
    failed = budget(world, *arguments)
    assert (failed.code, failed.output) == (2, "")
    assert said in failed.errors


@pytest.mark.parametrize("command", [("show",), ("show", "p1"), ("resume", "p1"), ("end", "p1")], ids=" ".join)
def test_what_is_in_the_memory_of_a_gateway_is_not_there_for_commands(tmp_path: Path, command: tuple[str, ...]) -> None:
    """They say so, and not that nothing was spent."""
    world = World.made(tmp_path, f"{CONFIG}\nquotas: {{max_actions_per_prompt: 1, store: {{kind: memory}}}}\n")
    token = world.granted()
    assert [world.outcome(token)[1] for _ in range(2)] == ["passed", "cap_rate"]
    failed = budget(world, *command)
    assert (failed.code, failed.output) == (2, "")
    assert "budgets are in the memory of the gateway alone: `quotas.store.kind` is `memory`" in failed.errors


def test_what_was_ended_cannot_go_on(world: World) -> None:
    """The exit code says so."""
    world.granted()
    budget(world, "end", "p1")
    failed = budget(world, "resume", "p1")
    assert (failed.code, failed.errors) == (1, f"refused: ended: the prompt `p1` was ended: by {getpass.getuser()}\n")
