"""Tokens of persons: what is accepted, and for each thing that is wrong with one, why it is refused."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from issuing import AUDIENCE, ISSUER, KEYS, NOW, Clock, Source, claims, issuer_keys, key_set, public_jwk, signed

from authorities import elliptic, public_pem
from procurator.governance.identity.persons import Person, Persons, TrustedIssuer
from procurator.governance.refusals import Refused
from procurator.governance.signing.jwks import Jwks

OTHER = "https://other.example"


def issuer(name: str = ISSUER, content: bytes = b"", **changed: Any) -> TrustedIssuer:
    """The issuer of the tests, with all its algorithms and 30 seconds of skew."""
    keys = Jwks("keys.json", fetch=Source(content or issuer_keys()), clock=Clock())
    return TrustedIssuer(**{"name": name, "audience": (AUDIENCE,), "keys": keys, "algorithms": tuple(KEYS), **changed})


def why(token: str, persons: Persons | None = None, now: int = NOW) -> str:
    """Why a token is refused."""
    with pytest.raises(Refused) as error:
        (persons or Persons([issuer()])).verify(token, now)
    assert error.value.reason == "person_not_verified"
    return error.value.detail


# What is accepted


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_a_token_tells_who_the_person_is(algorithm: str) -> None:
    """With each kind of key."""
    person = Persons([issuer()]).verify(signed(claims(), algorithm), NOW)
    assert person == Person(ISSUER, "alice", (), {}, NOW + 600)


def test_the_claims_that_policies_may_read_are_kept() -> None:
    """The configuration names them; others are not passed on."""
    token = signed(claims(groups=["staff"], roles=[], acr="2", email="a@id.example", nonce="n"))
    assert Persons([issuer()]).verify(token, NOW).claims == {"acr": "2", "groups": ["staff"], "roles": []}
    only = Persons([issuer(claims=("email",))])
    assert only.verify(token, NOW).claims == {"email": "a@id.example"}


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", None])
def test_id_tokens_and_access_tokens_are_accepted(kind: str | None) -> None:
    """Their type, where there is one, is compared without regard to case."""
    token = signed(claims(), headers={"typ": kind})
    assert Persons([issuer()]).verify(token, NOW).subject == "alice"


def test_each_issuer_has_keys_and_an_audience_of_its_own() -> None:
    """Tokens of one are not accepted as those of another."""
    other = key_set(public_jwk(elliptic("other"), "ES256", kid="ES256"))
    persons = Persons([issuer(), issuer(OTHER, other, audience=("https://else.example",))])
    theirs = claims(iss=OTHER, aud="https://else.example")
    assert persons.verify(signed(theirs, key=elliptic("other")), NOW).issuer == OTHER
    assert why(signed(theirs), persons) == "the signature does not match the key of the issuer"
    assert why(signed(claims(iss=OTHER), key=elliptic("other")), persons) == "the token is meant for somebody else"
    assert why(signed(claims(), key=elliptic("other")), persons) == "the signature does not match the key of the issuer"


def test_a_rotated_key_is_found() -> None:
    """When the source has it, and the floor between two fetches has passed."""
    source, clock = Source(issuer_keys()), Clock()
    keys = Jwks("keys.json", fetch=source, clock=clock, cache_seconds=600, floor_seconds=30)
    persons = Persons([issuer(keys=keys)])
    token = signed(claims(), key=elliptic("new"), headers={"kid": "new"})
    assert why(token, persons) == "the issuer does not have one key `new` for ES256"
    source.content = key_set(public_jwk(elliptic("new"), "ES256", kid="new"))
    clock.now += 30
    assert persons.verify(token, NOW).subject == "alice"


# Signatures and headers


def forged(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    """A token made by hand."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_a_signature_is_refused(name: str) -> None:
    """However `none` is spelt."""
    token = forged({"alg": name, "typ": "JWT", "kid": "ES256"}, claims())
    assert why(token) == "the algorithm is not one that the issuer may use"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("named", sorted(KEYS))
