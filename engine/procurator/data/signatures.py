"""Signed bundles: the `.signatures.json` file checked against keys, and every other file against it."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from procurator.builtins.glob import GlobError, compile_glob
from procurator.builtins.operands import BuiltinError
from procurator.builtins.re2_patterns import PatternError
from procurator.data.documents import read_yaml
from procurator.data.problems import load_error
from procurator.values import Value, dumps
from procurator_rules.parser import decode

SIGNATURES: Final = ".signatures.json"
DEFAULT_PLUGIN: Final = "_default"
HASHES: Final[Mapping[str, str]] = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA-512-224": "sha512_224",
    "SHA-512-256": "sha512_256",
}
_YAML: Final = ("data.yaml", "data.yml")
_STRUCTURED: Final = ("data.json", ".manifest", *_YAML)
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True)
class VerificationKey:
    """A key: a PEM public key or certificate, or the secret of an HS algorithm."""

    key: str
    algorithm: str = "RS256"
    scope: str = ""


@dataclass(frozen=True)
class Verification:
    """What a bundle's signature is checked with. The algorithm is the key's, never the token's."""

    keys: Mapping[str, VerificationKey]
    key_id: str = ""
    """The key to use; if empty the one that the signature names."""
    scope: str = ""
    exclude: tuple[str, ...] = ()
    """Patterns of files that need not be signed; `*` stays within a folder."""


@dataclass(frozen=True)
class SignedFile:
    """What a signature says of a file."""

    name: str
    hash: str
    algorithm: str


def verify(files: Mapping[str, bytes], verification: Verification, name: str) -> None:
    """Refuse a bundle unless its signature holds, for each of its files and no others."""
    found = [path for path in files if path.rpartition("/")[2] == SIGNATURES]
    if not found:
        raise load_error("bundle missing .signatures.json file", name)
    if len(found) > 1:
        raise load_error(f'bundle contains multiple signatures files: "{found[0]}" and "{found[1]}"', name)
    signed = _signed_files(files[found[0]], verification, name)
    for path, content in files.items():
        if path == found[0]:
            continue
        if _excluded(path, verification):
            signed.pop(path, None)
        else:
            _check(path, content, signed, name)
    if signed:
        listed = " ".join(sorted(signed))
        raise load_error(f"file(s) [{listed}] specified in bundle signatures but not found in the target bundle", name)


def _excluded(path: str, verification: Verification) -> bool:
    try:
        return any(compile_glob(pattern, "/").search(path.encode()) for pattern in verification.exclude)
    except (GlobError, PatternError) as error:
        raise load_error(f"bad pattern of files to exclude: {error}") from None


def _check(path: str, content: bytes, signed: dict[str, SignedFile], name: str) -> None:
    if path not in signed:
        raise load_error(f"file {path} not included in bundle signature", name)
    told = signed.pop(path)
    if not told.algorithm:
        raise load_error(f"no hashing algorithm provided for file {path}", name)
    if told.algorithm not in HASHES:
        raise load_error(f"unsupported hashing algorithm: {told.algorithm}", name)
    digest = hashlib.new(HASHES[told.algorithm], hashed_text(path, content), usedforsecurity=False).hexdigest()
    if digest != told.hash.lower():
        raise load_error(f"{path}: digest mismatch (want: {told.hash.lower()}, got: {digest})", name)


# The token


def _signed_files(content: bytes, verification: Verification, name: str) -> dict[str, SignedFile]:
    config = _object(_json(decode(content, f"{name}/{SIGNATURES}"), SIGNATURES, name), SIGNATURES, name)
    plugin = config.get("plugin") or DEFAULT_PLUGIN
    if plugin != DEFAULT_PLUGIN:
        raise load_error(f"no verifier exists under id {plugin}", name)
    tokens = config.get("signatures") or []
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise load_error("bundle load failed on signatures decode: signatures must be strings", name)
    if len(tokens) != 1:
        problem = "multiple JWTs not supported" if tokens else "missing JWT"
        raise load_error(f"{SIGNATURES}: {problem} (expected exactly one)", name)
    payload = _verified_payload(tokens[0], verification, name)
    files = [_signed_file(each, name) for each in _listed(payload, name)]
    return {file.name: file for file in files}


