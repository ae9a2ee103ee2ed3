"""Chains of delegation: what is verified of each link, every one of them broken alone, and how tokens are made."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from delegations import (
    AUDIENCE,
    CHAIN,
    FINE,
    GATEWAY,
    ISSUER,
    LEAF,
    LEAF_KEY,
    MIDDLE,
    MIDDLE_KEY,
    NARROW,
    NOW,
    OTHER_KEY,
    PERSON,
    ROOT,
    ROOT_KEY,
    Outcome,
    forged,
    joined,
    jws,
    opened,
    outcome,
    parent_hash,
    part,
    refusal,
    root_token,
    verified,
    wider,
)
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.issuing import Share, delegate
from procurator.governance.delegation.tokens import MAX_LINK, holder
from procurator.governance.delegation.verifying import MAX_CHAIN, MAX_DEPTH
from procurator.governance.refusals import Refused
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import generate


def test_a_chain_verifies_offline() -> None:
    """From the root to the leaf, with the gateway's public key alone."""
    chain = verified(CHAIN)
    assert chain.agents == ("orchestrator", "researcher", "reader")
    assert chain.ids == frozenset({"t0", "t1", "t2"})
    assert (chain.principal, chain.task, chain.expires, chain.starts) == (PERSON, "prompt-1", NOW + 100, NOW)
    assert chain.digest == sha256(CHAIN.encode()).digest()
    assert chain.token_hash == base64url.encode(chain.digest)
    assert [link.key for link in chain.links] == [ROOT_KEY.public, MIDDLE_KEY.public, LEAF_KEY.public]
    assert [link.digest for link in chain.links] == [parent_hash(link) for link in (ROOT, MIDDLE, LEAF)]


def test_a_link_says_the_same_when_it_is_written_again() -> None:
    """Claims are read and written without loss."""
    for link, text in zip(verified(CHAIN).links, (ROOT, MIDDLE, LEAF), strict=True):
        assert link.claims() == opened(text)[1]


# Invariants, broken one at a time

