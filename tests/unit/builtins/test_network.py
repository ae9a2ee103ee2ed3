"""`http.send` and `net.lookup_ip_addr`, against servers of the test's own on this machine."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from outcomes import Error, check, outcome

from procurator.builtins.network import CONTEXT_TABLE
from procurator.runtime.cache import SharedCache
from procurator.runtime.context import Evaluation, Options
from procurator.values import Set

HERE = Options(allow_hosts=frozenset({"127.0.0.1"}))
SECOND = 1_000_000_000
REFUSED = "(policies reach only hosts named in the option allow_hosts or in allow_net of the capabilities)"


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    replies: ClassVar[dict[str, Reply]] = {}
    received: ClassVar[list[Received]] = []

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.received.append(Received(self.command, self.path, dict(self.headers), body))
        reply = self.replies.get(self.path.partition("?")[0], Reply(404))
        if reply.status == 304 or "If-None-Match" not in self.headers:
            time.sleep(reply.delay)
        self.send_response_only(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names the server looks for

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is part of the tests."""


@pytest.fixture
def server() -> Iterator[Quiet]:
    Handler.replies, Handler.received = {}, []
    with running(Quiet(("127.0.0.1", 0), Handler)) as started:
        yield started


class running:  # noqa: N801 - reads as what it does
    def __init__(self, server: Quiet) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Quiet:
        self.thread.start()
        return self.server

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def url(server: Quiet, path: str = "/", scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.server_port}{path}"


def send(request: dict[str, Any], evaluation: Evaluation | None = None) -> Any:
    return outcome(CONTEXT_TABLE, "http.send", evaluation or Evaluation(HERE), request)


def get(server: Quiet, path: str, **more: Any) -> Any:
    return send({"method": "get", "url": url(server, path), **more})


# What comes back


def test_the_whole_answer(server: Quiet) -> None:
    body = b'{"n": 1.5, "s": "\xc3\xa9"}'
    Handler.replies["/a"] = Reply(200, body, {"Content-Type": "application/json; charset=utf-8", "X-Y": "z"})
    check(
        get(server, "/a"),
        {
            "status": "200 OK",
            "status_code": 200,
            "body": {"n": 1.5, "s": "é"},
            "raw_body": body.decode(),
            "headers": {
                "content-type": ["application/json; charset=utf-8"],
                "x-y": ["z"],
                "content-length": [str(len(body))],
            },
        },
    )


BODIES = [
    ("application/problem+json", b'{"a": 1}', {}, {"a": 1}),
    ("application/json", b'{"a": 1} x', {}, None),
    ("text/plain", b"[1]", {}, None),
    ("text/plain", b"[1]", {"force_json_decode": True}, [1]),
    ("application/yaml", b"a: [1]", {}, {"a": [1]}),
    ("application/x-yaml", b"a: [", {}, None),
    ("text/plain", b"a: 1", {"force_yaml_decode": True}, {"a": 1}),
]


@pytest.mark.parametrize(("kind", "body", "more", "wanted"), BODIES)
def test_bodies_are_read_by_their_type(server: Quiet, kind: str, body: bytes, more: Any, wanted: Any) -> None:
    Handler.replies["/a"] = Reply(200, body, {"Content-Type": kind})
    got = get(server, "/a", **more)
    check([got["body"], got["raw_body"]], [wanted, body.decode()])


def test_a_packed_answer_is_unpacked(server: Quiet) -> None:
    Handler.replies["/a"] = Reply(200, gzip.compress(b"hello"), {"Content-Encoding": "gzip"})
    got = get(server, "/a")
    assert (got["raw_body"], got["headers"]) == ("hello", {})


def test_a_packed_answer_stays_packed_for_who_asked_for_it(server: Quiet) -> None:
    Handler.replies["/a"] = Reply(200, b"packed", {"Content-Encoding": "gzip"})
    assert get(server, "/a", headers={"accept-encoding": "gzip"})["raw_body"] == "packed"


