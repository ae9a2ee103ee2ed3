"""Chains in which one thing is not as it should be, by somebody who can sign links of their own."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import jwt
import pytest
from defence import (
    ENTRY,
    HOLDERS,
    LEAF,
    MIDDLE,
    ROOT,
    chain,
    claims_of,
    denied,
    derived,
    forgery,
    gateway_key,
    granted,
    read,
    refused,
)

from delegations import forged, jws, opened, p256, parent_hash, part
from gateways import CONFIG, GATEWAY, POLICY, START, World, self_key
from procurator.governance.delegation.issuing import Share, derive, narrowed
from procurator.governance.delegation.tokens import THUMBPRINT, holder
from procurator.governance.delegation.verifying import read_unverified


def test_the_chain_that_is_attacked_is_good(world: World) -> None:
    """Without an attack each of its holders may read."""
    for length, agent in enumerate(HOLDERS, 1):
        assert read(world, chain(world, length), agent).verdict == "permit"
    assert world.verification().problem is None


def wider(**tools: Any) -> dict[str, Any]:
    """The claim of a link with other arguments for tools."""
    return {"authorization_details": [{**ENTRY, "tools": {**ENTRY["tools"], **tools}}]}  # type: ignore[dict-item]


ANYTHING = {"constraint_type": "wildcard"}

INVARIANTS: dict[str, tuple[int, dict[str, Any], str]] = {
    "issued by somebody who does not hold the parent": (
        1,
        {"iss": holder(self_key("writer").public)},
        "wrong_issuer",
    ),
    "a root that an agent issued": (0, {"iss": holder(self_key(ROOT).public)}, "wrong_issuer"),
    "a depth too many": (1, {"del_depth": 2}, "depth_mismatch"),
    "a depth too few": (2, {"del_depth": 1}, "depth_mismatch"),
    "a root that is deep": (0, {"del_depth": 1}, "depth_mismatch"),
    "a maximum that is raised": (1, {"del_max_depth": 4}, "max_depth_raised"),
    "deeper than the parent's maximum": (1, {"del_max_depth": 0}, "depth_exceeded"),
    "an expiry after the parent's": (1, {"exp": START + 301}, "expiry_exceeds_parent"),
    "an audience more": (1, {"aud": [GATEWAY, "urn:example:other"]}, "audience_widened"),
    "meant for somebody else": (0, {"aud": ["urn:example:other"]}, "wrong_audience"),
    "of another task": (1, {"task": "p2"}, "task_mismatch"),
    "the hash of another parent": (2, {"par_hash": "A" * 43}, "par_hash_mismatch"),
    "no hash of the parent": (1, {"par_hash": None}, "par_hash_mismatch"),
    "a root with a parent": (0, {"par_hash": "A" * 43}, "malformed_token"),
    "a person of its own": (1, {"principal": {"iss": "https://login.example", "sub": "ceo"}}, "malformed_token"),
    "a root without a person": (0, {"principal": None}, "malformed_token"),
    "an intent of its own": (1, {"intent": "Send all the money."}, "malformed_token"),
    "a tool more": (1, wider(pay={}), "capability_widened"),
    "a wider argument": (1, wider(read_file={"path": ANYTHING}), "capability_widened"),
    "an argument more": (1, wider(send_mail={**ENTRY["tools"]["send_mail"], "bcc": ANYTHING}), "capability_widened"),  # type: ignore[index]
    "an operation more": (
        1,
        {
            "authorization_details": [
                {**ENTRY, "operations": {"read_file": ["read", "write"], "send_mail": ["execute"]}}
            ]
        },
        "capability_widened",
    ),
    "a resource more": (
        1,
        {"authorization_details": [{**ENTRY, "resources": {"read_file": ["/**"]}}]},
        "capability_widened",
    ),
    "resources left out": (
        1,
        {"authorization_details": [{name: part for name, part in ENTRY.items() if name != "resources"}]},
        "capability_widened",
    ),
    "a larger budget": (2, {"budget": {"EUR": 6}}, "budget_widened"),
    "a unit more": (2, {"budget": {"EUR": 1, "USD": 1}}, "budget_widened"),
    "no budget below one": (2, {"budget": None}, "budget_widened"),
    "an agent twice": (2, {"sub": ROOT}, "agent_loop"),
    "a key twice": (2, {"cnf": {"jwk": dict(self_key(ROOT).public.jwk)}}, "agent_loop"),
    "the id of the parent": (1, {"jti": "same"}, "malformed_token"),
    "an argument of an unknown kind": (
        1,
        wider(read_file={"path": {"constraint_type": "vibes"}}),
        "unknown_constraint",
    ),
    "a claim that nobody knows": (1, {"admin": True}, "malformed_token"),
    "a depth that is a float": (1, {"del_depth": 1.0}, "malformed_token"),
    "a depth that is a boolean": (1, {"del_depth": True}, "malformed_token"),
    "an expiry that is a text": (1, {"exp": "never"}, "malformed_token"),
    "no expiry": (1, {"exp": None}, "malformed_token"),
    "a negative budget": (2, {"budget": {"EUR": -1}}, "malformed_token"),
    "a budget that is a float": (2, {"budget": {"EUR": 1.5}}, "malformed_token"),
    "a symmetric key": (1, {"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}}, "key_not_allowed"),
    "a key with its secret part": (
        1,
        {"cnf": {"jwk": {**self_key(MIDDLE).public.jwk, "d": "A" * 43}}},
        "key_not_allowed",
    ),
    "a thumbprint of no known key": (1, {"cnf": {"jkt": "A" * 43}}, "missing_parent_key"),
    "no key": (1, {"cnf": None}, "malformed_token"),
    "an issuer that is the gateway's namesake": (1, {"iss": f"{GATEWAY}/"}, "wrong_issuer"),
    "an agent spelt in another way": (1, {"sub": "re\u0301searcher"}, "malformed_token"),
    "an agent with a letter that is not seen": (1, {"sub": "resear\u200bcher"}, "malformed_token"),
    "an agent nobody has registered": (1, {"sub": "nobody"}, "agent_unknown"),
    "the key of another agent": (1, {"cnf": {"jwk": dict(self_key("writer").public.jwk)}}, "agent_unknown"),
    "issued in the future": (1, {"iat": START + 100}, "token_not_yet_valid"),
    "not valid yet": (1, {"nbf": START + 100}, "token_not_yet_valid"),
    "expired": (2, {"exp": START - 1}, "token_expired"),
}
"""What is wrong: at which link, with which claims (None: left out), and what it is refused for."""


@pytest.mark.parametrize("broken", INVARIANTS)
def test_a_link_with(broken: str, world: World) -> None:
    """Each invariant of the chain, broken one at a time by a link that is signed as it should be."""
    at, claims, reason = INVARIANTS[broken]
    good = chain(world, budget={"EUR": 5}, ttl=300)
    if claims.get("jti") == "same":
        claims = {"jti": claims_of(good, at - 1)["jti"]}
    key = gateway_key(world) if at == 0 else self_key(HOLDERS[at - 1])
    agent = "writer" if claims.get("cnf", {}) == {"jwk": dict(self_key("writer").public.jwk)} else HOLDERS[at]
    denied(world, read(world, forged(good, at, claims, key=key), agent), reason)


# Signatures


def test_alg_none(world: World) -> None:
    """A link without a signature."""
    head, claims, _ = chain(world, 1).split(".")
    for alg in ("none", "None", "NONE", "nOnE"):
        header = part({**opened(f"{head}.{claims}.")[0], "alg": alg})
        for signature in ("", "AAAA"):
            denied(world, read(world, f"{header}.{claims}.{signature}", ROOT), "algorithm_not_allowed")


def test_the_gateways_public_key_as_a_secret(world: World) -> None:
    """A link signed by HMAC with what everybody knows."""
    header, claims = opened(chain(world, 1))
    public = gateway_key(world).public.jwk["x"]
    text = jwt.encode(claims, str(public), "HS256", headers={**header, "alg": "HS256"})
    denied(world, read(world, text, ROOT), "algorithm_not_allowed")


def test_the_algorithm_of_another_key(world: World) -> None:
    """ES256 in the header where the gateway's key is Ed25519."""
    denied(world, read(world, forgery(world, 0, header={"alg": "ES256"}), ROOT), "algorithm_not_allowed")


