"""`procurator audit replay`: the decisions of a log, taken once more."""

import json
import sqlite3
from pathlib import Path

import pytest
from command_line import Finished, procurator

from gateways import CONFIG, POLICY, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Four decisions: a delegation, and three of what an agent wants."""
    world = World.made(tmp_path, CONFIG, POLICY)
    token = world.granted()
    for tool in ("read_file", "read_secret", "pay"):
        world.ask(token, tool=tool)
    world.ask(token, operation="fly")
    world.gateway.close()
    return world


def replay(world: World, *arguments: str) -> Finished:
    return procurator("audit", "replay", "-c", "agentic-governance.yaml", *arguments, folder=world.folder)


def test_decisions_that_are_the_same(world: World) -> None:
    """Those in which no policy was asked are not counted."""
    assert replay(world) == Finished(0, "4 decisions are the same, 0 differ, 0 are unknown\n", "")
    assert json.loads(replay(world, "--format", "json").output) == {"same": 4, "differ": 0, "unknown": 0}


def test_one_decision(world: World) -> None:
    """By its id; one that there is not is an error."""
    decision = world.again_without_closing().records("decision")[0]["decision_id"]
    assert replay(world, "--decision", decision).output == "1 decisions are the same, 0 differ, 0 are unknown\n"
    done = replay(world, "--decision", "x")
    assert (done.code, done.output) == (2, "")
    assert "the log has no decision `x` for which a policy was asked" in done.errors


def test_decisions_of_other_policies(world: World) -> None:
    """They cannot be taken once more, and that is no success."""
    (world.folder / "policy.rego").write_text(POLICY + "\nmore := 1\n")
    done = replay(world, "--format", "json")
    lines = [json.loads(line) for line in done.output.splitlines()]
    assert done.code == 1
    assert [line["unknown"] for line in lines[:-1]] == ["it was decided by other policies or documents"] * 4
    assert lines[-1] == {"same": 0, "differ": 0, "unknown": 4}
    assert replay(world).output.splitlines()[-1] == "0 decisions are the same, 0 differ, 4 are unknown"


def test_a_decision_that_was_changed(world: World) -> None:
    """What somebody has written in its place is shown beside what the policy says; no terminal obeys it."""
    with sqlite3.connect(world.folder / "procurator.db") as connection:
        connection.execute("DROP TRIGGER entries_stay")
        row = "json_extract(body, '$.verdict') = 'deny' AND json_extract(body, '$.reason') = 'no_secrets'"
        hidden = json.dumps(["\x1b[2K\u202eno_secrets"], ensure_ascii=False)
        query = f"UPDATE entries SET body = json_set(body, '$.value.deny', json('{hidden}')) WHERE {row}"  # noqa: S608  # ours
        assert connection.execute(query).rowcount == 1
    connection.close()
    done = replay(world)
    assert done.code == 1
    first, last = done.output.splitlines()
    assert first.endswith('"deny":["no_secrets"],"propose":[]}')
    assert " value was " in first
    assert first.isprintable()
    assert r"\u202eno_secrets" in first
    assert last == "3 decisions are the same, 1 differ, 0 are unknown"
