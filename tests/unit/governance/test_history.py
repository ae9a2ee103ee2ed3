"""What policies see of a prompt's past."""

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from batches import together

from gateways import CONFIG, World
from procurator.governance.history import ACTIONS_KEPT, Prompt
from procurator.governance.transactions import Transaction

POLICY = """package procurator

decision := {"verdict": "permit", "message": sprintf("%v", [input.history])} if input.action.operation == "delegate"

else := {"verdict": "deny", "message": json.marshal(seen)} if input.context.denied

else := {"verdict": "permit", "message": json.marshal(seen)}

seen := [[action.tool, action.outcome] | some action in input.history.actions]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path, policy=POLICY)


def action(number: int) -> dict[str, Any]:
    """An action as a history takes it."""
    return {"tool": "read_file", "parameters": number, "digest": str(number), "outcome": None}


def seen(world: World, token: str, **changes: Any) -> str:
    """What the policy sees before an action."""
    return world.ask(token, **changes).message


def test_permitted_actions_are_told_with_their_outcome(world: World) -> None:
    """In their order; one that was not reported has no outcome."""
    token = world.granted()
    first = world.ask(token)
    world.gateway.report(first.permit_id or "", "failure")
    assert seen(world, token, tool="write_file") == '[["read_file","failure"]]'
    assert seen(world, token) == '[["read_file","failure"],["write_file",null]]'


def test_each_prompt_has_its_own(world: World) -> None:
    """What was done for another is not told."""
    world.ask(world.granted())
    assert seen(world, world.granted(prompt_id="p2"), prompt_id="p2") == "[]"


MASKED = f"{CONFIG}\nmasks: {{paths: [/delegation/root/subject]}}\n"
"""A log that does not say who the person is."""


@pytest.mark.parametrize("config", [CONFIG, MASKED])
def test_each_person_has_their_own(tmp_path: Path, config: str) -> None:
    """Two may call their prompts the same: in memory, told by another process, and read from the log again."""
    world = World.made(tmp_path, config, POLICY)
    alices, carols = world.granted(), world.granted(person="carol")
    other = world.again_without_closing()
    permit = world.ask(alices).permit_id or ""
    assert (seen(other, carols, tool="write_file"), seen(other, alices, tool="pay")) == ("[]", '[["read_file",null]]')
    other.gateway.report(permit, "success")
    of_alice, of_carol, mail = '["read_file","success"],["pay",null]', '["write_file",null]', ',["send_mail",null]'
    for place, more in ((world, ""), (other, mail), (world.again_without_closing(), mail * 2)):
        assert seen(place, alices, tool="send_mail") == f"[{of_alice}{more}]"
        assert seen(place, carols, tool="send_mail") == f"[{of_carol}{more}]"


def test_a_person_who_delegates_has_their_own(world: World) -> None:
    """Not what another person's agents have done for a prompt of that name."""

    def told(person: str) -> bool:
        world.granted(person=person)
        return "read_file" in world.records("delegation")[-1]["message"]

    world.ask(world.granted())
    assert (told("carol"), told("alice")) == (False, True)


def test_what_fails_takes_nothing_from_others_of_its_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four actions that are decided in one commit the second fails; the last sees what the others were."""
    token, history = world.granted(), world.gateway.state.history
    note = history.note

    def broken(tx: Transaction, prompt: str, permit_id: str, action: dict[str, Any], seq: int) -> None:
        note(tx, prompt, permit_id, action, seq)
        if action["tool"] == "write_file":
            raise OSError

    monkeypatch.setattr(history, "note", broken)
    requests = [world.request(token, tool=tool) for tool in ("read_file", "write_file", "pay", "send_mail")]
    decided = together(world.gateway.state.store, [partial(world.gateway.decide, request) for request in requests])
    assert [decision.reason for decision in decided] == ["passed", "internal_error", "passed", "passed"]
    assert decided[-1].message == '[["read_file",null],["pay",null]]'


def test_what_a_batch_that_fails_was_told_is_not_told(world: World) -> None:
    """The history is read from a log in which there is an outcome that never gets durable."""
    token = world.granted()
    permit = world.ask(token).permit_id or ""
    other, is_full = world.again_without_closing(), [OSError("full")]

    def write(connection: sqlite3.Connection) -> None:
        if is_full and connection.execute("SELECT 1 FROM entries WHERE kind = 'outcome'").fetchone():
            raise is_full.pop()

    store = other.gateway.state.store
    store.before_commit(write)
    together(
        store, [partial(other.gateway.report, permit, "success"), partial(seen, other, token, context={"denied": True})]
    )
    assert is_full == []
    assert seen(other, token) == '[["read_file",null]]'


def test_the_last_actions_are_told() -> None:
    """As many as are kept; all of them are counted."""
    prompt = Prompt()
    for number in range(ACTIONS_KEPT + 2):
        prompt.add(f"permit{number}", action(number))
    told = [one["parameters"] for one in prompt.document["actions"]]
    assert (len(told), told[0], told[-1]) == (ACTIONS_KEPT, 2, ACTIONS_KEPT + 1)
    assert prompt.document["counts"]["tools"] == {"read_file": ACTIONS_KEPT + 2}


def test_what_was_not_attempted_takes_back_no_retry_of_another() -> None:
    """Of two that were permitted at once, one fails before the other is given up."""
    prompt = Prompt()
    for number in range(2):
        prompt.add(f"permit{number}", action(0))
    prompt.settle("permit0", "failure")
    prompt.settle("permit1", "not_attempted")
    assert prompt.current("0") == {
        "digest": "0",
        "failures_since_replan": 1,
        "outcomes": {"failure": 1},
        "blind_retries": 0,
    }


def test_it_outlives_the_process(world: World) -> None:
    """It is read from the log."""
    token = world.granted()
    world.gateway.report(world.ask(token).permit_id or "", "success")
    world.ask(token, tool="write_file")
    assert seen(world.again(), token) == '[["read_file","success"],["write_file",null]]'


def test_two_processes_see_each_others(world: World) -> None:
    """What one has permitted and was told, the other knows at its next decision."""
    token = world.granted()
    other = world.again_without_closing()
    permit = world.ask(token).permit_id or ""
    assert seen(other, token, tool="send_mail") == '[["read_file",null]]'
    other.gateway.report(permit, "success")
    assert seen(world, token) == '[["read_file","success"],["send_mail",null]]'


def test_what_is_refused_or_fails_is_not_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a transaction that came to nothing stays."""
    token = world.granted()

    def broken(*_args: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(type(world.gateway), "_remember", broken)
        assert world.outcome(token, tool="write_file") == ("deny", "internal_error")
    assert world.outcome(token, tool="unknown") == ("deny", "tool_not_allowed")
    assert seen(world, token) == "[]"
