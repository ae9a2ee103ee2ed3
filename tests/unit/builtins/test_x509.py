"""`crypto.x509.*` and `crypto.parse_private_keys`."""

from __future__ import annotations

import datetime as dt
from base64 import b64decode, b64encode
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, outcome

from authorities import (
    NOW_NS,
    TRADITIONAL,
    Plan,
    certificate,
    edwards,
    elliptic,
    private_pem,
    rsa_key,
)
from procurator.builtins.x509 import CONTEXT_TABLE, TABLE
from procurator.runtime.context import Evaluation
from procurator.values import dumps

PARSE = "crypto.x509.parse_certificates"
VERIFY = "crypto.x509.parse_and_verify_certificates"
PARSE_KEYS = "crypto.parse_private_keys"
JWK = "crypto.x509.parse_rsa_private_key"
PAIR = "crypto.x509.parse_keypair"
REQUEST = "crypto.x509.parse_certificate_request"

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
AUTHORITY = Plan(authority=True)
ROOT = certificate("root", "root", AUTHORITY)
MIDDLE = certificate("middle", "root", AUTHORITY)
LEAF = certificate("leaf", "middle")


def der(pem: str) -> bytes:
    return b64decode("".join(pem.split("-----")[2].split()))


def base64(content: bytes | str) -> str:
    return b64encode(content if isinstance(content, bytes) else content.encode()).decode()


def dns(*names: str) -> tuple[x509.DNSName, ...]:
    return tuple(map(x509.DNSName, names))


# Certificates

RICH = Plan(
    authority=True,
    path_length=0,
    names=(
        *dns("example.com", "*.example.org"),
        x509.IPAddress(ip_address("10.0.0.1")),
        x509.IPAddress(ip_address("2001:db8::1")),
        x509.RFC822Name("a@example.com"),
        x509.UniformResourceIdentifier("spiffe://td/x?y=z"),
    ),
    usage="key_cert_sign",
    purposes=(SERVER, CLIENT, x509.ObjectIdentifier("1.2.3.4.5")),
    constraints=x509.NameConstraints(
        [x509.DNSName(".example.com"), x509.IPAddress(ip_network("10.0.0.0/8"))], [x509.RFC822Name("bad.com")]
    ),
    unknown_critical=True,
)

FIELDS: list[tuple[str, Any]] = [
    ("Version", 3),
    ("SerialNumber", 7),
    ("NotBefore", "2026-05-31T00:00:00Z"),
    ("NotAfter", "2026-06-02T00:00:00Z"),
    ("SignatureAlgorithm", 10),
    ("PublicKeyAlgorithm", 3),
    ("BasicConstraintsValid", True),
    ("IsCA", True),
    ("MaxPathLen", 0),
    ("MaxPathLenZero", True),
    ("DNSNames", ["example.com", "*.example.org"]),
    ("IPAddresses", ["10.0.0.1", "2001:db8::1"]),
    ("EmailAddresses", ["a@example.com"]),
    ("URIStrings", ["spiffe://td/x?y=z"]),
    (
        "URIs",
        [
            {
                "Scheme": "spiffe",
                "Opaque": "",
                "User": None,
                "Host": "td",
                "Path": "/x",
                "RawPath": "",
                "OmitHost": False,
                "ForceQuery": False,
                "RawQuery": "y=z",
                "Fragment": "",
                "RawFragment": "",
            }
        ],
    ),
    ("KeyUsage", 32),
    ("ExtKeyUsage", [1, 2]),
    ("UnknownExtKeyUsage", [[1, 2, 3, 4, 5]]),
    ("PermittedDNSDomains", [".example.com"]),
    ("PermittedDNSDomainsCritical", True),
    ("PermittedIPRanges", [{"IP": "10.0.0.0", "Mask": "/wAAAA=="}]),
    ("ExcludedEmailAddresses", ["bad.com"]),
    ("ExcludedDNSDomains", None),
    ("UnhandledCriticalExtensions", [[1, 2, 3, 4]]),
    ("CRLDistributionPoints", None),
    ("ExtraExtensions", None),
    (
        "Subject",
        {
            "CommonName": "leaf",
            "SerialNumber": "",
            **dict.fromkeys(("Country", "Organization", "OrganizationalUnit", "Locality", "Province")),
            **dict.fromkeys(("StreetAddress", "PostalCode", "ExtraNames")),
            "Names": [{"Type": [2, 5, 4, 3], "Value": "leaf"}],
        },
    ),
]


