"""Somebody who is not who the token says: stolen tokens, proofs of other calls, keys that two have."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from defence import HOLDERS, LEAF, MIDDLE, ROOT, chain, denied, derived, granted, read, refused

from authorities import elliptic, private_pem
from delegations import ed25519
from gateways import AGENTS, CONFIG, GATEWAY, LOGIN, START, World, call_of, self_key, session_proof
from procurator.governance.delegation.proofs import Session, prove
from procurator.governance.delegation.sessions import opening
from procurator.governance.refusals import Refused
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import public_from_jwk


def proved(world: World, token: str, proof: str | None, **changes: Any) -> Any:
    """The decision about a request with a proof that the attacker has."""
    usual = {"target_resource": "/data/a.txt", **changes}
    return world.gateway.decide(world.request(token, None, **usual) | {"proof": proof})


# Tokens


def test_an_agent_with_the_token_of_another(world: World) -> None:
    """It signs with its own key; the token's is wanted."""
    token = chain(world)
    for agent in ("writer", ROOT, MIDDLE):
        denied(world, read(world, token, agent), "proof_invalid")


def test_a_token_without_a_proof(world: World) -> None:
    """Whoever has found a token has nothing to show that it is theirs."""
    denied(world, read(world, chain(world), None), "proof_missing")


def test_a_parents_token_that_the_child_has_seen(world: World) -> None:
    """Each chain holds its parents, which are wider."""
    token = chain(world)
    parent = token.rpartition("~")[0]
    denied(world, read(world, parent, LEAF), "proof_invalid")


def test_the_token_of_another_task(world: World) -> None:
    """A prompt's token is good for the prompt."""
    token = chain(world)
    denied(world, read(world, token, LEAF, prompt_id="p2"), "task_mismatch")
    assert granted(world, prompt_id="p2")
    denied(world, read(world, token, LEAF, prompt_id="p2"), "task_mismatch")


def test_an_agent_that_only_the_configuration_excepts(tmp_path: Path) -> None:
    """Proof is off for one agent, not for those that say so."""
    world = World.made(tmp_path, CONFIG + f"proof: {{except: [{LEAF}]}}\n")
    token = chain(world)
    assert read(world, token, None).verdict == "permit"
    denied(world, read(world, token.rpartition("~")[0], None), "proof_missing")
    denied(world, read(world, token, "writer"), "proof_invalid")


# Proofs


CALLS: dict[str, dict[str, Any]] = {
    "tool": {"tool": "send_mail"},
    "operation": {"operation": "write"},
    "resource": {"target_resource": "/data/b.txt"},
    "no resource": {"target_resource": None},
    "arguments": {"parameters": {"path": "/data/b.txt"}},
    "an argument of another type": {"parameters": {"path": 1}},
    "request": {"request_id": "another"},
}


@pytest.mark.parametrize("other", CALLS)
def test_the_proof_of_another(other: str, world: World) -> None:
    """A proof is of one call, to the last argument."""
    token = chain(world)
    proof = world.request(token, LEAF, target_resource="/data/a.txt", request_id="one")["proof"]
    decision = proved(world, token, proof, **{"request_id": "one", **CALLS[other]})
    denied(world, decision, "proof_replayed" if other == "request" else "proof_invalid")


def test_the_proof_for_another_token(world: World) -> None:
    """The same agent, the same call, another chain."""
    first, second = chain(world), chain(world)
    proof = world.request(first, LEAF, target_resource="/data/a.txt", request_id="one")["proof"]
    denied(world, proved(world, second, proof, request_id="one"), "proof_invalid")


def test_a_replayed_proof(world: World) -> None:
    """A proof that was seen, with a request of one's own; the request itself again is answered as before."""
    token = chain(world)
    request = world.request(token, LEAF, target_resource="/data/a.txt")
    assert world.gateway.decide(request).verdict == "permit"
    denied(world, proved(world, token, request["proof"]), "proof_replayed")
    again = world.gateway.decide(request)
    assert (again.verdict, again.replayed) == ("permit", True)
    denied(world, world.gateway.decide({**request, "context": {"more": 1}}), "request_id_reused")