def test_a_public_key_is_no_secret(algorithm: str, named: str) -> None:
    """Whoever knows the public key could make such signatures."""
    header = {"alg": algorithm, "typ": "JWT", "kid": named}
    unsigned = forged(header, claims()).rstrip(".")
    secret = public_pem(KEYS[named]).encode()
    mac = hmac.new(secret, unsigned.encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    assert why(forged(header, claims(), mac)) == "the algorithm is not one that the issuer may use"


def test_symmetric_algorithms_cannot_be_configured() -> None:
    """Nor can unknown ones."""
    for algorithm in ("HS256", "none", "ES256K", "RS1"):
        with pytest.raises(ValueError, match="unknown algorithm") as error:
            issuer(algorithms=("ES256", algorithm))
        assert str(error.value) == (
            f"unknown algorithm `{algorithm}`, expected one of ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, "
            "RS256, RS384, RS512"
        )


@pytest.mark.parametrize("missing", [{"audience": ()}, {"algorithms": ()}])
def test_an_issuer_needs_an_audience_and_an_algorithm(missing: dict[str, Any]) -> None:
    """Without them, nothing or everything would be meant."""
    with pytest.raises(ValueError, match="needs") as error:
        issuer(**missing)
    assert str(error.value) == "the issuer `https://id.example` needs an audience and an algorithm"


def test_an_issuer_is_named_once() -> None:
    """Or it would not be known which settings count."""
    with pytest.raises(ValueError, match="twice") as error:
        Persons([issuer(), issuer()])
    assert str(error.value) == "the issuer `https://id.example` is named twice"


def test_the_algorithm_is_pinned_by_the_configuration() -> None:
    """The keys of the issuer could do more."""
    persons = Persons([issuer(algorithms=("ES256",))])
    assert persons.verify(signed(claims()), NOW).subject == "alice"
    assert why(signed(claims(), "RS256"), persons) == "the algorithm is not one that the issuer may use"


def test_an_algorithm_of_another_kind_of_key_is_refused() -> None:
    """A header cannot make one key into another."""
    token = signed(claims(), "RS256", headers={"kid": "ES256"})
    assert why(token) == "the issuer does not have one key `ES256` for RS256"
    token = signed(claims(), key=elliptic("issuer"), headers={"kid": "RS256"})
    assert why(token) == "the issuer does not have one key `RS256` for ES256"


@pytest.mark.parametrize("name", ["jwk", "jku", "x5c", "x5u"])
def test_a_token_cannot_bring_its_own_key(name: str) -> None:
    """Not even a key that would have been right."""
    jwk = public_jwk(KEYS["ES256"], "ES256", kid="ES256")
    value = {"jwk": jwk, "x5c": ["AQAB"]}.get(name, "https://id.example/keys")
    assert why(signed(claims(), headers={name: value})) == f"the token has the header `{name}`"


def test_headers_that_change_the_meaning_of_others_are_refused() -> None:
    """`b64`, and `crit`, which PyJWT finds malformed by itself where it is about anything else."""
    header = {"alg": "ES256", "kid": "ES256"}
    assert why(forged({**header, "b64": True}, claims())) == "the token has the header `b64`"
    assert why(forged({**header, "b64": True, "crit": ["b64"]}, claims())) == "the token has the header `b64`"
    assert why(forged({**header, "crit": ["exp"]}, claims())) == "the header of the token is malformed"


@pytest.mark.parametrize("kind", ["aat+jwt", "aat-pop+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", " ", 7, ["JWT"]])
def test_tokens_for_another_use_are_refused(kind: object) -> None:
    """Though the issuer has signed them."""
    token = signed(claims(), headers={"typ": kind})
    assert why(token) == "the token is of a type that does not tell of a person"


def test_a_changed_token_is_refused() -> None:
    """Whatever part was changed."""
    header, payload, signature = signed(claims()).split(".")
    changed = forged({}, claims(sub="mallory")).split(".")[1]
    wrong = "the signature does not match the key of the issuer"
    assert why(f"{header}.{changed}.{signature}") == wrong
    assert why(f"{header}.{payload}.{signature[:-4]}AAAA") == wrong
    assert why(f"{header}.{payload}.") == wrong


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", "the token is malformed"),
        ("a.b", "the token is malformed"),
        ("a.b.c.d.e", "the token is malformed"),
        ("ä.b.c", "the token is malformed"),
        ("a.b.c", "the header of the token is malformed"),
        (forged([], {}), "the header of the token is malformed"),  # type: ignore[arg-type]  # malformed on purpose
        (forged({"alg": "ES256", "kid": 7}, {}), "the header of the token is malformed"),
        (forged({"alg": "ES256"}, []), "the token is malformed"),  # type: ignore[arg-type]  # the same
        (forged({"alg": ["ES256"]}, claims()), "the algorithm is not one that the issuer may use"),
        (forged({"kid": "ES256"}, claims()), "the algorithm is not one that the issuer may use"),
        ("." * ((1 << 16) + 1), "the token is longer than 65536 characters"),
    ],
)
def test_what_is_no_token_is_refused(token: str, problem: str) -> None:
    """Before any key is looked for."""
    source = Source(issuer_keys())
    persons = Persons([issuer(keys=Jwks("keys.json", fetch=source))])
    assert (why(token, persons), source.asked) == (problem, 0)


