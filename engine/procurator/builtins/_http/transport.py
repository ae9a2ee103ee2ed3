"""Sending a request: only to hosts that are allowed, within a time limit, with redirects, TLS and retries.

The modules of the standard library are imported where used: most policies never send anything.
"""

from __future__ import annotations

import random
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from socket import SHUT_RDWR
from threading import Timer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urljoin
from urllib.parse import quote as percent_quote

from procurator.builtins import go_url
from procurator.builtins._http.request import SECOND, TOKEN, Request, Tls, canonical
from procurator.builtins._http.tls import TlsError, client_context, told_of_tls
from procurator.builtins.operands import BuiltinError
from procurator.builtins.text_bytes import to_bytes
from procurator.render import quote
from procurator.runtime.context import Options

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

_MAX_REDIRECTS: Final = 10
_MAX_RETRIES: Final = 10
_MAX_ANSWER: Final = 64 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_MIN_DELAY: Final = 0.1
_MAX_DELAY: Final = 60.0
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPING_METHOD: Final = frozenset({307, 308})
_PRIVATE_HEADERS: Final = frozenset({"Authorization", "Cookie", "Cookie2", "Www-Authenticate"})
_WITH_USER: Final = re.compile("^([a-z]+://)[^/@]*@")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_VALID_PATH: Final = re.compile(r"[A-Za-z0-9%!$&'()*+,;=:@\[\]._~/-]+")
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"


class NetworkError(Exception):
    """The request did not get an answer; the message is shaped as Go's."""

    def __init__(self, request: Request, problem: str, *, timed_out: bool = False) -> None:
        super().__init__(f"{request.method.capitalize()} {quote(request.url)}: {problem}")
        self.request = request
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: Mapping[str, list[str]]
    body: bytes


def check_host(options: Options, host: str) -> None:
    """Refuse a host that the options do not allow."""
    if not options.allows(host):
        raise BuiltinError(
            f"disallowed host: {host} (policies reach only hosts named in the option allow_hosts or in allow_net of "
            "the capabilities)"
        )


def send(request: Request, options: Options, agent: str) -> Answer:
    """The answer to a request, tried again as often as it asks for."""
    for attempt in range(min(request.retries, _MAX_RETRIES) + 1):
        if attempt:
            time.sleep(_delay(attempt - 1))
        try:
            return _follow(request, options, agent)
        except NetworkError as error:
            failure = error
    raise failure


def _delay(attempt: int) -> float:
    return min(_MIN_DELAY * 1.6**attempt, _MAX_DELAY) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries


def _follow(request: Request, options: Options, agent: str) -> Answer:
    deadline = time.monotonic() + request.timeout_ns / SECOND
    for _ in range(_MAX_REDIRECTS + 1):
        target = _target(request)
        check_host(options, target.host)
        answer = _exchange(request, target, agent, deadline)
        location = answer.headers.get("Location", [""])[0]
        if not request.follow_redirects or answer.status not in _REDIRECTS or not location:
            return answer
        request = _redirected(request, answer.status, location)
    raise NetworkError(request, f"stopped after {_MAX_REDIRECTS} redirects")


def _redirected(request: Request, status: int, location: str) -> Request:
    url = urljoin(request.url, location)
    dropped = set() if _host_of(url) == _host_of(request.url) else {*_PRIVATE_HEADERS, "Host"}
    if status not in _KEEPING_METHOD:
        dropped.add("Content-Type")
    headers = {name: value for name, value in request.headers.items() if name not in dropped}
    if not (request.url.startswith("https:") and url.startswith("http:")):
        headers["Referer"] = _WITH_USER.sub(r"\1", request.url.partition("#")[0])
    moved = replace(request, url=url, headers=headers)
    if status not in _KEEPING_METHOD:
        moved.body = b""
        moved.method = request.method if request.method in ("GET", "HEAD") else "GET"
    return moved


def _host_of(url: str) -> str:
    return go_url.parse(url).host.lower()


# Where a request goes


@dataclass(frozen=True, slots=True)
class _Target:
    host: str
    port: int
    secure: bool
    socket: str
    path: str
    authority: str
    user: str | None


def _target(request: Request) -> _Target:
    try:
        url = go_url.parse(request.url)
    except go_url.UrlError as error:
        raise BuiltinError(str(error)) from None
    if url.scheme == "unix" and url.raw_query:
        return _socket_target(request, url)
    if url.scheme not in ("http", "https"):
        raise NetworkError(request, f"unsupported protocol scheme {quote(url.scheme)}")
    if not url.hostname:
        raise NetworkError(request, "http: no Host in request URL")
    secure = url.scheme == "https"
    port = int(url.port or (443 if secure else 80))
    if port > 65535:
        raise NetworkError(request, f"dial tcp: address {port}: invalid port")
    return _Target(url.hostname.lower(), port, secure, "", _path(url, url.raw_query), url.host, url.user)


def _socket_target(request: Request, url: go_url.Url) -> _Target:
    """A socket of the machine: its path is in the query, and `unix:` with the path is the host to be allowed."""
    query = parse_qs(url.raw_query, keep_blank_values=True)
    path = query.pop("socket", [""])[0]
    rest = "&".join(f"{percent_quote(name)}={percent_quote(value)}" for name in query for value in query[name])
    if not path:
        raise NetworkError(request, "dial unix: missing address")
    return _Target(f"unix:{path}", 0, False, path, _path(url, rest), url.host, url.user)


