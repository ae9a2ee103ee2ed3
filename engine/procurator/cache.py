"""A folder that keeps compiled artefacts from one process to the next.

Every file is a head, a digest and a payload. A file that is damaged, cut short, too large, written by another user or
for another key counts as missing, and is written anew. Writing is atomic: any number of processes may share a folder.
"""

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

MAGIC: Final = b"procurator artefact 1\n"
DIGEST: Final = 32

SUFFIX: Final = ".artefact"
UNFINISHED: Final = ".unfinished"

MAX_BYTES: Final = 256 * 1024 * 1024
"""What a folder may hold unless its user says otherwise."""

MAX_FILE: Final = 128 * 1024 * 1024

STALE: Final = 3600.0
"""Seconds after which a file that was never finished is taken away, and after which a read is noted as a use."""

_READ: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Cache:
    """Payloads by key in a folder; those that were used least recently make room for others.

    Attributes:
        folder: where the files are; made, for its owner alone, when it does not exist.
        max_bytes: what all files may take together.
    """

    def __init__(self, folder: str | Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = Path(folder)
        self.max_bytes = max_bytes
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._room = 0

    def get(self, key: bytes) -> bytes | None:
        """The payload under a key; None when there is none that can be relied on."""
        path = self._path(key)
        try:
            content = _content(path)
        except OSError:
            return None
        head = len(MAGIC) + DIGEST
        payload = content[head:]
        if content[:head] != MAGIC + _digest(key, payload):
            return None
        return payload

    def put(self, key: bytes, payload: bytes) -> None:
        """Keep a payload; a folder that cannot be written to stays as it is."""
        content = MAGIC + _digest(key, payload) + payload
        if len(content) > min(self.max_bytes, MAX_FILE):
            return
        path = self._path(key)
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}{UNFINISHED}")
        try:
            with open(os.open(unfinished, _WRITE, 0o600), "wb") as file:
                file.write(content)
            os.replace(unfinished, path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            return
        self._room -= len(content)
        if self._room < 0:
            self._make_room()

    def _path(self, key: bytes) -> Path:
        return self.folder / f"{key.hex()}{SUFFIX}"

    def _make_room(self) -> None:
        """Take away what is too much, the least recently used first; note how much may be written until next time."""
        files = sorted(self._files(), reverse=True)
        total = 0
        for used, size, path in files:
            total += size
            abandoned = path.name.endswith(UNFINISHED) and used < time.time() - STALE
            if total > self.max_bytes or abandoned:
                total -= size
                with contextlib.suppress(OSError):
                    path.unlink()
        self._room = (self.max_bytes - total) // 4

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """The files of the folder: when each was last used, its size, and its path."""
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith((SUFFIX, UNFINISHED)):
                    with contextlib.suppress(OSError):
                        found = entry.stat(follow_symlinks=False)
                        yield found.st_mtime, found.st_size, Path(entry.path)


def _digest(key: bytes, payload: bytes) -> bytes:
    return sha256(MAGIC + key + payload).digest()


def _content(path: Path) -> bytes:
    """The content of a file that this user wrote; OSError for any other."""
    with open(os.open(path, _READ), "rb") as file:
        found = os.fstat(file.fileno())
        if not _is_ours(found) or found.st_size > MAX_FILE:
            raise PermissionError(path)
        content = file.read(MAX_FILE + 1)
        if time.time() - found.st_mtime > STALE:
            with contextlib.suppress(OSError):
                os.utime(path)
    return content


def _is_ours(found: os.stat_result) -> bool:
    """Whether a file is a regular one that only this user, or the administrator, can have written."""
    if not stat.S_ISREG(found.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
