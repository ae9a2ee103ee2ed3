"""Notifications: what people should hear of now, to a command or a webhook, after it was written to the log.

They are sent by a thread of their own, in their order, so that no decision waits for them. What cannot be sent is told
to whoever made the notifier: the log has it anyway.
"""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from procurator.governance.strict_json import canonical

WAITING: Final = 1000
"""How many notifications wait to be sent; what comes on top is dropped, and said to be."""

Record = Mapping[str, Any]


class Notifier:
    """Sends notifications; safe to share between threads."""

    def __init__(
        self,
        *,
        command: Sequence[str] = (),
        webhook: str | None = None,
        seconds: int = 5,
        failed: Callable[[Record, str], None] = lambda _record, _why: None,
    ) -> None:
        """Begin without a thread; it starts with the first notification.

        Args:
            command: what is started for each, with the JSON on its standard input; nothing if empty.
            webhook: the URL that each is posted to as JSON.
            seconds: how long sending one may take.
            failed: is told what could not be sent, and why.
        """
        self._command = tuple(command)
        self._webhook = webhook
        self._seconds = seconds
        self._failed = failed
        self._queue: queue.Queue[Record | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._mutex = threading.Lock()

    def send(self, records: Sequence[Record]) -> None:
        """Have notifications sent, soon; `failed` is told at once of those that there is no room for."""
        if not (self._command or self._webhook):
            return
        for record in records:
            try:
                self._queue.put_nowait(record)
            except queue.Full:
                self._failed(record, "too many are waiting to be sent")
        with self._mutex:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="notifications", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Send what is waiting, and end."""
        with self._mutex:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _work(self) -> None:
        while (record := self._queue.get()) is not None:
            for send in (self._run, self._post):
                try:
                    send(canonical(dict(record)).encode())
                except (OSError, HTTPException, ValueError, subprocess.SubprocessError) as error:
                    self._failed(record, _told(error))

    def _run(self, body: bytes) -> None:
        if self._command:
            subprocess.run(  # noqa: S603  # the configuration names the command; no shell reads it
                self._command, input=body, timeout=self._seconds, check=True, capture_output=True
            )

    def _post(self, body: bytes) -> None:
        if self._webhook is not None:
            headers = {"Content-Type": "application/json"}
            request = Request(self._webhook, data=body, headers=headers, method="POST")  # noqa: S310  # the settings allow no other schemes
            with _OPENER.open(request, timeout=self._seconds):
                return


def _told(error: Exception) -> str:
    """What went wrong; the texts of errors may hold the command with its arguments, or what a server has answered."""
    detail: str | None = None
    match error:
        case subprocess.CalledProcessError(returncode=code):
            detail = f"the command ended with {code}"
        case subprocess.TimeoutExpired():
            detail = "the command took too long"
        case HTTPError(code=code):
            detail = f"answered with status {code}"
        case URLError(reason=OSError() as reason):
            detail = reason.strerror
        case OSError():
            detail = error.strerror
    name = type(error).__name__
    return name if detail is None else f"{name}: {detail}"


class _FollowNothing(HTTPRedirectHandler):
    """Takes a redirect for what it is here: nobody has heard of the notification."""

    def redirect_request(self, *_: object) -> None:
        """Ask nobody else."""


_OPENER: Final = build_opener(_FollowNothing)
