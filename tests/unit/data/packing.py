"""Archives of bundles for tests."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from procurator_rules.errors import PolicyError

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, content: bytes = b"", **fields: Any) -> Entry:
    """An entry of an archive, a regular file unless the fields say otherwise."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def tar(entries: Iterable[Entry]) -> bytes:
    """A tar archive."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def packed(entries: Iterable[Entry]) -> bytes:
    """A gzipped tar archive."""
    return gzip.compress(tar(entries), mtime=0)


def bundle(files: Mapping[str, str | bytes]) -> bytes:
    """A gzipped tar archive of these files."""
    return packed(
        entry(name, content if isinstance(content, bytes) else content.encode()) for name, content in files.items()
    )


def message(error: PolicyError) -> str:
    """The code and the message, without the place."""
    return f"{error.code}: {error.message}"
