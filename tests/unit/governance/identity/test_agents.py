"""Registration of agents: one key an agent, one agent a key; rotation with proof by both keys."""

from collections.abc import Callable
from typing import Any

import pytest
from batches import full_disk
from chain_links import chain

from delegations import ed25519
from procurator.governance.identity.agents import ROTATION, Agents, prove_rotation
from procurator.governance.refusals import Refused
from procurator.governance.signing import jws
from procurator.governance.signing.keys import generate
from procurator.governance.store import Store, StoreError
from procurator.governance.transactions import Transaction

GATEWAY = "https://gateway.example"
NOW = 1_800_000_000


def agents_of(store: Store, **options: Any) -> Agents:
    """The agents of a store."""
    return Agents(store, **{"audience": [GATEWAY], **options})


def register(store: Store, agents: Agents, agent: str, name: str | None = None) -> Any:
    """Register an agent with the key of a name, by default of its own."""
    return store.transact(lambda tx: agents.register(tx, agent, ed25519(name or agent).public, by="alice"))


def refusal(act: Callable[[], object]) -> tuple[str, str]:
    """The reason and the sentence of a refusal."""
    with pytest.raises(Refused) as error:
        act()
    return error.value.reason, error.value.detail


# Registration


def test_an_agent_is_known_by_its_name_and_by_its_key(store: Store) -> None:
    """And the log is told."""
    agents = agents_of(store)
    public = ed25519("researcher").public
    assert register(store, agents, "researcher") == {
        "action": "register",
        "agent": "researcher",
        "by": "alice",
        "jkt": public.jkt,
        "jwk": dict(public.jwk),
    }
    assert (agents.key_of("researcher"), agents.by_thumbprint(public.jkt)) == (public, public)
    assert refusal(lambda: agents.key_of("writer")) == ("agent_unknown", "agent `writer` is not registered")
    assert agents.by_thumbprint(ed25519("writer").public.jkt) is None
    assert agents.all() == {"researcher": public}


def test_both_kinds_of_keys_survive_a_restart(opened: Callable[[], Store]) -> None:
    """They are read again from the file."""
    store, elliptic = opened(), generate("ES256").public
    agents = agents_of(store)
    register(store, agents, "researcher")
    store.transact(lambda tx: agents.register(tx, "writer", elliptic, by="alice"))
    assert agents_of(opened()).all() == {"researcher": ed25519("researcher").public, "writer": elliptic}


def test_to_register_an_agent_again_changes_nothing(store: Store) -> None:
    """There is nothing to log."""
    agents = agents_of(store)
    register(store, agents, "researcher")
    assert register(store, agents, "researcher") is None


def test_an_agent_has_one_key(store: Store) -> None:
    """A second one has to be proved."""
    agents = agents_of(store)
    register(store, agents, "researcher")
    assert refusal(lambda: register(store, agents, "researcher", "other")) == (
        "agent_exists",
        "agent `researcher` is registered with another key",
    )


def test_a_key_has_one_agent(store: Store) -> None:
    """No two share one."""
    agents = agents_of(store)
    register(store, agents, "researcher")
    assert refusal(lambda: register(store, agents, "writer", "researcher")) == (
        "shared_key",
        "the key is, or was, that of agent `researcher`",
    )


def test_two_works_of_one_batch_see_each_other(store: Store) -> None:
    """The first to come has the key."""
    agents = agents_of(store)

    def both(tx: Transaction) -> None:
        agents.register(tx, "researcher", ed25519("k").public, by="alice")
        agents.register(tx, "writer", ed25519("k").public, by="alice")

    assert refusal(lambda: store.transact(both)) == ("shared_key", "the key is, or was, that of agent `researcher`")
    assert agents.all() == {}
    assert register(store, agents, "writer", "k")["agent"] == "writer"


def test_the_keys_of_the_gateway_are_for_no_agent(store: Store) -> None:
    """Whatever the agent is called."""
    agents = agents_of(store, gateway_keys=[ed25519("gateway").public])
    for agent in ("gateway", "the gateway"):
        refused = refusal(lambda agent=agent: register(store, agents, agent, "gateway"))
        assert refused == ("shared_key", "the key is, or was, that of the gateway")
    assert agents.by_thumbprint(ed25519("gateway").public.jkt) is None


