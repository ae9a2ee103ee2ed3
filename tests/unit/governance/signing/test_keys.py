"""Keys: one spelling and one thumbprint for each, the algorithm pinned, no secrets where a public key is wanted."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from delegations import ed25519, p256
from procurator.governance.refusals import Refused
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import (
    PrivateKey,
    PublicKey,
    generate,
    load_private,
    load_public,
    private_from_jwk,
    private_of,
    public_from_jwk,
    public_of,
    write_private,
)

# RFC 8037, appendix A
ED_PRIVATE = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
ED_PUBLIC = {name: ED_PRIVATE[name] for name in ("kty", "crv", "x")}
ED_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
# RFC 7515, appendix A.3
EC_PRIVATE = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
EC_PUBLIC = {name: EC_PRIVATE[name] for name in ("kty", "crv", "x", "y")}


def refusal(function: Any, *arguments: Any) -> str:
    """What a refusal says, with its reason."""
    with pytest.raises(Refused) as caught:
        function(*arguments)
    return str(caught.value)


def test_thumbprints_are_those_of_the_standards() -> None:
    """RFC 8037 prints that of its key."""
    assert public_from_jwk(ED_PUBLIC).jkt == ED_THUMBPRINT


@pytest.mark.parametrize(("jwk", "alg"), [(ED_PRIVATE, "EdDSA"), (EC_PRIVATE, "ES256")])
def test_a_key_signs_and_verifies_by_its_own_algorithm(jwk: dict[str, str], alg: str) -> None:
    """Of other data, and of a signature that was changed, nothing is verified."""
    key = private_from_jwk(jwk)
    signature = key.sign(b"data")
    assert (key.public.alg, len(signature)) == (alg, 64)
    verified = [
        key.public.verify(given, data)
        for given, data in ((signature, b"data"), (signature, b"date"), (signature[:-1], b"data"), (b"", b"data"))
    ]
    assert verified == [True, False, False, False]


def test_a_signature_of_the_standards_is_verified() -> None:
    """RFC 8037, appendix A.4."""
    signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    assert public_from_jwk(ED_PUBLIC).verify(base64url.decode(signature), signed)


@pytest.mark.parametrize(
    ("jwk", "detail"),
    [
        ("text", "a key is written as a JSON object"),
        (None, "a key is written as a JSON object"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "a public key has no member `k`"),
        ({"kty": "oct"}, "only Ed25519 keys (`OKP`) and keys on the curve P-256 (`EC`) may be used"),
        (
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            "only Ed25519 keys (`OKP`) and keys on the curve P-256 (`EC`) may be used",
        ),
        (EC_PUBLIC | {"crv": "P-384"}, "only Ed25519 keys (`OKP`) and keys on the curve P-256 (`EC`) may be used"),
        (ED_PUBLIC | {"crv": "X25519"}, "only Ed25519 keys (`OKP`) and keys on the curve P-256 (`EC`) may be used"),
        (ED_PUBLIC | {"kty": ["OKP"]}, "only Ed25519 keys (`OKP`) and keys on the curve P-256 (`EC`) may be used"),
        (ED_PRIVATE, "a public key has no member `d`"),
        (ED_PUBLIC | {"y": ED_PUBLIC["x"]}, "unknown member `y` of a key"),
        (ED_PUBLIC | {"x5u": "https://a.example"}, "unknown member `x5u` of a key"),
        (ED_PUBLIC | {"alg": "HS256"}, "a key of this kind is for `EdDSA` alone"),
        (EC_PUBLIC | {"alg": "EdDSA"}, "a key of this kind is for `ES256` alone"),
        (ED_PUBLIC | {"use": "enc"}, "the key is not for signatures"),
        (ED_PUBLIC | {"key_ops": ["sign"]}, "the key is not for verifying"),
        (ED_PUBLIC | {"key_ops": "verify"}, "the key is not for verifying"),
        (ED_PUBLIC | {"x": ED_PUBLIC["x"] + "="}, "member `x` of a key is not 32 bytes in base64url"),
        (ED_PUBLIC | {"x": ED_PUBLIC["x"][:-1] + "p"}, "member `x` of a key is not 32 bytes in base64url"),
        (ED_PUBLIC | {"x": ED_PUBLIC["x"][:-2]}, "member `x` of a key is not 32 bytes in base64url"),
        (ED_PUBLIC | {"x": 1}, "member `x` of a key is not 32 bytes in base64url"),
        (EC_PUBLIC | {"y": EC_PUBLIC["x"]}, "the key is no point of its curve"),
        (
            EC_PUBLIC | {"x": base64url.encode(bytes(32)), "y": base64url.encode(bytes(32))},
            "the key is no point of its curve",
        ),
    ],
)
def test_what_is_no_key_of_an_agent_is_refused(jwk: Any, detail: str) -> None:
    """Shared secrets, other kinds and other spellings."""
    assert refusal(public_from_jwk, jwk) == f"key_not_allowed: {detail}"


@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18])
@pytest.mark.parametrize("sign", [0, 1])
def test_keys_that_anybody_can_sign_for_are_refused(y: int, sign: int) -> None:
    """Points of small order, and second spellings of points."""
    x = base64url.encode((y | sign << 255).to_bytes(32, "little"))
    detail = "the key is no point that only its holder can sign for"
    assert refusal(public_from_jwk, ED_PUBLIC | {"x": x}) == f"key_not_allowed: {detail}"


def test_descriptions_of_a_key_are_not_part_of_it() -> None:
    """Two spellings of one key are equal and have one thumbprint."""
    described = public_from_jwk(ED_PUBLIC | {"kid": "a", "use": "sig", "alg": "EdDSA", "key_ops": ["verify"]})
    assert described == public_from_jwk(ED_PUBLIC)
    assert described.jwk == ED_PUBLIC


def test_other_keys_of_the_library_are_refused() -> None:
    """A key is looked at by what it is."""
    others = [Ed448PrivateKey.generate(), generate_ec(SECP384R1()), generate_rsa(65537, 2048)]
    private = "key_not_allowed: only Ed25519 keys and keys on the curve P-256 may be used"
    assert [refusal(private_of, key) for key in others] == [private] * 3
    assert [refusal(public_of, key.public_key()) for key in others] == [private] * 3
    assert refusal(generate, "HS256") == "key_not_allowed: no keys are made for the algorithm `HS256`"


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_a_key_is_written_for_its_owner_alone_and_read_again(alg: str, tmp_path: Path) -> None:
    """A file that is there is not written over."""
    key = generate(alg)
    write_private(tmp_path / "key.pem", key)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert load_private(tmp_path / "key.pem").public == key.public
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key.pem", key)


@pytest.mark.parametrize("jwk", [ED_PRIVATE, EC_PRIVATE])
def test_keys_are_read_from_jwk_files(jwk: dict[str, str], tmp_path: Path) -> None:
    """Private and public ones, told apart."""
    (tmp_path / "private.json").write_text(json.dumps(jwk))
    public = {name: value for name, value in jwk.items() if name != "d"}
    (tmp_path / "public.json").write_text(f" {json.dumps(public)}\n")
    assert load_private(tmp_path / "private.json").public == load_public(tmp_path / "public.json")
    assert refusal(load_public, tmp_path / "private.json") == "key_not_allowed: a public key has no member `d`"
    detail = "member `d` of a key is not 32 bytes in base64url"
    assert refusal(load_private, tmp_path / "public.json") == f"key_not_allowed: {detail}"


def test_a_private_key_has_to_be_that_of_its_public_half() -> None:
    """Or signatures would be said to be of somebody else."""
    detail = "the two halves of the key do not belong together"
    wrong = ED_PRIVATE | {"d": base64url.encode(bytes(32))}
    assert refusal(private_from_jwk, wrong) == f"key_not_allowed: {detail}"
    nothing = EC_PRIVATE | {"d": base64url.encode(bytes(32))}
    assert refusal(private_from_jwk, nothing) == "key_not_allowed: member `d` is no key of the curve"


def test_files_without_a_key_are_refused(tmp_path: Path) -> None:
    """An encrypted key, a public one for a private one, JSON that is none, and another kind."""
    rsa = generate_rsa(65537, 2048)
    encrypted = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    texts = {
        "encrypted": encrypted,
        "rsa": rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "public": rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "json": b"{",
        "nothing": b"",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    no_private = "key_not_allowed: the file holds no private key in PEM, or an encrypted one"
    no_public = "key_not_allowed: the file holds no public key in PEM"
    kind = "key_not_allowed: only Ed25519 keys and keys on the curve P-256 may be used"
    json_wrong = "key_not_allowed: the file holds no JSON"
    assert {name: refusal(load_private, tmp_path / name) for name in texts} == {
        "encrypted": no_private,
        "rsa": kind,
        "public": no_private,
        "json": json_wrong,
        "nothing": no_private,
    }
    assert {name: refusal(load_public, tmp_path / name) for name in texts} == {
        "encrypted": no_public,
        "rsa": no_public,
        "public": kind,
        "json": json_wrong,
        "nothing": no_public,
    }


def test_a_public_key_is_read_from_pem(tmp_path: Path) -> None:
    """As other tools write it."""
    key = Ed448PrivateKey.generate().public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "ed448.pem").write_bytes(pem)
    kind = "key_not_allowed: only Ed25519 keys and keys on the curve P-256 may be used"
    assert refusal(load_public, tmp_path / "ed448.pem") == kind


def test_the_secret_is_not_shown() -> None:
    """Neither by `repr` nor by `str`; the public half is."""
    for key in (ed25519("a"), p256("a")):
        assert repr(key) == f"PrivateKey(public={key.public!r})"
        assert repr(key.public) == f"PublicKey(alg={key.public.alg!r}, jkt={key.public.jkt!r}, jwk={key.public.jwk!r})"
        assert isinstance(key, PrivateKey)
        assert isinstance(key.public, PublicKey)


@pytest.mark.parametrize("text", ["YQ==", "YR", "YQ\n", "Y Q", "+_-w", "a", "\u0430bcd", "Y*Q"])
def test_base64url_has_one_spelling(text: str) -> None:
    """Padding, other alphabets, white space and bits that say nothing are refused."""
    with pytest.raises(ValueError, match=r"."):
        base64url.decode(text)


def test_base64url_is_read_and_written() -> None:
    """Of every length."""
    for length in range(20):
        data = bytes(range(250 - length, 250))
        assert base64url.decode(base64url.encode(data)) == data