@pytest.mark.parametrize("seconds", [-61, 61], ids=["the past", "the future"])
def test_a_proof_from(seconds: int, world: World) -> None:
    """The window is sixty seconds to both sides."""
    token = chain(world)
    request = world.request(token, None, target_resource="/data/a.txt")
    proof = prove(self_key(LEAF), call_of(request), token, world.clock.seconds + seconds)
    denied(world, world.gateway.decide({**request, "proof": proof}), "proof_expired")


def test_a_proof_that_is_none(world: World) -> None:
    """Texts of all kinds."""
    token = chain(world)
    mine = world.request(token, LEAF, target_resource="/data/a.txt", request_id="one")["proof"]
    head, claims, signature = mine.split(".")
    unsigned = base64url.encode(json.dumps({"alg": "none", "typ": "aat-pop+jwt"}).encode())
    texts = {
        "x": "proof_invalid",
        "": "malformed",
        f"{unsigned}.{claims}.": "proof_invalid",
        f"{head}.{claims}.{'A' * len(signature)}": "proof_invalid",
        f"{mine}.{mine}": "proof_invalid",
        token: "proof_invalid",
        "s1.a.b.c": "proof_invalid",
        "s1": "proof_invalid",
        "x" * 100_000: "proof_invalid",
    }
    for text, reason in texts.items():
        denied(world, proved(world, token, text, request_id="one"), reason)
    for value in (5, True, ["x"], {"x": 1}):
        denied(world, world.gateway.decide(world.request(token, None) | {"proof": value}), "malformed")


# Proof sessions


def session_of(world: World, token: str, agent: str, nonce: str = "open-1") -> Session:
    return world.gateway.open_session(token, prove(self_key(agent), opening(nonce), token, world.clock.seconds), nonce)


def in_session(world: World, session: Session, token: str, now: int | None = None, **changes: Any) -> Any:
    request = world.request(token, None, target_resource="/data/a.txt", **changes)
    return world.gateway.decide(request | {"proof": session_proof(session, request, now or world.clock.seconds)})


def test_a_session_for_another_token(world: World) -> None:
    """Its key is made for one token alone."""
    first, second = chain(world), chain(world)
    session = session_of(world, first, LEAF)
    assert in_session(world, session, first).verdict == "permit"
    denied(world, in_session(world, session, second), "proof_invalid")


def test_a_proof_in_a_session_for_another_call(world: World) -> None:
    """The code is over the whole call."""
    token = chain(world)
    session = session_of(world, token, LEAF)
    request = world.request(token, None, target_resource="/data/a.txt")
    proof = session_proof(session, request, world.clock.seconds)
    for changes in ({"target_resource": "/data/b.txt"}, {"parameters": {"path": "/data/b.txt"}}, {"request_id": "x"}):
        denied(world, proved(world, token, proof, **{"request_id": request["request_id"], **changes}), "proof_invalid")


def test_a_session_with_a_key_that_was_guessed(world: World) -> None:
    """Its id is no secret, its key is."""
    token = chain(world)
    session = session_of(world, token, LEAF)
    guessed = Session(session.id, bytes(32), session.token_hash, session.expires)
    denied(world, in_session(world, guessed, token), "proof_invalid")


def test_a_session_that_has_ended(tmp_path: Path) -> None:
    """By its time, by a proof that is too old, by a new start."""
    world = World.made(tmp_path, CONFIG + "proof: {session_seconds: 100}\n")
    token = chain(world)
    session = session_of(world, token, LEAF)
    denied(world, in_session(world, session, token, now=world.clock.seconds - 61), "proof_expired")
    world.clock.forward(101)
    denied(world, in_session(world, session, token), "proof_invalid")
    session = session_of(world, token, LEAF, "open-2")
    later = world.again()
    denied(later, in_session(later, session, token), "proof_invalid")