@pytest.mark.parametrize("name", ["", "a" * 257, "a\nb", "a\\b", "re\u0301sume\u0301", "ｗriter", "a\u202eb", "\ud800"])
def test_a_name_has_one_spelling(store: Store, name: str) -> None:
    """As in tokens."""
    reason = "the name of an agent is a text of 1 to 256 characters in normal form (NFC)"
    assert refusal(lambda: register(store, agents_of(store), name, "k")) == ("malformed", reason)


def test_a_work_that_fails_registers_nobody(store: Store) -> None:
    """Neither in the file nor in memory."""
    agents = agents_of(store)

    def fail(tx: Transaction) -> None:
        agents.register(tx, "writer", ed25519("writer").public, by="alice")
        raise OSError("stopped")

    with pytest.raises(OSError, match="stopped"):
        store.transact(fail)
    assert (agents.all(), agents.by_thumbprint(ed25519("writer").public.jkt)) == ({}, None)
    register(store, agents, "researcher", "writer")
    assert agents.all() == {"researcher": ed25519("writer").public}


def test_a_commit_that_fails_registers_nobody(store: Store) -> None:
    """The same for a whole batch."""
    agents = agents_of(store)
    with full_disk(store), pytest.raises(StoreError, match="disk full"):
        register(store, agents, "writer")
    assert agents.all() == {}
    register(store, agents, "writer")
    assert agents.all() == {"writer": ed25519("writer").public}


def test_other_processes_see_it_within_their_next_transaction(opened: Callable[[], Store]) -> None:
    """So a key that one has taken, the other refuses."""
    first, second = opened(), opened()
    ours, theirs = agents_of(first), agents_of(second)
    register(first, ours, "researcher")
    assert refusal(lambda: register(second, theirs, "writer", "researcher")) == (
        "shared_key",
        "the key is, or was, that of agent `researcher`",
    )
    register(second, theirs, "writer")
    first.transact(lambda _tx: None)
    assert (
        ours.all() == theirs.all() == {"researcher": ed25519("researcher").public, "writer": ed25519("writer").public}
    )


def test_registrations_cannot_be_removed_or_changed(store: Store) -> None:
    """Not through SQL either."""
    register(store, agents_of(store), "researcher")
    for statement in ("DELETE FROM agent_keys", "UPDATE agent_keys SET agent = 'mallory'"):
        with pytest.raises(Exception, match="registrations are append-only"):
            store.transact(lambda tx, statement=statement: tx.execute(statement))


# Agents of the configuration


def test_agents_of_the_configuration_need_no_registration(store: Store) -> None:
    """Others are registered beside them."""
    agents = agents_of(store, static=[("planner", ed25519("planner").public)])
    register(store, agents, "researcher")
    assert list(agents.all()) == ["planner", "researcher"]
    assert register(store, agents, "planner") is None


def test_with_static_registration_there_are_no_others(opened: Callable[[], Store]) -> None:
    """Not even those that were registered before."""
    store = opened()
    register(store, agents_of(store), "researcher")
    static = opened()
    agents = agents_of(static, static=[("planner", ed25519("planner").public)], dynamic=False)
    assert agents.all() == {"planner": ed25519("planner").public}
    only = ("registration_not_allowed", "agents are those of the configuration alone")
    assert refusal(lambda: register(static, agents, "writer")) == only
    proof = prove_rotation("planner", ed25519("planner"), ed25519("new"), audience=GATEWAY, now=NOW)
    assert refusal(lambda: rotate(static, agents, "planner", "new", proof)) == only


def test_two_agents_of_the_configuration_do_not_share_a_key(store: Store) -> None:
    """Nor does one have two."""
    one, other = ed25519("one").public, ed25519("other").public
    assert refusal(lambda: agents_of(store, static=[("a", one), ("b", one)])) == (
        "shared_key",
        "the key is, or was, that of agent `a`",
    )
    assert refusal(lambda: agents_of(store, static=[("a", one), ("a", other)])) == (
        "agent_exists",
        "agent `a` is registered with another key",
    )


def test_the_configuration_comes_before_what_was_registered(opened: Callable[[], Store]) -> None:
    """For the name of an agent, and for a key; a retired key does not come back by that."""
    store = opened()
    agents = agents_of(store)
    for name in ("planner", "writer"):
        register(store, agents, name)
    proof = prove_rotation("writer", ed25519("writer"), ed25519("new"), audience=GATEWAY, now=NOW)
    rotate(store, agents, "writer", "new", proof)
    static = [("planner", ed25519("planner-2").public), ("editor", ed25519("new").public)]
    agents = agents_of(opened(), static=static)
    assert agents.all() == dict(sorted(static))
    assert agents.by_thumbprint(ed25519("writer").public.jkt) is None


