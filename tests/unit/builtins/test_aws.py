"""`providers.aws.sign_req`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, outcome

from procurator.builtins.aws import TABLE

NAME = "providers.aws.sign_req"
TIME = 1_700_000_000_123_456_789
CONFIG = {
    "aws_access_key": "AKIDEXAMPLE",
    "aws_secret_access_key": "not-a-secret",
    "aws_region": "eu-central-1",
    "aws_service": "ec2",
}
S3 = CONFIG | {"aws_service": "s3"}
REQUEST = {"method": "GET", "url": "https://example.com:8080/a%20b/c?x=1&y=%20"}
DATE = {"x-amz-date": "20231114T221320Z"}
HOST = {"host": "example.com:8080", **DATE}
DIGEST_OF_X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def authorization(service: str, headers: str, signature: str) -> dict[str, str]:
    credential = f"Credential=AKIDEXAMPLE/20231114/eu-central-1/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256 {credential},SignedHeaders={headers},Signature={signature}"
    return {"Authorization": text}


SIGNED = [
    (
        REQUEST,
        CONFIG,
        HOST
        | authorization("ec2", "host;x-amz-date", "0db73da817e6a757bcdffc4dbab265f14644869adcb22fc9c67e1a0a2f67ea07"),
    ),
    (
        REQUEST | {"body": {"a": "<é>"}},
        S3 | {"aws_session_token": "tok"},
        HOST
        | {"x-amz-content-sha256": "18f4a03f91131107cdffe5440faaa994c409b24dfcb39d27b030bd9d6d506e1b"}
        | {"x-amz-security-token": "tok"}
        | authorization(
            "s3",
            "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            "3f48b755b056145b33d7b9459d67354fce0e368c13b94aa485452ca6ac2200f3",
        ),
    ),
    (
        REQUEST | {"raw_body": "x", "body": 1, "headers": {"X-Foo": "1", "User-Agent": "z", "Authorization": "q"}},
        S3,
        HOST
        | {"x-amz-content-sha256": DIGEST_OF_X, "X-Foo": "1", "User-Agent": "z"}
        | authorization(
            "s3",
            "host;x-amz-content-sha256;x-amz-date;x-foo",
            "26f25784d4f0d42d9ea5e653f8a0c855772843abef11e4c24cbaef3c5259b1ca",
        ),
    ),
    (
        REQUEST | {"raw_body": "x"},
        S3 | {"disable_payload_signing": True},
        HOST
        | {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        | authorization(
            "s3",
            "host;x-amz-content-sha256;x-amz-date",
            "c7f9265bce2c4cbdb3aad79018352f2b5afaff7ed1f8787075cb60207443f3ff",
        ),
    ),
    (
        REQUEST | {"url": "http://a/b'()*!;x?"},
        CONFIG,
        DATE
        | {"host": "a"}
        | authorization("ec2", "host;x-amz-date", "a13a1b1007e8a4e117938fd2ed84e28411e63996ad56fa695e3258293fcd7d90"),
    ),
    (
        REQUEST | {"url": "http://a"},
        CONFIG,
        DATE
        | {"host": "a"}
        | authorization("ec2", "host;x-amz-date", "4f6d6de3f2651529cc8e882f210bc41ab87cf40e4ffc6a91a3b710e044fab090"),
    ),
]

ALL_CONFIG = '{"aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"}'
REFUSED: list[tuple[Any, Any, Any, str]] = [
    (1, CONFIG, TIME, "operand 1 must be object but got number"),
    (REQUEST, 1, TIME, "operand 1 must be object but got number"),
    ({}, CONFIG, TIME, 'operand 1 missing required request parameters(s): {"method", "url"}'),
    (REQUEST | {"foo": 1}, CONFIG, TIME, 'operand 1 invalid request parameters(s): {"foo"}'),
    (REQUEST | {"url": 1}, CONFIG, TIME, 'operand 1 invalid values for required request parameters(s): {"url"}'),
    (REQUEST | {"headers": 1}, CONFIG, TIME, "operand 0 must be object but got number"),
    (REQUEST | {"url": "http://a/%zz"}, CONFIG, TIME, 'parse "http://a/%zz": invalid URL escape "%zz"'),
    (REQUEST, {}, TIME, f"operand 2 missing required AWS config parameters(s): {ALL_CONFIG}"),
    (
        REQUEST,
        CONFIG | {"aws_region": 1},
        TIME,
        'operand 2 invalid values for required AWS config parameters(s): {"aws_region"}',
    ),
    (
        REQUEST,
        CONFIG | {"disable_payload_signing": 1},
        TIME,
        "operand 2 invalid value for 'disable_payload_signing' in AWS config",
    ),
    (REQUEST, CONFIG, 1.5, "operand 3 could not convert time_ns value into a unix timestamp"),
    (REQUEST, CONFIG, 10**20, "operand 3 could not convert time_ns value into a unix timestamp"),
    (REQUEST, CONFIG, "x", "operand 1 must be number but got string"),
]


@pytest.mark.parametrize(("request_", "config", "headers"), SIGNED)
def test_headers_are_signed(request_: dict[str, Any], config: dict[str, Any], headers: dict[str, str]) -> None:
    assert outcome(TABLE, NAME, request_, config, TIME) == request_ | {"headers": headers}


@pytest.mark.parametrize(("request_", "config", "time", "text"), REFUSED)
def test_refusals(request_: Any, config: Any, time: Any, text: str) -> None:
    assert outcome(TABLE, NAME, request_, config, time) == Error(text)


@given(st.text(min_size=1, max_size=40), st.integers(-(2**63), 2**63 - 1))
def test_every_string_body_and_every_time_can_be_signed(body: str, time: int) -> None:
    signed = TABLE[NAME](REQUEST | {"raw_body": body}, S3, time)
    assert signed["raw_body"] == body
    assert signed["headers"]["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
