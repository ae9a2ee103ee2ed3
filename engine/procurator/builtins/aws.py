"""`providers.aws.sign_req`: a request for AWS, signed by Signature Version 4."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote_from_bytes

from procurator.builtins._http.request import PARAMETERS
from procurator.builtins.go_url import Url, UrlError
from procurator.builtins.go_url import parse as parse_url
from procurator.builtins.json_text import json_text
from procurator.builtins.operand_problem import OperandProblem
from procurator.builtins.operands import BuiltinError, OperandError, number, object_
from procurator.builtins.text_bytes import to_bytes
from procurator.values import Key, Value, dumps

Object = dict[Key, Value]

REQUIRED: Final = ("aws_access_key", "aws_region", "aws_secret_access_key", "aws_service")
UNSIGNED_HEADERS: Final = frozenset({"authorization", "user-agent", "x-amzn-trace-id"})
"""Headers that proxies change on the way."""
_HASHED_SERVICES: Final = ("s3", "glacier")
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_PATH_SAFE: Final = "$&+,-./:;=@_~"
_ESCAPED_PATH: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@/\[\]-]|%[0-9A-Fa-f]{2})*")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INT64: Final = range(-(1 << 63), 1 << 63)


@dataclass(frozen=True)
class Signer:
    """Who signs, for which service, and when."""

    access_key: str
    secret_key: str
    region: str
    service: str
    token: str
    time: datetime

    @property
    def day(self) -> str:
        """The date the key is for."""
        return self.time.strftime("%Y%m%d")

    @property
    def scope(self) -> str:
        """What the key is for."""
        return f"{self.day}/{self.region}/{self.service}/aws4_request"

    def signature(self, text: str) -> str:
        """The signature of a text, by a key that holds for the scope only."""
        key = to_bytes(f"AWS4{self.secret_key}")
        for part in (self.day, self.region, self.service, "aws4_request"):
            key = hmac.digest(key, to_bytes(part), "sha256")
        return hmac.digest(key, to_bytes(text), "sha256").hex()


def sign_request(request: Value, config: Value, time_ns: Value) -> Value:
    """The request with the headers that prove who sends it."""
    fields, options = object_(request, 1), object_(config, 1)
    signer = _signer(options, time_ns)
    _check_request(fields)
    headers = fields.get("headers", {})
    if not isinstance(headers, dict):
        raise OperandError(0, "object", headers)
    given = {_text(name): _text(value) for name, value in headers.items()}
    url = _url(fields)
    digest = _digest(fields, options)
    own = _own_headers(signer, url, digest)
    authorization = _authorization(signer, fields["method"], url, own | _signable(given), digest)
    return fields | {"headers": {**given, "Authorization": authorization, **own}}


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _names(names: list[str]) -> str:
    return "{" + ", ".join(dumps(name) for name in sorted(names)) + "}"


def _signer(config: Object, time_ns: Value) -> Signer:
    missing = [name for name in REQUIRED if name not in config]
    if missing:
        raise OperandProblem(2, f"missing required AWS config parameters(s): {_names(missing)}")
    wrong = [name for name in REQUIRED if not isinstance(config[name], str)]
    if wrong:
        raise OperandProblem(2, f"invalid values for required AWS config parameters(s): {_names(wrong)}")
    access_key, region, secret_key, service = [config[name] for name in REQUIRED]
    token = _text(config.get("aws_session_token"))
    return Signer(access_key, secret_key, region, service, token, _instant(time_ns))


def _instant(time_ns: Value) -> datetime:
    nanoseconds = number(time_ns, 1)
    if not isinstance(nanoseconds, int) or nanoseconds not in _INT64:
        raise OperandProblem(3, "could not convert time_ns value into a unix timestamp")
    return _EPOCH + timedelta(seconds=nanoseconds // 1_000_000_000)


def _check_request(fields: Object) -> None:
    unknown = [str(name) for name in fields if name not in PARAMETERS]
    if unknown:
        raise OperandProblem(1, f"invalid request parameters(s): {_names(unknown)}")
    missing = [name for name in ("method", "url") if name not in fields]
    if missing:
        raise OperandProblem(1, f"missing required request parameters(s): {_names(missing)}")
    wrong = [name for name in ("method", "url") if not isinstance(fields[name], str)]
    if wrong:
        raise OperandProblem(1, f"invalid values for required request parameters(s): {_names(wrong)}")


def _url(fields: Object) -> Url:
    try:
        return parse_url(fields["url"])
    except UrlError as error:
        raise BuiltinError(str(error)) from None


def _digest(fields: Object, options: Object) -> str:
    """The digest of the body, or what stands for it when the body is not signed."""
    unsigned = options.get("disable_payload_signing", False)
    if not isinstance(unsigned, bool):
        raise OperandProblem(2, "invalid value for 'disable_payload_signing' in AWS config")
    return "UNSIGNED-PAYLOAD" if unsigned else hashlib.sha256(_body(fields)).hexdigest()


def _body(fields: Object) -> bytes:
    if "raw_body" in fields:
        return to_bytes(_text(fields["raw_body"]))
    return to_bytes(json_text(fields["body"])) if "body" in fields else b""


def _own_headers(signer: Signer, url: Url, digest: str) -> dict[str, str]:
    """The headers that signing adds."""
    headers = {"host": url.host, "x-amz-date": signer.time.strftime("%Y%m%dT%H%M%SZ")}
    if signer.service in _HASHED_SERVICES:
        headers["x-amz-content-sha256"] = digest
    if signer.token:
        headers["x-amz-security-token"] = signer.token
    return headers


def _signable(headers: dict[str, str]) -> dict[str, str]:
    lowered = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lowered.items() if name not in UNSIGNED_HEADERS}


def _authorization(signer: Signer, method: str, url: Url, headers: dict[str, str], digest: str) -> str:
    names = sorted(headers)
    listed = ";".join(names)
    lines = [f"{name}:{headers[name]}\n" for name in names]
    canonical = "\n".join((method, _escaped_path(url), url.raw_query, "".join(lines), listed, digest))
    digest_of_request = hashlib.sha256(to_bytes(canonical)).hexdigest()
    time = signer.time.strftime("%Y%m%dT%H%M%SZ")
    signature = signer.signature("\n".join((_ALGORITHM, time, signer.scope, digest_of_request)))
    credential = f"Credential={signer.access_key}/{signer.scope}"
    return f"{_ALGORITHM} {credential},SignedHeaders={listed},Signature={signature}"


def _escaped_path(url: Url) -> str:
    if _ESCAPED_PATH.fullmatch(to_bytes(url.raw_path)) and url.raw_path:
        return url.raw_path
    return quote_from_bytes(to_bytes(url.path), _PATH_SAFE) if url.path != "*" else "*"


TABLE: Final[Mapping[str, Callable[..., Value]]] = {"providers.aws.sign_req": sign_request}