def test_an_answer_that_unpacks_without_end_is_refused(server: Quiet) -> None:
    Handler.replies["/a"] = Reply(200, gzip.compress(bytes(65 * 1024 * 1024)), {"Content-Encoding": "gzip"})
    check(get(server, "/a"), Error("answer is longer than 67108864 bytes"))


# What is sent

REQUESTS = [
    ({"method": "GET"}, "GET", b"", {}),
    ({"method": "post", "body": {"a": "<"}}, "POST", b'{"a":"\\u003c"}', {"Content-Length": "14"}),
    ({"method": "PUT", "raw_body": "x=1", "body": 1}, "PUT", b"x=1", {"Content-Length": "3"}),
    ({"method": "POST"}, "POST", b"", {"Content-Length": "0"}),
    ({"method": "DELETE", "headers": {"x-a": "b", "host": "other"}}, "DELETE", b"", {"X-A": "b", "Host": "other"}),
]


@pytest.mark.parametrize(("request_", "method", "body", "headers"), REQUESTS)
def test_requests(server: Quiet, request_: Any, method: str, body: bytes, headers: Any) -> None:
    send({**request_, "url": url(server, "/p/%C3%A9 x?q=a b")})
    (received,) = Handler.received
    assert (received.method, received.path, received.body) == (method, "/p/%C3%A9%20x?q=a%20b", body)
    assert headers.items() <= received.headers.items()


def test_an_account_in_the_url_is_sent(server: Quiet) -> None:
    send({"method": "GET", "url": url(server).replace("127", "me:p%40@127")})
    assert Handler.received[0].headers["Authorization"] == "Basic bWU6cEA="


# Hosts


@pytest.mark.parametrize("options", [Options(), Options(allow_hosts=frozenset({"example.com"}))])
def test_no_host_is_reached_unless_allowed(server: Quiet, options: Options) -> None:
    got = send({"method": "GET", "url": url(server)}, Evaluation(options))
    check(got, Error(f"disallowed host: 127.0.0.1 {REFUSED}"))
    assert Handler.received == []


def test_a_refused_host_can_be_told_in_the_answer(server: Quiet) -> None:
    got = send({"method": "GET", "url": url(server), "raise_error": False}, Evaluation())
    message = f"eval_builtin_error: http.send: disallowed host: 127.0.0.1 {REFUSED}"
    check(got, {"status_code": 0, "error": {"code": "eval_http_send_internal_error", "message": message}})


def test_an_account_does_not_hide_the_host() -> None:
    got = send({"method": "GET", "url": "http://127.0.0.1@example.com/"})
    check(got, Error(f"disallowed host: example.com {REFUSED}"))


def test_a_redirect_does_not_lead_to_a_host_that_is_not_allowed(server: Quiet) -> None:
    Handler.replies["/a"] = Reply(302, headers={"Location": "http://localhost:1/"})
    got = get(server, "/a", enable_redirect=True)
    check(got, Error(f"disallowed host: localhost {REFUSED}"))


def test_a_socket_is_allowed_by_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    asked = {"method": "GET", "url": f"unix://localhost/hello?socket={path.replace('/', '%2F')}"}
    check(send(asked, Evaluation(HERE)), Error(f"disallowed host: unix:{path} {REFUSED}"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=answer_once, args=(listener,))
        thread.start()
        got = send(asked, Evaluation(Options(allow_hosts=frozenset({f"unix:{path}"}))))
        thread.join()
    assert (got["status"], got["raw_body"]) == ("200 OK", "GET /hello HTTP/1.1")


def answer_once(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        line = connection.recv(4096).partition(b"\r\n")[0]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(line), line))


# Redirects


def test_redirects_are_answers_unless_followed(server: Quiet) -> None:
    Handler.replies["/a"] = Reply(302, headers={"Location": "/b"})
    got = get(server, "/a")
    assert (got["status_code"], got["headers"]["location"]) == (302, ["/b"])