def test_a_root_signed_by_an_agent_in_the_name_of_the_gateway(world: World) -> None:
    """It names the gateway's key and is signed with its own."""
    denied(world, read(world, forgery(world, 0, key=self_key(ROOT)), ROOT), "bad_signature")


def test_an_unknown_kid(world: World) -> None:
    """A root that names a key of its own, or none."""
    for kid in (self_key(ROOT).public.jkt, "../../dev/null", None):
        denied(world, read(world, forgery(world, 0, header={"kid": kid}), ROOT), "missing_parent_key")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"])
def test_a_header_that_brings_a_key_or_changes_what_is_signed(name: str, world: World) -> None:
    """Every member but three is refused."""
    value = dict(self_key(ROOT).public.jwk) if name == "jwk" else ["b64"] if name == "crit" else "https://evil.example"
    denied(world, read(world, forgery(world, 0, header={name: value}), ROOT), "malformed_token")


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "aat-pop+jwt", "AAT+JWT", None])
def test_a_token_of_another_type(kind: str | None, world: World) -> None:
    """A proof, an access token: no token of delegation."""
    denied(world, read(world, forgery(world, 0, header={"typ": kind}), ROOT), "unknown_token_type")


def test_an_id_token_in_the_place_of_a_chain(world: World) -> None:
    """Persons delegate, they do not act."""
    denied(world, read(world, world.person(), ROOT), "unknown_token_type")