def test_a_certificate_is_shown_as_gos_struct() -> None:
    pem = certificate("leaf", "root", RICH)
    [shown] = TABLE[PARSE](pem)
    assert {field: shown[field] for field, _ in FIELDS} == dict(FIELDS)
    numbers = elliptic("leaf").public_key().public_numbers()
    assert shown["PublicKey"] == {"Curve": {}, "X": numbers.x, "Y": numbers.y}
    own = x509.load_pem_x509_certificate(pem.encode())
    assert b64decode(shown["Raw"]) == der(pem)
    assert b64decode(shown["RawTBSCertificate"]) == own.tbs_certificate_bytes
    assert b64decode(shown["Signature"]) == own.signature
    assert b64decode(shown["RawIssuer"]) == own.issuer.public_bytes()
    assert [extension["Critical"] for extension in shown["Extensions"]] == [each.critical for each in own.extensions]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (ROOT + MIDDLE, 2),
        (f"{ROOT}words between\n{MIDDLE}", 2),
        (base64(ROOT + MIDDLE), 2),
        (base64(der(ROOT) + der(MIDDLE)), 2),
        ("", 0),
        ("-----BEGIN X", 0),
    ],
)
def test_certificates_come_as_pem_or_base64(text: str, count: int) -> None:
    found = TABLE[PARSE](text)
    assert [each["Subject"]["CommonName"] for each in found] == ["root", "middle"][:count]