@pytest.mark.parametrize(("status", "method", "body"), [(302, "GET", b""), (307, "POST", b"1")])
def test_followed_redirects(server: Quiet, status: int, method: str, body: bytes) -> None:
    Handler.replies.update({"/a": Reply(status, headers={"Location": "/b"}), "/b": Reply(200, b"there")})
    got = send({"method": "POST", "url": url(server, "/a"), "raw_body": "1", "enable_redirect": True})
    assert got["raw_body"] == "there"
    last = Handler.received[-1]
    assert (last.method, last.body, last.headers["Referer"]) == (method, body, url(server, "/a"))


def test_credentials_do_not_follow_to_another_host(server: Quiet) -> None:
    Handler.replies["/a"] = Reply(302, headers={"Location": url(server, "/b").replace("127.0.0.1", "localhost")})
    both = Evaluation(Options(allow_hosts=frozenset({"127.0.0.1", "localhost"})))
    headers = {"Authorization": "secret", "X-A": "b"}
    send({"method": "GET", "url": url(server, "/a"), "enable_redirect": True, "headers": headers}, both)
    last = Handler.received[-1].headers
    assert (last.get("Authorization"), last["X-A"]) == (None, "b")


def test_redirects_come_to_an_end(server: Quiet) -> None:
    Handler.replies["/a"] = Reply(302, headers={"Location": "/a"})
    check(get(server, "/a", enable_redirect=True), Error(f'Get "{url(server, "/a")}": stopped after 10 redirects'))


# Failures

