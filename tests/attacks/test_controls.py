"""What was revoked, killed or has expired, and clocks that somebody has moved."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from defence import HOLDERS, LEAF, MIDDLE, ROOT, chain, claims_of, denied, derived, granted, read, refused

from gateways import LOGIN, Clock, World, opened, self_key, session_proof
from procurator.governance.delegation.proofs import prove
from procurator.governance.delegation.sessions import opening
from procurator.governance.identity.agents import prove_rotation

Change = Callable[[World, str], None]

REVOKED: dict[str, Change] = {
    "root": lambda world, token: world.gateway.admin.revoke("token", claims_of(token, 0)["jti"]),
    "parent": lambda world, token: world.gateway.admin.revoke("token", claims_of(token, 1)["jti"]),
    "leaf": lambda world, token: world.gateway.admin.revoke("token", claims_of(token, 2)["jti"]),
    "first agent": lambda world, _token: world.gateway.admin.revoke("agent", ROOT),
    "agent between": lambda world, _token: world.gateway.admin.revoke("agent", MIDDLE),
    "agent itself": lambda world, _token: world.gateway.admin.revoke("agent", LEAF),
    "person": lambda world, _token: world.gateway.admin.revoke("person", "alice", issuer=LOGIN),
    "one who acts for the person": lambda world, _token: world.gateway.admin.revoke("person", "bob", issuer=LOGIN),
}
KILLED: dict[str, Change] = {
    "all": lambda world, _token: world.gateway.admin.kill(),
    "the prompt": lambda world, _token: world.gateway.admin.kill("prompt", "p1"),
    "the first agent": lambda world, _token: world.gateway.admin.kill("agent", ROOT),
    "the agent between": lambda world, _token: world.gateway.admin.kill("agent", MIDDLE),
    "the agent itself": lambda world, _token: world.gateway.admin.kill("agent", LEAF),
}
CHANGES = [(f"revoked {name}", change, "revoked") for name, change in REVOKED.items()]
CHANGES += [(f"killed {name}", change, "kill_switch") for name, change in KILLED.items()]
NAMES = [name for name, _, _ in CHANGES]


def acted_for(world: World) -> str:
    """A chain that somebody has begun in the name of a person."""
    token = world.gateway.delegate(
        world.person(act={"sub": "bob"}), agent=ROOT, tools=["read_file"], prompt_id="p1", intent="Read."
    )
    for holder, agent in pairwise(HOLDERS):
        token = derived(world, token, holder, agent)
    return token


@pytest.mark.parametrize(("change", "reason"), [case[1:] for case in CHANGES], ids=NAMES)
def test_the_very_next_call_of_one_that_was(change: Change, reason: str, world: World) -> None:
    """The chain was verified, is in the cache, and has just been permitted."""
    token = acted_for(world)
    request = world.request(token, LEAF)
    assert world.gateway.decide(request).verdict == "permit"
    change(world, token)
    denied(world, world.ask(token, LEAF), reason)
    denied(world, world.gateway.decide(request), reason)  # nor is the earlier answer given again


@pytest.mark.parametrize(("change", "reason"), [case[1:] for case in CHANGES], ids=NAMES)
def test_the_very_next_call_of_one_that_in_another_process_was(change: Change, reason: str, world: World) -> None:
    """Both have the same file."""
    token = acted_for(world)
    assert world.ask(token, LEAF).verdict == "permit"
    change(world.again_without_closing(), token)
    denied(world, world.ask(token, LEAF), reason)


@pytest.mark.parametrize(("change", "reason"), [case[1:] for case in CHANGES], ids=NAMES)
def test_within_a_proof_session_of_one_that_was(change: Change, reason: str, world: World) -> None:
    """The session does not outlive it, and is no way around."""
    token = acted_for(world)
    proof = prove(self_key(LEAF), opening("open-1"), token, world.clock.seconds)
    session = world.gateway.open_session(token, proof, "open-1")
    change(world.again_without_closing(), token)
    request = world.request(token, None)
    request["proof"] = session_proof(session, request, world.clock.seconds)
    denied(world, world.gateway.decide(request), reason)


@pytest.mark.parametrize("name", ["first agent", "person"])
def test_a_new_chain_of_one_that_was_revoked(name: str, world: World) -> None:
    """Revocation is for ever, also after a new start."""
    token = chain(world)
    REVOKED[name](world, token)
    later = world.again()
    refused(later, lambda: granted(later), "revoked")
    denied(later, read(later, token, LEAF), "revoked")


def test_delegating_while_everything_is_stopped(world: World) -> None:
    """Nothing begins either."""
    token = granted(world)
    world.gateway.admin.kill()
    refused(world, lambda: granted(world), "kill_switch")
    refused(world, lambda: world.passed_on(token, ROOT, MIDDLE, ["read_file"]), "kill_switch")


def test_what_was_stopped_in_another_process_and_resumed(world: World) -> None:
    """A resume counts at once too, and for exactly what was stopped."""
    token, other = chain(world), world.again_without_closing()
    other.gateway.admin.kill()
    other.gateway.admin.kill("prompt", "p1")
    other.gateway.admin.resume()
    denied(world, read(world, token, LEAF), "kill_switch")
    other.gateway.admin.resume("prompt", "p1")
    assert read(world, token, LEAF).verdict == "permit"
    assert world.verification().problem is None


def test_the_kill_switch_above_what_would_be_refused_anyway(world: World) -> None:
    """It is the reason that people are told."""
    world.gateway.admin.kill()
    denied(world, world.ask("x.y.z", None), "kill_switch")


def test_a_key_that_was_given_up(world: World) -> None:
    """Tokens of the old key end with it, and those below them."""
    token = chain(world)
    assert read(world, token, LEAF).verdict == "permit"
    from_outside = world.again_without_closing()
    rotate(from_outside, MIDDLE)
    denied(world, read(world, token, LEAF), "agent_unknown")


def rotate(world: World, agent: str) -> None:
    """Give an agent a new key."""
    from_now = self_key(f"{agent}, later")
    proof = prove_rotation(agent, self_key(agent), from_now, audience="urn:example:gateway", now=world.clock.seconds)
    world.gateway.admin.rotate(agent, from_now.public, proof)


# Time


def test_a_token_that_has_expired(world: World) -> None:
    """Its chain is in the cache; a link above it may be the first to end."""
    token = derived(world, granted(world, ttl=50), ROOT, MIDDLE)
    assert read(world, token, MIDDLE).verdict == "permit"
    world.clock.forward(50)
    denied(world, read(world, token, MIDDLE), "token_expired")


def test_a_clock_that_is_moved_back(world: World) -> None:
    """What has expired stays so."""
    token = granted(world, ttl=50)
    request = world.request(token, ROOT, target_resource="/data/a.txt")
    world.clock.forward(100)
    denied(world, read(world, token, ROOT), "token_expired")
    world.clock.forward(-100)
    denied(world, read(world, token, ROOT), "token_expired")
    denied(world, world.gateway.decide(request), "token_expired")


def test_a_new_start_with_an_earlier_clock(world: World) -> None:
    """The last entry of the log says how late it was."""
    token = granted(world, ttl=50)
    world.clock.forward(100)
    denied(world, read(world, token, ROOT), "token_expired")
    world.gateway.close()
    world.clock.forward(-100)
    later = World(world.folder, world.clock, opened(world.folder, world.clock))
    denied(later, read(later, token, ROOT), "token_expired")


def test_another_process_with_an_earlier_clock(world: World) -> None:
    """Times in the log never go back, whoever writes, and each process has the latest."""
    token = granted(world, ttl=50)
    behind = Clock()
    behind.forward(-100)
    other = World(world.folder, behind, opened(world.folder, behind))
    world.clock.forward(100)
    read(world, granted(world), ROOT)
    denied(other, other.ask("x.y.z", None), "malformed_token")
    denied(other, other.ask(token, None), "token_expired")
    times = [entry.time_ns for entry in world.gateway.state.audit.entries()]
    assert times == sorted(times)


def test_an_expired_proof_with_the_clock_moved_back(world: World) -> None:
    """A proof that was too old is not made good by it."""
    token = granted(world)
    request = world.request(token, ROOT, target_resource="/data/a.txt")
    world.clock.forward(61)
    denied(world, world.gateway.decide(request), "proof_expired")
    world.clock.forward(-61)
    denied(world, world.gateway.decide(request), "proof_expired")


@pytest.mark.parametrize("change", ["revoke", "kill"])
def test_handing_on_to_one_that_was_stopped(change: str, world: World) -> None:
    """It gets no token, from an agent as little as from a person."""
    token = granted(world)
    getattr(world.gateway.admin, change)("agent", MIDDLE)
    reason = "revoked" if change == "revoke" else "kill_switch"
    refused(world, lambda: world.passed_on(token, ROOT, MIDDLE, ["read_file"]), reason)
    refused(world, lambda: world.granted(MIDDLE, ["read_file"]), reason)