INVARIANTS: dict[str, tuple[dict[str, Any], Outcome]] = {
    "issued by a stranger": ({"iss": holder(OTHER_KEY.public)}, Outcome("wrong_issuer", 2)),
    "issued by the grandparent": ({"iss": holder(ROOT_KEY.public)}, Outcome("wrong_issuer", 2)),
    "issued by the holder itself": ({"iss": holder(LEAF_KEY.public)}, Outcome("wrong_issuer", 2)),
    "issued by an agent's name": ({"iss": "researcher"}, Outcome("wrong_issuer", 2)),
    "depth of the parent": ({"del_depth": 1}, Outcome("depth_mismatch", 2)),
    "depth skipped": ({"del_depth": 3}, Outcome("depth_mismatch", 2)),
    "depth of a root": ({"del_depth": 0}, Outcome("depth_mismatch", 2)),
    "beyond its own greatest depth": ({"del_max_depth": 1}, Outcome("depth_exceeded", 2)),
    "greatest depth raised": ({"del_max_depth": 4}, Outcome("max_depth_raised", 2)),
    "ends a second later": ({"exp": NOW + 201}, Outcome("expiry_exceeds_parent", 2)),
    "audience widened": ({"aud": [AUDIENCE, "urn:example:more"]}, Outcome("audience_widened", 2)),
    "audience changed": ({"aud": "urn:example:more"}, Outcome("audience_widened", 2)),
    "audience of another case": ({"aud": AUDIENCE.upper()}, Outcome("audience_widened", 2)),
    "another of the parent's audience": ({"aud": "urn:example:other"}, Outcome("wrong_audience", 2)),
    "another task": ({"task": "prompt-2"}, Outcome("task_mismatch", 2)),
    "hash of the grandparent": ({"par_hash": parent_hash(ROOT)}, Outcome("par_hash_mismatch", 2)),
    "hash of itself": ({"par_hash": parent_hash(LEAF)}, Outcome("par_hash_mismatch", 2)),
    "no hash of the parent": ({"par_hash": None}, Outcome("par_hash_mismatch", 2)),
    "tool added": ({"authorization_details": wider(delete_file={})}, Outcome("capability_widened", 2)),
    "operation added": (
        {"authorization_details": [{**NARROW[0], "operations": {"read_file": ["read", "write"]}}]},
        Outcome("capability_widened", 2),
    ),
    "operations not limited any more": (
        {"authorization_details": [{**NARROW[0], "operations": {}}]},
        Outcome("capability_widened", 2),
    ),
    "resources widened": (
        {"authorization_details": [{**NARROW[0], "resources": {"read_file": ["/**"]}}]},
        Outcome("capability_widened", 2),
    ),
    "resources not limited any more": (
        {"authorization_details": [{**NARROW[0], "resources": {}}]},
        Outcome("capability_widened", 2),
    ),
    "argument widened": (
        {"authorization_details": wider(read_file={"path": {"constraint_type": "subpath", "root": "/"}})},
        Outcome("capability_widened", 2),
    ),
    "argument leads out of its folder": (
        {"authorization_details": wider(read_file={"path": {"constraint_type": "exact", "value": "/data/../etc"}})},
        Outcome("capability_widened", 2),
    ),
    "argument optional": (
        {
            "authorization_details": wider(
                read_file={"path": {"constraint_type": "subpath", "root": "/data", "optional": True}}
            )
        },
        Outcome("capability_widened", 2),
    ),
    "any arguments": ({"authorization_details": wider(read_file={})}, Outcome("capability_widened", 2)),
    "amount raised": ({"budget": {"actions": 11}}, Outcome("budget_widened", 2)),
    "amount raised by a little": ({"budget": {"actions": "10.000001"}}, Outcome("budget_widened", 2)),
    "unit added": ({"budget": {"actions": 1, "EUR": 1}}, Outcome("budget_widened", 2)),
    "budget dropped": ({"budget": None}, Outcome("budget_widened", 2)),
    "agent of the root again": ({"sub": "orchestrator"}, Outcome("agent_loop", 2)),
    "agent of the parent again": ({"sub": "researcher"}, Outcome("agent_loop", 2)),
    "key of the parent": ({"cnf": {"jwk": dict(MIDDLE_KEY.public.jwk)}}, Outcome("agent_loop", 2)),
    "key of the root": ({"cnf": {"jwk": dict(ROOT_KEY.public.jwk)}}, Outcome("agent_loop", 2)),
    "expired": ({"exp": NOW}, Outcome("token_expired", 2)),
    "not valid yet": ({"nbf": NOW + 2}, Outcome("token_not_yet_valid", 2)),
    "issued in the future": ({"iat": NOW + 2}, Outcome("token_not_yet_valid", 2)),
    "id of the parent": ({"jti": "t1"}, Outcome("malformed_token", 2)),
    "a person of its own": ({"principal": {"iss": "i", "sub": "mallory"}}, Outcome("malformed_token", 2)),
    "an intent of its own": ({"intent": "Delete everything."}, Outcome("malformed_token", 2)),
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_a_link_that_breaks_an_invariant_is_refused(name: str) -> None:
    """It is signed as it should be, by the holder of its parent, who wants more than there is."""
    claims, wanted = INVARIANTS[name]
    assert outcome(forged(CHAIN, 2, claims)) == wanted


def test_the_same_forgery_without_a_change_is_accepted() -> None:
    """So that it is the change that is refused above."""
    assert outcome(forged(CHAIN, 2)) == FINE
    assert outcome(forged(CHAIN, 1)) == FINE
    assert outcome(forged(CHAIN, 0)) == FINE


@pytest.mark.parametrize(
    ("claims", "wanted"),
    [
        ({"iss": "https://other.example"}, Outcome("wrong_issuer", 0)),
        ({"iss": holder(ISSUER.key.public)}, Outcome("wrong_issuer", 0)),
        ({"iss": ["https://gateway.example"]}, Outcome("wrong_issuer", 0)),
        ({"iss": None}, Outcome("wrong_issuer", 0)),
        ({"aud": "urn:example:other"}, Outcome("wrong_audience", 0)),
        ({"aud": f"{AUDIENCE}/"}, Outcome("wrong_audience", 0)),
        ({"del_depth": 1}, Outcome("depth_mismatch", 0)),
        ({"par_hash": parent_hash(ROOT)}, Outcome("malformed_token", 0)),
        ({"principal": None}, Outcome("malformed_token", 0)),
        ({"exp": NOW + 1}, Outcome("token_expired", 0)),
        ({"nbf": NOW + 2}, Outcome("token_not_yet_valid", 0)),
    ],
)
def test_a_root_has_invariants_of_its_own(claims: dict[str, Any], wanted: Outcome) -> None:
    """It is the gateway's, for the gateway, and begins the chain."""
    assert outcome(forged(CHAIN, 0, claims)) == wanted


# Signatures and headers


def test_an_unsigned_token_is_refused() -> None:
    """`alg: none`, in every spelling, with a signature or without."""
    for alg in ("none", "None", "NONE", "nOnE", "", None):
        header, claims = opened(LEAF)
        unsigned = f"{part({**header, 'alg': alg})}.{part(claims)}."
        assert outcome(joined([ROOT, MIDDLE, unsigned])) == Outcome("algorithm_not_allowed", 2)
        assert outcome(forged(CHAIN, 2, header={"alg": alg})) == Outcome("algorithm_not_allowed", 2)


@pytest.mark.parametrize("alg", ["HS256", "HS512"])
@pytest.mark.parametrize("key", [ISSUER.key, MIDDLE_KEY])
def test_a_public_key_is_no_shared_secret(alg: str, key: Any) -> None:
    """The HMAC of a token with the public key, in all forms it is published in."""
    public = key._key.public_key()  # the library's own
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(dict(key.public.jwk)).encode(),
        base64url.decode(key.public.jwk["x"]),
    ]
    at = 0 if key is ISSUER.key else 2
    links = [ROOT, MIDDLE, LEAF][: at + 1]
    header, claims = opened(links[at])
    signed = f"{part({**header, 'alg': alg})}.{part(claims)}"
    for secret in secrets:
        mac = hmac.digest(secret, signed.encode(), alg.replace("HS", "sha"))
        links[at] = f"{signed}.{base64url.encode(mac)}"
        assert outcome(joined(links)) == Outcome("algorithm_not_allowed", at)


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "EdDSA ", "RS256", ["EdDSA"], {"EdDSA": 1}, 1, True])
def test_the_algorithm_is_that_of_the_key(alg: Any) -> None:
    """Whatever else the header says."""
    assert outcome(forged(CHAIN, 0, header={"alg": alg})) == Outcome("algorithm_not_allowed", 0)


