"""`io.jwt.*`."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from authorities import NOW_NS, certificate, edwards, elliptic, private_pem, public_pem, rsa_key
from procurator.builtins import x509
from procurator.builtins.jwt import CONTEXT_TABLE, TABLE
from procurator.runtime.context import Evaluation
from procurator.values import dumps

SECRET = "correct horse"
UNVERIFIED = [False, {}, {}]
HS256 = {"alg": "HS256"}
CONTEXT = Evaluation(now_ns=NOW_NS)
NOW = NOW_NS // 1_000_000_000

P521 = elliptic("large", ec.SECP521R1())
CURVED = {"ES256": elliptic("leaf"), "ES384": elliptic("middle", ec.SECP384R1()), "ES512": P521}
KEYS = {"RS": rsa_key(), "PS": rsa_key(), "EdDSA": edwards(), **CURVED}
ALGORITHMS = [f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512)] + ["EdDSA"]


def encode(content: bytes | str) -> str:
    return urlsafe_b64encode(content if isinstance(content, bytes) else content.encode()).decode().rstrip("=")


def signed(header: Any, payload: Any, secret: str = SECRET) -> str:
    """A token by HMAC with SHA-256, its parts JSON unless they are texts."""
    parts = [encode(part if isinstance(part, str | bytes) else json.dumps(part)) for part in (header, payload)]
    text = ".".join(parts)
    return f"{text}.{encode(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def private_jwk(key: Any, **more: Any) -> dict[str, Any]:
    return {**x509.TABLE["crypto.x509.parse_rsa_private_key"](private_pem(key)), **more}


def public_jwk(key: Any, **more: Any) -> dict[str, Any]:
    secret = ("d", "p", "q", "dp", "dq", "qi")
    return {name: value for name, value in private_jwk(key).items() if name not in secret} | more


def key_of(algorithm: str) -> Any:
    return KEYS.get(algorithm) or KEYS[algorithm[:2]]


def token_of(algorithm: str, **header: Any) -> str:
    return pyjwt.encode({"a": 1}, key_of(algorithm), algorithm, header)


def verify(algorithm: str, token: Any, key: Any) -> Any:
    return outcome(TABLE, f"io.jwt.verify_{algorithm.lower()}", token, key)


def decode_verify(token: Any, **constraints: Any) -> Any:
    return outcome(CONTEXT_TABLE, "io.jwt.decode_verify", CONTEXT, token, constraints)


# Taking apart

GOOD = signed(HS256, {"a": 1})
HEX = urlsafe_b64decode(GOOD.rpartition(".")[2] + "=").hex()
DECODED = [
    (GOOD, [HS256, {"a": 1}, HEX]),
    ("e30.e30.", [{}, {}, ""]),
    ("e30=.e30=.AA==", [{}, {}, "00"]),
    (signed({"cty": "JWT"}, f'"{GOOD}"'), [HS256, {"a": 1}, HEX]),
    ("e30." + encode('{"a":1,"a":2.5}') + ".", [{}, {"a": 2.5}, ""]),
    ("ab", Error("encoded JWT had no period separators")),
    ("a.b", Error("encoded JWT must have 3 sections, found 2")),
    ("a.b.c.d", Error("encoded JWT must have 3 sections, found 4")),
    ("a.e30.", Error("JWT header had invalid encoding: illegal base64url string: a")),
    ("!!.e30.", Error("JWT header had invalid encoding: illegal base64 data at input byte 0")),
    ("W10.e30.", Error("bad JWT header: decoded JSON type was not an Object")),
    (
        f"{encode('x')}.e30.",
        Error("bad JWT header: invalid JSON: invalid character 'x' looking for beginning of value"),
    ),
    ("e30.!!.", Error("JWT payload had invalid encoding: illegal base64 data at input byte 0")),
    ("e30.W10.", Error("decoded JSON type was not an Object")),
    ("e30.e30.!!", Error("JWT signature had invalid encoding: illegal base64 data at input byte 0")),
    (signed({"enc": "A128GCM"}, {}), Error("JWT is a JWE object, which is not supported")),
    (1, Error("operand 1 must be string but got number")),
]


@pytest.mark.parametrize(("token", "wanted"), DECODED)
def test_decode(token: Any, wanted: Any) -> None:
    check(outcome(TABLE, "io.jwt.decode", token), wanted)


# Signatures


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_form_of_a_key_verifies(algorithm: str) -> None:
    key = key_of(algorithm)
    token = token_of(algorithm)
    forms = [
        public_pem(key),
        json.dumps(public_jwk(key)),
        json.dumps({"keys": [public_jwk(elliptic("x")), public_jwk(key)]}),
    ]
    for form in forms:
        assert verify(algorithm, token, form) is True
        assert verify(algorithm, f"{token[:-8]}AAAAAAAA", form) is False
        assert decode_verify(token, cert=form) == [True, {"alg": algorithm, "typ": "JWT"}, {"a": 1}]
    assert verify(algorithm, token, public_pem(elliptic("other"))) is False
    assert decode_verify(token, cert=public_pem(elliptic("other"))) == UNVERIFIED


def test_a_certificate_verifies() -> None:
    assert verify("ES256", token_of("ES256"), certificate("leaf", "root")) is True
    assert verify("ES256", token_of("ES256"), certificate("other", "root")) is False


def test_a_private_key_verifies_in_full_verification_only() -> None:
    text = json.dumps(private_jwk(rsa_key()))
    assert verify("RS256", token_of("RS256"), text) is False
    assert decode_verify(token_of("RS256"), cert=text)[0] is True


def test_elliptic_signatures_of_another_length() -> None:
    token, public = token_of("ES256"), public_pem(elliptic("leaf"))
    text, _, signature = token.rpartition(".")
    raw = urlsafe_b64decode(signature + "==")
    longer = b"\0" + raw[:32] + b"\0" + raw[32:]
    padded = f"{text}.{encode(longer)}"
    assert (verify("ES256", padded, public), decode_verify(padded, cert=public)) == (True, UNVERIFIED)
    assert verify("ES256", f"{text}.", public) is False
    # OPA does not tie the curve to the algorithm.
    assert (
        verify(
            "ES256",
            CONTEXT_TABLE["io.jwt.encode_sign"](CONTEXT, {"alg": "ES256"}, {}, private_jwk(P521)),
            public_pem(P521),
        )
        is True
    )


ES = token_of("ES256", kid="mine")
LEAF, OTHER = elliptic("leaf"), elliptic("other")
# The keys of a set, and whether they verify a token by ES256 that names the key `mine`.
SETS: list[tuple[list[dict[str, Any]], bool]] = [
    ([], False),
    ([public_jwk(LEAF)], True),
    ([public_jwk(LEAF, kid="theirs")], True),
    ([public_jwk(LEAF, alg="ES256")], True),
    ([public_jwk(LEAF, alg="ES384")], False),
    ([public_jwk(LEAF, alg="ES384", kid="mine")], True),
    ([public_jwk(LEAF, alg="RSA-OAEP")], False),
    ([public_jwk(OTHER, kid="mine"), public_jwk(LEAF)], False),
    ([public_jwk(OTHER), public_jwk(LEAF, kid="mine")], True),
    ([{"kty": "oct", "k": "AA"}, public_jwk(LEAF)], True),
    ([{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, public_jwk(LEAF)], True),
]


@pytest.mark.parametrize(("keys", "good"), SETS)
def test_the_key_of_a_set(keys: list[dict[str, Any]], good: bool) -> None:
    assert verify("ES256", ES, json.dumps({"keys": keys})) is good
    assert decode_verify(ES, cert=json.dumps({"keys": keys}))[0] is good


NO_JWK = "failed to parse a JWK key (set): jwk.ParseString: failed to parse string: jwk.Parse: "
SOLE = f"{NO_JWK}failed to parse sole key: jwk.ParseKey: "
SET = f"{NO_JWK}failed to unmarshal JWK set: failed to decode "
RSA = "failed to unmarshal JSON into key (*jwk.rsaPublicKey): failed to unmarshal JSON into key (*jwk.rsaPublicKey): "
INVALID = "jwk.Parse: key validation failed: key validation failed: "
BAD_KEYS = [
    ("", f"{SOLE}jwk.Parse: failed to probe data: probe: failed to unmarshal data: EOF"),
    ("{}", f"{SOLE}invalid key type from JSON ()"),
    ('{"kty":"foo"}', f"{SOLE}invalid key type from JSON (foo)"),
    ('{"keys":[{"kty":"foo"}]}', f'{SET}key #0 in "keys": jwk.ParseKey: invalid key type from JSON (foo)'),
    ('{"keys":1}', f"{SET}\"keys\": expected '[' but got 1"),
    ('{"kty":"RSA"}', f"{SOLE}{RSA}required field e is missing"),
    (
        '{"kty":"RSA","n":"A*","e":"AQAB"}',
        f"{SOLE}{RSA}failed to decode value for key n: expected base64 encoded []byte (string)",
    ),
    (
        '{"kty":"RSA","n":"AQAB","e":"AQAB","alg":"foo"}',
        f'{SOLE}{RSA}failed to decode value for key alg: invalid key value: "foo": invalid key algorithm',
    ),
    (
        '{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}',
        f'{SOLE}{INVALID}jwk.ECDSAPublicKey: invalid "x" length (1) for curve "P-256"',
    ),
    (
        '{"kty":"OKP","crv":"Ed25519","x":"AA"}',
        f"{SOLE}{INVALID}jwk.OKPPublicKey: ed25519: wrong public key size",
    ),
    ('{"kty":"oct","k":""}', f'{SOLE}{INVALID}jwk.SymmetricKey: missing "k" field'),
    (private_pem(OTHER), "failed to extract a Key from the PEM certificate"),
    (public_pem(OTHER) + "x", "extra data after a PEM certificate block"),
    (
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "failed to parse a PEM certificate: x509: malformed certificate",
    ),
    (1, "operand 2 must be string but got number"),
]


@pytest.mark.parametrize(("key", "message"), BAD_KEYS)
def test_keys_that_are_none(key: Any, message: str) -> None:
    assert verify("ES256", ES, key) == Error(message)


@pytest.mark.parametrize("size", [256, 384, 512])
def test_secrets(size: int) -> None:
    token = pyjwt.encode({"a": 1}, SECRET * 8, f"HS{size}")
    assert verify(f"HS{size}", token, SECRET * 8) is True
    assert verify(f"HS{size}", token, SECRET) is False
    assert decode_verify(token, secret=SECRET * 8) == [True, {"alg": f"HS{size}", "typ": "JWT"}, {"a": 1}]
    assert decode_verify(token, secret=SECRET) == UNVERIFIED
    assert verify("HS256", token, 1) == Error("operand 2 must be string but got number")


def test_a_public_key_is_no_secret() -> None:
    """The classic confusion: the attacker signs with the text of the public key."""
    public = public_pem(rsa_key())
    forged = signed(HS256, {"a": 1}, public)
    assert decode_verify(forged, cert=public) == UNVERIFIED
    assert verify("RS256", forged, public) is False
    unsigned = encode('{"alg":"none"}') + ".e30."
    assert decode_verify(unsigned, cert=public) == decode_verify(unsigned, secret="x") == UNVERIFIED


# Constraints

ANY_KEY = {"secret": SECRET}
CONSTRAINTS: list[tuple[Any, Any, dict[str, Any], Any]] = [
    (HS256, {}, ANY_KEY, True),
    (HS256, {}, {}, Error("no key constraint")),
    (HS256, {}, {"secret": ""}, Error("no key constraint")),
    (HS256, {}, ANY_KEY | {"cert": public_pem(OTHER)}, Error("duplicate key constraints")),
    (HS256, {}, ANY_KEY | {"foo": 1}, Error("unknown token validation constraint: foo")),
    (HS256, {}, {"secret": 1}, Error("secret constraint: must be a string")),
    (HS256, {}, {"cert": 1}, Error("cert constraint: must be a string")),
    (HS256, {}, ANY_KEY | {"time": "x"}, Error("token time constraint: must be a number")),
    (HS256, {}, ANY_KEY | {"time": -1}, Error("token time constraint: must not be negative")),
    (HS256, {"exp": NOW + 1}, ANY_KEY, True),
    (HS256, {"exp": NOW}, ANY_KEY, False),
    (HS256, {"exp": 100}, ANY_KEY | {"time": 99_999_999_999}, True),
    (HS256, {"exp": 100.5}, ANY_KEY | {"time": 100_500_000_000}, False),
    (HS256, {"exp": "x"}, ANY_KEY, Error("exp value must be a number")),
    (HS256, {"exp": True}, ANY_KEY, Error("exp value must be a number")),
    (HS256, {"nbf": NOW}, ANY_KEY, True),
    (HS256, {"nbf": NOW + 1}, ANY_KEY, False),
    (HS256, {"nbf": None}, ANY_KEY, Error("nbf value must be a number")),
    (HS256, {"iss": "a"}, ANY_KEY | {"iss": "a"}, True),
    (HS256, {"iss": "a"}, ANY_KEY | {"iss": "b"}, False),
    (HS256, {"iss": 1}, ANY_KEY | {"iss": "b"}, False),
    (HS256, {}, ANY_KEY | {"iss": "b"}, False),
    (HS256, {"aud": "a"}, ANY_KEY | {"aud": "a"}, True),
    (HS256, {"aud": ["b", "a", 1]}, ANY_KEY | {"aud": "a"}, True),
    (HS256, {"aud": ["b"]}, ANY_KEY | {"aud": "a"}, False),
    (HS256, {"aud": "a"}, ANY_KEY, False),
    (HS256, {}, ANY_KEY | {"aud": "a"}, False),
    (HS256, {}, ANY_KEY | {"alg": "HS256"}, True),
    (HS256, {}, ANY_KEY | {"alg": "HS512"}, False),
    (HS256, {}, ANY_KEY | {"alg": 1}, Error("alg constraint: must be a string")),
    ({}, {}, ANY_KEY, False),
    ({"alg": 1}, {}, ANY_KEY, Error("alg: must be a string")),
    (HS256 | {"kid": 1}, {}, ANY_KEY, Error("kid: must be a string")),
    (HS256 | {"crit": ["x"], "x": 1}, {}, ANY_KEY, False),
    (HS256 | {"crit": ["x"]}, {}, ANY_KEY, True),
    (HS256 | {"crit": []}, {}, ANY_KEY, Error("crit: must be a nonempty list")),
    (HS256 | {"crit": 1}, {}, ANY_KEY, Error("crit: must be a list")),
    (HS256, "[]", ANY_KEY, Error("decoded JSON type was not an Object")),
    (HS256 | {"cty": "jwt"}, signed(HS256, {}), ANY_KEY, True),
    (HS256 | {"cty": "JWT"}, signed(HS256, {}, "other"), ANY_KEY, False),
]


@pytest.mark.parametrize(("header", "payload", "constraints", "wanted"), CONSTRAINTS)
def test_constraints(header: Any, payload: Any, constraints: dict[str, Any], wanted: Any) -> None:
    got = decode_verify(signed(header, payload), **constraints)
    assert got == wanted if isinstance(wanted, Error) else got[0] is wanted
    if wanted is False:
        assert got == UNVERIFIED


def test_constraints_must_be_an_object() -> None:
    got = outcome(CONTEXT_TABLE, "io.jwt.decode_verify", CONTEXT, GOOD, 1)
    assert got == Error("operand 2 must be object but got number")


# Signing

OCT = {"kty": "oct", "k": encode(SECRET)}


def sign(header: Any, payload: Any, key: Any, context: Evaluation = CONTEXT) -> Any:
    return outcome(CONTEXT_TABLE, "io.jwt.encode_sign", context, header, payload, key)


def sign_raw(header: Any, payload: Any, key: Any) -> Any:
    return outcome(CONTEXT_TABLE, "io.jwt.encode_sign_raw", CONTEXT, header, payload, key)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_signed_verifies(algorithm: str) -> None:
    key = key_of(algorithm)
    token = sign({"alg": algorithm}, {"a": "<é>"}, private_jwk(key))
    assert decode_verify(token, cert=public_pem(key)) == [True, {"alg": algorithm}, {"a": "<é>"}]
    assert pyjwt.decode(token, key.public_key(), [algorithm]) == {"a": "<é>"}


def test_json_is_signed_as_go_writes_it() -> None:
    token = sign(HS256, {"b": "<", "a": [1]}, OCT)
    assert token == signed('{"alg":"HS256"}', '{"a":[1],"b":"\\u003c"}')
    assert sign(HS256, {}, {"keys": [OCT]}) == signed('{"alg":"HS256"}', "{}")
    assert sign_raw(' {"alg" : "HS256"}', "{ }", dumps(OCT)) == signed(' {"alg" : "HS256"}', "{ }")


def test_random_signatures_are_one_a_query_and_logged_without_the_key() -> None:
    context = Evaluation(now_ns=NOW_NS)
    jwk = private_jwk(elliptic("leaf"))
    token = sign({"alg": "ES256"}, {}, jwk, context)
    assert sign({"alg": "ES256"}, {}, jwk, context) == token
    [answer] = context.answers
    digest = hashlib.sha256(dumps(jwk).encode()).hexdigest()
    assert answer.operands == ('{"alg":"ES256"}', "{}", f"sha256:{digest}")
    assert sign(HS256, {}, OCT, context)
    assert len(context.answers) == 1


RAW = dumps(OCT)
UNSIGNABLE: list[tuple[Any, Any, Any, str]] = [
    (
        "",
        "{}",
        RAW,
        "missing or invalid 'alg' header: cannot parse JSON: cannot parse empty string; unparsed tail: \"\"",
    ),
    ("e", "{}", RAW, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found"),
    ("{}", "{}", RAW, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found"),
    (
        '{"alg":1}',
        "{}",
        RAW,
        "missing or invalid 'alg' header: value doesn't contain string; it contains number",
    ),
    ('{"alg":"none"}', "{}", RAW, "unknown JWS algorithm: none"),
    ('{"alg":"HS256"}', "x", RAW, "type is JWT but payload is not JSON"),
    ('{"alg":"HS256","typ":"JWT"}', "", RAW, "type is JWT but payload is not JSON"),
    ('{"alg":"HS256"}', "{}", '{"keys":[]}', "no keys found in JWK set"),
    (
        '{"alg":"HS256"}',
        "{}",
        "{}",
        "jwk.Parse: failed to parse sole key: jwk.ParseKey: invalid key type from JSON ()",
    ),
    ('{"alg":"ES256"}', "{}", RAW, "jwsbb.Sign: invalid key type. *ecdsa.PrivateKey is required"),
    (1, "{}", RAW, "operand 1 must be string but got number"),
    ("{}", 1, RAW, "operand 2 must be string but got number"),
    ("{}", "{}", 1, "operand 3 must be string but got number"),
]


@pytest.mark.parametrize(("header", "payload", "key", "message"), UNSIGNABLE)
def test_what_cannot_be_signed(header: Any, payload: Any, key: Any, message: str) -> None:
    assert sign_raw(header, payload, key) == Error(message)


def number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


def test_enormous_keys_are_refused_at_once() -> None:
    """Looking for the factors of such a number, or checking given ones, would take minutes."""
    n = (1 << 65_537) + 1
    huge = {"kty": "RSA", "n": number(n), "e": "AQAB"}
    assert verify("RS256", token_of("RS256"), dumps(huge)) is False
    refusal = Error("jwsbb.Sign: invalid key type. *rsa.PrivateKey is required")
    assert sign({"alg": "RS256"}, {}, huge | {"d": number(n - 4)}) == refusal
    assert sign({"alg": "RS256"}, {}, public_jwk(rsa_key()) | {"d": "AQAB", "p": "Aw", "q": "BQ"}) == refusal


def test_a_type_that_is_not_jwt_may_hold_any_text() -> None:
    header = '{"alg":"HS256","typ":"text"}'
    assert sign_raw(header, "x", RAW) == signed(header, "x")


@given(st.text(alphabet="ab.-_=!eyJ", max_size=30))
def test_any_text_is_a_token_or_a_refusal(token: str) -> None:
    got = outcome(TABLE, "io.jwt.decode", token)
    assert isinstance(got, Error) or dumps(got)
    got = verify("HS256", token, SECRET)
    assert got is False or isinstance(got, Error)


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_no_changed_token_verifies(place: int, char: str) -> None:
    changed = f"{GOOD[:place]}{char}{GOOD[place + 1 :]}"
    got = decode_verify(changed, secret=SECRET)
    if changed.rpartition(".")[0] != GOOD.rpartition(".")[0]:
        assert isinstance(got, Error) or got == UNVERIFIED
