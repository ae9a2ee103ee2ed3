"""A log that cannot be written, and secrets on their way into it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from defence import ROOT, chain, derived, read, refused

from gateways import CONFIG, POLICY, World, self_key
from procurator.governance.store import StoreError

# Writing


def broken(world: World, token: str) -> None:
    """While the log cannot be written nothing is permitted, delegated, revoked or reported."""
    world_answers = [
        world.ask(token, ROOT),
        *world.gateway.decide_many([world.request(token, ROOT), world.request(token, ROOT, tool="pay")]),
    ]
    for decision in world_answers:
        assert (decision.verdict, decision.reason, decision.permit_id) == ("deny", "internal_error", None)


LOCKS = {
    "read-only": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "full": ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1073741823"),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_disk_that_is(name: str, tmp_path: Path) -> None:
    """A deny for everybody, and when there is room again nothing is missing and nothing is there twice."""
    world = World.made(tmp_path)
    token = granted_plainly(world)
    request = world.request(token, ROOT)
    permit = world.gateway.decide(request).permit_id or ""
    connection = world.gateway.state.store._connection
    close, reopen = LOCKS[name]
    connection.execute(close)
    for size in (5000, 0):
        while world.ask(token, ROOT, context={"more": "x" * size}).verdict == "permit":
            assert len(world.records()) < 100  # what is full soon is full
    before = world.records()
    broken(world, token)
    written = {
        "report": done(lambda: world.gateway.report(permit, "success")),
        "kill": done(lambda: world.gateway.admin.kill("prompt", "p9")),
        "register": done(lambda: world.gateway.admin.register("late", self_key("late").public)),
    }
    if name == "read-only":
        assert (sum(written.values()), world.records()) == (0, before)
    connection.execute(reopen)
    assert len(world.records()) == len(before) + sum(written.values())
    for start in range(2):
        again = world.again() if start else world
        assert again.gateway.decide(request).permit_id == permit
        assert ("late" in again.gateway.state.agents.all()) is written["register"]
        assert bool(again.gateway.state.controls.killed()) is written["kill"]
        assert again.gateway.report(permit, "success").accepted is not written["report"]
        written["report"] = True
        assert again.ask(token, ROOT).verdict == "permit"
        assert again.verification().problem is None


def done(change: Callable[[], object]) -> bool:
    """Whether a change was written; the end of a full file may still hold a small one."""
    try:
        change()
    except StoreError:
        return False
    return True


def granted_plainly(world: World) -> str:
    return world.granted(ROOT)


def test_a_witness_that_cannot_be_written(tmp_path: Path) -> None:
    """Checkpoints that nobody outside has seen are none: nothing goes on without them."""
    world = World.made(tmp_path, CONFIG + "audit: {checkpoint_every: 2}\n")
    token = granted_plainly(world)
    witness = tmp_path / "procurator.db.checkpoints"
    kept = witness.read_bytes()
    witness.unlink()
    witness.mkdir()
    decisions = [world.ask(token, ROOT) for _ in range(4)]
    assert decisions[-1].reason == "internal_error"
    witness.rmdir()
    witness.write_bytes(kept)
    assert world.ask(token, ROOT).verdict == "permit"
    permits = {record["permit_id"] for record in world.records("decision")} - {None}
    assert permits >= {decision.permit_id for decision in decisions} - {None}
    assert world.again().verification().problem is None


def test_a_file_that_is_taken_away(tmp_path: Path) -> None:
    """Its tables are gone: a deny, not a permit without a log."""
    world = World.made(tmp_path)
    token = granted_plainly(world)
    with sqlite3.connect(tmp_path / "procurator.db", isolation_level=None) as other:
        for trigger in ("entries_keep", "entries_stay"):
            other.execute(f"DROP TRIGGER {trigger}")
        other.execute("DROP TABLE entries")
    other.close()
    broken(world, token)


def test_a_file_that_somebody_has_locked(tmp_path: Path) -> None:
    """Who waits for too long is denied."""
    world = World.made(tmp_path)
    token = granted_plainly(world)
    world.gateway.state.store._connection.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / "procurator.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    broken(world, token)
    other.execute("ROLLBACK")
    other.close()
    assert world.ask(token, ROOT).verdict == "permit"


def test_a_gateway_that_is_closed(tmp_path: Path) -> None:
    """It denies, and keeps nobody waiting."""
    world = World.made(tmp_path)
    token = granted_plainly(world)
    world.gateway.close()
    broken(world, token)
    world.gateway.close()


# Secrets

SECRET = "hunter2-Zr8"
CARD = 4111111111111111
KEY = "sk-live-0123456789abcdef"
MASKS = CONFIG + "masks: {keys: [iban], patterns: ['sk-live-[0-9a-f]+', '\\b4[0-9]{15}\\b']}\n"
TELLING = (
    POLICY
    + """