def _verified_payload(token: str, verification: Verification, name: str) -> dict[str, Value]:
    parts = token.split(".")
    if len(parts) != 3 or not all(_SEGMENT.fullmatch(part) for part in parts):
        raise load_error("failed to split compact JWT: invalid number of segments", name)
    header, payload, signature = map(_decoded, parts)
    claims = _object(_json(_utf8(payload, name), "JWT payload", name), "JWT payload", name)
    key = _key(header, claims, verification, name)
    if not _verifies(key, f"{parts[0]}.{parts[1]}".encode(), signature, name):
        raise load_error("failed to verify JWT signature", name)
    if _text(claims, "scope", name) != (verification.scope or key.scope):
        raise load_error("scope mismatch", name)
    return claims


def _key(header: bytes, claims: dict[str, Value], verification: Verification, name: str) -> VerificationKey:
    fields = _object(_json(_utf8(header, name), "JWT header", name), "JWT header", name)
    chosen = verification.key_id or _text(fields, "kid", name) or _text(claims, "keyid", name)
    if not chosen:
        raise load_error("verification key ID is empty", name)
    if chosen not in verification.keys:
        raise load_error(f"verification key corresponding to ID {chosen} not found", name)
    return verification.keys[chosen]


def _verifies(key: VerificationKey, text: bytes, signature: bytes, name: str) -> bool:
    # Most bundles are not signed, and these bring the cryptography library, which is slow to import.
    algorithms = import_module("procurator.builtins._jose.algorithms")
    if key.algorithm not in algorithms.ALGORITHMS:
        raise load_error(f"unknown signature algorithm: {key.algorithm}", name)
    if key.algorithm.startswith("HS"):
        return bool(algorithms.verifies_exactly(key.algorithm, key.key.encode(), text, signature))
    try:
        found = import_module("procurator.builtins._jose.jwk").verification_keys(key.key)
    except BuiltinError as error:
        raise load_error(f"bad verification key: {error}", name) from None
    return any(algorithms.verifies_exactly(key.algorithm, each.key, text, signature) for each in found)


def _listed(claims: dict[str, Value], name: str) -> list[Value]:
    listed = claims.get("files") or []
    if not isinstance(listed, list):
        raise load_error("bad signature: `files` must be an array", name)
    return listed


def _signed_file(value: Value, name: str) -> SignedFile:
    told = _object(value, "a signed file", name)
    return SignedFile(*[_text(told, part, name) for part in ("name", "hash", "algorithm")])


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _utf8(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise load_error("bad signature: not UTF-8", name) from None


def _json(text: str, what: str, name: str) -> Value:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise load_error(f"bundle load failed on signatures decode: {what}: {error}", name) from None


def _object(value: Value, what: str, name: str) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise load_error(f"bundle load failed on signatures decode: {what} must be an object", name)
    return value


def _text(fields: dict[str, Value], member: str, name: str) -> str:
    value = fields.get(member) or ""
    if not isinstance(value, str):
        raise load_error(f"bad signature: `{member}` must be a string", name)
    return value


# Digests


class _Literal(str):
    """A number as it is written."""

    __slots__ = ()


def hashed_text(path: str, content: bytes) -> bytes:
    """What the digest of a file is taken of: data and manifests without regard to order of keys and to spaces."""
    base = path.rpartition("/")[2]
    if base not in _STRUCTURED:
        return content
    text = decode(content, path)
    try:
        value = _written(text)
    except ValueError:
        return dumps(read_yaml(text, path)).encode()
    try:
        return _canonical(value).encode("utf-8", "replace")
    except RecursionError:
        raise load_error(f"{path}: nested too deeply") from None


def _written(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_Literal, parse_float=_Literal, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(word: str) -> None:
    raise ValueError(word)


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join([f"{_quoted(key)}:{_canonical(value[key])}" for key in sorted(value)]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, _Literal):
        return str(value)
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
