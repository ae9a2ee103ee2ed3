"""Archives of bundles, read in memory: nothing is written to disk, and nothing may grow without bound.

A name may start with one slash, as the archives of `opa build` have it; it stands for the root of the bundle.
"""

import gzip
import io
import tarfile
import zlib
from dataclasses import dataclass
from typing import Final, Self

from procurator.data.problems import load_error
from procurator_rules.errors import PolicyError

_CHUNK: Final = 1 << 16
_MEBIBYTE: Final = 1 << 20
_REGULAR: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
_KINDS: Final = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold."""

    total: int = 1024 * _MEBIBYTE
    """Bytes of all entries and headers once unpacked."""
    file: int = 1024 * _MEBIBYTE
    """Bytes of one file."""
    entries: int = 100_000
    """Files and folders."""
    ratio: int = 200
    """How many times larger than the archive its contents may be, from `ratio_from` bytes on."""
    ratio_from: int = 16 * _MEBIBYTE


DEFAULT_LIMITS: Final = Limits()


class _Entry(tarfile.TarInfo):
    """An entry whose broken header is an error; tarfile takes one for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]  # not in the stubs
            raise ValueError(str(error)) from None


class _Measured(io.RawIOBase):
    """The unpacked bytes of an archive, which end in an error where they pass the limits."""

    def __init__(self, content: bytes, name: str, limits: Limits) -> None:
        self._source = gzip.GzipFile(fileobj=io.BytesIO(content))
        self._packed = max(len(content), 1)
        self._name = name
        self._limits = limits
        self._count = 0

    def read(self, size: int = -1, /) -> bytes:
        """At most this many bytes, and never more than a chunk at once."""
        piece = self._source.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self._count += len(piece)
        if self._count > self._limits.total:
            raise load_error(f"the archive holds more than {self._limits.total} bytes", self._name)
        if self._count > max(self._limits.ratio_from, self._limits.ratio * self._packed):
            raise load_error(f"the archive grows more than {self._limits.ratio} times when unpacked", self._name)
        return piece

    def drain(self) -> None:
        """Read to the end, which is where the checksum of the whole is checked."""
        while self.read():
            pass


def read_archive(content: bytes, name: str = "bundle.tar.gz", limits: Limits = DEFAULT_LIMITS) -> dict[str, bytes]:
    """The files of a gzipped tar archive by their paths, without a slash before them."""
    measured = _Measured(content, name, limits)
    try:
        with tarfile.open(fileobj=measured, mode="r|", bufsize=_CHUNK, tarinfo=_Entry) as archive:
            files = _files(archive, name, limits)
        measured.drain()
    except PolicyError:
        raise
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError) as error:
        raise load_error(f"archive read failed: {error}", name) from None
    return files


def _files(archive: tarfile.TarFile, name: str, limits: Limits) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for number, entry in enumerate(archive, 1):
        if number > limits.entries:
            raise load_error(f"the archive has more than {limits.entries} entries", name)
        path = entry_path(entry.name, name)
        if entry.type == tarfile.DIRTYPE:
            continue
        if entry.type not in _REGULAR or entry.issparse():
            kind = _KINDS.get(entry.type, "of an unknown kind")
            raise load_error(f"the entry `{printable(path)}` is {kind}, not a file", name)
        if path in files:
            raise load_error(f"the archive has the entry `{printable(path)}` twice", name)
        files[path] = _content(archive, entry, name, limits)
    return files


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo, name: str, limits: Limits) -> bytes:
    if entry.size > limits.file:
        sizes = f"size ({entry.size} bytes) exceeded max size ({limits.file} bytes)"
        raise load_error(f"bundle file '{printable(entry.name)}' {sizes}", name)
    file = archive.extractfile(entry)
    content = file.read() if file else b""
    if len(content) != entry.size:
        raise load_error("archive read failed: unexpected end of data", name)
    return content


def entry_path(text: str, name: str) -> str:
    """The path of an entry below the root of its bundle."""
    path = text.removeprefix("./").removeprefix("/").rstrip("/")
    parts = path.split("/")
    strange = "\\" in path or parts[0][1:2] == ":" or not path.isprintable()
    if strange or (path not in ("", ".") and any(part in ("", ".", "..") for part in parts)):
        raise load_error(f"the entry `{printable(text)}` is not below the root of the bundle", name)
    return path


def printable(text: str) -> str:
    """A name for a message: what a terminal could act on is shown escaped."""
    return text if text.isprintable() else text.encode("unicode_escape", "surrogateescape").decode("ascii", "replace")
