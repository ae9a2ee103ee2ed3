"""base64, hexadecimal, URL queries and URIs."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins import encoding, uri
from procurator.builtins.text_bytes import printable, to_bytes, to_text
from procurator.values import Set

TABLE = {**encoding.TABLE, **uri.TABLE}
NOT_A_STRING = Error("operand 1 must be string but got number")


def corrupt(byte: int) -> Error:
    return Error(f"illegal base64 data at input byte {byte}")


CASES = [
    ("base64.encode", "hello?>", "aGVsbG8/Pg=="),
    ("base64url.encode", "hello?>", "aGVsbG8_Pg=="),
    ("base64url.encode_no_pad", "hello?>", "aGVsbG8_Pg"),
    ("base64.encode", "é", "w6k="),
    ("base64.encode", 1, NOT_A_STRING),
    ("base64.decode", "aGVsbG8/Pg==", "hello?>"),
    ("base64.decode", "aGVs\r\nbG8/Pg=\n=", "hello?>"),
    ("base64.decode", "", ""),
    ("base64.decode", "aGVsbG8_Pg==", corrupt(7)),
    ("base64.decode", "aGVsbG8", corrupt(4)),
    ("base64.decode", "aGVs=", corrupt(4)),
    ("base64.decode", "aGU=x", corrupt(4)),
    ("base64.decode", "aG=x", corrupt(2)),
    ("base64.decode", "aG=", corrupt(3)),
    ("base64.decode", "é===", corrupt(0)),
    ("base64url.decode", "aGVsbG8_Pg", "hello?>"),
    ("base64url.decode", "aGVsbG8_Pg==", "hello?>"),
    ("base64url.decode", "a", Error("illegal base64url string: a")),
    ("base64url.decode", "aGV+", corrupt(3)),
    ("base64.is_valid", "aGVsbG8/", True),
    ("base64.is_valid", "aGVsbG8", False),
    ("base64.is_valid", 1, False),
    ("hex.encode", "é\n", "c3a90a"),
    ("hex.decode", "C3a90A", "é\n"),
    ("hex.decode", "abc", Error("encoding/hex: odd length hex string")),
    ("hex.decode", "abg", Error("encoding/hex: invalid byte: U+0067 'g'")),
    ("hex.decode", "0\n", Error("encoding/hex: invalid byte: U+000A")),
    ("hex.decode", "é", Error("encoding/hex: invalid byte: U+00C3 'Ã'")),
    ("urlquery.encode", "a b&c=d/é~*", "a+b%26c%3Dd%2F%C3%A9~%2A"),
    ("urlquery.decode", "a+b%26c%C3%A9", "a b&cé"),
    ("urlquery.decode", "100%", Error('invalid URL escape "%"')),
    ("urlquery.decode", "%+é", Error(r'invalid URL escape "%+\xc3"')),
    ("urlquery.encode_object", {"b": ["2", "1"], "a": "x y", "c": Set(["z", "w"])}, "a=x+y&b=2&b=1&c=w&c=z"),
    ("urlquery.encode_object", {1: "x"}, "1=x"),
    ("urlquery.encode_object", {"a": []}, ""),
    ("urlquery.encode_object", {"a": [1]}, Error("operand 1 values must be string, array[string], or set[string]")),
    ("urlquery.encode_object", {"a": None}, Error("operand 1 values must be string, array[string], or set[string]")),
    ("urlquery.encode_object", 1, Error("operand 1 must be object but got number")),
    ("urlquery.decode_object", "a=1&b=&a=2+3&c&&=x", {"a": ["1", "2 3"], "b": [""], "c": [""], "": ["x"]}),
    ("urlquery.decode_object", "a=1;b=2", Error("invalid semicolon separator in query")),
    ("urlquery.decode_object", "a=%zz&b=%y", Error('invalid URL escape "%zz"')),
    ("urlquery.decode_object", "a&" * 10_000 + "a", Error("number of URL query parameters exceeded limit")),
    (
        "uri.parse",
        "HTTPS://me:pw@example.com:8443/a%20b?q=1#frag%21",
        {
            "scheme": "https",
            "hostname": "example.com",
            "port": "8443",
            "path": "/a b",
            "raw_path": "/a b",
            "raw_query": "q=1",
            "fragment": "frag!",
        },
    ),
    ("uri.parse", "http://h/a%2Fb", {"scheme": "http", "hostname": "h", "path": "/a/b", "raw_path": "/a%2Fb"}),
    ("uri.parse", "http://[fe80::1%25en0]:80", {"scheme": "http", "hostname": "fe80::1%en0", "port": "80"}),
    ("uri.parse", "urn:isbn:1", {"scheme": "urn"}),
    ("uri.parse", "../x?y", {"path": "../x", "raw_path": "../x", "raw_query": "y"}),
    ("uri.parse", "", {}),
    ("uri.parse", ":x", Error('parse ":x": missing protocol scheme')),
    ("uri.parse", "1x:y", Error('parse "1x:y": first path segment in URL cannot contain colon')),
    ("uri.parse", "http://h:x/", Error('parse "http://h:x/": invalid port ":x" after host')),
    ("uri.parse", "http://h^/", Error('parse "http://h^/": invalid character "^" in host name')),
    ("uri.parse", "http://h%41/", Error('parse "http://h%41/": invalid URL escape "%41"')),
    ("uri.parse", "http://a b@h/", Error('parse "http://a b@h/": net/url: invalid userinfo')),
    ("uri.parse", "http://[1.2.3.4]/", Error('parse "http://[1.2.3.4]/": invalid IP-literal')),
    ("uri.parse", "http://[x]", Error('parse "http://[x]": invalid host: ParseAddr("x"): unable to parse IP')),
    ("uri.parse", "http://[::1", Error("parse \"http://[::1\": missing ']' in host")),
    ("uri.parse", "a\tb", Error(r'parse "a\tb": net/url: invalid control character in URL')),
    ("uri.parse", "/%zz", Error('parse "/%zz": invalid URL escape "%zz"')),
    ("uri.parse", "/#%zz", Error('parse "/#%zz": invalid URL escape "%zz"')),
    ("uri.is_valid", "https://example.com", True),
    ("uri.is_valid", "https://exa mple.com", False),
    ("uri.is_valid", "", False),
    ("uri.is_valid", 1, False),
]


@pytest.mark.parametrize(("name", "operand", "wanted"), CASES)
def test_cases(name: str, operand: Any, wanted: Any) -> None:
    check(outcome(TABLE, name, operand), wanted)


@pytest.mark.parametrize(
    ("encode", "decode"),
    [
        ("base64.encode", "base64.decode"),
        ("base64url.encode", "base64url.decode"),
        ("base64url.encode_no_pad", "base64url.decode"),
        ("hex.encode", "hex.decode"),
        ("urlquery.encode", "urlquery.decode"),
    ],
)
@given(content=st.binary(max_size=40))
def test_any_bytes_survive_a_round_trip(encode: str, decode: str, content: bytes) -> None:
    text = to_text(content)
    assert to_bytes(TABLE[decode](TABLE[encode](text))) == content


@given(st.binary(max_size=40))
def test_base64_agrees_with_python(content: bytes) -> None:
    assert TABLE["base64.encode"](to_text(content)) == base64.b64encode(content).decode()


@given(st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), min_size=1, max_size=3), max_size=4))
def test_a_query_survives_a_round_trip(query: dict[str, list[str]]) -> None:
    assert TABLE["urlquery.decode_object"](TABLE["urlquery.encode_object"](query)) == query


def test_bytes_that_are_no_text() -> None:
    text = TABLE["hex.decode"]("61ff62")
    assert printable(text) == "a\N{REPLACEMENT CHARACTER}b"
    assert TABLE["hex.encode"](text) == "61ff62"


def test_half_a_surrogate_pair_is_no_byte() -> None:
    assert to_bytes("a\ud800") == "a\N{REPLACEMENT CHARACTER}".encode()
