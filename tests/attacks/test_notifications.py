"""Who should hear of what goes wrong does not, or hears too much."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from defence import ROOT

from gateways import CONFIG, World

SECRET = "hunter2"
LIMITED = "quotas: {max_actions_per_prompt: 4, soft_percent: 25}\n"
"""Two notifications: of the soft limit, and of the pause."""


@contextmanager
def server(answer: bytes) -> Iterator[tuple[str, list[str]]]:
    """A webhook that answers so, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"POST {self.path}")
            self.rfile.read(int(self.headers["Content-Length"]))
            self.wfile.write(answer)

        def do_GET(self) -> None:
            asked.append(f"GET {self.path}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", asked
        finally:
            listening.shutdown()
            thread.join()


def failures(folder: Path, told: str) -> list[str]:
    """What the log says of notifications that were not sent."""
    world = World.made(folder, f"{CONFIG}\n{LIMITED}notifications: {told}\n")
    token = world.granted(ROOT)
    for _ in range(6):
        world.ask(token, ROOT)
    world.gateway.close()
    world = world.again_without_closing()
    assert world.verification().problem is None
    return [record["not_sent"] for record in world.records("notification") if "not_sent" in record]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"nonsense\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n", "HTTPException"),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", "HTTPError"),
        (b"HTTP/1.1 500 hunter2\r\nContent-Length: 0\r\n\r\n", "HTTPError"),
    ],
    ids=["nonsense", "too many headers", "a redirect", "an error"],
)
def test_a_webhook_that_answers_with(answer: bytes, why: str, tmp_path: Path) -> None:
    """Each notification is tried by itself, nothing is followed, and the log says what was not sent."""
    with server(answer) as (url, asked):
        said = failures(tmp_path, f"{{webhook: {url}/{SECRET}}}")
    assert asked == [f"POST /{SECRET}"] * 2
    assert [one.partition(":")[0] for one in said] == [why] * 2
    assert SECRET not in str(said)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("raise SystemExit(3)", "CalledProcessError: the command ended with 3"),
        ("import time; time.sleep(60)", "TimeoutExpired: the command took too long"),
    ],
)
def test_a_command_with_a_secret_that(script: str, why: str, tmp_path: Path) -> None:
    """What it was started with stays out of the log."""
    said = failures(tmp_path, f'{{command: [{sys.executable!r}, -c, "{script}", {SECRET}], seconds: 1}}')
    assert said == [why] * 2
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("procurator.db*"))