@pytest.mark.parametrize(
    "typ", ["JWT", "at+jwt", "AAT+JWT", "application/aat+jwt", "aat-pop+jwt", None, 1, ["aat+jwt"]]
)
def test_the_type_is_that_of_a_link(typ: Any) -> None:
    """A token made for something else is none."""
    assert outcome(forged(CHAIN, 0, header={"typ": typ})) == Outcome("unknown_token_type", 0)


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": dict(OTHER_KEY.public.jwk)},
        {"jku": "https://attacker.example/keys"},
        {"x5u": "https://attacker.example/chain"},
        {"x5c": ["MII"]},
        {"x5t#S256": "A"},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"nonce": "1"},
    ],
)
def test_headers_beyond_the_needed_are_refused(header: dict[str, Any]) -> None:
    """None brings a key, or changes what is signed."""
    for key in (None, OTHER_KEY):
        assert outcome(forged(CHAIN, 0, header=header, key=key)) == Outcome("malformed_token", 0)
        assert outcome(forged(CHAIN, 2, header=header, key=key)) == Outcome("malformed_token", 2)


@pytest.mark.parametrize(
    ("kid", "reason"),
    [
        ("unknown", "missing_parent_key"),
        (OTHER_KEY.public.jkt, "missing_parent_key"),
        ("", "missing_parent_key"),
        (None, "missing_parent_key"),
        ("../../dev/null", "missing_parent_key"),
        (1, "malformed_token"),
        (["a"], "malformed_token"),
    ],
)
def test_an_unknown_key_of_the_gateway_is_refused(kid: Any, reason: str) -> None:
    """No key is tried that was not named."""
    assert outcome(forged(CHAIN, 0, header={"kid": kid})) == Outcome(reason, 0)


