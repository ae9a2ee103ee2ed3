"""Archives: what is read, and what is refused before it can do harm."""

from __future__ import annotations

import gzip
import tarfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packing import bundle, entry, message, packed, tar

from procurator.data.archive import Limits, read_archive
from procurator_rules.errors import PolicyError

FILES = {"a/data.json": b'{"x": 1}', "p.rego": b"package p\n", ".manifest": b"{}", "empty": b""}
GOOD = bundle(FILES)

NAMES = [
    ("data.json", "data.json"),
    ("/data.json", "data.json"),  # as `opa build` has it
    ("./a/data.json", "a/data.json"),
    ("a/é b.rego", "a/é b.rego"),
    ("x" * 300, "x" * 300),
]


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_names_are_paths_below_the_root(name: str, path: str) -> None:
    assert read_archive(bundle({name: b"{}"})) == {path: b"{}"}


def test_files_are_read_and_folders_passed_over() -> None:
    folders = [entry("a/", type=tarfile.DIRTYPE), entry("./", type=tarfile.DIRTYPE), entry(".", type=tarfile.DIRTYPE)]
    assert read_archive(packed([*folders, *[entry(name, content) for name, content in FILES.items()]])) == FILES
    assert read_archive(packed([])) == {}


OUTSIDE = ["../x", "a/../../x", "a/..", "//x", "/../x", "a//b", "a/./b", "C:/x", "a\\b", "..\\x", "a\nb", "a\x1b[2Jb"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_archive(bundle({name: b"{}"}))
    assert message(caught.value).startswith("load_error: the entry `")
    assert message(caught.value).endswith("` is not below the root of the bundle")
    assert caught.value.message.isprintable()


KINDS = [
    (tarfile.SYMTYPE, "a symbolic link"),
    (tarfile.LNKTYPE, "a hard link"),
    (tarfile.CHRTYPE, "a device"),
    (tarfile.BLKTYPE, "a device"),
    (tarfile.FIFOTYPE, "a pipe"),
]


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_what_is_no_file(kind: bytes, name: str) -> None:
    content = packed([entry("x", type=kind, linkname="/etc/passwd")])
    with pytest.raises(PolicyError) as caught:
        read_archive(content)
    assert message(caught.value) == f"load_error: the entry `x` is {name}, not a file"


def test_two_entries_of_one_name() -> None:
    with pytest.raises(PolicyError) as caught:
        read_archive(packed([entry("a", b"1"), entry("/a", b"2")]))
    assert message(caught.value) == "load_error: the archive has the entry `a` twice"


BOMB = bundle({"zeros": bytes(1 << 22)})
LIMITS = [
    (BOMB, Limits(total=1 << 20), "the archive holds more than 1048576 bytes"),
    (BOMB, Limits(ratio=50, ratio_from=1 << 20), "the archive grows more than 50 times when unpacked"),
    (BOMB, Limits(file=1 << 20), "bundle file 'zeros' size (4194304 bytes) exceeded max size (1048576 bytes)"),
    (GOOD, Limits(entries=3), "the archive has more than 3 entries"),
]


@pytest.mark.parametrize(("content", "limits", "text"), LIMITS)
def test_limits(content: bytes, limits: Limits, text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_archive(content, limits=limits)
    assert message(caught.value) == f"load_error: {text}"


def test_a_name_of_a_gigabyte_is_not_read() -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    with pytest.raises(PolicyError):
        read_archive(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)), limits=Limits(total=1 << 24))


BROKEN = [
    (b"", "archive read failed: "),
    (b"no archive", "archive read failed: "),
    (tar([entry("a", b"1")]), "archive read failed: "),
    (GOOD[:-9], "archive read failed: "),
    (GOOD + b"more", "archive read failed: "),
    (gzip.compress(tar([entry("a", bytes(2000))])[:1200], mtime=0), "archive read failed: "),
    (gzip.compress(tar([entry("a", b"1")])[:1024] + b"x" * 512, mtime=0), "archive read failed: "),
    (gzip.compress(tar([entry("a", b"1")])[:1024] + b"x" * 100, mtime=0), "archive read failed: "),
]


@pytest.mark.parametrize(("content", "text"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_archive(content: bytes, text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_archive(content)
    assert message(caught.value).startswith(f"load_error: {text}")


def read_or_refuse(content: bytes) -> dict[str, bytes] | None:
    try:
        return read_archive(content, limits=Limits(total=1 << 22))
    except PolicyError:
        return None


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
@example(3, 4)  # the flags of the gzip header
def test_a_changed_byte_changes_nothing_or_is_refused(place: int, change: int) -> None:
    content = bytearray(GOOD)
    content[place] ^= change
    assert read_or_refuse(bytes(content)) in (FILES, None)


@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=8))
def test_a_changed_stretch_changes_nothing_or_is_refused(start: int, end: int, piece: bytes) -> None:
    assert read_or_refuse(GOOD[:start] + piece + GOOD[max(start, end) :]) in (FILES, None)


RAW = tar(entry(name, content) for name, content in FILES.items())


@given(st.integers(0, 2047), st.binary(min_size=1, max_size=16))
def test_broken_headers_never_hang_or_crash(place: int, piece: bytes) -> None:
    """Here the checksum of the whole is right, as an attacker would have it."""
    changed = RAW[:place] + piece + RAW[place + len(piece) :]
    got = read_or_refuse(gzip.compress(changed, 1))
    assert got is None or all(isinstance(content, bytes) for content in got.values())
