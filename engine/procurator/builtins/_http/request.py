"""The parameters of `http.send`, checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from procurator.builtins.go_duration import parse_duration
from procurator.builtins.go_time import TimeError
from procurator.builtins.json_text import json_text
from procurator.builtins.operand_problem import OperandProblem
from procurator.builtins.operands import BuiltinError
from procurator.builtins.text_bytes import to_bytes
from procurator.render import quote, render
from procurator.values import Key, Set, Value, type_name, value_of

SECOND: Final = 1_000_000_000
DEFAULT_TIMEOUT: Final = 5 * SECOND
_MAX_TIMEOUT: Final = 300 * SECOND
_INT64: Final = range(-(1 << 63), 1 << 63)
_INT32: Final = range(-(1 << 31), 1 << 31)
TOKEN: Final = re.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CACHING_MODES: Final = ("serialized", "deserialized")
_REQUIRED: Final = ("method", "url")


class ParameterError(BuiltinError):
    """A parameter that is looked at only when the request is about to be sent."""


@dataclass(slots=True)
class Tls:
    """How the server is verified, and how the client shows who it is."""

    system_certificates: bool = False
    insecure: bool = False
    server_name: str = ""
    ca: str = ""
    ca_file: str = ""
    ca_env: str = ""
    client: tuple[str, str] = ("", "")
    client_files: tuple[str, str] = ("", "")
    client_env: tuple[str, str] = ("", "")


@dataclass(slots=True)
class Request:
    """What is to be sent, and what is to be done with the answer."""

    method: str = ""
    url: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    follow_redirects: bool = False
    timeout_ns: int = DEFAULT_TIMEOUT
    retries: int = 0
    json: bool = False
    yaml: bool = False
    cached: bool = False
    cached_for: int = 0
    tls: Tls = field(default_factory=Tls)

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """The request with these headers besides its own."""
        return replace(self, headers={**self.headers, **headers})


Parameters = Mapping[Key, Value]
Reader = Callable[[Request, str, Value], None]


def raises_errors(parameters: Parameters) -> bool:
    """Whether an error of this request is an error of the built-in, or told in the answer."""
    asked = parameters.get("raise_error", True)
    if not isinstance(asked, bool):
        raise BuiltinError("invalid value for raise_error field")
    return asked


def read_request(parameters: Parameters) -> Request:
    """The request that the parameters describe."""
    unknown = Set(value_of(key) for key in parameters if key not in _READERS)
    if len(unknown):
        raise OperandProblem(1, f"invalid request parameters(s): {render(unknown)}")
    missing = Set(name for name in _REQUIRED if name not in parameters)
    if len(missing):
        raise OperandProblem(1, f"missing required request parameters(s): {render(missing)}")
    request = Request()
    for name, read in _READERS.items():
        if name in parameters:
            read(request, name, parameters[name])
    if parameters.get("force_cache") is True:
        request.cached_for = _cache_seconds(parameters)
    if request.cached:
        _check_caching_mode(parameters.get("caching_mode", _CACHING_MODES[0]))
    return request


def cache_key(parameters: Parameters) -> dict[Key, Value]:
    """The parameters that tell one request from another."""
    ignored, headers = parameters.get("cache_ignored_headers"), parameters.get("headers")
    if ignored is None or not isinstance(headers, dict):
        return {**parameters, "cache_ignored_headers": None}
    if not isinstance(ignored, list) or not all(isinstance(name, str) for name in ignored):
        raise ParameterError("cache_ignored_headers must be an array of strings")
    kept = {name: value for name, value in headers.items() if name not in ignored}
    return {**parameters, "headers": kept, "cache_ignored_headers": None}


def _text(name: str, value: Value) -> str:
    if not isinstance(value, str):
        raise BuiltinError(f"{quote(name)} must be a string")
    return value.strip('"')


def _boolean(value: Value) -> bool:
    if value in (True, False) and type_name(value) in ("boolean", "number"):
        return bool(value)
    raise BuiltinError(f"strconv.ParseBool: parsing {quote(render(value))}: invalid syntax")


def _flag(name: str, value: Value) -> bool:
    if not isinstance(value, bool):
        raise BuiltinError(f"invalid value for {quote(name)} field")
    return value


def _method(request: Request, name: str, value: Value) -> None:
    request.method = _text(name, value).upper() or "GET"
    if not TOKEN.fullmatch(request.method):
        raise BuiltinError(f"net/http: invalid method {quote(request.method)}")


def _url(request: Request, name: str, value: Value) -> None:
    request.url = _text(name, value)


def _body(request: Request, _name: str, value: Value) -> None:
    request.body = to_bytes(json_text(value))


def _raw_body(request: Request, name: str, value: Value) -> None:
    request.body = to_bytes(_text(name, value))


def _headers(request: Request, _name: str, value: Value) -> None:
    if not isinstance(value, dict):
        raise BuiltinError("invalid type for headers key")
    for key, header in value.items():
        name = key if isinstance(key, str) else json_text(value_of(key))
        if not isinstance(header, str):
            raise BuiltinError(f"invalid type for headers value {quote(render(header))}")
        request.headers[canonical(name)] = header


def canonical(name: str) -> str:
    """The usual spelling of the name of a header; what is no such name stays as it is."""
    return "-".join(part.capitalize() for part in name.split("-")) if TOKEN.fullmatch(name) else name


def _timeout(request: Request, _name: str, value: Value) -> None:
    nanoseconds = _nanoseconds(value)
    # Nothing waits for ever: no limit at all is the longest one there is.
    request.timeout_ns = min(nanoseconds if nanoseconds > 0 else _MAX_TIMEOUT, _MAX_TIMEOUT)


def _nanoseconds(value: Value) -> int:
    kind = type_name(value)
    if kind == "number":
        if isinstance(value, int) and value in _INT64:
            return value
        raise BuiltinError(f"invalid timeout number value {render(value)}, must be int64")
    if kind != "string":
        raise OperandProblem(1, f"'timeout' must be one of {{string, number}} but got {kind}")
    if re.fullmatch("[+-]?[0-9]{1,18}", value, re.ASCII):
        return int(value)
    try:
        return parse_duration(value)
    except TimeError as error:
        raise BuiltinError(f"invalid timeout value {render(value)}: {error}") from None


def _retries(request: Request, name: str, value: Value) -> None:
    if type(value) is not int or value < 0 or value not in _INT64:
        raise ParameterError(f"invalid value {render(value)} for field {quote(name)}")
    request.retries = value


def _check_caching_mode(mode: Value) -> None:
    if not isinstance(mode, str):
        raise BuiltinError('invalid value for "caching_mode" field')
    if mode not in _CACHING_MODES:
        raise BuiltinError(f'invalid value specified for "caching_mode" field: {mode}')


def _cache_seconds(parameters: Parameters) -> int:
    if "force_cache_duration_seconds" not in parameters:
        raise BuiltinError("'force_cache' set but 'force_cache_duration_seconds' parameter is missing")
    seconds = parameters["force_cache_duration_seconds"]
    if type(seconds) is not int:
        raise BuiltinError(f"strconv.ParseInt: parsing {quote(render(seconds))}: invalid syntax")
    if seconds not in _INT32:
        raise BuiltinError(f"strconv.ParseInt: parsing {quote(render(seconds))}: value out of range")
    return seconds


def _ignored(_request: Request, _name: str, _value: Value) -> None:
    """Read elsewhere: it concerns caching, or errors."""


def _set(field_name: str) -> Reader:
    def read(request: Request, name: str, value: Value) -> None:
        setattr(request, field_name, _flag(name, value) or getattr(request, field_name))

    return read


def _redirects(request: Request, _name: str, value: Value) -> None:
    request.follow_redirects = _boolean(value)


def _tls_text(field_name: str) -> Reader:
    def read(request: Request, name: str, value: Value) -> None:
        setattr(request.tls, field_name, _text(name, value))

    return read


def _tls_flag(field_name: str) -> Reader:
    def read(request: Request, _name: str, value: Value) -> None:
        setattr(request.tls, field_name, _boolean(value))

    return read


def _tls_pair(field_name: str, place: int) -> Reader:
    def read(request: Request, name: str, value: Value) -> None:
        pair = list(getattr(request.tls, field_name))
        pair[place] = _text(name, value)
        setattr(request.tls, field_name, tuple(pair))

    return read


_READERS: Final[Mapping[str, Reader]] = {
    "method": _method,
    "url": _url,
    "body": _body,
    "raw_body": _raw_body,
    "headers": _headers,
    "enable_redirect": _redirects,
    "timeout": _timeout,
    "max_retry_attempts": _retries,
    "force_json_decode": _set("json"),
    "force_yaml_decode": _set("yaml"),
    "cache": _set("cached"),
    "force_cache": _set("cached"),
    "force_cache_duration_seconds": _ignored,
    "cache_ignored_headers": _ignored,
    "caching_mode": _ignored,
    "raise_error": _ignored,
    "tls_use_system_certs": _tls_flag("system_certificates"),
    "tls_insecure_skip_verify": _tls_flag("insecure"),
    "tls_server_name": _tls_text("server_name"),
    "tls_ca_cert": _tls_text("ca"),
    "tls_ca_cert_file": _tls_text("ca_file"),
    "tls_ca_cert_env_variable": _tls_text("ca_env"),
    "tls_client_cert": _tls_pair("client", 0),
    "tls_client_key": _tls_pair("client", 1),
    "tls_client_cert_file": _tls_pair("client_files", 0),
    "tls_client_key_file": _tls_pair("client_files", 1),
    "tls_client_cert_env_variable": _tls_pair("client_env", 0),
    "tls_client_key_env_variable": _tls_pair("client_env", 1),
}

PARAMETERS: Final = frozenset(_READERS)
"""What a request may say."""
