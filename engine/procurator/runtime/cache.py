"""Answers kept from one query to the next, bounded in bytes and safe to share between threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

DEFAULT_MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    size: int


class SharedCache:
    """A least-recently-used cache; an entry larger than the whole cache is not kept."""

    __slots__ = ("_entries", "_lock", "_size", "max_bytes")

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Any:
        """The value kept under the key, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of this many bytes, dropping the least recently used ones to make room."""
        with self._lock:
            self._drop(key)
            if size > self.max_bytes:
                return
            self._entries[key] = _Entry(value, size)
            self._size += size
            while self._size > self.max_bytes:
                self._drop(next(iter(self._entries)))

    def delete(self, key: Hashable) -> None:
        """Forget the value under the key, if there is one."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size
