"""Signed bundles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from packing import message

from procurator.data.bundle import bundle_of, read_bundle
from procurator.data.signatures import Verification, VerificationKey, hashed_text
from procurator_rules.errors import PolicyError

RSA = rsa.generate_private_key(65537, 2048)
CURVED = {
    "ES256": ec.derive_private_key(7, ec.SECP256R1()),
    "ES384": ec.derive_private_key(7, ec.SECP384R1()),
    "ES512": ec.derive_private_key(7, ec.SECP521R1()),
}
SECRET = "a secret that is long enough for every digest, as 64 bytes are what SHA-512 wants"
FILES = {"data.json": b'{"b": 1.50, "a": "<\xc3\xa9>"}', "p.rego": b"package p\n", ".manifest": b"{}"}
CANONICAL = {"data.json": '{"a":"<é>","b":1.50}'.encode()}


def digest(name: str, content: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, CANONICAL.get(name, content)).hexdigest()


def listed(files: dict[str, bytes] | None = None) -> list[dict[str, str]]:
    chosen = FILES if files is None else files
    return [{"name": name, "hash": digest(name, text), "algorithm": "SHA-256"} for name, text in chosen.items()]


def signatures(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", kid: str | None = "k") -> bytes:
    headers = {"kid": kid} if kid else {}
    return json.dumps({"signatures": [jwt.encode(claims, key, algorithm, headers)]}).encode()


def pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


HS256 = Verification({"k": VerificationKey(SECRET, "HS256")})
SIGNED = FILES | {".signatures.json": signatures({"files": listed()})}


def outcome(files: dict[str, bytes], verification: Verification | None = HS256) -> str:
    """The message of the refusal, or the empty string."""
    try:
        bundle_of(files, "x", verification=verification)
    except PolicyError as error:
        return message(error)
    return ""


ALGORITHMS = [
    *[(f"HS{size}", SECRET, SECRET) for size in (256, 384, 512)],
    *[(f"{family}{size}", RSA, pem(RSA)) for family in ("RS", "PS") for size in (256, 384, 512)],
    *[(name, key, pem(key)) for name, key in CURVED.items()],
]


@pytest.mark.parametrize(("algorithm", "private", "public"), ALGORITHMS, ids=[case[0] for case in ALGORITHMS])
def test_algorithms(algorithm: str, private: Any, public: str) -> None:
    files = FILES | {".signatures.json": signatures({"files": listed()}, private, algorithm)}
    good = Verification({"k": VerificationKey(public, algorithm)})
    assert outcome(files, good) == ""
    other = "HS512" if algorithm != "HS512" else "HS256"
    assert outcome(files, Verification({"k": VerificationKey(public, other)})) == (
        "load_error: failed to verify JWT signature"
    )


def test_the_algorithm_is_the_keys() -> None:
    """A token by HMAC with the text of the public key is no signature of that key."""
    files = FILES | {".signatures.json": signatures({"files": listed()}, "x" * 64)}
    verification = Verification({"k": VerificationKey(pem(RSA), "RS256")})
    assert outcome(files, verification) == "load_error: failed to verify JWT signature"


DIGESTS = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-224": "sha224",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA-512-224": "sha512_224",
    "SHA-512-256": "sha512_256",
}


@pytest.mark.parametrize(("name", "algorithm"), DIGESTS.items())
def test_digests(name: str, algorithm: str) -> None:
    files = [{"name": path, "hash": digest(path, text, algorithm), "algorithm": name} for path, text in FILES.items()]
    assert outcome(FILES | {".signatures.json": signatures({"files": files})}) == ""


def test_scopes() -> None:
    files = FILES | {".signatures.json": signatures({"files": listed(), "scope": "write"})}
    key = VerificationKey(SECRET, "HS256")
    assert outcome(files) == "load_error: scope mismatch"
    assert outcome(files, Verification({"k": key}, scope="write")) == ""
    assert outcome(files, Verification({"k": VerificationKey(SECRET, "HS256", "write")})) == ""
    assert outcome(SIGNED, Verification({"k": key}, scope="write")) == "load_error: scope mismatch"


def test_which_key() -> None:
    key = VerificationKey(SECRET, "HS256")
    nameless = FILES | {".signatures.json": signatures({"files": listed()}, kid=None)}
    claimed = FILES | {".signatures.json": signatures({"files": listed(), "keyid": "k"}, kid=None)}
    assert outcome(nameless) == "load_error: verification key ID is empty"
    assert outcome(nameless, Verification({"k": key}, key_id="k")) == ""
    assert outcome(claimed) == ""
    unknown = "load_error: verification key corresponding to ID k not found"
    assert outcome(SIGNED, Verification({"other": key})) == unknown


Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def signed_as(claims: dict[str, Any]) -> Change:
    return lambda files: files | {".signatures.json": signatures(claims)}


def replaced(**texts: Any) -> Change:
    return lambda files: files | {".signatures.json": json.dumps(texts).encode()}


TOKEN = json.loads(SIGNED[".signatures.json"])["signatures"][0]
LISTED = listed()
OTHER = b"package q\n"
CHANGES: list[tuple[str, Change, str]] = [
    ("other spaces and order", lambda files: files | {"data.json": '{"a":"<é>",\n"b":1.50}'.encode()}, ""),
    (
        "other data",
        lambda files: files | {"data.json": b"{}"},
        f"data.json: digest mismatch (want: {LISTED[0]['hash']}, got: {hashlib.sha256(b'{}').hexdigest()})",
    ),
    (
        "other policy",
        lambda files: files | {"p.rego": OTHER},
        f"p.rego: digest mismatch (want: {LISTED[1]['hash']}, got: {hashlib.sha256(OTHER).hexdigest()})",
    ),
    ("extra", lambda files: files | {"q.rego": b""}, "file q.rego not included in bundle signature"),
    ("extra of no kind", lambda files: files | {"README": b""}, "file README not included in bundle signature"),
    (
        "missing",
        lambda files: {name: text for name, text in files.items() if name != "p.rego"},
        "file(s) [p.rego] specified in bundle signatures but not found in the target bundle",
    ),
    ("no signature", lambda _: FILES, "bundle missing .signatures.json file"),
    ("no tokens", replaced(signatures=[]), ".signatures.json: missing JWT (expected exactly one)"),
    (
        "two tokens",
        replaced(signatures=[TOKEN, TOKEN]),
        ".signatures.json: multiple JWTs not supported (expected exactly one)",
    ),
    ("another plugin", replaced(signatures=[TOKEN], plugin="p"), "no verifier exists under id p"),
    ("the usual plugin", replaced(signatures=[TOKEN], plugin="_default"), ""),
    ("no token", replaced(signatures=["a.b"]), "failed to split compact JWT: invalid number of segments"),
    (
        "no strings",
        replaced(signatures=[1]),
        "bundle load failed on signatures decode: signatures must be strings",
    ),
    (
        "no digest",
        signed_as({"files": [each | {"algorithm": ""} for each in LISTED]}),
        "no hashing algorithm provided for file data.json",
    ),
    (
        "unknown digest",
        signed_as({"files": [each | {"algorithm": "CRC"} for each in LISTED]}),
        "unsupported hashing algorithm: CRC",
    ),
    ("bad list", signed_as({"files": 1}), "bad signature: `files` must be an array"),
    ("bad member", signed_as({"files": [{"name": 1}]}), "bad signature: `name` must be a string"),
]


@pytest.mark.parametrize(("change", "text"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_changes(change: Change, text: str) -> None:
    assert outcome(change(SIGNED)) == (f"load_error: {text}" if text else "")


def test_the_signature_of_a_folder_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("sub/bundle")
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    named = [each | {"name": f"sub/bundle/{each['name']}"} for each in listed()]
    (folder / ".signatures.json").write_bytes(signatures({"files": named}))
    assert read_bundle("./sub/bundle/", verification=HS256).data == {"a": "<é>", "b": 1.5}
    (folder / "README").write_text("extra")
    with pytest.raises(PolicyError) as caught:
        read_bundle(folder, verification=HS256)
    assert caught.value.message == "file sub/bundle/README not included in bundle signature"
    monkeypatch.chdir(folder)
    with pytest.raises(PolicyError):
        read_bundle(".", verification=HS256)


def test_two_signature_files() -> None:
    text = 'load_error: bundle contains multiple signatures files: ".signatures.json" and "a/.signatures.json"'
    assert outcome(SIGNED | {"a/.signatures.json": b"{}"}) == text


def test_a_signed_bundle_needs_a_key() -> None:
    assert outcome(SIGNED, None) == "load_error: verification key not provided"


def test_files_can_be_excluded() -> None:
    key = VerificationKey(SECRET, "HS256")
    files = SIGNED | {"notes/a.txt": b"", "p.rego": b"package changed\n"}
    assert outcome(files, Verification({"k": key}, exclude=("notes/*", "*.rego"))) == ""
    deeper = files | {"notes/b/c.txt": b""}
    text = "load_error: file notes/b/c.txt not included in bundle signature"
    assert outcome(deeper, Verification({"k": key}, exclude=("notes/*", "*.rego"))) == text


def test_bad_keys() -> None:
    bad = Verification({"k": VerificationKey("no key", "RS256")})
    assert outcome(SIGNED, bad).startswith("load_error: bad verification key: failed to parse a JWK key (set): ")
    unknown = Verification({"k": VerificationKey(SECRET, "none")})
    assert outcome(SIGNED, unknown) == "load_error: unknown signature algorithm: none"


HASHED = [
    ("p.rego", b"package p\r\n", b"package p\r\n"),
    ("a/data.json", b'{"b": [1e3, -0, 1.0],\n "a": "\\u2028<\\n"}', b'{"a":"\\u2028<\\n","b":[1e3,-0,1.0]}'),
    ("other.json", b'{"b": 1}', b'{"b": 1}'),
    (".manifest", b'{"roots": ["b", "a"], "a": null}', b'{"a":null,"roots":["b","a"]}'),
    ("data.yaml", b"b: yes\na: [1, ~]", b'{"a":[1,null],"b":"yes"}'),
]


@pytest.mark.parametrize(("path", "content", "wanted"), HASHED)
def test_what_is_hashed(path: str, content: bytes, wanted: bytes) -> None:
    assert hashed_text(path, content) == wanted


@given(st.integers(0, len(SIGNED[".signatures.json"]) - 1), st.characters(codec="ascii"))
def test_a_changed_signature_changes_nothing_or_is_refused(place: int, char: str) -> None:
    text = SIGNED[".signatures.json"].decode()
    changed = f"{text[:place]}{char}{text[place + 1 :]}"
    got = outcome(SIGNED | {".signatures.json": changed.encode()})
    assert got == "" or got.startswith("load_error: ")
    if TOKEN not in changed:
        assert got or json.loads(changed)["signatures"][0].rpartition(".")[0] == TOKEN.rpartition(".")[0]