def test_a_claim_changed_after_signing(world: World) -> None:
    """The signature is that of the old ones."""
    links = chain(world).split("~")
    for at, text in enumerate(links):
        head, _, signature = text.split(".")
        changed = {**opened(text)[1], "task": "p1", "exp": START + 299}
        broken = [*links[:at], f"{head}.{part(changed)}.{signature}", *links[at + 1 :]]
        denied(world, read(world, "~".join(broken), LEAF), "bad_signature")


def test_a_claim_said_twice(world: World) -> None:
    """Two readers could take different ones."""
    header, claims = opened(chain(world, 1))
    body = json.dumps(claims)[:-1] + ', "sub": "writer"}'
    denied(world, read(world, jws(header, body.encode(), gateway_key(world)), ROOT), "malformed_token")


# The order of links


def links_of(world: World) -> list[str]:
    return chain(world).split("~")


SHUFFLES: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "the parent left out": (lambda links: [links[0], links[2]], "wrong_issuer"),
    "the root left out": (lambda links: links[1:], "wrong_issuer"),
    "the leaf alone": (lambda links: links[2:], "wrong_issuer"),
    "links turned round": (lambda links: links[::-1], "wrong_issuer"),
    "the leaf twice": (lambda links: [*links, links[2]], "wrong_issuer"),
    "the root again at the end": (lambda links: [*links, links[0]], "depth_mismatch"),
    "an empty link": (lambda links: [*links, ""], "malformed_token"),
    "an empty beginning": (lambda links: ["", *links], "malformed_token"),
    "more links than may be": (lambda links: links * 30, "depth_exceeded"),
}


@pytest.mark.parametrize("shuffled", SHUFFLES)
def test_a_chain_with(shuffled: str, world: World) -> None:
    """Links that are good, where they do not belong."""
    shuffle, reason = SHUFFLES[shuffled]
    denied(world, read(world, "~".join(shuffle(links_of(world))), LEAF), reason)


def test_the_link_of_another_chain(world: World) -> None:
    """It was made for another parent, by the same holder."""
    first, second = links_of(world), links_of(world)
    denied(world, read(world, "~".join([first[0], *second[1:]]), LEAF), "par_hash_mismatch")


def test_a_parent_that_was_cut_off_and_a_root_of_ones_own(world: World) -> None:
    """The leaf's holder keeps its link and puts a root of its own before it."""
    links = links_of(world)
    header, claims = opened(links[0])
    own = jws(header, {**claims, "cnf": {"jwk": dict(self_key(LEAF).public.jwk)}}, self_key(LEAF))
    denied(world, read(world, "~".join([own, *links[1:]]), LEAF), "bad_signature")


def test_a_child_in_the_name_of_the_gateway(world: World) -> None:
    """Whoever holds the parent cannot sign as the gateway."""
    header, claims = opened(chain(world, 2).split("~")[1])
    links = links_of(world)[:1]
    mine = {**claims, "iss": GATEWAY, "par_hash": parent_hash(links[0])}
    text = jws({**header, "kid": gateway_key(world).public.jkt}, mine, self_key(ROOT))
    denied(world, read(world, f"{links[0]}~{text}", MIDDLE), "bad_signature")