def test_a_holder_may_name_its_key() -> None:
    """And no other."""
    assert outcome(forged(CHAIN, 2, header={"kid": MIDDLE_KEY.public.jkt})) == FINE
    assert outcome(forged(CHAIN, 2, header={"kid": ROOT_KEY.public.jkt})) == Outcome("missing_parent_key", 2)


def test_a_link_is_signed_by_whom_it_says() -> None:
    """With the key of the parent's holder, or the gateway's."""
    for key in (OTHER_KEY, LEAF_KEY, ROOT_KEY, ISSUER.key):
        alg = {"alg": key.public.alg}
        expected = "algorithm_not_allowed" if key.public.alg != "ES256" else "bad_signature"
        assert outcome(forged(CHAIN, 2, header=alg, key=key)) == Outcome(expected, 2)
    assert outcome(forged(CHAIN, 1, key=OTHER_KEY)) == Outcome("bad_signature", 1)
    assert outcome(forged(CHAIN, 0, key=OTHER_KEY)) == Outcome("bad_signature", 0)


def test_a_holder_cannot_speak_for_the_gateway() -> None:
    """It has not got the key."""
    kid = {"kid": ISSUER.key.public.jkt}
    assert outcome(forged(CHAIN, 1, {"iss": GATEWAY}, kid)) == Outcome("bad_signature", 1)


def test_a_key_known_by_its_thumbprint_is_looked_up() -> None:
    """Where it is not known, or is another one, nothing is verified with it."""
    by_thumbprint = forged(CHAIN, 0, {"cnf": {"jkt": ROOT_KEY.public.jkt}})
    header, claims = opened(MIDDLE)
    token = joined([by_thumbprint, jws(header, {**claims, "par_hash": parent_hash(by_thumbprint)}, ROOT_KEY)])
    assert outcome(token) == Outcome("missing_parent_key", 0)
    known = {ROOT_KEY.public.jkt: ROOT_KEY.public}
    assert outcome(token, key_by_thumbprint=known.get) == FINE
    assert outcome(token, key_by_thumbprint=lambda _: OTHER_KEY.public) == Outcome("missing_parent_key", 0)


# Chains that are put together


def test_two_roots_do_not_join() -> None:
    """Each of them begins a chain."""
    second = forged(ROOT, 0, {"jti": "t9", "sub": "second", "cnf": {"jwk": dict(OTHER_KEY.public.jwk)}})
    assert outcome(second) == FINE
    assert outcome(joined([ROOT, second])) == Outcome("depth_mismatch", 1)
    assert outcome(joined([ROOT, ROOT])) == Outcome("depth_mismatch", 1)


def test_links_stand_in_their_order() -> None:
    """None is swapped, left out, or repeated."""
    assert outcome(joined([ROOT, LEAF, MIDDLE])) == Outcome("wrong_issuer", 1)
    assert outcome(joined([MIDDLE, ROOT, LEAF])) == Outcome("wrong_issuer", 0)
    assert outcome(joined([LEAF, MIDDLE, ROOT])) == Outcome("wrong_issuer", 0)
    assert outcome(joined([ROOT, LEAF])) == Outcome("wrong_issuer", 1)
    assert outcome(joined([MIDDLE, LEAF])) == Outcome("wrong_issuer", 0)
    assert outcome(joined([ROOT, MIDDLE, MIDDLE])) == Outcome("wrong_issuer", 2)


def through_gateway() -> list[str]:
    """The links of a chain that the gateway delegated at every step, so that signatures tell nothing of the order."""
    token = root_token()
    for number, agent in enumerate(("a", "b", "c")):
        share = Share(agent, generate().public, token_id=f"g{number}")
        token = delegate(verified(token), token, ISSUER, share, now=NOW)
    return token.split("~")


def test_links_of_the_gateway_stand_in_their_order_too() -> None:
    """By depth, and by the hash of the parent."""
    root, a, b, c = through_gateway()
    assert outcome(joined([root, a, b, c])) == FINE
    assert outcome(joined([root, b])) == Outcome("depth_mismatch", 1)
    assert outcome(joined([root, a, c])) == Outcome("depth_mismatch", 2)
    assert outcome(joined([root, b, a, c])) == Outcome("depth_mismatch", 1)
    assert outcome(joined([a, b])) == Outcome("depth_mismatch", 0)
    other_root = forged(root, 0, {"jti": "t9"})
    assert outcome(joined([other_root, a])) == Outcome("par_hash_mismatch", 1)