# Rotation


def rotate(store: Store, agents: Agents, agent: str, name: str, proof: str, now: int = NOW) -> Any:
    """Give an agent the key of a name."""
    return store.transact(lambda tx: agents.rotate(tx, agent, ed25519(name).public, proof, now=now))


def proved(agent: str = "researcher", old: str = "researcher", new: str = "new", **changed: Any) -> str:
    """A proof of rotation."""
    return prove_rotation(agent, ed25519(old), ed25519(new), **{"audience": GATEWAY, "now": NOW, **changed})


def test_an_agent_changes_its_key_with_proof_by_both(opened: Callable[[], Store]) -> None:
    """The log keeps the proof; the old key is good no longer."""
    store = opened()
    agents = agents_of(store)
    register(store, agents, "researcher")
    old, new, proof = ed25519("researcher").public, ed25519("new").public, proved()
    assert rotate(store, agents, "researcher", "new", proof) == {
        "action": "rotate",
        "agent": "researcher",
        "by": "researcher",
        "jkt": new.jkt,
        "jkt_before": old.jkt,
        "jwk": dict(new.jwk),
        "proof": proof,
    }
    for known in (agents, agents_of(opened())):
        assert known.all() == {"researcher": new}
        assert (known.by_thumbprint(new.jkt), known.by_thumbprint(old.jkt)) == (new, None)


def test_a_rotation_cannot_be_repeated(store: Store) -> None:
    """The key that signed it is no longer the agent's."""
    agents = agents_of(store)
    register(store, agents, "researcher")
    rotate(store, agents, "researcher", "new", proved())
    assert refusal(lambda: rotate(store, agents, "researcher", "new", proved())) == (
        "proof_invalid",
        "the proof is not one of the agent's keys: the signature does not match",
    )


def test_a_retired_key_is_for_nobody(store: Store) -> None:
    """Neither for another agent nor for its own."""
    agents = agents_of(store)
    register(store, agents, "researcher")
    rotate(store, agents, "researcher", "new", proved())
    assert refusal(lambda: register(store, agents, "writer", "researcher")) == (
        "shared_key",
        "the key is, or was, that of agent `researcher`",
    )
    back = proved(old="new", new="researcher")
    assert refusal(lambda: rotate(store, agents, "researcher", "researcher", back)) == (
        "shared_key",
        "agent `researcher` has, or had, this key",
    )


def test_a_key_of_another_agent_cannot_be_rotated_to(store: Store) -> None:
    """Even with proof."""
    agents = agents_of(store)
    register(store, agents, "researcher")
    register(store, agents, "writer")
    proof = proved(new="writer")
    assert refusal(lambda: rotate(store, agents, "researcher", "writer", proof)) == (
        "shared_key",
        "the key is, or was, that of agent `writer`",
    )


def statements(*parts: tuple[str, dict[str, Any]]) -> str:
    """A proof made by hand: the statements of keys."""
    return "~".join(jws.write(claims, ed25519(name), ROTATION) for name, claims in parts)


GOOD = {"aud": GATEWAY, "iat": NOW, "jkt": ed25519("new").public.jkt, "sub": "researcher"}
ANOTHER = "the proof is of another rotation"
NOT_ONE = "the proof is not one of the agent's keys: "