def test_es256_where_the_parent_has_ed25519(world: World) -> None:
    """A key of another kind signs nothing in the name of the parent."""
    denied(
        world,
        read(world, forgery(world, 1, header={"alg": "ES256"}, key=p256("mine")), MIDDLE),
        "algorithm_not_allowed",
    )


# Depth, fan-out, loops


def test_deeper_than_the_configuration_allows(tmp_path: Path) -> None:
    """Even where a token says that it may be."""
    world = World.made(tmp_path, CONFIG + "delegation: {max_depth: 1}\n")
    token = forged(granted(world), 0, {"del_max_depth": 3}, key=gateway_key(world))
    for giver, taker in ((ROOT, MIDDLE), (MIDDLE, LEAF)):
        token = derived(world, token, giver, taker)
    denied(world, read(world, token, LEAF), "depth_exceeded")
    refused(world, lambda: world.granted(max_depth=2, prompt_id="p2"), "max_depth_raised")


def test_more_children_than_may_be(tmp_path: Path) -> None:
    """Through the gateway and offline together; the prompt waits for a person then, whoever acts for it."""
    world = World.made(tmp_path, CONFIG + "delegation: {max_fan_out: 2}\n")
    token = granted(world)
    first = world.passed_on(token, ROOT, "writer", ["read_file"])
    second, third = (derived(world, token, ROOT, agent) for agent in (MIDDLE, LEAF))
    assert read(world, second, MIDDLE).verdict == "permit"
    denied(world, read(world, third, LEAF), "fan_out_exceeded")
    refused(world, lambda: world.passed_on(token, ROOT, LEAF, ["read_file"]), "paused")
    denied(world, read(world, first, "writer"), "paused")
    later = world.again()
    denied(later, read(later, third, LEAF), "fan_out_exceeded")


def test_many_children_with_one_id(tmp_path: Path) -> None:
    """The holder chooses the ids of tokens it derives; each token counts, whatever it is called."""
    world = World.made(tmp_path, CONFIG + "delegation: {max_fan_out: 1}\n")
    token = granted(world)
    first, second = (derived(world, token, ROOT, agent, token_id="same") for agent in (MIDDLE, LEAF))
    assert read(world, first, MIDDLE).verdict == "permit"
    denied(world, read(world, second, LEAF), "fan_out_exceeded")


def test_a_link_below_one_child_too_many_leaves_nothing_behind(tmp_path: Path) -> None:
    """A chain that is refused for its second link has not used up the fan-out of its first, unseen by the log."""
    world = World.made(tmp_path, CONFIG + "delegation: {max_fan_out: 1}\n")
    token = granted(world)
    parent = derived(world, token, ROOT, MIDDLE)
    children = [derived(world, parent, MIDDLE, agent) for agent in (LEAF, "writer")]
    assert read(world, children[0], LEAF).verdict == "permit"
    other = derived(world, token, ROOT, "writer")
    denied(world, read(world, derived(world, other, "writer", LEAF), LEAF), "fan_out_exceeded")
    assert [record["child"]["agent"] for record in world.records("delegation") if record.get("derived")] == [
        MIDDLE,
        LEAF,
    ]


def test_a_loop_of_agents_through_the_gateway(world: World) -> None:
    """What comes back to an agent that is in the chain."""
    token = chain(world, 2)
    refused(world, lambda: world.passed_on(token, MIDDLE, ROOT, ["read_file"]), "agent_loop")
    refused(world, lambda: world.passed_on(token, MIDDLE, MIDDLE, ["read_file"]), "agent_loop")