deny contains {"message": sprintf("never use %v", [input.action.parameters])} if input.action.tool == "read_secret"
"""
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path, MASKS, TELLING)


def searched(world: World) -> bytes:
    """Every byte that was written beside the files of the configuration."""
    world.gateway.state.audit.checkpoint()
    files = [path for path in world.folder.iterdir() if path.name.startswith("procurator.db")]
    assert len(files) >= 3
    return b"".join(path.read_bytes() for path in files)


def unseen(world: World, *secrets: str) -> None:
    """No secret is in the files; what is beside it is."""
    assert world.verification().problem is None
    written = searched(world)
    world.gateway.close()
    for secret in secrets or (SECRET, KEY, str(CARD)):
        for spelt in (secret, secret[:-2]):
            assert spelt.encode() not in written
            assert spelt.encode() not in b"".join(path.read_bytes() for path in world.folder.glob("procurator.db*"))
    assert b"orchestrator" in written


PLACES: dict[str, dict[str, Any]] = {
    "parameters": {"parameters": {"path": "/a", "password": SECRET, "to": f"x{KEY}y", "card": CARD}},
    "nested parameters": {
        "parameters": {"a": [{"b": {"Password": [SECRET, {"c": SECRET}]}}], "d": [[KEY], {"e": CARD}]}
    },
    "names of parameters": {"parameters": {KEY: 1, str(CARD): 2, f"x {KEY} y": {KEY: KEY}}},
    "the resource": {"target_resource": f"/keys/{KEY}/{CARD}"},
    "the tool": {"tool": KEY},
    "the context": {"context": {"authorization": f"Bearer {SECRET}", "note": KEY, "cards": [CARD]}},
    "the reasoning": {
        "reasoning": {"snapshot": f"The password is {SECRET}.", "tool_rationale": f"{KEY} {CARD}"},
        "parameters": {"password": SECRET},
    },
    "what the policy says": {"tool": "read_secret", "parameters": {"password": SECRET, "key": KEY, "card": CARD}},
    "what the policy says, spelt as JSON": {"tool": "read_secret", "parameters": {"iban": f'"{SECRET}\\', "key": KEY}},
    "the reference of an approval": {"approval_ref": KEY},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in(place: str, world: World) -> None:
    """It is hidden before anything is written; the WAL has it as little as the file."""
    token = world.granted(ROOT, [*("read_file", "read_secret"), KEY] if place == "the tool" else None)
    world.ask(token, ROOT, **PLACES[place])
    world.ask(token, None, **PLACES[place])
    unseen(world)


MALFORMED: dict[str, Any] = {
    "a value of a wrong kind": {"request_id": {"password": SECRET, "x": KEY}},
    "an id of a wrong shape": {"request_id": f"{SECRET} {KEY}"},
    "a member that is not known": {KEY: 1, f"{SECRET}": 1},
    "a long member that is not known": {KEY + "0" * 100: 1},
    "an operation that there is not": {"operation": KEY, "password": SECRET},
    "a token that is none": {"token": f"{KEY}.{SECRET}.x"},
    "a proof that is none": {"proof": f"{KEY}.{SECRET}.x"},
    "a cost that is none": {"estimated_cost": {KEY: SECRET}},
}


@pytest.mark.parametrize("place", MALFORMED)
def test_a_secret_in_a_request_with(place: str, world: World) -> None:
    """What is malformed is named, not repeated."""
    token = granted_plainly(world)
    request = world.request(token, ROOT, parameters={"password": SECRET, "key": KEY})
    assert world.gateway.decide({**request, **MALFORMED[place]}).verdict == "deny"
    unseen(world, KEY, str(CARD), *([SECRET] if SECRET not in MALFORMED[place] else []))


def test_a_secret_in_what_is_no_request(world: World) -> None:
    granted_plainly(world)
    for text in (f'{{"password": "{SECRET}", ', f'"{KEY}"', f'{{"a": {{"{KEY}": NaN}}}}', f"{KEY} {SECRET}"):
        world.gateway.decide(text)
    unseen(world)


def test_a_secret_in_the_persons_prompt(world: World) -> None:
    """The prompt is in the record of the first delegation."""
    token = world.granted(ROOT, intent=f"Use {KEY}, and the card {CARD}.")
    assert world.ask(derived(world, token, ROOT, "reader"), "reader").verdict == "permit"
    assert world.records("delegation")[0]["child"]["root"]["intent"] == "Use ***, and the card ***."
    unseen(world, KEY, str(CARD))


def test_a_secret_in_what_is_delegated(world: World) -> None:
    """A constraint may name one; the record of a delegation has it neither asked for nor granted."""
    exact = {"constraint_type": "exact", "value": SECRET}
    login = {"login": {"password": exact, "key": {"constraint_type": "exact", "value": KEY}}}
    token = world.granted(ROOT, login, context={"authorization": SECRET})
    world.passed_on(token, ROOT, "reader", ["login"])
    offline = derived(world, token, ROOT, "writer")
    parameters = {"password": SECRET, "key": KEY}
    assert world.ask(offline, "writer", tool="login", parameters=parameters).verdict == "permit"
    unseen(world)


def test_a_secret_in_a_report(world: World) -> None:
    permit = world.ask(granted_plainly(world), ROOT).permit_id or ""
    payload = {"session": {"token": SECRET}, "output": [f"{KEY} of {SECRET}", CARD]}
    assert world.gateway.report(permit, "success", payload=payload).accepted
    unseen(world)


def test_a_secret_in_what_people_say(world: World) -> None:
    granted_plainly(world)
    world.gateway.admin.kill("prompt", "p9", why=f"it leaked {KEY}")
    world.gateway.admin.revoke("agent", "writer", why=f"{CARD} was paid with")
    unseen(world, KEY, str(CARD))


def test_a_secret_that_the_policy_sends(tmp_path: Path) -> None:
    """What a policy asks of others is kept for replay, without what is secret in it."""
    rule = 'asked := http.send({"method": "GET", "url": "http://127.0.0.1:1/", "raise_error": false, '
    rule += f'"headers": {{"authorization": "{SECRET}", "x-key": "{KEY}"}}}})\n'
    rule += 'deny contains "asked" if { input.action.operation == "read"; asked.status_code == 0 }\n'
    world = World.made(tmp_path, MASKS, POLICY + rule)
    decision = world.ask(granted_plainly(world), ROOT)
    assert decision.reason == "asked"
    assert '"authorization":"***"' in next(iter(decision.record["nondeterministic"]["http.send"]))
    unseen(world)


def test_a_person_whose_token_holds_a_secret(world: World) -> None:
    """Tokens, proofs and signatures are not written at all."""
    token, person = granted_plainly(world), world.person(password=SECRET)
    refused(world, lambda: world.gateway.delegate(person, agent="nobody", tools=["x"]), "agent_unknown")
    request = world.request(token, ROOT)
    world.gateway.decide(request)
    unseen(world, SECRET, token.split(".")[2], request["proof"].split(".")[2], person.split(".")[2])


def test_a_mask_that_would_never_end(tmp_path: Path) -> None:
    """A pattern that others need exponential time for, on a text made for it."""
    world = World.made(tmp_path, CONFIG + "masks: {patterns: ['^(a+)+$', '(a|aa)+c', '(x+x+)+y', 'x.*y|x']}\n")
    context = {"text": "a" * 100_000 + "!", "more": "x" * 100_000}
    assert world.ask(granted_plainly(world), ROOT, context=context).verdict == "permit"


def test_hiding_what_the_gateway_says(tmp_path: Path) -> None:
    """Who calls a secret what the gateway says does not have it hidden: reason, agents, tools, ids."""
    world = World.made(tmp_path, MASKS)
    token = chain(world)
    words = ["passed", "permit", "orchestrator", "reader", "alice", "read_file", "data.procurator.allow", "p1"]
    decision = read(world, token, "reader", context={"password": words})
    record = world.records("decision")[-1]
    assert (decision.verdict, record["reason"], record["verdict"]) == ("permit", "passed", "permit")
    assert [link["agent"] for link in record["delegation"]["chain"]] == ["orchestrator", "researcher", "reader"]
    assert record["delegation"]["root"]["subject"] == "alice"
    assert record["rules"][0]["path"] == "data.procurator.allow"
    assert record["input"]["action"]["tool"] == "read_file"


def test_a_mask_that_finds_everything(tmp_path: Path) -> None:
    """The gateway still knows its permits, after a new start too."""
    policy = POLICY + 'deny contains "often" if count(input.history.actions) >= 2\n'
    world = World.made(tmp_path, CONFIG + "masks: {keys: [input, action, chain, agent], patterns: ['.+']}\n", policy)
    token = granted_plainly(world)
    request = world.request(token, ROOT)
    permit = world.gateway.decide(request).permit_id
    assert permit is not None
    world = world.again()
    assert world.gateway.decide(request).permit_id == permit
    assert world.gateway.report(permit, "success").accepted
    assert world.ask(token, ROOT).verdict == "permit"
    assert world.again().ask(token, ROOT).reason == "often"
