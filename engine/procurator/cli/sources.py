"""The policies that a command's arguments name: files, folders, standard input."""

import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Final, TypeVar

import click

from procurator.data.problems import load_error
from procurator_rules.capabilities import Capabilities
from procurator_rules.errors import PolicyError, raise_all
from procurator_rules.nodes import Module
from procurator_rules.parser import decode, parse_module

STDIN: Final = "-"
SUFFIX: Final = ".rego"
LARGEST: Final = 64 * 1024 * 1024
LONG_WORK: Final = 50

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class PolicySources:
    """What a command was given to read.

    Attributes:
        texts: the policies by their names.
        versions: the versions of Rego that bundles ask for, by the names of their policies.
        data: the base documents of bundles.
    """

    texts: Mapping[str, str]
    versions: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)

    def parsed(self, rego_version: int, capabilities: Capabilities) -> dict[str, Module]:
        """The modules by their names.

        Raises:
            PolicyError: a text is no policy; PolicyErrors for several mistakes, of all texts together.
        """

        def parse(name: str) -> Module:
            version = min(self.versions.get(name, rego_version), 1)
            return parse_module(self.texts[name], name, version, capabilities)

        return each(list(self.texts), parse, "parsing")

    def holds(self, path: Sequence[str]) -> bool:
        """Whether a base document stands at a path, or a value that has no members on the way to it."""
        at: object = self.data
        for key in path if self.data else ():
            if not isinstance(at, Mapping):
                return True
            if key not in at:
                return False
            at = at[key]
        return bool(self.data)


def policy_texts(paths: Sequence[str], ignore: Sequence[str] = ()) -> dict[str, str]:
    """The text of every policy below the paths, by its name.

    Raises:
        PolicyError: something cannot be read; PolicyErrors for several.
    """
    return {display_name(path): text for path, text in each(policy_files(paths, ignore), read_text, "reading").items()}


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
        raise load_error(f"no policy found in {wanted}", hint=f"policies are files that end in `{SUFFIX}`")
    return list(found)


def files_below(folder: str, ignore: Sequence[str] = ()) -> Iterator[str]:
    """The files below a folder in order of their names, without the files and folders that a pattern of ignore fits."""
    yield from _walk(Path(folder), [pattern.replace("[^", "[!") for pattern in ignore])


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
        elif entry.is_file():
            yield str(entry)


def _mode(path: str) -> int:
    try:
        return Path(path).stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise load_error(f"`{path!a}` is no file name") from None


def read_text(path: str) -> str:
    """The text of one file; `-` is standard input.

    Raises:
        PolicyError: it cannot be read, is too large or is not UTF-8.
    """
    try:
        if path == STDIN:
            return decode(_limited(sys.stdin.buffer, path), display_name(path))
        with Path(path).open("rb") as file:
            return decode(_limited(file, path), path)
    except OSError as error:
        raise _unreadable(path, error) from None


def _limited(file: IO[bytes], path: str) -> bytes:
    """The bytes of a file of bounded size."""
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise load_error(f"more than {LARGEST >> 20} MiB of text", display_name(path))
    return raw


def display_name(path: str) -> str:
    """What a path is called in messages."""
    return "<stdin>" if path == STDIN else path


def _unreadable(path: str, error: OSError) -> PolicyError:
    """The error for a file or folder that the system does not let us read."""
    reason = (error.strerror or str(error)).lower()
    hint = _nearest(Path(path)) if isinstance(error, FileNotFoundError) else None
    return load_error(f"cannot read the file: {reason}", display_name(path), hint=hint)


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