def test_a_widened_delegation_through_the_gateway(world: World) -> None:
    """More tools, more arguments, more budget, a longer life than there is to give."""
    token = granted(world, budget={"EUR": 5}, ttl=100)
    asks: list[tuple[dict[str, Any], str]] = [
        ({"tools": ["read_file", "pay"]}, "capability_widened"),
        ({"tools": {"read_file": {"path": ANYTHING}}}, "capability_widened"),
        ({"tools": [{**ENTRY, "resources": {"read_file": ["/**"]}}]}, "capability_widened"),
        ({"tools": ["read_file"], "budget": {"EUR": 6}}, "budget_widened"),
        ({"tools": ["read_file"], "max_depth": 4}, "max_depth_raised"),
        ({"tools": ["read_file"], "ttl": 301}, "delegation_not_allowed"),
        ({"tools": ["read_file"], "ttl": 0}, "delegation_not_allowed"),
        ({"tools": ["read_file"], "ttl": True}, "delegation_not_allowed"),
        ({"tools": ["read_file"], "ttl": "long"}, "delegation_not_allowed"),
        ({"tools": ["read_file"], "prompt_id": "p2"}, "task_mismatch"),
    ]
    for asked, reason in asks:
        refused(world, lambda asked=asked: world.passed_on(token, ROOT, MIDDLE, **asked), reason)


def test_a_delegation_that_is_no_delegation(world: World) -> None:
    """Values of a wrong kind are refused, and nothing escapes but the denial."""
    asks: list[dict[str, Any]] = [
        {"tools": "read_file"},
        {"tools": [1, 2]},
        {"tools": ["read_file"], "budget": {"EUR": 1.5}},
        {"tools": ["read_file"], "agent": 7},
        {"tools": ["read_file"], "agent": ""},
        {"tools": ["read_file"], "prompt_id": "p 1"},
    ]
    for asked in asks:
        agent = asked.pop("agent", ROOT)
        refused(world, lambda asked=asked, agent=agent: world.granted(agent, **asked), "malformed")
    for token in (5, None, "", "\u00e9", "...", "[" * 100_000, part(b"[" * 5000) + ".a.b"):
        call = lambda token=token: world.gateway.delegate(token, agent=ROOT, tools=["read_file"])  # noqa: E731
        refused(world, call, "person_not_verified")


def test_a_child_derived_by_somebody_else(world: World) -> None:
    """The thumbprint of the parent's key, the signature of another."""
    token = granted(world)
    child = derived(world, token, ROOT, MIDDLE)
    stolen = forged(child, 1, {"iss": THUMBPRINT + self_key(ROOT).public.jkt}, key=self_key("writer"))
    denied(world, read(world, stolen, MIDDLE), "bad_signature")


def test_a_narrower_link_admits_no_more_than_it_says(world: World) -> None:
    """The parent's wider authority is of no use to the child."""
    share = Share(MIDDLE, self_key(MIDDLE).public)
    narrow = forged(
        derive(granted(world), self_key(ROOT), share, now=world.clock.seconds),
        1,
        {"authorization_details": [{**ENTRY, "resources": {"read_file": ["/data/reports/**"]}}]},
        key=self_key(ROOT),
    )
    denied(world, read(world, narrow, MIDDLE), "resource_not_allowed")
    denied(world, read(world, narrow, MIDDLE, tool="pay", operation="execute"), "tool_not_allowed")
    denied(world, read(world, narrow, MIDDLE, operation="write"), "operation_not_allowed")


def too_deep(world: World, length: int) -> str:
    """A chain that goes on below the greatest depth there may be, each link signed as it should be."""
    token = forged(granted(world), 0, {"del_max_depth": 3}, key=gateway_key(world))
    for giver, taker in pairwise((*HOLDERS, "writer")[:length]):
        token = derived(world, token, giver, taker)
    return token


@pytest.mark.parametrize("length", [3, 4])
def test_a_chain_that_is_too_deep_pauses_its_prompt(tmp_path: Path, length: int) -> None:
    """As if the gateway had been asked to make it: whoever holds its last link but one has really passed it on."""
    world = World.made(tmp_path, CONFIG + "delegation: {max_depth: 1}\n")
    token = too_deep(world, length)
    denied(world, read(world, token, HOLDERS[-1]), "depth_exceeded")
    assert [(one["event"], one["prompt_id"]) for one in world.records("notification")] == [("paused", "p1")]
    denied(world, read(world, token.split("~")[0], ROOT), "paused")


