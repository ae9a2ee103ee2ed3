"""Signed checkpoints of the audit log, in the format of signed notes (C2SP, tlog-checkpoint and signed-note).

A checkpoint kept elsewhere shows later that the log still begins with what it held then.
"""

from __future__ import annotations

import base64
import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = b"\x01"
"""The type of signature in a key's identity (C2SP signed-note)."""

DASH: Final = "\u2014"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of a log at one size.

    Attributes:
        origin: which log it is of.
        size: how many entries the tree has.
        root: its root.
        note: the signed text.
    """

    origin: str
    size: int
    root: bytes
    note: str


class Signer:
    """Signs checkpoints of one log."""

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self._origin = origin
        self._key = key

    def sign(self, size: int, root: bytes) -> Checkpoint:
        """The signed checkpoint of a tree."""
        text = f"{self._origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        identity = key_identity(self._origin, self._key.public_key())
        signature = base64.b64encode(identity + self._key.sign(text.encode())).decode()
        return Checkpoint(self._origin, size, root, f"{text}\n{DASH} {self._origin} {signature}\n")


class Witness:
    """A file outside of the store that keeps checkpoints, one note after another with an empty line behind each.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, notes: Iterable[str]) -> None:
        """Add notes; they are durable when this returns.

        Raises:
            OSError: the file cannot be written.
        """
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            content = "".join(f"{note}\n" for note in notes).encode()
            written = os.write(file, content)
            if written < len(content):  # what comes next must not stand behind a part of a note
                os.ftruncate(file, os.fstat(file).st_size - written)
                raise OSError(errno.ENOSPC, f"`{self.path}` could not be written")
            os.fsync(file)
        finally:
            os.close(file)

    def notes(self) -> list[str]:
        """What it keeps; nothing if there is no file yet.

        Raises:
            ValueError: the file ends within a note, or has something else in it.
        """
        if not self.path.exists():
            return []
        return split_notes(self.path.read_text(encoding="utf-8"))

    def mend(self, kept: Iterable[str]) -> None:
        """Remove the beginning of one of these notes from the end: a loss of power left it there."""
        if not self.path.exists():
            return
        content, end = self.path.read_bytes(), 0
        while (middle := content.find(b"\n\n", end)) != -1 and (after := content.find(b"\n\n", middle + 2)) != -1:
            end = after + 2
        rest = content[end:]
        if rest and any(f"{note}\n".encode().startswith(rest) for note in kept):
            os.truncate(self.path, end)


def split_notes(text: str) -> list[str]:
    """The notes that stand one after another, each ended by an empty line.

    Raises:
        ValueError: there is something else.
    """
    blocks = text.split("\n\n")
    if blocks.pop() != "" or len(blocks) % 2:
        raise ValueError("not a list of checkpoints: it ends within a note")
    return [f"{head}\n\n{signature}\n" for head, signature in zip(blocks[::2], blocks[1::2], strict=True)]


def key_identity(name: str, key: Ed25519PublicKey) -> bytes:
    """The four bytes by which a note says whose signature it carries."""
    return sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:4]


def read_checkpoint(note: str, origin: str, *keys: Ed25519PublicKey) -> Checkpoint:
    """A checkpoint from its note.

    Args:
        note: the signed text.
        origin: which log it has to be of.
        keys: the key of the log, and those it had before.

    Raises:
        ValueError: the note is malformed, of another log, or signed with none of the keys.
    """
    point = unsigned_checkpoint(note, origin)
    if not any(_is_signed(note, origin, key) for key in keys):
        raise ValueError(f"the checkpoint of `{origin}` is not signed with the key of the log")
    return point


def _is_signed(note: str, origin: str, key: Ed25519PublicKey) -> bool:
    from cryptography.exceptions import InvalidSignature

    text, _, signatures = note.partition("\n\n")
    identity = key_identity(origin, key)
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        signed = _decoded(encoded)
        if dash == DASH and name == origin and signed[:4] == identity:
            try:
                key.verify(signed[4:], f"{text}\n".encode())
            except InvalidSignature:
                return False
            return True
    return False


def unsigned_checkpoint(note: str, origin: str) -> Checkpoint:
    """What a note says, whoever signed it.

    Raises:
        ValueError: the note is malformed, or of another log.
    """
    text, separator, _ = note.partition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) != 3 or lines[0] != origin:
        raise ValueError(f"not a checkpoint of `{origin}`")
    return Checkpoint(origin, _size(lines[1]), _decoded(lines[2]), note)


def _size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or (text != "0" and text.startswith("0")):
        raise ValueError(f"not the size of a tree: `{text[:40]}`")
    return int(text)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