def test_a_link_belongs_to_its_very_parent() -> None:
    """A parent with the same claims and one difference, of the same holder, is another one."""
    for difference in ({"jti": "t9"}, {"exp": NOW + 299}, {"iat": NOW - 1}, {"intent": "Something else."}):
        parent = forged(ROOT, 0, difference)
        assert outcome(parent) == FINE
        assert outcome(joined([parent, MIDDLE])) == Outcome("par_hash_mismatch", 1)


def test_a_token_of_another_task_is_no_parent() -> None:
    """Its holder has both of them."""
    other = forged(ROOT, 0, {"task": "prompt-2", "jti": "t9"})
    header, claims = opened(MIDDLE)
    link = jws(header, {**claims, "par_hash": parent_hash(other)}, ROOT_KEY)
    assert outcome(joined([other, link])) == Outcome("task_mismatch", 1)


# Bounds


def test_the_ceiling_stands_above_what_tokens_say() -> None:
    """It is looked at before any signature."""
    assert outcome(CHAIN, ceiling=2) == FINE
    assert outcome(CHAIN, ceiling=1) == Outcome("depth_exceeded", 2)
    assert outcome(CHAIN, ceiling=0) == Outcome("depth_exceeded", 1)
    assert outcome("~".join(["x"] * 5), ceiling=3) == Outcome("depth_exceeded", 4)
    assert outcome("~".join(["x"] * (MAX_DEPTH + 2)), ceiling=10**6) == Outcome("depth_exceeded", MAX_DEPTH + 1)


def test_what_is_too_large_is_refused() -> None:
    """A link, and a chain; neither is read."""
    big = "Y" * 40_000
    assert outcome(forged(CHAIN, 0, {"intent": "a" * (32 * 1024)})) == FINE
    assert outcome(forged(CHAIN, 0, {"intent": "a" * (32 * 1024 + 1)})) == Outcome("malformed_token", 0)
    assert outcome(forged(CHAIN, 0, {"acr": big * 2})) == Outcome("malformed_token", 0)
    assert outcome("x" * (MAX_LINK + 1)) == Outcome("malformed_token", 0)
    assert refusal(verified, "x" * (MAX_LINK + 1)).endswith(f"has a link of more than {MAX_LINK} characters")
    whole = f"malformed_token: the token is no ASCII text of 1 to {MAX_CHAIN} characters"
    assert refusal(verified, "x" * (MAX_CHAIN + 1)) == whole
    assert refusal(verified, "") == whole
    assert refusal(verified, f"{CHAIN}\u0430") == whole
    assert refusal(verified, "\ud800") == whole


@pytest.mark.parametrize(
    ("now", "skew", "wanted"),
    [
        (NOW, 0, FINE),
        (NOW - 1, 0, Outcome("token_not_yet_valid", 0)),
        (NOW - 30, 30, FINE),
        (NOW - 31, 30, Outcome("token_not_yet_valid", 0)),
        (NOW + 99, 0, FINE),
        (NOW + 100, 0, Outcome("token_expired", 2)),
        (NOW + 129, 30, FINE),
        (NOW + 130, 30, Outcome("token_expired", 2)),
        (NOW + 300, 0, Outcome("token_expired", 0)),
    ],
)
def test_clocks_may_differ_by_the_skew(now: int, skew: int, wanted: Outcome) -> None:
    """A token is good from its first second until before its last; a verified chain says the same later."""
    assert outcome(CHAIN, now=now, skew=skew) == wanted
    assert later(verified(CHAIN), now, skew) == wanted


def later(chain: Chain, now: int, skew: int) -> Outcome:
    """What becomes of a verified chain at another time."""
    try:
        chain.check_time(now, skew)
    except Refused as error:
        return Outcome(error.reason, error.link)
    return FINE


def test_the_verifier_may_have_several_names() -> None:
    """A token has to be for one of them."""
    assert outcome(CHAIN, audience=["urn:example:nobody", AUDIENCE]) == FINE
    assert outcome(CHAIN, audience=["urn:example:nobody"]) == Outcome("wrong_audience", 0)
    assert outcome(CHAIN, audience=[]) == Outcome("wrong_audience", 0)