@pytest.mark.parametrize(
    ("proof", "reason", "detail"),
    [
        ("", "proof_invalid", "a rotation is proved by two statements"),
        ("~", "proof_invalid", f"{NOT_ONE}the token is no JWS in compact form"),
        ("~" * 2, "proof_invalid", "a rotation is proved by two statements"),
        (proved() + "~", "proof_invalid", "a rotation is proved by two statements"),
        (proved().partition("~")[0], "proof_invalid", "a rotation is proved by two statements"),
        (proved() + "A" * 9000, "proof_invalid", "a rotation is proved by two statements"),
        (proved(old="mallory"), "proof_invalid", f"{NOT_ONE}the signature does not match"),
        (proved(new="mallory"), "proof_invalid", ANOTHER),
        (proved(agent="writer"), "proof_invalid", ANOTHER),
        (proved(audience="https://else.example"), "proof_invalid", "the proof is meant for somebody else"),
        (proved(now=NOW - 60), "", ""),
        (proved(now=NOW + 60), "", ""),
        (proved(now=NOW - 61), "proof_expired", "the proof was made 61 seconds ago"),
        (proved(now=NOW + 61), "proof_expired", "the proof was made 61 seconds from now"),
        (statements(("researcher", GOOD), ("new", GOOD)), "", ""),
        (statements(("new", GOOD), ("researcher", GOOD)), "proof_invalid", f"{NOT_ONE}the signature does not match"),
        (
            statements(("researcher", GOOD), ("researcher", GOOD)),
            "proof_invalid",
            f"{NOT_ONE}the signature does not match",
        ),
        (statements(("researcher", GOOD), ("new", {**GOOD, "iat": NOW - 61})), "proof_expired", None),
        (statements(("researcher", GOOD), ("new", {**GOOD, "sub": "writer"})), "proof_invalid", ANOTHER),
        (statements(("researcher", {**GOOD, "more": 1}), ("new", GOOD)), "proof_invalid", ANOTHER),
        (statements(("researcher", {**GOOD, "iat": True}), ("new", GOOD)), "proof_invalid", ANOTHER),
        (
            statements(("researcher", {**GOOD, "aud": [GATEWAY]}), ("new", GOOD)),
            "proof_invalid",
            "the proof is meant for somebody else",
        ),
    ],
)
def test_a_rotation_is_proved_for_this_agent_these_keys_and_now(
    store: Store, proof: str, reason: str, detail: str | None
) -> None:
    """Anything else changes nothing."""
    agents = agents_of(store)
    register(store, agents, "researcher")
    if not reason:
        assert rotate(store, agents, "researcher", "new", proof)["jkt"] == ed25519("new").public.jkt
        return
    expected = (reason, "the proof was made 61 seconds ago" if detail is None else detail)
    assert refusal(lambda: rotate(store, agents, "researcher", "new", proof)) == expected
    assert agents.all() == {"researcher": ed25519("researcher").public}


def test_only_registered_agents_rotate(store: Store) -> None:
    """And those of the configuration do not."""
    agents = agents_of(store, static=[("planner", ed25519("planner").public)])
    assert refusal(lambda: rotate(store, agents, "researcher", "new", proved())) == (
        "agent_unknown",
        "agent `researcher` is not registered",
    )
    proof = proved(agent="planner", old="planner")
    assert refusal(lambda: rotate(store, agents, "planner", "new", proof)) == (
        "registration_not_allowed",
        "the key of agent `planner` is that of the configuration",
    )


def test_a_rotation_that_fails_leaves_the_old_key(store: Store) -> None:
    """In memory too."""
    agents = agents_of(store)
    register(store, agents, "researcher")

    def fail(tx: Transaction) -> None:
        agents.rotate(tx, "researcher", ed25519("new").public, proved(), now=NOW)
        raise OSError("stopped")

    with pytest.raises(OSError, match="stopped"):
        store.transact(fail)
    old = ed25519("researcher").public
    assert (agents.all(), agents.by_thumbprint(old.jkt)) == ({"researcher": old}, old)
    rotate(store, agents, "researcher", "new", proved())


# Chains


def test_every_agent_of_a_chain_has_to_be_registered_with_its_key(store: Store) -> None:
    """Not the last alone; when one rotates, tokens for its old key end, with all below them."""
    agents = agents_of(store)
    for name in ("planner", "researcher"):
        register(store, agents, name)
    agents.check(chain("planner", "researcher"))
    register(store, agents, "writer", "writer-2")
    problems = []
    for names in (["stranger", "planner"], ["planner", "stranger"], ["planner", "researcher", "writer"]):
        with pytest.raises(Refused) as error:
            agents.check(chain(*names))
        problems.append((error.value.reason, error.value.detail, error.value.link))
    assert problems == [
        ("agent_unknown", "agent `stranger` is not registered", 0),
        ("agent_unknown", "agent `stranger` is not registered", 1),
        ("agent_unknown", "agent `writer` is registered with another key than that of its token", 2),
    ]
    rotate(store, agents, "planner", "new", proved(agent="planner", old="planner"))
    assert refusal(lambda: agents.check(chain("planner", "researcher"))) == (
        "agent_unknown",
        "agent `planner` is registered with another key than that of its token",
    )