@pytest.mark.parametrize("where", ["here", "in another process", "after a new start"])
def test_a_session_opened_with_a_proof_that_was_used(where: str, world: World) -> None:
    """Who has seen the proof that opens a session gets none, on no process of the gateway; the log says so."""
    token = chain(world)
    proof = prove(self_key(LEAF), opening("open-1"), token, world.clock.seconds)
    world.gateway.open_session(token, proof, "open-1")
    if where != "here":
        world = world.again() if where == "after a new start" else world.again_without_closing()
    with pytest.raises(Refused) as caught:
        world.gateway.open_session(token, proof, "open-1")
    assert caught.value.reason == "proof_replayed"
    last = world.records("session")[-1]
    assert (last["verdict"], last["reason"], last["agent"]) == ("deny", "proof_replayed", LEAF)
    assert world.verification().problem is None


def test_a_session_opened_by_somebody_else(world: World) -> None:
    """Each attempt is in the log with its reason."""
    token = chain(world)
    good = prove(self_key(LEAF), opening("open-1"), token, world.clock.seconds)
    late = prove(self_key(LEAF), opening("open-1"), token, world.clock.seconds - 100)
    attempts: list[tuple[Any, Any, Any, str]] = [
        (token, prove(self_key("writer"), opening("open-1"), token, world.clock.seconds), "open-1", "proof_invalid"),
        (token, good, "open-2", "proof_replayed"),
        (token, late, "open-1", "proof_expired"),
        (token, None, "open-1", "proof_missing"),
        (token, 5, "open-1", "malformed"),
        (token, good, 5, "malformed"),
        (token + "x", good, "open-1", "malformed_token"),
        (None, good, "open-1", "malformed"),
    ]
    for given, proof, nonce, reason in attempts:
        with pytest.raises(Refused) as caught:
            world.gateway.open_session(given, proof, nonce)
        assert caught.value.reason == reason
        last = world.records("session")[-1]
        assert (last["action"], last["verdict"], last["reason"]) == ("open_session", "deny", reason)
    assert len(world.gateway.admission.sessions) == 0
    assert world.verification().problem is None


# Keys


def test_two_agents_with_one_key(world: World) -> None:
    """Nobody else's, not one that was, not the gateway's; and no two keys for one name."""
    admin = world.gateway.admin
    gateway = json.loads(json.dumps(dict(world.gateway._parts.minting.issuer.key.public.jwk)))
    attempts: list[tuple[str, Any, str]] = [
        ("twin", self_key(ROOT).public, "shared_key"),
        ("twin", dict(self_key(ROOT).public.jwk), "shared_key"),
        ("twin", gateway, "shared_key"),
        (ROOT, ed25519("another").public, "agent_exists"),
        ("orchestrator\u200b", ed25519("another").public, "malformed"),
        ("", ed25519("another").public, "malformed"),
    ]
    for agent, key, reason in attempts:
        with pytest.raises(Refused) as caught:
            admin.register(agent, key)
        assert caught.value.reason == reason
    assert [record["agent"] for record in world.records("registration")] == list(AGENTS)


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64},
        {**self_key("twin").public.jwk, "d": "A" * 43},
        {},
    ],
    ids=["symmetric", "RSA", "for key agreement", "of a curve nobody asked for", "private", "empty"],
)
def test_a_key_that_is(jwk: dict[str, Any], world: World) -> None:
    """Ed25519 and P-256 are all there is."""
    with pytest.raises(Refused) as caught:
        world.gateway.admin.register("twin", jwk)
    assert caught.value.reason == "key_not_allowed"
    with pytest.raises(Refused):
        public_from_jwk(jwk)


def test_an_agent_that_is_not_registered(world: World) -> None:
    """A holder can name whom it likes; who is not registered gets nothing."""
    token = derived(world, granted(world), ROOT, "stranger")
    denied(world, read(world, token, "stranger"), "agent_unknown")
    refused(world, lambda: world.granted("stranger"), "agent_unknown")


# Persons


def id_token(
    claims: dict[str, Any], key: Any = None, algorithm: str = "ES256", kid: str | None = "k1", **header: Any
) -> str:
    now = {"iss": LOGIN, "sub": "alice", "aud": GATEWAY, "iat": START, "exp": START + 600}
    headers = {**({} if kid is None else {"kid": kid}), **header}
    body = {name: value for name, value in {**now, **claims}.items() if value is not None}
    return jwt.encode(body, key or private_pem(elliptic("login")), algorithm, headers=headers)