WRONG = [
    ({}, 'operand 1 missing required request parameters(s): {"method", "url"}'),
    ({"method": "GET", "url": "x", "b": 1, "a": 1}, 'operand 1 invalid request parameters(s): {"a", "b"}'),
    ({"method": 1, "url": "http://127.0.0.1/"}, '"method" must be a string'),
    ({"method": "GET", "url": 1}, '"url" must be a string'),
    ({"method": "A B", "url": "http://127.0.0.1/"}, 'net/http: invalid method "A B"'),
    ({"method": "GET", "url": "foo"}, 'Get "foo": unsupported protocol scheme ""'),
    ({"method": "GET", "url": "file:///etc/passwd"}, 'Get "file:///etc/passwd": unsupported protocol scheme "file"'),
    ({"method": "GET", "url": ":x"}, 'parse ":x": missing protocol scheme'),
    (
        {"method": "GET", "url": "http://127.0.0.1:1/"},
        'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    ),
    (
        {"method": "GET", "url": "http://127.0.0.1/", "headers": {"a": "x\r\ny: z"}},
        'Get "http://127.0.0.1/": net/http: invalid header field value for "A"',
    ),
    ({"method": "GET", "url": "http://127.0.0.1/", "headers": {"a": 1}}, 'invalid type for headers value "1"'),
    ({"method": "GET", "url": "http://127.0.0.1/", "headers": 1}, "invalid type for headers key"),
    (
        {"method": "GET", "url": "http://127.0.0.1/", "timeout": "1x"},
        'invalid timeout value "1x": time: unknown unit "x" in duration "1x"',
    ),
    (
        {"method": "GET", "url": "http://127.0.0.1/", "timeout": []},
        "operand 1 'timeout' must be one of {string, number} but got array",
    ),
    (
        {"method": "GET", "url": "http://127.0.0.1/", "enable_redirect": "x"},
        r'strconv.ParseBool: parsing "\"x\"": invalid syntax',
    ),
    (
        {"method": "GET", "url": "http://127.0.0.1/", "max_retry_attempts": -1},
        'invalid value -1 for field "max_retry_attempts"',
    ),
    ({"method": "GET", "url": "http://127.0.0.1/", "cache": 1}, 'invalid value for "cache" field'),
    (
        {"method": "GET", "url": "http://127.0.0.1/", "force_cache": True},
        "'force_cache' set but 'force_cache_duration_seconds' parameter is missing",
    ),
    (
        {"method": "GET", "url": "http://127.0.0.1/", "headers": {}, "cache_ignored_headers": 1},
        "cache_ignored_headers must be an array of strings",
    ),
    ({"method": "GET", "url": "https://127.0.0.1/", "tls_ca_cert": "x"}, "could not append certificates"),
    (
        {"method": "GET", "url": "https://127.0.0.1/", "tls_ca_cert_file": "/no/such/file"},
        "open /no/such/file: no such file or directory",
    ),
    ({"raise_error": 1}, "invalid value for raise_error field"),
    (1, "operand 1 must be object but got number"),
]


@pytest.mark.parametrize(("request_", "problem"), WRONG)
def test_wrong_requests(request_: Any, problem: str) -> None:
    check(send(request_), Error(problem))


def test_network_errors_can_be_told_in_the_answer() -> None:
    got = send({"method": "GET", "url": "http://127.0.0.1:1/", "raise_error": False})
    message = 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused'
    check(got, {"status_code": 0, "error": {"code": "eval_http_send_network_error", "message": message}})


@pytest.mark.parametrize("timeout", ["50ms", 50_000_000, "50000000"])
def test_a_slow_server_is_given_up(server: Quiet, timeout: Any) -> None:
    Handler.replies["/slow"] = Reply(delay=0.5)
    started = time.monotonic()
    check(get(server, "/slow", timeout=timeout), Error(f"Get {url(server, '/slow')}: request timed out"))
    assert time.monotonic() - started < 0.4


def test_the_time_limit_is_one_for_the_whole_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        started = time.monotonic()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        got = send({"method": "GET", "url": address, "timeout": "200ms"})
        check(got, Error(f"Get {address}: request timed out"))
        assert time.monotonic() - started < 1


def drip(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(0.02)


def test_a_refused_connection_is_tried_again() -> None:
    started = time.monotonic()
    got = send({"method": "GET", "url": "http://127.0.0.1:1/", "max_retry_attempts": 1})
    assert isinstance(got, Error)
    assert time.monotonic() - started > 0.07


# One answer a query, and answers kept between queries


def test_a_request_is_sent_once_in_a_query(server: Quiet) -> None:
    evaluation = Evaluation(HERE)
    asked = {"method": "GET", "url": url(server, "/a")}
    assert send(asked, evaluation) == send(dict(asked), evaluation)
    send({**asked, "headers": {"a": "1"}}, evaluation)
    assert len(Handler.received) == 2


def test_ignored_headers_do_not_make_another_request(server: Quiet) -> None:
    evaluation = Evaluation(HERE)
    for trace in "12":
        headers = {"X-Trace": trace}
        ignored = ["X-Trace"]
        send({"method": "GET", "url": url(server), "headers": headers, "cache_ignored_headers": ignored}, evaluation)
    assert len(Handler.received) == 1


def test_a_replay_sends_nothing(server: Quiet) -> None:
    first = Evaluation(HERE)
    asked = {"method": "GET", "url": url(server, "/a")}
    answer = send(asked, first)
    assert send(asked, Evaluation.replay(first.answers)) == answer
    assert len(Handler.received) == 1


def later(shared: SharedCache, seconds: int) -> Evaluation:
    return Evaluation(HERE, shared=shared, now_ns=(1_700_000_000 + seconds) * SECOND)


DATE = format_datetime(datetime.fromtimestamp(1_700_000_000, UTC), usegmt=True)
EXPIRES = format_datetime(datetime.fromtimestamp(1_700_000_060, UTC), usegmt=True)
KEPT = [
    ({"Cache-Control": "max-age=60", "Date": DATE}, {"cache": True}, [1, 1, 2]),
    ({"Expires": EXPIRES}, {"cache": True}, [1, 1, 2]),
    ({"Cache-Control": "max-age=60"}, {"cache": True}, [1, 2, 3]),
    ({"Cache-Control": "no-store, max-age=60", "Date": DATE}, {"cache": True}, [1, 2, 3]),
    ({"Cache-Control": "max-age=60", "Date": DATE}, {}, [1, 2, 3]),
    ({"Cache-Control": "no-store"}, {"force_cache": True, "force_cache_duration_seconds": 60}, [1, 1, 2]),
    ({}, {"force_cache": True, "force_cache_duration_seconds": 600}, [1, 1, 1]),
]


@pytest.mark.parametrize(("headers", "more", "sent"), KEPT)
def test_answers_are_kept_between_queries(server: Quiet, headers: Any, more: Any, sent: list[int]) -> None:
    Handler.replies["/a"] = Reply(200, b"x", headers)
    shared, counts = SharedCache(), []
    for seconds in (0, 59, 61):
        send({"method": "GET", "url": url(server, "/a"), **more}, later(shared, seconds))
        counts.append(len(Handler.received))
    assert counts == sent


def test_failures_are_not_kept(server: Quiet) -> None:
    shared = SharedCache()
    asked = {"method": "GET", "url": url(server, "/a"), "force_cache": True, "force_cache_duration_seconds": 60}
    for _ in range(2):
        Handler.replies["/a"] = Reply(500)
        send(asked, later(shared, 0))
    assert len(Handler.received) == 2


def test_a_stale_answer_is_asked_about(server: Quiet) -> None:
    shared = SharedCache()
    asked = {"method": "GET", "url": url(server, "/a"), "cache": True}
    Handler.replies["/a"] = Reply(200, b"old", {"Cache-Control": "max-age=1", "Date": DATE, "ETag": '"v1"'})
    send(asked, later(shared, 0))
    Handler.replies["/a"] = Reply(304, headers={"Cache-Control": "max-age=60", "Date": DATE, "X-New": "1"})
    got = send(asked, later(shared, 10))
    assert (got["raw_body"], got["status_code"], got["headers"]["x-new"]) == ("old", 200, ["1"])
    assert Handler.received[-1].headers["If-None-Match"] == '"v1"'
    assert send(asked, later(shared, 50))["raw_body"] == "old"
    assert len(Handler.received) == 2
    Handler.replies["/a"] = Reply(200, b"new", {"Cache-Control": "max-age=1", "Date": DATE})
    assert send(asked, later(shared, 100))["raw_body"] == "new"


# TLS


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate authority with a certificate for this machine and one for a client."""
    folder = tmp_path_factory.mktemp("pki")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = certificate("authority", authority_key, "authority", authority_key)
    files = {"ca": authority.public_bytes(serialization.Encoding.PEM)}
    for name in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        signed = certificate(name, key, "authority", authority_key)
        files[name] = signed.public_bytes(serialization.Encoding.PEM)
        files[f"{name}_key"] = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in files}


def certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    authority = subject == issuer
    names = [x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("named.example")]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(signer, hashes.SHA256())
    )


@pytest.fixture
def secure(pki: dict[str, Path]) -> Iterator[Quiet]:
    Handler.replies, Handler.received = {"/": Reply(200, b"secret")}, []
    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki["server"], pki["server_key"])
    context.load_verify_locations(pki["ca"])
    context.verify_mode = ssl.CERT_OPTIONAL
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with running(server) as started:
        yield started


def https(server: Quiet, **more: Any) -> Any:
    return send({"method": "GET", "url": url(server, scheme="https"), **more})


def test_an_unknown_authority_is_refused(secure: Quiet) -> None:
    problem = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    check(https(secure), Error(f'Get "{url(secure, scheme="https")}": {problem}'))
    check(https(secure, tls_use_system_certs=True), Error(f'Get "{url(secure, scheme="https")}": {problem}'))


@pytest.mark.parametrize("kind", ["text", "file", "variable", "insecure"])
def test_ways_to_trust_a_server(secure: Quiet, pki: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_CA", pki["ca"].read_text())
    ways = {
        "text": {"tls_ca_cert": pki["ca"].read_text()},
        "file": {"tls_ca_cert_file": str(pki["ca"])},
        "variable": {"tls_ca_cert_env_variable": "TEST_CA"},
        "insecure": {"tls_insecure_skip_verify": True},
    }
    assert https(secure, **ways[kind])["raw_body"] == "secret"


@pytest.mark.parametrize(("name", "fits"), [("named.example", True), ("other.example", False)])
def test_the_name_the_server_must_have(secure: Quiet, pki: Any, name: str, fits: bool) -> None:
    got = https(secure, tls_ca_cert_file=str(pki["ca"]), tls_server_name=name)
    assert isinstance(got, Error) is not fits


@pytest.mark.parametrize("kind", ["text", "file", "variable"])
def test_ways_to_show_a_certificate(secure: Quiet, pki: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_CERT", pki["client"].read_text())
    monkeypatch.setenv("TEST_KEY", pki["client_key"].read_text())
    ways = {
        "text": {"tls_client_cert": pki["client"].read_text(), "tls_client_key": pki["client_key"].read_text()},
        "file": {"tls_client_cert_file": str(pki["client"]), "tls_client_key_file": str(pki["client_key"])},
        "variable": {"tls_client_cert_env_variable": "TEST_CERT", "tls_client_key_env_variable": "TEST_KEY"},
    }
    shown: list[Any] = []
    monkeypatch.setattr(Handler, "do_GET", lambda self: (shown.append(self.connection.getpeercert()), self.answer()))
    assert https(secure, tls_ca_cert_file=str(pki["ca"]), **ways[kind])["raw_body"] == "secret"
    assert shown[0]["subject"] == ((("commonName", "client"),),)


def test_a_key_that_is_none(secure: Quiet) -> None:
    got = https(secure, tls_client_cert="x", tls_client_key="y")
    check(got, Error("tls: failed to find any PEM data in certificate input"))


def test_a_server_without_tls(server: Quiet) -> None:
    problem = "tls: first record does not look like a TLS handshake"
    check(https(server), Error(f'Get "{url(server, scheme="https")}": {problem}'))


# Names

LOOKUPS = [
    ("10.0.0.1", Set(["10.0.0.1"])),
    ("::ffff:10.0.0.1", Set(["10.0.0.1"])),
    ("FE80::0:1", Set(["fe80::1"])),
    ("localhost", Set(["127.0.0.1", "::1"])),
    ("example.com", Error(f"disallowed host: example.com {REFUSED}")),
    (1, Error("operand 1 must be string but got number")),
]


@pytest.mark.parametrize(("name", "wanted"), LOOKUPS)
def test_lookups(name: Any, wanted: Any) -> None:
    check(outcome(CONTEXT_TABLE, "net.lookup_ip_addr", Evaluation(), name), wanted)


def test_an_allowed_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def addresses(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("10.0.0.1", 0)), (socket.AF_INET6, 1, 6, "", ("fe80::1%en0", 0, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    evaluation = Evaluation(Options(allow_hosts=frozenset({"db.example"})))
    for _ in range(2):
        check(CONTEXT_TABLE["net.lookup_ip_addr"](evaluation, "db.example"), Set(["10.0.0.1", "fe80::1"]))
    assert asked == ["db.example"]


def test_a_name_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    evaluation = Evaluation(Options(allow_hosts=frozenset({"*"})))
    got = outcome(CONTEXT_TABLE, "net.lookup_ip_addr", evaluation, "no.example")
    check(got, Error("lookup no.example: no such host"))


def test_the_shared_cache_is_bounded() -> None:
    cache = SharedCache(max_bytes=10)
    cache.put("a", 1, 6)
    cache.put("b", 2, 4)
    assert (cache.get("a"), len(cache)) == (1, 2)
    cache.put("c", 3, 4)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    cache.put("d", json, 11)
    assert cache.get("d") is None
