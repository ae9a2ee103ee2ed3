"""The claims of a link and the text it is written in: what is needed, and that nothing else is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from delegations import (
    AUDIENCE,
    CHAIN,
    DETAILS,
    FINE,
    ISSUER,
    MIDDLE,
    NOW,
    ROOT,
    ROOT_KEY,
    Outcome,
    forged,
    joined,
    jws,
    opened,
    outcome,
    verified,
    wider,
)
from procurator.governance.delegation.tokens import CLAIMS
from procurator.governance.refusals import Refused

# Claims


@pytest.mark.parametrize("name", sorted(set(CLAIMS) - {"iss", "nbf", "par_hash", "budget", "intent", "principal"}))
def test_a_claim_that_is_needed_is_missing(name: str) -> None:
    """Nothing is taken for granted."""
    assert outcome(forged(CHAIN, 0, {name: None})) == Outcome("malformed_token", 0)
    link = joined(CHAIN.split("~")[:2])
    header, claims = opened(MIDDLE)
    null = jws(header, {**claims, name: None}, ROOT_KEY)
    assert outcome(joined([ROOT, null])) == Outcome("malformed_token", 1)
    assert outcome(link) == FINE


NOT_SECONDS: list[Any] = [float(NOW), NOW + 0.5, str(NOW), True, -1, 2**63, [NOW], {"v": NOW}]


@pytest.mark.parametrize("value", NOT_SECONDS)
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_times_are_whole_seconds(name: str, value: Any) -> None:
    """No fraction, text or boolean, and nothing that numbers of other languages cannot hold."""
    assert outcome(forged(CHAIN, 0, {name: value})) == Outcome("malformed_token", 0)


@pytest.mark.parametrize("value", [True, False, 0.0, 1.0, "0", -1, 65, [0]])
@pytest.mark.parametrize("name", ["del_depth", "del_max_depth"])
def test_depths_are_whole_numbers(name: str, value: Any) -> None:
    """`false` is not 0."""
    assert outcome(forged(CHAIN, 0, {name: value})) == Outcome("malformed_token", 0)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": []}, "malformed_token"),
        ({"aud": ""}, "malformed_token"),
        ({"aud": [AUDIENCE, 1]}, "malformed_token"),
        ({"aud": {AUDIENCE: 1}}, "malformed_token"),
        ({"jti": ""}, "malformed_token"),
        ({"jti": "a b"}, "malformed_token"),
        ({"jti": "a" * 129}, "malformed_token"),
        ({"task": "prompt\n1"}, "malformed_token"),
        ({"task": 1}, "malformed_token"),
        ({"par_hash": "short"}, "malformed_token"),
        ({"par_hash": "=" * 43}, "malformed_token"),
        ({"cnf": {}}, "malformed_token"),
        ({"cnf": []}, "malformed_token"),
        ({"cnf": {"kid": "a"}}, "malformed_token"),
        ({"cnf": {"jkt": "short"}}, "malformed_token"),
        ({"cnf": {"jwk": dict(ROOT_KEY.public.jwk), "jkt": ROOT_KEY.public.jkt}}, "malformed_token"),
        ({"cnf": {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}}, "key_not_allowed"),
        ({"cnf": {"jwk": {**ROOT_KEY.public.jwk, "d": ROOT_KEY.public.jwk["x"]}}}, "key_not_allowed"),
        ({"cnf": {"jwk": None}}, "key_not_allowed"),
        ({"principal": "alice"}, "malformed_token"),
        ({"principal": {"sub": "alice"}}, "malformed_token"),
        ({"principal": {"iss": "i", "sub": ""}}, "malformed_token"),
        ({"principal": {"iss": "i", "sub": "alice", "admin": True}}, "malformed_token"),
        ({"principal": {"iss": "i", "sub": "alice", "act": []}}, "malformed_token"),
        ({"principal": {"iss": "i", "sub": "alice", "act": {"sub": "x"}}}, "malformed_token"),
        ({"principal": {"iss": "i", "sub": "alice", "act": [1]}}, "malformed_token"),
        ({"intent": ""}, "malformed_token"),
        ({"intent": ["text"]}, "malformed_token"),
        ({"scope": "admin"}, "malformed_token"),
        ({"act": {"sub": "x"}}, "malformed_token"),
        ({"Exp": NOW + 10}, "malformed_token"),
        ({"budget": []}, "malformed_token"),
        ({"budget": {"actions": -1}}, "malformed_token"),
        ({"budget": {"actions": 1.5}}, "malformed_token"),
        ({"budget": {"actions": True}}, "malformed_token"),
        ({"budget": {"actions": "NaN"}}, "malformed_token"),
        ({"budget": {"actions": "1e3"}}, "malformed_token"),
        ({"budget": {"actions": "\u0661"}}, "malformed_token"),
        ({"authorization_details": {}}, "malformed_token"),
        ({"authorization_details": [1]}, "malformed_token"),
        ({"authorization_details": [*DETAILS, *DETAILS]}, "malformed_token"),
        ({"authorization_details": [{**DETAILS[0], "not_after": 5}]}, "malformed_token"),
        ({"authorization_details": [{**DETAILS[0], "operations": {"read_file": ["rm"]}}]}, "malformed_token"),
        (
            {"authorization_details": wider(x={"a": {"constraint_type": "cel", "expression": "true"}})},
            "unknown_constraint",
        ),
        ({"authorization_details": wider(x={"a": {"constraint_type": "cidr"}})}, "unknown_constraint"),
        ({"authorization_details": wider(x={"a": {"constraint_type": ["exact"]}})}, "unknown_constraint"),
        ({"authorization_details": wider(x={"a": {}})}, "unknown_constraint"),
        ({"authorization_details": wider(x={"a": {"constraint_type": "range", "maximum": 1}})}, "malformed_token"),
        ({"authorization_details": wider(x={"a": {"constraint_type": "regex", "pattern": "("}})}, "malformed_token"),
    ],
)
def test_claims_that_are_not_what_they_should_be_are_refused(claims: dict[str, Any], reason: str) -> None:
    """Unknown means no."""
    assert outcome(forged(CHAIN, 0, claims)) == Outcome(reason, 0)


def test_registered_claims_that_allow_nothing_are_passed_over() -> None:
    """They come with tokens of other makers."""
    ignored = {"acr": "2", "amr": ["pwd"], "auth_time": NOW, "client_id": "c", "sid": "s", "txn": "t"}
    assert outcome(forged(CHAIN, 0, ignored)) == FINE


@pytest.mark.parametrize("agent", ["агент-7", "研究員", "Zoë", "naïve agent"])
def test_agents_may_have_names_in_any_script(agent: str) -> None:
    """In their composed form."""
    assert verified(forged(CHAIN, 0, {"sub": agent})).agents == (agent,)


@pytest.mark.parametrize(
    "agent",
    [
        "Zoe\u0308",
        "\uff41gent",
        "agent\u200b",
        "agent\u0000",
        "agent\n",
        "\u202eagent",
        "\ufb01nder",
        "a\\b",
        "",
        "a" * 257,
    ],
)
def test_agents_have_one_spelling(agent: str) -> None:
    """Another spelling, or a character that is not seen, would make a second agent of one."""
    assert outcome(forged(CHAIN, 0, {"sub": agent})) == Outcome("malformed_token", 0)


# Texts


def raw(payload: bytes, header: bytes | None = None) -> str:
    """A root with a payload that is not made by a JSON library."""
    return jws(opened(ROOT)[0] if header is None else header, payload, ISSUER.key)


CLAIMS_TEXT = json.dumps(opened(ROOT)[1])


@pytest.mark.parametrize(
    "payload",
    [
        CLAIMS_TEXT.replace('"sub": ', '"sub": "admin", "sub": ').encode(),
        CLAIMS_TEXT.replace('"sub": ', '"su\\u0062": "admin", "sub": ').encode(),
        CLAIMS_TEXT.replace('"budget": {', '"budget": {"actions": 1, ').encode(),
        CLAIMS_TEXT.replace('"alice"', '"\\ud800"').encode(),
        CLAIMS_TEXT.replace('"alice"', "NaN").encode(),
        CLAIMS_TEXT.replace(str(NOW), "1" * 5000).encode(),
        CLAIMS_TEXT.replace('"alice"', "[" * 100_000).encode()[:40_000],
        CLAIMS_TEXT.encode("utf-16"),
        b"\xef\xbb\xbf" + CLAIMS_TEXT.encode(),
        CLAIMS_TEXT.encode().replace(b"alice", b"\xff"),
        CLAIMS_TEXT.encode() + b" {}",
        f"[{CLAIMS_TEXT}]".encode(),
        b"",
        b"null",
        b'"text"',
    ],
    ids=lambda payload: f"{len(payload)} bytes",
)
def test_claims_are_one_strict_json_object(payload: bytes) -> None:
    """No name twice, no number that is none, no half of a character, UTF-8 and nothing behind."""
    assert payload != CLAIMS_TEXT.encode()
    assert outcome(raw(payload)) == Outcome("malformed_token", 0)
    assert outcome(raw(CLAIMS_TEXT.encode())) == FINE


def test_headers_are_strict_json_too() -> None:
    """Whoever reads the first of two algorithms is not deceived."""
    kid = ISSUER.key.public.jkt
    double = f'{{"alg":"none","alg":"EdDSA","typ":"aat+jwt","kid":"{kid}"}}'
    assert outcome(raw(CLAIMS_TEXT.encode(), double.encode())) == Outcome("malformed_token", 0)
    assert outcome(raw(CLAIMS_TEXT.encode(), b"[]")) == Outcome("malformed_token", 0)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "nothing on both sides": lambda _: "~",
    "nothing before": lambda chain: f"~{chain}",
    "nothing behind": lambda chain: f"{chain}~",
    "nothing between": lambda chain: chain.replace("~", "~~", 1),
    "line break between": lambda chain: chain.replace("~", "\n~"),
    "space before": lambda chain: f" {chain}",
    "line break behind": lambda chain: f"{chain}\n",
    "padding behind": lambda chain: f"{chain}=",
    "padding between": lambda chain: chain.replace("~", "=~"),
    "part without anything": lambda chain: chain.replace(".", "..", 1),
    "five parts": lambda _: f"{ROOT}.{ROOT}",
    "two parts": lambda _: ROOT.rpartition(".")[0],
    "empty parts": lambda _: "..",
    "no token": lambda _: "not a token",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_chain_has_one_text(spelling: str) -> None:
    """Padding, white space and empty parts are refused."""
    with pytest.raises(Refused) as caught:
        verified(SPELLINGS[spelling](CHAIN))
    assert caught.value.reason == "malformed_token"
