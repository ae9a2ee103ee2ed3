"""Where the keys of an issuer come from: a file, or a URL that is fetched with limits and follows nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from threading import Timer
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_BYTES: Final = 1 << 20
TIMEOUT_SECONDS: Final = 5.0
CHUNK_BYTES: Final = 1 << 16
OK: Final = 200


class SourceError(Exception):
    """The source of keys could not be read, or is none; the message says why, without what was read."""


def fetch_source(source: str) -> bytes:
    """The content of a source: an https URL, or the path of a file.

    Raises:
        SourceError: it cannot be had.
    """
    return _fetched(_https(source)) if "://" in source else _read(Path(source))


def check_source(source: str) -> None:
    """Refuse a source that could never be fetched, without fetching it.

    Raises:
        SourceError: a URL of another kind than https, or without a host.
    """
    if "://" in source:
        _https(source)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(f"`{path.name}`: {(error.strerror or 'cannot be read').lower()}") from None
    if len(content) > MAX_BYTES:
        raise _too_long()
    return content


# URLs


def _https(source: str) -> SplitResult:
    url = _split(source)
    if url.scheme != "https":
        raise SourceError("only https URLs are fetched")
    return url


def _split(source: str) -> SplitResult:
    try:
        url = urlsplit(source)
        known = bool(url.hostname) and url.port != 0
    except ValueError:
        known = False
    if not known or not source.isascii() or not source.isprintable() or " " in source:
        raise SourceError("not a URL")
    if url.username is not None or url.password is not None:
        raise SourceError("a URL with a user name is not fetched")
    return url


def _fetched(url: SplitResult) -> bytes:
    connection = HTTPSConnection(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    try:
        with _ended_at(connection, deadline):
            connection.request("GET", path, headers={"Accept": "application/jwk-set+json, application/json"})
            return _content(connection, deadline)
    except (OSError, HTTPException) as error:
        late = isinstance(error, TimeoutError) or time.monotonic() >= deadline
        raise SourceError(f"no answer within {TIMEOUT_SECONDS:g} seconds" if late else _told(error)) from None


def _told(error: OSError | HTTPException) -> str:
    return getattr(error, "strerror", None) or "no answer of HTTP"


def _content(connection: HTTPSConnection, deadline: float) -> bytes:
    with connection.getresponse() as response:
        # A redirect is an answer like others that are not 200: the configuration says where the keys are.
        if response.status != OK:
            raise SourceError(f"answered with status {response.status}")
        content = bytearray()
        while chunk := response.read1(CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_BYTES:
                raise _too_long()
            _check_time(deadline)
        # The end of the content is also what an exchange that was ended looks like.
        _check_time(deadline)
        if response.length:
            raise SourceError("the answer was cut off")
    return bytes(content)


def _check_time(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise TimeoutError


def _too_long() -> SourceError:
    return SourceError(f"longer than {MAX_BYTES} bytes")


@contextmanager
def _ended_at(connection: HTTPSConnection, deadline: float) -> Iterator[None]:
    """End the exchange at the deadline: a server that sends a byte now and then would never run into a timeout."""

    def end() -> None:
        with suppress(AttributeError, OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(deadline - time.monotonic(), 0), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        connection.close()
