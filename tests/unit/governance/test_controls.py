"""Kill switch and revocation: what they reach, that they last, and that every process honours them at once."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from batches import full_disk
from chain_links import LOGIN, chain

from procurator.governance.controls import EVERYTHING, Controls, Record, Target
from procurator.governance.delegation.chains import Chain
from procurator.governance.refusals import Refused
from procurator.governance.store import Store, StoreError
from procurator.governance.transactions import Transaction

ALICE = Target("person", "alice", LOGIN)
CHAIN = chain("planner", "researcher", "writer", act=("support",))


def kill(store: Store, controls: Controls, target: Target) -> Record:
    """Turn the kill switch on."""
    return store.transact(lambda tx: controls.kill(tx, target, by="alice", why="it loops"))


def resume(store: Store, controls: Controls, target: Target) -> Record:
    """Turn it off."""
    return store.transact(lambda tx: controls.resume(tx, target, by="alice", why="fixed"))


def revoke(store: Store, controls: Controls, target: Target) -> Record:
    """Revoke something."""
    return store.transact(lambda tx: controls.revoke(tx, target, by="alice", why="leaked"))


def answer(store: Store, controls: Controls, asked: Chain = CHAIN, prompt: str = "p1") -> str:
    """The refusal of a call within a transaction; empty if there is none."""
    try:
        store.transact(lambda _tx: controls.refuse(asked, prompt))
    except Refused as refused:
        return f"{refused.reason}: {refused.detail}"
    return ""


# What they reach


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        (EVERYTHING, "the kill switch is on for everything"),
        (Target("prompt", "p1"), "the kill switch is on for prompt `p1`"),
        (Target("agent", "planner"), "the kill switch is on for agent `planner`"),
        (Target("agent", "researcher"), "the kill switch is on for agent `researcher`"),
        (Target("agent", "writer"), "the kill switch is on for agent `writer`"),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, Target) else "",
)
def test_the_kill_switch_stops_what_it_is_on_for_until_it_is_resumed(store: Store, target: Target, detail: str) -> None:
    """An agent with everything below it."""
    controls = Controls(store)
    assert answer(store, controls) == ""
    kill(store, controls, target)
    assert answer(store, controls) == f"kill_switch: {detail}"
    resume(store, controls, target)
    assert answer(store, controls) == ""


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        (ALICE, "person `alice` of `https://login.example` was revoked"),
        (Target("person", "support", LOGIN), "person `support` of `https://login.example` was revoked"),
        (Target("agent", "planner"), "agent `planner` was revoked"),
        (Target("agent", "writer"), "agent `writer` was revoked"),
        (Target("token", "t0"), "token `t0` was revoked"),
        (Target("token", "t1"), "token `t1` was revoked"),
        (Target("token", "t2"), "token `t2` was revoked"),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, Target) else "",
)
def test_revocation_reaches_every_descendant(store: Store, target: Target, detail: str) -> None:
    """Of a token, of an agent, of a person and of who acts as the person."""
    controls = Controls(store)
    revoke(store, controls, target)
    assert answer(store, controls) == f"revoked: {detail}"


@pytest.mark.parametrize(
    "target",
    [
        Target("prompt", "p2"),
        Target("prompt", "planner"),
        Target("agent", "p1"),
        Target("agent", "alice"),
        Target("agent", "Planner"),
    ],
    ids="-".join,
)
def test_the_kill_switch_leaves_the_others_alone(store: Store, target: Target) -> None:
    """An id of something else is another id."""
    controls = Controls(store)
    kill(store, controls, target)
    assert answer(store, controls) == ""


@pytest.mark.parametrize(
    "target",
    [
        Target("token", "t3"),
        Target("token", "planner"),
        Target("agent", "t0"),
        Target("agent", "editor"),
        Target("person", "bob", LOGIN),
        Target("person", "alice", "https://other.example"),
        Target("person", "planner", LOGIN),
    ],
    ids="-".join,
)
def test_revocation_leaves_the_others_alone(store: Store, target: Target) -> None:
    """A person is one of an issuer."""
    controls = Controls(store)
    revoke(store, controls, target)
    assert answer(store, controls) == ""


def test_parents_go_on_when_a_descendant_was_revoked(store: Store) -> None:
    """It reaches down, not up."""
    controls = Controls(store)
    revoke(store, controls, Target("token", "t1"))
    answers = [answer(store, controls, chain(*names)) for names in (["planner"], ["planner", "researcher"])]
    assert answers == ["", "revoked: token `t1` was revoked"]


def test_the_prompt_of_the_token_counts_like_that_of_the_request(store: Store) -> None:
    """To name another one is no way out."""
    controls = Controls(store)
    kill(store, controls, Target("prompt", "p1"))
    assert answer(store, controls, CHAIN, "p2") == "kill_switch: the kill switch is on for prompt `p1`"
    assert answer(store, controls, chain("planner", task="p2"), "p1") == answer(store, controls, CHAIN, "p2")


def test_what_has_no_chain_yet_is_refused_too(store: Store) -> None:
    """A first token for a person, or a registration."""
    controls = Controls(store)
    revoke(store, controls, ALICE)
    with pytest.raises(Refused) as error:
        controls.refuse_any("p1", ["planner"], [Target("person", "bob", LOGIN), ALICE])
    assert error.value.detail == "person `alice` of `https://login.example` was revoked"
    kill(store, controls, EVERYTHING)
    with pytest.raises(Refused) as error:
        controls.refuse_any("p1")
    assert error.value.reason == "kill_switch"


def test_the_kill_switch_is_named_before_revocation(store: Store) -> None:
    """It is what a person has to turn off first."""
    controls = Controls(store)
    revoke(store, controls, Target("agent", "planner"))
    kill(store, controls, Target("agent", "writer"))
    assert answer(store, controls) == "kill_switch: the kill switch is on for agent `writer`"


# Changes


def test_the_log_is_told_what_was_done_by_whom_and_why(store: Store) -> None:
    """And whether it changed anything."""
    controls, prompt = Controls(store), Target("prompt", "p1")
    told = [
        kill(store, controls, prompt),
        kill(store, controls, prompt),
        resume(store, controls, prompt),
        kill(store, controls, EVERYTHING),
        revoke(store, controls, ALICE),
        revoke(store, controls, ALICE),
    ]
    killed = {"action": "kill", "by": "alice", "why": "it loops"}
    revoked = {"action": "revoke", "by": "alice", "why": "leaked", "kind": "person", "id": "alice", "issuer": LOGIN}
    assert told == [
        {**killed, "changed": True, "kind": "prompt", "id": "p1"},
        {**killed, "changed": False, "kind": "prompt", "id": "p1"},
        {"action": "resume", "by": "alice", "why": "fixed", "changed": True, "kind": "prompt", "id": "p1"},
        {**killed, "changed": True, "kind": "all"},
        {**revoked, "changed": True},
        {**revoked, "changed": False},
    ]
    assert (controls.killed(), controls.revoked()) == ([EVERYTHING], [ALICE])


def test_each_kill_is_resumed_by_itself(store: Store) -> None:
    """To resume all does not resume a prompt, and the other way round."""
    controls = Controls(store)
    for target in (EVERYTHING, Target("prompt", "p1"), Target("agent", "p1")):
        kill(store, controls, target)
    resume(store, controls, EVERYTHING)
    assert answer(store, controls) == "kill_switch: the kill switch is on for prompt `p1`"
    resume(store, controls, Target("prompt", "p1"))
    assert answer(store, controls) == ""
    assert controls.killed() == [Target("agent", "p1")]


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        (EVERYTHING, "the kill switch is not on for everything"),
        (Target("prompt", "p1"), "the kill switch is not on for prompt `p1`"),
        (Target("agent", "p2"), "the kill switch is not on for agent `p2`"),
    ],
)
def test_what_is_not_killed_is_not_resumed(store: Store, target: Target, detail: str) -> None:
    """A wrong id is told rather than ignored."""
    controls = Controls(store)
    kill(store, controls, Target("prompt", "p2"))
    with pytest.raises(Refused) as error:
        resume(store, controls, target)
    assert (error.value.reason, error.value.detail) == ("not_killed", detail)


def test_a_revocation_is_not_resumed(store: Store) -> None:
    """It is for ever."""
    controls = Controls(store)
    revoke(store, controls, Target("agent", "planner"))
    with pytest.raises(Refused) as error:
        resume(store, controls, Target("agent", "planner"))
    assert error.value.reason == "not_killed"
    assert answer(store, controls) == "revoked: agent `planner` was revoked"


KIND_OF_KILL = "`{}` is none of agent, all, prompt".format
KIND_OF_REVOCATION = "`{}` is none of agent, person, token".format
NO_ID = "all has no id, and others have one"
NO_ISSUER = "a person has an issuer, and others have none"


@pytest.mark.parametrize(
    ("change", "target", "field", "detail"),
    [
        (kill, Target("token", "t0"), "kind", KIND_OF_KILL("token")),
        (kill, ALICE, "kind", KIND_OF_KILL("person")),
        (kill, Target("", "p1"), "kind", KIND_OF_KILL("")),
        (kill, Target("all", "p1"), "id", NO_ID),
        (kill, Target("prompt"), "id", NO_ID),
        (kill, Target("prompt", "p" * 2049), "id", NO_ID),
        (kill, Target("prompt", "p1", LOGIN), "issuer", NO_ISSUER),
        (resume, Target("token", "t0"), "kind", KIND_OF_KILL("token")),
        (resume, Target("agent"), "id", NO_ID),
        (revoke, EVERYTHING, "kind", KIND_OF_REVOCATION("all")),
        (revoke, Target("prompt", "p1"), "kind", KIND_OF_REVOCATION("prompt")),
        (revoke, Target("token"), "id", NO_ID),
        (revoke, Target("person", "alice"), "issuer", NO_ISSUER),
        (revoke, Target("agent", "planner", LOGIN), "issuer", NO_ISSUER),
    ],
)
def test_a_target_that_is_none_is_refused(
    store: Store, change: Callable[[Store, Controls, Target], Record], target: Target, field: str, detail: str
) -> None:
    """Rather than kept where it reaches nothing."""
    controls = Controls(store)
    with pytest.raises(Refused) as error:
        change(store, controls, target)
    assert (error.value.reason, error.value.field, error.value.detail) == ("malformed", field, detail)
    assert (controls.killed(), controls.revoked()) == ([], [])


# Durability


def test_both_survive_a_restart(opened: Callable[[], Store]) -> None:
    """What was resumed too."""
    store = opened()
    controls = Controls(store)
    for target in (EVERYTHING, Target("prompt", "p1"), Target("agent", "writer")):
        kill(store, controls, target)
    resume(store, controls, EVERYTHING)
    revoke(store, controls, ALICE)
    again = Controls(opened())
    assert again.killed() == [Target("agent", "writer"), Target("prompt", "p1")]
    assert again.revoked() == [ALICE]


def test_other_processes_honour_them_on_their_next_call(opened: Callable[[], Store]) -> None:
    """Kill, resume and revocation."""
    ours, theirs = opened(), opened()
    first, second = Controls(ours), Controls(theirs)
    answers = [answer(theirs, second)]
    kill(ours, first, EVERYTHING)
    answers.append(answer(theirs, second))
    resume(ours, first, EVERYTHING)
    answers.append(answer(theirs, second))
    revoke(ours, first, Target("token", "t0"))
    answers.append(answer(theirs, second))
    assert answers == ["", "kill_switch: the kill switch is on for everything", "", "revoked: token `t0` was revoked"]


def _kill_all(path: Path) -> None:
    store = Store(path)
    kill(store, Controls(store), EVERYTHING)
    # It ends without closing anything.


def test_a_kill_of_a_process_that_has_ended_stays(opened: Callable[[], Store], tmp_path: Path) -> None:
    """It was durable when it was told of."""
    store = opened()
    controls = Controls(store)
    process = multiprocessing.get_context("spawn").Process(target=_kill_all, args=(tmp_path / "state.db",))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert answer(store, controls) == "kill_switch: the kill switch is on for everything"


def test_a_work_that_fails_changes_nothing(store: Store) -> None:
    """Neither a kill, nor a resume, nor a revocation stays; those of before do."""
    controls = Controls(store)
    kill(store, controls, Target("prompt", "p1"))
    revoke(store, controls, Target("agent", "editor"))

    def fail(tx: Transaction) -> None:
        controls.resume(tx, Target("prompt", "p1"), by="alice")
        controls.kill(tx, EVERYTHING, by="alice")
        controls.kill(tx, Target("prompt", "p1"), by="alice")
        controls.revoke(tx, ALICE, by="alice")
        controls.revoke(tx, Target("agent", "editor"), by="alice")
        raise OSError("stopped")

    with pytest.raises(OSError, match="stopped"):
        store.transact(fail)
    assert (controls.killed(), controls.revoked()) == ([Target("prompt", "p1")], [Target("agent", "editor")])
    assert answer(store, controls) == "kill_switch: the kill switch is on for prompt `p1`"
    resume(store, controls, Target("prompt", "p1"))
    assert answer(store, controls) == ""


def test_a_commit_that_fails_changes_nothing(store: Store) -> None:
    """Whoever asked for it is told, and can ask again."""
    controls = Controls(store)
    with full_disk(store), pytest.raises(StoreError, match="disk full"):
        kill(store, controls, EVERYTHING)
    assert controls.killed() == []
    kill(store, controls, EVERYTHING)
    assert answer(store, controls) == "kill_switch: the kill switch is on for everything"


def test_they_cannot_be_removed_or_changed(store: Store) -> None:
    """Not through SQL either."""
    revoke(store, Controls(store), ALICE)
    for statement in ("DELETE FROM controls", "UPDATE controls SET id = 'bob'"):
        with pytest.raises(Exception, match="kills and revocations are append-only"):
            store.transact(lambda tx, statement=statement: tx.execute(statement))