@pytest.mark.parametrize("text", ["[" * 20_000, '{"iss":' * 6_000])
def test_nesting_does_no_harm(text: str) -> None:
    """In the header and in the claims."""
    deep = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    header, payload, signature = signed(claims()).split(".")
    assert why(f"{deep}.{payload}.{signature}") == "the header of the token is malformed"
    assert why(f"{header}.{deep}.{signature}") == "the token is malformed"


# Claims


@pytest.mark.parametrize("name", ["exp", "iat", "sub", "aud"])
def test_a_claim_that_is_needed_is_named_when_it_is_missing(name: str) -> None:
    """Null counts as missing."""
    assert why(signed(claims(**{name: None}))) == f"the token has no claim `{name}`"
    assert why(signed({**claims(), name: None})) == f"the token has no claim `{name}`"


@pytest.mark.parametrize("name", [None, "https://id.example/", "HTTPS://ID.EXAMPLE", OTHER, 7, [ISSUER], {"a": 1}])
def test_an_issuer_that_is_not_known_is_refused(name: object) -> None:
    """Names of issuers are compared as they are."""
    payload = {**claims(), "iss": name}
    token = forged({"alg": "ES256", "kid": "ES256"}, payload)
    assert why(token) == "the token is of an issuer that is not known"


@pytest.mark.parametrize("audience", ["https://else.example", ["https://else.example"], f"{AUDIENCE}/", [], [7], 7])
def test_a_token_for_somebody_else_is_refused(audience: object) -> None:
    """An audience is one name or a list of them."""
    expected = "the token has no claim `aud`" if audience == [] else "the token is meant for somebody else"
    assert why(signed(claims(aud=audience))) == expected


def test_one_of_the_configured_audiences_is_enough() -> None:
    """A gateway may have several names."""
    persons = Persons([issuer(audience=("https://a.example", "https://b.example"))])
    assert persons.verify(signed(claims(aud="https://b.example")), NOW).subject == "alice"
    assert why(signed(claims()), persons) == "the token is meant for somebody else"


def test_the_authorized_party_has_to_be_known() -> None:
    """The audience itself, or a client that the configuration names."""
    persons = Persons([issuer(authorized_parties=frozenset({"console"}))])
    for party in (AUDIENCE, "console"):
        assert persons.verify(signed(claims(azp=party)), NOW).subject == "alice"
    for party in ("https://else.example", "", 7, ["console"]):
        assert why(signed(claims(azp=party)), persons) == "the token was given to a client that is not known"
    assert why(signed({**claims(), "azp": None})) == "the token was given to a client that is not known"


def test_a_token_for_several_has_to_say_to_whom_it_was_given() -> None:
    """Or one of the others could be using it."""
    several = [AUDIENCE, "https://else.example"]
    assert why(signed(claims(aud=several))) == "the token has several audiences and no claim `azp`"
    assert Persons([issuer()]).verify(signed(claims(aud=several, azp=AUDIENCE)), NOW).subject == "alice"
    assert Persons([issuer()]).verify(signed(claims(aud=[AUDIENCE])), NOW).subject == "alice"


