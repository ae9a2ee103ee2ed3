"""The policies that a command's arguments name: files, folders, bundles, standard input."""

import stat
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Final, TypeVar

import click

from procurator_rules.errors import PolicyError, raise_all
from procurator_rules.nodes import Module
from procurator_rules.parser import decode
from procurator_rules.spans import Location

LOAD: Final = "load_error"
STDIN: Final = "-"
SUFFIX: Final = ".rego"
LARGEST: Final = 64 * 1024 * 1024
LONG_WORK: Final = 50

T = TypeVar("T")


def policy_texts(paths: Sequence[str], ignore: Sequence[str] = (), *, bundle: bool = False) -> dict[str, str]:
    """The text of every policy below the paths by its name; whatever cannot be read is reported together."""
    found = policy_files(paths, ignore)
    texts: dict[str, str] = {}
    errors: list[PolicyError] = []
    for path in progress(found, "reading"):
        try:
            texts.update(_bundle_texts(path) if bundle and _is_archive(path) else {display_name(path): read_text(path)})
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return texts


def parse_policies(texts: Mapping[str, str], parse: Callable[[str, str], Module]) -> dict[str, Module]:
    """The modules of texts by their names; the mistakes of all texts are raised together."""
    modules: dict[str, Module] = {}
    errors: list[PolicyError] = []
    for name in progress(list(texts), "parsing"):
        try:
            modules[name] = parse(texts[name], name)
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return modules


def policy_files(paths: Sequence[str], ignore: Sequence[str] = ()) -> list[str]:
    """The files to read: paths that are files, and the `.rego` files below paths that are folders, in order.

    Names that match a pattern of ignore are left out below a folder, as are whole folders of such a name; what a path
    names itself is never left out. A file named outright that is not a policy is passed over beside others that are.
    """
    found: dict[str, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_below(path, ignore)))
    policies = [path for path in found if path == STDIN or path.endswith(SUFFIX) or _is_archive(path)]
    if not policies:
        wanted = ", ".join(f"`{path}`" for path in paths)
        raise PolicyError(LOAD, f"no policy found in {wanted}", hint=f"policies are files that end in `{SUFFIX}`")
    return policies


def _below(path: str, ignore: Sequence[str]) -> Iterator[str]:
    if path == STDIN:
        yield path
        return
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        yield from _walk(Path(path), [pattern.replace("[^", "[!") for pattern in ignore])
    else:
        yield path


def _mode(path: str) -> int:
    try:
        return Path(path).stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise PolicyError(LOAD, f"`{path!a}` is no file name") from None


def _walk(folder: Path, ignore: Sequence[str]) -> Iterator[str]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(str(folder), error) from None
    for entry in entries:
        if any(fnmatchcase(entry.name, pattern) for pattern in ignore):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry, ignore)
        elif entry.suffix == SUFFIX and entry.is_file():
            yield str(entry)


def read_text(path: str) -> str:
    """The text of one file; `-` is standard input."""
    try:
        raw = _limited(path, sys.stdin.buffer) if path == STDIN else _read_file(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    return decode(raw, display_name(path))


def _read_file(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return _limited(path, file)


def _limited(path: str, file: IO[bytes]) -> bytes:
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise PolicyError(LOAD, f"more than {LARGEST >> 20} MiB of text", at=_start(path))
    return raw


def _is_archive(path: str) -> bool:
    return path.endswith((".tar.gz", ".tgz"))


def _bundle_texts(path: str) -> dict[str, str]:
    try:
        with tarfile.open(path, "r:*") as archive:
            return dict(_members(path, archive))
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        raise PolicyError(LOAD, f"not a bundle: {error}", at=_start(path)) from None


def _members(path: str, archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for member in archive:
        file = archive.extractfile(member) if member.isfile() and member.name.endswith(SUFFIX) else None
        if file is not None:
            name = f"{path}/{member.name.removeprefix('./').lstrip('/')}"
            yield name, decode(_limited(name, file), name)


def display_name(path: str) -> str:
    """What a path is called in messages."""
    return "<stdin>" if path == STDIN else path


def _start(path: str) -> Location:
    return Location(display_name(path), 1, 1)


def _unreadable(path: str, error: OSError) -> PolicyError:
    hint = None
    if isinstance(error, FileNotFoundError):
        folder = Path(path).parent
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        close = get_close_matches(Path(path).name, names, 1)
        hint = f"did you mean `{folder / close[0]}`?" if close else None
    reason = (error.strerror or str(error)).lower()
    return PolicyError(LOAD, f"cannot read the file: {reason}", at=_start(path), hint=hint)


def progress(items: Sequence[T], label: str) -> Iterable[T]:
    """The items, with a bar on standard error while they are gone through: on a terminal, and when they are many."""
    if len(items) < LONG_WORK or not sys.stderr.isatty():
        return items
    return _with_bar(items, label)


def _with_bar(items: Sequence[T], label: str) -> Iterator[T]:
    with click.progressbar(items, label=label, file=sys.stderr) as bar:
        yield from bar