PERSONS: dict[str, str] = {
    "of an issuer that is not known": id_token({"iss": "https://evil.example"}),
    "without an issuer": id_token({"iss": None}),
    "for somebody else": id_token({"aud": "urn:example:other"}),
    "for nobody": id_token({"aud": None}),
    "given to another client": id_token({"azp": "evil", "aud": [GATEWAY, "evil"]}),
    "that has expired": id_token({"exp": START - 31}),
    "without an end": id_token({"exp": None}),
    "from the future": id_token({"iat": START + 100, "exp": START + 600}),
    "that is not valid yet": id_token({"nbf": START + 100}),
    "without a subject": id_token({"sub": None}),
    "signed with another key": id_token({}, private_pem(elliptic("evil"))),
    "with an unknown kid": id_token({}, kid="k2"),
    "with the algorithm of another": id_token({}, "x" * 32, "HS256"),
    "with the public key as a secret": id_token({}, json.dumps({"kid": "k1"}) + "x" * 32, "HS256"),
    "without a signature": jwt.encode({"iss": LOGIN, "sub": "alice", "aud": GATEWAY, "exp": START + 600}, None, "none"),
    "that brings a key": id_token({}, jku="https://evil.example/keys"),
    "that is a token of delegation": id_token({}, typ="at+evil"),
    "whose kid is half of a character": id_token({}, kid="\ud800"),
    "whose kid moves the cursor": id_token({}, kid="\x1b[2J"),
    "with roles that are no JSON": id_token({"roles": [float("nan")]}),
    "with roles that are nested without end": id_token({"roles": json.loads("[" * 900 + "]" * 900)}),
    "that tells of an event": id_token({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
    "that is bound to a key": id_token({"cnf": {"jkt": "0" * 43}}),
}


@pytest.mark.parametrize("token", PERSONS)
def test_the_token_of_a_person(token: str, world: World) -> None:
    """None of these is a person."""
    attack = lambda: world.gateway.delegate(PERSONS[token], agent=ROOT, tools=["read_file"])  # noqa: E731
    refused(world, attack, "person_not_verified")


def test_somebody_who_acts_for_a_person_where_nobody_may(tmp_path: Path) -> None:
    """`impersonation: disabled`."""
    world = World.made(tmp_path, CONFIG + "identity: {impersonation: disabled}\n")
    token = world.person(act={"sub": "mallory"})
    attack = lambda: world.gateway.delegate(token, agent=ROOT, tools=["read_file"])  # noqa: E731
    refused(world, attack, "impersonation_not_allowed")


def test_an_agent_that_delegates_with_the_token_of_another(world: World) -> None:
    """Passing on takes a proof like every action."""
    token = granted(world)
    refused(world, lambda: world.gateway.delegate(token, agent=LEAF, tools=["read_file"]), "proof_missing")
    refused(world, lambda: world.passed_on(token, "writer", LEAF, ["read_file"]), "proof_invalid")


def test_who_is_in_the_chain_and_who_acts_is_what_was_proved(world: World) -> None:
    """The record names the holders that signed."""
    decision = read(world, chain(world), LEAF)
    assert [link["agent"] for link in decision.record["delegation"]["chain"]] == list(HOLDERS)
    assert decision.record["proven"] is True


def test_somebody_who_acts_for_a_person_and_is_stopped_before_the_policy(world: World) -> None:
    """The record says who it was, and for whom."""
    world.gateway.admin.kill("prompt", "p1")
    person = world.person(act={"sub": "mallory", "act": {"sub": "eve"}})
    attack = lambda: world.gateway.delegate(person, agent=ROOT, tools=["read_file"], prompt_id="p1")  # noqa: E731
    record = refused(world, attack, "kill_switch").record
    root = {"issuer": LOGIN, "subject": "alice", "act": ["mallory", "eve"]}
    assert record["delegation"] == {"root": root, "task": "p1", "chain": []}
