"""Where keys are read from: files, and https with limits, here from a server of this machine."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.x509 import DNSName, IPAddress

from authorities import Plan, certificate, elliptic, private_pem
from procurator.governance.signing import jwks_source
from procurator.governance.signing.jwks_source import MAX_BYTES, SourceError, check_source, fetch_source

YEARS = timedelta(days=36500)
NAMES = (IPAddress(ip_address("127.0.0.1")), DNSName("id.example"))


def problem(source: str) -> str:
    """Why a source cannot be fetched."""
    with pytest.raises(SourceError) as error:
        fetch_source(source)
    return str(error.value)


# Files


def test_a_file_is_read(tmp_path: Path) -> None:
    """A path without a scheme is a file."""
    path = tmp_path / "keys.json"
    path.write_bytes(b'{"keys": []}')
    assert fetch_source(str(path)) == b'{"keys": []}'


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Its folder is not."""
    assert problem(str(tmp_path / "keys.json")) == "`keys.json`: no such file or directory"
    assert problem(str(tmp_path)) == f"`{tmp_path.name}`: is a directory"


def test_a_file_has_a_limit(tmp_path: Path) -> None:
    """The same as an answer."""
    path = tmp_path / "keys.json"
    path.write_bytes(b" " * (MAX_BYTES + 1))
    assert problem(str(path)) == "longer than 1048576 bytes"


# URLs


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("http://id.example/keys", "only https URLs are fetched"),
        ("http://127.0.0.1/keys", "only https URLs are fetched"),
        ("file://localhost/etc/hostname", "only https URLs are fetched"),
        ("file:///etc/hostname", "not a URL"),
        ("ftp://id.example/keys", "only https URLs are fetched"),
        ("https:///keys", "not a URL"),
        ("https://[::1/keys", "not a URL"),
        ("https://id.example:99999/keys", "not a URL"),
        ("https://id.example:0/keys", "not a URL"),
        ("https://id.example/a b", "not a URL"),
        ("https://id.example/a\r\nX-A: b", "not a URL"),
        ("https://id.exämple/keys", "not a URL"),
        ("https://user@id.example/keys", "a URL with a user name is not fetched"),
        ("https://:secret@id.example/keys", "a URL with a user name is not fetched"),
    ],
)
def test_only_plain_https_urls_are_fetched(source: str, reason: str) -> None:
    """A configuration can be checked for it without fetching."""
    with pytest.raises(SourceError) as error:
        check_source(source)
    assert (str(error.value), problem(source)) == (reason, reason)


def test_a_path_and_an_https_url_can_be_sources() -> None:
    """Whether there is anything is another question."""
    assert [check_source("keys.json"), check_source("https://id.example/keys?a=b")] == [None, None]


Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A server of this machine with a certificate of its own, whose answer a test sets."""

    def __init__(self, folder: Path) -> None:
        """Begin to listen."""
        self.answer: Answer = lambda request: reply(request, b"{}")
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                # A client that has seen enough leaves in the middle of an answer.
                with suppress(OSError):
                    outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.authority = folder / "authority.pem"
        root = Plan(authority=True, usage="key_cert_sign", ends=YEARS, identified=True)
        self.authority.write_text(certificate("root", "root", root))
        own, server = folder / "server.pem", Plan(names=NAMES, ends=YEARS, identified=True)
        own.write_text(certificate("server", "root", server) + private_pem(elliptic("server")))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def reply(
    request: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, location: str = "", length: int | None = None
) -> None:
    """Answer a request."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(body) if length is None else length))
    if location:
        request.send_header("Location", location)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server whose certificate is trusted."""
    made = Server(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    yield made
    made.close()


def test_a_url_is_fetched(server: Server) -> None:
    """With its query."""
    server.answer = lambda request: reply(request, b'{"keys": []}')
    assert fetch_source(f"{server.url}/keys?v=2#part") == b'{"keys": []}'
    assert server.paths == ["/keys?v=2"]


def test_a_certificate_that_nobody_vouches_for_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's authorities decide."""
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate verify failed" in problem(server.url)
    assert server.paths == []


def test_a_certificate_of_another_name_is_refused(server: Server) -> None:
    """Whoever answers has to be who was asked."""
    port = server.url.rpartition(":")[2]
    assert "certificate is not valid for 'localhost'" in problem(f"https://localhost:{port}")
    assert server.paths == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_refused(server: Server, status: int) -> None:
    """Whoever can make the issuer's server redirect does not choose the keys."""
    server.answer = lambda request: reply(request, b"", status=status, location=f"{server.url}/other")
    assert problem(f"{server.url}/keys") == f"answered with status {status}"
    assert server.paths == ["/keys"]


@pytest.mark.parametrize("status", [204, 206, 404, 500])
def test_only_ok_is_an_answer(server: Server, status: int) -> None:
    """A part of the keys is not the keys."""
    server.answer = lambda request: reply(request, b"", status=status)
    assert problem(server.url) == f"answered with status {status}"


def test_an_answer_has_a_limit(server: Server) -> None:
    """One megabyte."""
    server.answer = lambda request: reply(request, b" " * (MAX_BYTES + 1))
    assert problem(server.url) == "longer than 1048576 bytes"
    server.answer = lambda request: reply(request, b" " * MAX_BYTES)
    assert len(fetch_source(server.url)) == MAX_BYTES


def test_an_answer_that_is_cut_off_is_refused(server: Server) -> None:
    """It could still be JSON."""
    server.answer = lambda request: reply(request, b"{}", length=10)
    assert problem(server.url) == "the answer was cut off"


def test_what_is_not_http_is_refused(server: Server) -> None:
    """The words of the server are not repeated."""
    server.answer = lambda request: request.wfile.write(b"secret\r\n\r\n") and None
    assert problem(server.url) == "no answer of HTTP"


@pytest.mark.parametrize("part", [b"H", b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_dawdles_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    """The time is that of the whole exchange: a byte now and then does not make it longer."""
    monkeypatch.setattr(jwks_source, "TIMEOUT_SECONDS", 0.3)
    over = threading.Event()

    def dawdle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(part)
        while not over.wait(0.02):
            request.wfile.write(b" ")

    server.answer = dawdle
    assert problem(server.url) == "no answer within 0.3 seconds"
    over.set()


def test_nobody_listening_is_told() -> None:
    """As the system tells it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert problem(f"https://127.0.0.1:{free.getsockname()[1]}") == "Connection refused"