def test_nobody_pauses_a_prompt_by_a_link_of_their_own(tmp_path: Path) -> None:
    """Neither with junk below a good chain, nor with the key of somebody else, nor after a revocation."""
    world = World.made(tmp_path, CONFIG + "delegation: {max_depth: 1}\n")
    token = too_deep(world, 3)
    good = token.rpartition("~")[0]
    for attack in (f"{good}~x", f"{good}~x~x", forged(token, 2, key=self_key("writer"))):
        denied(world, read(world, attack, LEAF), "depth_exceeded")
    other = world.granted(prompt_id="p2")
    world.gateway.admin.revoke("agent", LEAF)
    denied(world, read(world, token, LEAF), "revoked")
    world.clock.forward(301)
    denied(world, read(world, token, LEAF), "depth_exceeded")
    assert world.records("notification") == []
    assert world.outcome(other, prompt_id="p2")[1] == "token_expired"


HANDING_ON = (
    POLICY
    + """
deny contains {"reason": "not_to_writers", "message": "writers get nothing"} if {
	input.action.operation == "delegate"
	input.action.target_resource == "writer"
}

propose contains "ask_first" if {
	input.action.operation == "delegate"
	input.action.parameters.ttl_seconds > 250
	input.delegation.depth == 0
}

deny contains "too_much" if {
	input.action.operation == "delegate"
	input.actor.id == "researcher"
	input.action.parameters.tools[_].tools.send_mail
}
"""
)


def test_a_link_that_the_policy_would_not_have_allowed(tmp_path: Path) -> None:
    """Whoever derives it by themselves gets what they would get from the gateway, again and again."""
    world = World.made(tmp_path, policy=HANDING_ON)
    root = granted(world, ttl=200)
    refused(world, lambda: world.passed_on(root, ROOT, "writer", ["read_file"]), "not_to_writers")
    token = derived(world, root, ROOT, "writer")
    for _ in range(2):
        decision = read(world, token, "writer")
        denied(world, decision, "not_to_writers")
        assert (decision.link, decision.message) == (1, "writers get nothing")
    below = derived(world, token, "writer", LEAF)
    denied(world, read(world, below, LEAF), "not_to_writers")
    middle = derived(world, root, ROOT, MIDDLE)
    denied(world, read(world, derived(world, middle, MIDDLE, LEAF), LEAF), "too_much")
    assert world.records("delegation")[2:] == []
    narrow = narrowed(read_unverified(middle)[-1].authority, ["read_file"])
    assert read(world, derived(world, middle, MIDDLE, LEAF, authority=narrow), LEAF).permitted
    assert [record["child"]["agent"] for record in world.records("delegation")[2:]] == [MIDDLE, LEAF]


def test_a_link_that_somebody_would_have_to_approve(tmp_path: Path) -> None:
    """Nobody is asked about what was done already."""
    world = World.made(tmp_path, policy=HANDING_ON)
    token = derived(world, granted(world), ROOT, MIDDLE)
    denied(world, read(world, token, MIDDLE), "approval_required")


def test_a_link_that_cannot_be_undone(tmp_path: Path) -> None:
    """As for any action that the policy calls so: not without a person, though it permits it."""
    policy = f'{POLICY}\nirreversible if input.action.target_resource == "{MIDDLE}"\n'
    world = World.made(tmp_path, policy=policy)
    token = derived(world, granted(world), ROOT, MIDDLE)
    denied(world, read(world, token, MIDDLE), "approval_required")


def test_a_link_with_an_obligation_that_nobody_knows(tmp_path: Path) -> None:
    """Nobody would meet it."""
    policy = f"""package procurator

decision := {{"verdict": "permit", "obligations": obligations}}

obligations := [{{"type": "stand_on_one_leg"}}] if input.action.target_resource == "{MIDDLE}"

else := []
"""
    world = World.made(tmp_path, policy=policy)
    token = derived(world, granted(world), ROOT, MIDDLE)
    denied(world, read(world, token, MIDDLE), "unknown_obligation")


def test_a_link_that_only_history_or_budget_forbids(tmp_path: Path) -> None:
    """The policy is told of both, as for a delegation through the gateway."""
    policy = (
        POLICY
        + """
deny contains "after_the_first" if {
	input.action.operation == "delegate"
	count(input.history.actions) > 0
	some line in input.budget
	line.unit == "agents"
}
"""
    )
    world = World.made(tmp_path, policy=policy)
    token = granted(world)
    early, late = (derived(world, token, ROOT, agent) for agent in (MIDDLE, LEAF))
    assert read(world, early, MIDDLE).permitted
    denied(world, read(world, late, LEAF), "after_the_first")
    assert read(world, early, MIDDLE).permitted