def _path(url: go_url.Url, query: str) -> str:
    as_written = url.raw_path if _VALID_PATH.fullmatch(url.raw_path) else ""
    path = as_written or percent_quote(to_bytes(url.path), "$&+,-./:;=@_~") or "/"
    return f"{path}?{percent_quote(to_bytes(query), _SAFE)}" if query else path


# One exchange


def _exchange(request: Request, target: _Target, agent: str, deadline: float) -> Answer:
    from http.client import HTTPException

    _check_headers(request)
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise _timeout(request)
    try:
        connection = _connection(request, target, remaining)
        with _closed_at(connection, deadline) as expired:
            try:
                return _exchanged(connection, request, target, agent)
            except (OSError, HTTPException, zlib.error) as error:
                if expired() or isinstance(error, TimeoutError):
                    raise _timeout(request) from None
                raise NetworkError(request, _told(error, target)) from None
    except TlsError as error:
        raise BuiltinError(str(error)) from None


def _check_headers(request: Request) -> None:
    for name, value in request.headers.items():
        if not TOKEN.fullmatch(name):
            raise NetworkError(request, f"net/http: invalid header field name {quote(name)}")
        if _CONTROL.search(value):
            raise NetworkError(request, f"net/http: invalid header field value for {quote(name)}")


def _timeout(request: Request) -> NetworkError:
    problem = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    return NetworkError(request, problem, timed_out=True)


def _connection(request: Request, target: _Target, timeout: float) -> HTTPConnection:
    from procurator.builtins._http.connections import SocketConnection, TlsConnection, plain_connection

    if target.socket:
        return SocketConnection(target.socket, timeout)
    tls = request.tls
    if not target.secure:
        if tls != Tls():
            client_context(tls)  # what is wrong with it is told even where it is not needed
        return plain_connection(target.host, target.port, timeout)
    name = tls.server_name or request.headers.get("Host", "").partition(":")[0] or target.host
    return TlsConnection(target.host, target.port, timeout, client_context(tls), name)


@contextmanager
def _closed_at(connection: HTTPConnection, deadline: float) -> Iterator[Callable[[], bool]]:
    """Close the connection at the deadline, whatever it waits for; tells whether that happened."""
    expired: list[bool] = []

    def close() -> None:
        expired.append(True)
        sock: Any = connection.sock
        # Closing alone would not wake a thread that waits for the other side.
        with suppress(AttributeError, OSError):
            sock.shutdown(SHUT_RDWR)

    timer = Timer(max(deadline - time.monotonic(), 0), close)
    timer.daemon = True
    timer.start()
    try:
        yield lambda: bool(expired) or time.monotonic() >= deadline
    finally:
        timer.cancel()
        connection.close()


def _exchanged(connection: HTTPConnection, request: Request, target: _Target, agent: str) -> Answer:
    connection.putrequest(request.method, target.path, skip_host=True, skip_accept_encoding=True)
    for name, value in _headers(request, target, agent).items():
        connection.putheader(name, to_bytes(value))
    connection.endheaders(request.body or None)
    response = connection.getresponse()
    headers: dict[str, list[str]] = {}
    for name, value in response.getheaders():
        headers.setdefault(canonical(name), []).append(value.encode("latin-1").decode("utf-8", "surrogateescape"))
    headers.pop("Transfer-Encoding", None)
    body = _body(response, headers, "Accept-Encoding" not in request.headers)
    return Answer(response.status, response.reason, headers, body)


def _headers(request: Request, target: _Target, agent: str) -> dict[str, str]:
    headers = {"Host": target.authority, "User-Agent": agent, **request.headers}
    if target.user is not None and "Authorization" not in headers:
        from base64 import b64encode

        account = target.user if ":" in target.user else f"{target.user}:"
        headers["Authorization"] = "Basic " + b64encode(to_bytes(account)).decode()
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = str(len(request.body))
    if "Accept-Encoding" not in headers and "Range" not in headers and request.method != "HEAD":
        headers["Accept-Encoding"] = "gzip"
    return headers


def _body(response: HTTPResponse, headers: dict[str, list[str]], unpack: bool) -> bytes:
    """The body, unpacked if packing it was this module's own wish."""
    packed = unpack and [value.lower() for value in headers.get("Content-Encoding", [])] == ["gzip"]
    decompressor = zlib.decompressobj(wbits=31) if packed else None
    chunks, size = [], 0
    while chunk := response.read1(_CHUNK):
        content = chunk if decompressor is None else decompressor.decompress(chunk, _MAX_ANSWER - size + 1)
        size += len(content)
        if size > _MAX_ANSWER:
            raise BuiltinError(f"answer is longer than {_MAX_ANSWER} bytes")
        chunks.append(content)
    if packed:
        del headers["Content-Encoding"]
        headers.pop("Content-Length", None)
    return b"".join(chunks)


def _told(error: Exception, target: _Target) -> str:
    """What Go says of the failure."""
    import socket
    import ssl
    from http.client import RemoteDisconnected

    if isinstance(error, RemoteDisconnected):
        return "EOF"
    place = target.socket or f"{target.host}:{target.port}"
    network = "unix" if target.socket else "tcp"
    if isinstance(error, ConnectionRefusedError):
        return f"dial {network} {place}: connect: connection refused"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {target.host}: no such host"
    if isinstance(error, ssl.SSLError):
        return told_of_tls(error)
    if isinstance(error, FileNotFoundError):
        return f"dial unix {target.socket}: connect: no such file or directory"
    if isinstance(error, OSError) and error.strerror:
        return f"{network} {place}: {error.strerror.lower()}"
    return str(error) or type(error).__name__
