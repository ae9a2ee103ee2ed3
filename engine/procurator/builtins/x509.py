"""The `crypto.*` built-ins about certificates, certificate requests and keys."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

from procurator.builtins.encoding import base64_decode
from procurator.builtins.operands import BuiltinError, object_, string
from procurator.builtins.text_bytes import to_bytes
from procurator.runtime.context import Evaluation
from procurator.values import Key, Set, Value

_BEGIN: Final = "-----BEGIN"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INT64: Final = range(-(1 << 63), 1 << 63)
USAGES: Final = (
    "Any",
    "ServerAuth",
    "ClientAuth",
    "CodeSigning",
    "EmailProtection",
    "IPSECEndSystem",
    "IPSECTunnel",
    "IPSECUser",
    "TimeStamping",
    "OCSPSigning",
    "MicrosoftServerGatedCrypto",
    "NetscapeServerGatedCrypto",
    "MicrosoftCommercialCodeSigning",
    "MicrosoftKernelCodeSigning",
)


def _part(name: str) -> Any:
    """A part of the implementation; those parts bring the cryptography library, which is slow to import."""
    return import_module(f"procurator.builtins._x509.{name}")


# Certificates


def _certificates(text: str) -> Any:
    """The certificates of a PEM text, of base64 around one, or of base64 around DER."""
    content = to_bytes(text if text.startswith(_BEGIN) else base64_decode(text))
    if not content.startswith(_BEGIN.encode()):
        return _part("certificate").certificates(content)
    joined = b""
    for block in _part("pem").blocks(content):
        if block.kind != "CERTIFICATE":
            raise BuiltinError(f"PEM block type is '{block.kind}', expected CERTIFICATE")
        joined += block.content
    return _part("certificate").certificates(joined)


def _with_uris(certificate: Any) -> Value:
    return certificate.fields | {"URIStrings": [text for text, _ in certificate.urls] or None}


def parse_certificates(text: Value) -> Value:
    """The certificates of a text."""
    return [_with_uris(certificate) for certificate in _certificates(string(text, 1))]


def parse_and_verify_certificates(context: Evaluation, text: Value) -> Value:
    """Whether the certificates of a text, from root to leaf, form a good chain, and the chain."""
    chain = _verified(string(text, 1), context, {})
    return [False, []] if chain is None else [True, [_with_uris(certificate) for certificate in chain]]


def parse_and_verify_certificates_with_options(context: Evaluation, text: Value, options: Value) -> Value:
    """The same, with a host name, a time and purposes to verify for."""
    chain = _verified(string(text, 1), context, object_(options, 2))
    return [False, []] if chain is None else [True, [certificate.fields for certificate in chain]]


def _verified(text: str, context: Evaluation, options: dict[Key, Value]) -> Any:
    try:
        found = _certificates(text)
    except BuiltinError:
        return None
    demands: dict[str, Any] = {"now": _EPOCH + timedelta(microseconds=context.now_ns // 1000)}
    for name, value in options.items():
        if isinstance(name, str):
            demands |= _option(name, value)
    return _part("verify").chain(found, _part("verify").Demands(**demands)) if len(found) > 1 else None


def _option(name: str, value: Value) -> dict[str, Any]:
    read = OPTIONS.get(name)
    if read is None:
        raise BuiltinError("invalid key option")
    return read(value)


def _dns_name(value: Value) -> dict[str, Any]:
    if not isinstance(value, str):
        raise BuiltinError("'DNSName' should be a string")
    return {"dns_name": value.strip('"')}


def _current_time(value: Value) -> dict[str, Any]:
    nanoseconds = _whole(value, "'CurrentTime' should be a number", "'CurrentTime' should be a valid int64 number")
    return {"now": _EPOCH + timedelta(microseconds=nanoseconds // 1000)}


def _max_comparisons(value: Value) -> dict[str, Any]:
    name = "'MaxConstraintComparisons'"
    _whole(value, f"{name} should be a number", f"{name} should be a valid number")
    return {}  # Go reads it and counts on its own


def _whole(value: Value, no_number: str, no_integer: str) -> int:
    if isinstance(value, bool | str | list | dict | Set) or value is None:
        raise BuiltinError(no_number)
    if not isinstance(value, int) or value not in _INT64:
        raise BuiltinError(no_integer)
    return value


def _key_usages(value: Value) -> dict[str, Any]:
    if not isinstance(value, list | Set):
        raise BuiltinError("'KeyUsages' should be an Array or Set")
    names = [each.strip('"').removeprefix("KeyUsage") for each in value if isinstance(each, str)]
    unknown = [each.strip('"') for each in value if isinstance(each, str) and _usage(each) is None]
    if unknown:
        raise BuiltinError(f"invalid entries for 'KeyUsages' found: [{' '.join(unknown)}]")
    return {"usages": tuple(map(USAGES.index, names))} if names else {}


def _usage(text: str) -> str | None:
    name = text.strip('"')
    return name if name.startswith("KeyUsage") and name.removeprefix("KeyUsage") in USAGES else None


OPTIONS: Final[Mapping[str, Callable[[Value], dict[str, Any]]]] = {
    "DNSName": _dns_name,
    "CurrentTime": _current_time,
    "MaxConstraintComparisons": _max_comparisons,
    "KeyUsages": _key_usages,
}


def parse_certificate_request(text: Value) -> Value:
    """The certificate request in PEM, or in base64 around PEM or DER."""
    source = string(text, 1)
    content = to_bytes(source if source.startswith(f"{_BEGIN} CERTIFICATE REQUEST-----") else base64_decode(source))
    block = _part("pem").first(content)
    if block and block.kind != "CERTIFICATE REQUEST":
        raise BuiltinError("invalid PEM-encoded certificate signing request")
    return _part("certificate").request(block.content if block else content)


# Keys


def parse_rsa_private_key(text: Value) -> Value:
    """The first private key of a PEM text, or of base64 around one, as a JWK."""
    source = string(text, 1)
    if not source:
        raise BuiltinError("input PEM data was empty")
    content = to_bytes(source if source.startswith(_BEGIN) else base64_decode(source))
    found = _part("keys").private_keys(content)
    return import_module("procurator.builtins._jose.jwk").from_key(found[0]) if found else None


def parse_private_keys(text: Value) -> Value:
    """The private keys of a PEM text, or of base64 around one."""
    source = string(text, 1)
    if not source:
        return None
    with suppress(BuiltinError):  # PEM is no base64
        source = base64_decode(source)
    keys = _part("keys")
    return [keys.key_json(key) for key in keys.private_keys(to_bytes(source))]


def parse_keypair(certificate: Value, key: Value) -> Value:
    """A certificate with its chain and the private key that goes with it."""
    chain = _pair_blocks(string(certificate, 1), "CERTIFICATE")
    key_blocks = _pair_blocks(string(key, 1), "PRIVATE KEY")
    contents = [block.content for block in chain if block.kind == "CERTIFICATE"]
    if not contents:
        raise BuiltinError(_missing_certificate([block.kind for block in chain]))
    private = next((block for block in key_blocks if block.kind.endswith("PRIVATE KEY")), None)
    if private is None:
        raise BuiltinError(_missing_key([block.kind for block in key_blocks]))
    leaf = _part("certificate").single(contents[0])
    keys = _part("keys")
    found = keys.private_key(private.content)
    _check_pair(leaf.key, found.public_key())
    return {
        "Certificate": [b64encode(content).decode() for content in contents],
        "PrivateKey": keys.key_json(found),
        "Leaf": leaf.fields,
        "OCSPStaple": None,
        "SignedCertificateTimestamps": None,
        "SupportedSignatureAlgorithms": None,
    }


def _pair_blocks(source: str, kind: str) -> Any:
    """The blocks of PEM, of base64 around PEM, or the one block that base64 around DER stands for."""
    pem = _part("pem")
    content = to_bytes(source if source.startswith(f"{_BEGIN} ") else base64_decode(source))
    return list(pem.blocks(content)) if content.startswith(_BEGIN.encode()) else [pem.Block(kind, content, b"")]


def _missing_certificate(kinds: list[str]) -> str:
    if not kinds:
        return "tls: failed to find any PEM data in certificate input"
    if len(kinds) == 1 and kinds[0].endswith("PRIVATE KEY"):
        swapped = "but did find a private key; PEM inputs may have been switched"
        return f"tls: failed to find certificate PEM data in certificate input, {swapped}"
    found = f"after skipping PEM blocks of the following types: [{' '.join(kinds)}]"
    return f'tls: failed to find "CERTIFICATE" PEM block in certificate input {found}'


def _missing_key(kinds: list[str]) -> str:
    if not kinds:
        return "tls: failed to find any PEM data in key input"
    if kinds == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    found = f"after skipping PEM blocks of the following types: [{' '.join(kinds)}]"
    return f'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input {found}'


def _check_pair(certified: Any, own: Any) -> None:
    if not hasattr(own, "verify"):
        raise BuiltinError("tls: found unknown private key type in PKCS#8 wrapping")
    if type(certified) is not type(own):
        raise BuiltinError("tls: private key type does not match public key type")
    if certified != own:
        raise BuiltinError("tls: private key does not match public key")


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "crypto.x509.parse_certificates": parse_certificates,
    "crypto.x509.parse_certificate_request": parse_certificate_request,
    "crypto.x509.parse_keypair": parse_keypair,
    "crypto.x509.parse_rsa_private_key": parse_rsa_private_key,
    "crypto.parse_private_keys": parse_private_keys,
}

CONTEXT_TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "crypto.x509.parse_and_verify_certificates": parse_and_verify_certificates,
    "crypto.x509.parse_and_verify_certificates_with_options": parse_and_verify_certificates_with_options,
}