BROKEN = [
    ("x", "illegal base64 data at input byte 0"),
    ("AAAA", "x509: malformed certificate"),
    (private_pem(elliptic("root")), "PEM block type is 'PRIVATE KEY', expected CERTIFICATE"),
    (base64(der(ROOT)[:-4]), "x509: malformed certificate"),
    (base64(der(ROOT) + b"x"), "x509: malformed certificate"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_broken_certificates(text: str, message: str) -> None:
    assert outcome(TABLE, PARSE, text) == Error(message)


@given(st.integers(0, len(der(LEAF)) - 1), st.integers(1, 255))
def test_a_changed_byte_gives_a_certificate_or_a_refusal(place: int, change: int) -> None:
    content = bytearray(der(LEAF))
    content[place] ^= change
    got = outcome(TABLE, PARSE, base64(bytes(content)))
    assert isinstance(got, Error) or dumps(got)
    assert holds(base64(der(ROOT) + der(MIDDLE) + bytes(content)), {}) is False


# Chains


def holds(text: str, options: dict[str, Any]) -> Any:
    """Whether a chain holds, by the built-in with options."""
    got = outcome(CONTEXT_TABLE, f"{VERIFY}_with_options", Evaluation(now_ns=NOW_NS), text, options)
    return got if isinstance(got, Error) else got[0]


def verify(*pems: str, **options: Any) -> Any:
    return holds("".join(pems), options)


def middle(**plan: Any) -> str:
    return certificate("middle", "root", Plan(**{"authority": True} | plan))


def leaf(**plan: Any) -> str:
    return certificate("leaf", "middle", Plan(**plan))


def root(**plan: Any) -> str:
    return certificate("root", "root", Plan(**{"authority": True} | plan))


DAYS = dt.timedelta(days=3)
CHAINS = [
    ("plain", (ROOT, MIDDLE, LEAF), True),
    ("a stranger between", (ROOT, certificate("x", "root", AUTHORITY), MIDDLE, LEAF), True),
    ("two between, either order", (ROOT, certificate("leaf", "two"), certificate("two", "middle", AUTHORITY)), False),
    ("a link is missing", (ROOT, LEAF), False),
    ("alone", (ROOT,), False),
    ("the root itself", (ROOT, ROOT), True),
    ("signed by another", (ROOT, MIDDLE, leaf(signer="other")), False),
    ("the middle is no authority", (ROOT, middle(authority=False), LEAF), False),
    ("the middle does not say", (ROOT, middle(authority=None), LEAF), False),
    ("the root is no authority", (root(authority=False), MIDDLE, LEAF), False),
    ("expired", (ROOT, MIDDLE, leaf(starts=-2 * DAYS, ends=-DAYS)), False),
    ("not yet", (ROOT, MIDDLE, leaf(starts=DAYS, ends=2 * DAYS)), False),
    ("the middle expired", (ROOT, middle(starts=-2 * DAYS, ends=-DAYS), LEAF), False),
    ("the root expired", (root(starts=-2 * DAYS, ends=-DAYS), MIDDLE, LEAF), False),
    ("path too long", (root(path_length=0), MIDDLE, LEAF), False),
    ("path long enough", (root(path_length=1), middle(path_length=0), LEAF), True),
    ("may sign", (ROOT, middle(usage="key_cert_sign"), LEAF), True),
    ("may not sign", (ROOT, middle(usage="crl_sign"), LEAF), False),
    ("unknown demand", (ROOT, MIDDLE, leaf(unknown_critical=True)), False),
    ("unknown demand above", (ROOT, middle(unknown_critical=True), LEAF), False),
    ("a cycle", (ROOT, certificate("middle", "two", AUTHORITY), certificate("two", "middle", AUTHORITY), LEAF), False),
    ("same name, other key", (ROOT, middle(key=elliptic("other")), MIDDLE, LEAF), True),
    ("for clients only", (ROOT, MIDDLE, leaf(purposes=(CLIENT,))), False),
    ("above for clients only", (ROOT, middle(purposes=(CLIENT,)), leaf(purposes=(CLIENT, SERVER))), False),
]


@pytest.mark.parametrize(("chain", "good"), [case[1:] for case in CHAINS], ids=[case[0] for case in CHAINS])
def test_chains(chain: tuple[str, ...], good: bool) -> None:
    assert verify(*chain) is good


def test_a_good_chain_is_given_from_leaf_to_root() -> None:
    context = Evaluation(now_ns=NOW_NS)
    text = ROOT + certificate("x", "root", AUTHORITY) + MIDDLE + LEAF
    good, chain = CONTEXT_TABLE[VERIFY](context, text)
    assert good is True
    assert [each["Subject"]["CommonName"] for each in chain] == ["leaf", "middle", "root"]
    assert "URIStrings" in chain[0]
    assert CONTEXT_TABLE[VERIFY](Evaluation(now_ns=0), text) == [False, []]
    assert CONTEXT_TABLE[VERIFY](context, "x") == [False, []]
    plain = CONTEXT_TABLE[f"{VERIFY}_with_options"](context, text, {})
    assert [each["Subject"]["CommonName"] for each in plain[1]] == ["leaf", "middle", "root"]
    assert "URIStrings" not in plain[1][0]


HOSTS = [
    ("a.example.com", True),
    ("A.Example.COM.", True),
    ("b.example.com", False),
    ("x.w.com", True),
    ("x.y.w.com", False),
    ("w.com", False),
    ("10.0.0.1", True),
    ("[::1]", True),
    ("10.0.0.2", False),
    ('"a.example.com"', True),
]


@pytest.mark.parametrize(("host", "good"), HOSTS)
def test_host_names(host: str, good: bool) -> None:
    addresses = (x509.IPAddress(ip_address("10.0.0.1")), x509.IPAddress(ip_address("::1")))
    certified = leaf(names=(*dns("a.example.com", "*.w.com"), *addresses))
    assert verify(ROOT, MIDDLE, certified, DNSName=host) is good


def test_a_common_name_is_no_host() -> None:
    assert verify(ROOT, MIDDLE, LEAF, DNSName="leaf") is False


OPTIONS: list[tuple[dict[str, Any], Any]] = [
    ({"CurrentTime": NOW_NS}, True),
    ({"CurrentTime": 0}, False),
    ({"KeyUsages": ["KeyUsageClientAuth"]}, True),
    ({"KeyUsages": []}, True),
    ({"MaxConstraintComparisons": 5}, True),
    ({"DNSName": 1}, Error("'DNSName' should be a string")),
    ({"CurrentTime": "x"}, Error("'CurrentTime' should be a number")),
    ({"CurrentTime": 1.5}, Error("'CurrentTime' should be a valid int64 number")),
    ({"KeyUsages": 1}, Error("'KeyUsages' should be an Array or Set")),
    ({"KeyUsages": ["a", "KeyUsageAny", "b"]}, Error("invalid entries for 'KeyUsages' found: [a b]")),
    ({"MaxConstraintComparisons": "x"}, Error("'MaxConstraintComparisons' should be a number")),
    ({"foo": 1}, Error("invalid key option")),
]


@pytest.mark.parametrize(("options", "wanted"), OPTIONS)
def test_options(options: dict[str, Any], wanted: Any) -> None:
    assert verify(ROOT, MIDDLE, LEAF, **options) == wanted


def test_purposes_can_be_chosen() -> None:
    certified = leaf(purposes=(CLIENT,))
    assert verify(ROOT, MIDDLE, certified, KeyUsages=["KeyUsageClientAuth"]) is True
    assert verify(ROOT, MIDDLE, certified, KeyUsages=["KeyUsageAny"]) is True
    assert verify(ROOT, MIDDLE, certified, KeyUsages=["KeyUsageCodeSigning"]) is False


MAIL, URI = x509.RFC822Name, x509.UniformResourceIdentifier
NETWORK = x509.IPAddress(ip_network("10.0.0.0/8"))
# A constraint, a name, and whether it holds where it is permitted and where it is excluded.
CONSTRAINTS = [
    (x509.DNSName("example.com"), x509.DNSName("a.Example.com"), True, False),
    (x509.DNSName("example.com"), x509.DNSName("aexample.com"), False, True),
    (x509.DNSName(".example.com"), x509.DNSName("example.com"), False, True),
    (x509.DNSName("a.x.com"), x509.DNSName("*.x.com"), False, False),
    (x509.DNSName("x.com"), MAIL("a@b.c"), True, True),
    (NETWORK, x509.IPAddress(ip_address("10.1.2.3")), True, False),
    (NETWORK, x509.IPAddress(ip_address("11.1.2.3")), False, True),
    (NETWORK, x509.IPAddress(ip_address("::1")), False, True),
    (MAIL("x.com"), MAIL("b@y.x.com"), True, False),
    (MAIL("a@x.com"), MAIL("b@x.com"), False, True),
    (MAIL("a@X.com"), MAIL("a@x.com"), True, False),
    (URI("x.com"), URI("https://y.x.com:80/a"), True, False),
    (URI(".x.com"), URI("https://x.com/"), False, True),
    (URI("x.com"), URI("urn:a:b"), False, False),
    (URI("x.com"), URI("https://1.2.3.4/"), False, False),
]


@pytest.mark.parametrize(("constraint", "certified", "permitted", "excluded"), CONSTRAINTS)
def test_name_constraints(constraint: Any, certified: Any, permitted: bool, excluded: bool) -> None:
    below = leaf(names=(certified,))
    assert verify(ROOT, middle(constraints=x509.NameConstraints([constraint], None)), below) is permitted
    assert verify(ROOT, middle(constraints=x509.NameConstraints(None, [constraint])), below) is excluded


# Keys


def test_private_keys_are_shown_as_gos_structs() -> None:
    text = private_pem(rsa_key(), TRADITIONAL) + LEAF + private_pem(elliptic("leaf"), TRADITIONAL)
    shown = TABLE[PARSE_KEYS](text + private_pem(edwards()))
    numbers, point = rsa_key().private_numbers(), elliptic("leaf").private_numbers()
    public = numbers.public_numbers
    assert shown[0] == {
        "N": public.n,
        "E": public.e,
        "D": numbers.d,
        "Primes": [numbers.p, numbers.q],
        "Precomputed": {"Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp, "CRTValues": []},
    }
    coordinates = point.public_numbers
    assert shown[1] == {"Curve": {}, "X": coordinates.x, "Y": coordinates.y, "D": point.private_value}
    raw = edwards().public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    assert shown[2] == base64(bytes(range(32)) + raw)
    assert TABLE[PARSE_KEYS](base64(text)) == shown[:2]


KEY_TEXTS = [
    (PARSE_KEYS, "", None),
    (PARSE_KEYS, "x", []),
    (PARSE_KEYS, LEAF, []),
    (PARSE_KEYS, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "x509: failed to parse private key"),
    (JWK, "", "input PEM data was empty"),
    (JWK, "x", "illegal base64 data at input byte 0"),
    (JWK, "AAAA", None),
    (JWK, LEAF, None),
]


@pytest.mark.parametrize(("call", "text", "wanted"), KEY_TEXTS)
def test_texts_without_good_keys(call: str, text: str, wanted: Any) -> None:
    assert outcome(TABLE, call, text) == (Error(wanted) if isinstance(wanted, str) else wanted)


def element(tag: int, content: bytes) -> bytes:
    """A DER element with a length of four bytes."""
    return bytes([tag, 0x84]) + len(content).to_bytes(4) + content


def test_enormous_keys_are_refused_at_once() -> None:
    numbers = [b"\0", *[b"\x01" + bytes(70_000)] * 8]
    content = element(0x30, b"".join(element(2, number) for number in numbers))
    pem = f"-----BEGIN RSA PRIVATE KEY-----\n{base64(content)}\n-----END RSA PRIVATE KEY-----\n"
    assert outcome(TABLE, PARSE_KEYS, pem) == Error("x509: failed to parse private key")


def test_private_keys_become_jwks() -> None:
    public = rsa_key().public_key().public_numbers()
    jwk = TABLE[JWK](private_pem(rsa_key()))
    assert (jwk["kty"], jwk["e"], len(jwk)) == ("RSA", "AQAB", 9)
    assert int.from_bytes(b64decode(jwk["n"] + "==", altchars=b"-_")) == public.n
    curve = TABLE[JWK](base64(private_pem(elliptic("leaf"))))
    assert sorted(curve) == ["crv", "d", "kty", "x", "y"]
    assert curve["crv"] == "P-256"
    assert TABLE[JWK](private_pem(edwards())) == {
        "kty": "OKP",
        "crv": "Ed25519",
        "d": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
    }


def test_a_key_pair() -> None:
    key = private_pem(elliptic("leaf"))
    pair = TABLE[PAIR](LEAF + MIDDLE, key)
    assert pair["Certificate"] == [base64(der(LEAF)), base64(der(MIDDLE))]
    assert pair["PrivateKey"] == TABLE[PARSE_KEYS](key)[0]
    [shown] = TABLE[PARSE](LEAF)
    assert pair["Leaf"] | {"URIStrings": None} == shown
    assert TABLE[PAIR](base64(LEAF), base64(key))["Leaf"] == pair["Leaf"]
    assert TABLE[PAIR](base64(der(LEAF)), base64(der(key)))["Leaf"] == pair["Leaf"]


KEY = private_pem(elliptic("leaf"))
SWAPPED = "but did find a private key; PEM inputs may have been switched"
PAIRS = [
    (LEAF, private_pem(rsa_key()), "tls: private key type does not match public key type"),
    (LEAF, private_pem(elliptic("other")), "tls: private key does not match public key"),
    (KEY, KEY, f"tls: failed to find certificate PEM data in certificate input, {SWAPPED}"),
    (LEAF, LEAF, "tls: found a certificate rather than a key in the PEM for the private key"),
    ("-----BEGIN ", KEY, "tls: failed to find any PEM data in certificate input"),
    (LEAF, "-----BEGIN ", "tls: failed to find any PEM data in key input"),
    ("", "", "x509: malformed certificate"),
]


@pytest.mark.parametrize(("certified", "key", "message"), PAIRS)
def test_pairs_that_are_none(certified: str, key: str, message: str) -> None:
    assert outcome(TABLE, PAIR, certified, key) == Error(message)


# Requests


def request_pem() -> str:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.COMMON_NAME, "example.com")]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    names = x509.SubjectAlternativeName([*dns("a.b"), x509.IPAddress(ip_address("1.2.3.4"))])
    signed = builder.add_extension(names, critical=False).sign(elliptic("leaf"), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_a_certificate_request() -> None:
    pem = request_pem()
    shown = TABLE[REQUEST](pem)
    assert (shown["Subject"]["Country"], shown["Subject"]["CommonName"]) == (["DE"], "example.com")
    assert (shown["DNSNames"], shown["IPAddresses"], shown["URIs"]) == (["a.b"], ["1.2.3.4"], None)
    content = base64(der(certificate("x", "y", Plan(names=(*dns("a.b"), x509.IPAddress(ip_address("1.2.3.4")))))))
    [extension] = shown["Extensions"]
    assert extension["Value"] in {each["Value"] for each in TABLE[PARSE](content)[0]["Extensions"]}
    assert shown["Attributes"] == [
        {"Type": [1, 2, 840, 113549, 1, 9, 14], "Value": [[{"Type": [2, 5, 29, 17], "Value": extension["Value"]}]]}
    ]
    assert TABLE[REQUEST](base64(pem)) == TABLE[REQUEST](base64(der(pem))) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "asn1: syntax error: sequence truncated"),
        ("!", "illegal base64 data at input byte 0"),
        (base64(LEAF), "invalid PEM-encoded certificate signing request"),
    ],
)
def test_texts_that_are_no_requests(text: str, message: str) -> None:
    assert outcome(TABLE, REQUEST, text) == Error(message)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_refusal(content: bytes) -> None:
    for call in (PARSE, REQUEST, JWK, PARSE_KEYS):
        got = outcome(TABLE, call, base64(content))
        assert isinstance(got, Error) or dumps(got)