TIMES = [
    ({"exp": NOW - 29}, None),
    ({"exp": NOW - 30}, "the token has expired"),
    ({"exp": NOW - 30 + 0.5}, None),
    ({"iat": NOW + 30}, None),
    ({"iat": NOW + 31}, "the token was issued in the future"),
    ({"nbf": NOW + 30}, None),
    ({"nbf": NOW + 31}, "the token is not valid yet"),
    ({"nbf": NOW + 30.5}, "the token is not valid yet"),
]


@pytest.mark.parametrize(("changed", "problem"), TIMES)
def test_times_are_checked_with_the_skew_that_the_configuration_allows(
    changed: dict[str, Any], problem: str | None
) -> None:
    """Against the time of the decision."""
    token = signed(claims(**changed))
    if problem is None:
        assert Persons([issuer()]).verify(token, NOW).expires == int(changed.get("exp", NOW + 600))
    else:
        assert why(token) == problem
        assert why(token, Persons([issuer(skew_seconds=0)])) == problem


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (str(NOW), "is not a number"),
        (True, "is not a number"),
        ([NOW], "is not a number"),
        (float("nan"), "is not a time"),
        (float("inf"), "is not a time"),
        (-1, "is not a time"),
        (1 << 53, "is not a time"),
        (10**400, "is not a time"),
    ],
    ids=["text", "true", "list", "nan", "infinity", "negative", "large", "huge"],
)
def test_a_time_is_a_number_of_seconds(name: str, value: object, problem: str) -> None:
    """Nothing is read into anything else."""
    assert why(signed(claims(**{name: value}))) == f"the claim `{name}` {problem}"


def test_a_not_before_of_null_is_refused() -> None:
    """What is there is checked."""
    assert why(signed({**claims(), "nbf": None})) == "the claim `nbf` is not a number"


@pytest.mark.parametrize("subject", ["", 7, ["alice"], "a\nb", "a\u202eb", "\ud800", "a" * 256])
def test_a_subject_is_a_name_that_can_be_shown(subject: object) -> None:
    """It is written to the log, and compared with those that were revoked."""
    assert why(signed(claims(sub=subject))) == "the claim `sub` names nobody"


# Impersonation


def test_whoever_acts_for_the_person_is_visible() -> None:
    """The current actor first, then those before."""
    token = signed(claims(act={"sub": "support", "act": {"sub": "admin", "iss": ISSUER, "exp": 1}}))
    assert Persons([issuer()]).verify(token, NOW) == Person(ISSUER, "alice", ("support", "admin"), {}, NOW + 600)


def test_impersonation_can_be_disabled() -> None:
    """Then nobody acts for anybody."""
    persons = Persons([issuer()], impersonation=False)
    assert persons.verify(signed(claims()), NOW).act == ()
    with pytest.raises(Refused) as error:
        persons.verify(signed(claims(act={"sub": "support"})), NOW)
    assert (error.value.reason, error.value.detail) == ("impersonation_not_allowed", "`support` acts for `alice`")


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        ("support", "the claim `act` is not an object"),
        ([], "the claim `act` is not an object"),
        ({}, "the claim `act.sub` names nobody"),
        ({"sub": ""}, "the claim `act.sub` names nobody"),
        ({"sub": "support", "act": None}, "the claim `act` is not an object"),
        ({"sub": "support", "act": {"iss": ISSUER}}, "the claim `act.sub` names nobody"),
        ({"sub": "support", "iss": OTHER}, "an actor is of another issuer"),
    ],
)
def test_an_actor_that_cannot_be_told_is_refused(act: object, problem: str) -> None:
    """Rather than left out of the record."""
    assert why(signed(claims(act=act))) == problem
    assert why(signed({**claims(), "act": None})) == "the claim `act` is not an object"


def test_there_is_a_limit_to_actors() -> None:
    """Eight, one for another."""
    act: dict[str, Any] = {"sub": "actor"}
    for _ in range(7):
        act = {"sub": "actor", "act": act}
    assert len(Persons([issuer()]).verify(signed(claims(act=act)), NOW).act) == 8
    assert why(signed(claims(act={"sub": "actor", "act": act}))) == "more than 8 actors"
