"""Connections of `http.client`, told where to connect to and whom to expect there."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection


def plain_connection(host: str, port: int, timeout: float) -> HTTPConnection:
    """A connection without TLS."""
    return HTTPConnection(host, port, timeout=timeout)


class TlsConnection(HTTPConnection):
    """A connection with TLS to a server that must show a certificate for the given name."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext, name: str) -> None:
        super().__init__(host, port, timeout=timeout)
        self._context = context
        self._name = name

    def connect(self) -> None:
        """Connect and shake hands."""
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)


class SocketConnection(HTTPConnection):
    """A connection to a Unix domain socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(self.timeout)
        try:
            sock.connect(self._path)
        except OSError:
            sock.close()
            raise
        self.sock = sock
