"""The policies that a command's arguments name: files, folders, standard input."""

import stat
import sys
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
U = TypeVar("U")


def policy_texts(paths: Sequence[str], ignore: Sequence[str] = ()) -> dict[str, str]:
    """The text of every policy below the paths, by its name.

    Raises:
        PolicyError: something cannot be read; PolicyErrors for several.
    """
    return {display_name(path): text for path, text in each(policy_files(paths, ignore), read_text, "reading").items()}


def parse_policies(texts: Mapping[str, str], parse: Callable[[str, str], Module]) -> dict[str, Module]:
    """The modules of texts, by their names.

    Raises:
        PolicyError: a text is no policy; PolicyErrors for several mistakes, of all texts together.
    """
    return each(list(texts), lambda name: parse(texts[name], name), "parsing")


def each(items: Sequence[T], work: Callable[[T], U], label: str) -> dict[T, U]:
    """The results of work on every item; what goes wrong is raised together at the end."""
    results: dict[T, U] = {}
    errors: list[PolicyError] = []
    for item in progress(items, label):
        try:
            results[item] = work(item)
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return results


def policy_files(paths: Sequence[str], ignore: Sequence[str] = ()) -> list[str]:
    """The files to read: paths that are policies, and the policies below paths that are folders, each once.

    What a path names itself is never left out by a pattern of ignore. A file of another kind that is named beside
    policies, as `folder/*` does, is passed over.

    Raises:
        PolicyError: a path does not exist, or there is no policy at all.
    """
    found: dict[str, None] = {}
    for path in paths:
        if path == STDIN or not stat.S_ISDIR(mode := _mode(path)):
            # A pipe such as `/dev/fd/63` has no suffix.
            named = path == STDIN or path.endswith(SUFFIX) or not stat.S_ISREG(mode)
            found.update({path: None} if named else {})
        else:
            found.update(dict.fromkeys(file for file in files_below(path, ignore) if file.endswith(SUFFIX)))
    if not found:
        wanted = ", ".join(f"`{path}`" for path in paths)
        raise PolicyError(LOAD, f"no policy found in {wanted}", hint=f"policies are files that end in `{SUFFIX}`")
    return list(found)


def files_below(folder: str, ignore: Sequence[str] = ()) -> Iterator[str]:
    """The files below a folder in order of their names, without the files and folders that a pattern of ignore fits."""
    yield from _walk(Path(folder), [pattern.replace("[^", "[!") for pattern in ignore])


def _walk(folder: Path, ignore: Sequence[str]) -> Iterator[str]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise unreadable(str(folder), error) from None
    for entry in entries:
        if any(fnmatchcase(entry.name, pattern) for pattern in ignore):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry, ignore)
        elif entry.is_file():
            yield str(entry)


def _mode(path: str) -> int:
    try:
        return Path(path).stat().st_mode
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError:
        raise PolicyError(LOAD, f"`{path!a}` is no file name") from None


def read_text(path: str) -> str:
    """The text of one file; `-` is standard input.

    Raises:
        PolicyError: it cannot be read, is too large or is not UTF-8.
    """
    try:
        if path == STDIN:
            return decode(limited(sys.stdin.buffer, path), display_name(path))
        with Path(path).open("rb") as file:
            return decode(limited(file, path), path)
    except OSError as error:
        raise unreadable(path, error) from None


def limited(file: IO[bytes], path: str) -> bytes:
    """The bytes of a file of bounded size."""
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise PolicyError(LOAD, f"more than {LARGEST >> 20} MiB of text", at=start_of(path))
    return raw


def display_name(path: str) -> str:
    """What a path is called in messages."""
    return "<stdin>" if path == STDIN else path


def start_of(path: str) -> Location:
    """The place of an error that concerns a file as a whole."""
    return Location(display_name(path), 1, 1)


def unreadable(path: str, error: OSError) -> PolicyError:
    """The error for a file or folder that the system does not let us read."""
    reason = (error.strerror or str(error)).lower()
    hint = _nearest(Path(path)) if isinstance(error, FileNotFoundError) else None
    return PolicyError(LOAD, f"cannot read the file: {reason}", at=start_of(path), hint=hint)


def _nearest(path: Path) -> str | None:
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    close = get_close_matches(path.name, names, 1)
    return f"did you mean `{path.parent / close[0]}`?" if close else None


def progress(items: Sequence[T], label: str) -> Iterable[T]:
    """The items, with a bar on standard error while they are gone through: on a terminal, and when they are many."""
    if len(items) < LONG_WORK or not sys.stderr.isatty():
        return items
    return _with_bar(items, label)


def _with_bar(items: Sequence[T], label: str) -> Iterator[T]:
    with click.progressbar(items, label=label, file=sys.stderr) as bar:
        yield from bar
