"""Base documents and policies from files and folders, merged as OPA merges them.

The content of `a/b/x.json` below a folder that is named stands under `data.a.b`. A prefix, as in `a.b:x.json`, says
where the content of a path stands. Documents may meet in objects only; two values for one place are an error.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from procurator.builtins.json_text import unmarshal
from procurator.builtins.operands import BuiltinError
from procurator.builtins.yaml_reading import YamlError, load_yaml
from procurator.data.problems import load_error
from procurator.values import DepthError, Value
from procurator_rules.errors import PolicyError, raise_all
from procurator_rules.parser import decode

Document = dict[str, Any]

ARCHIVE_SUFFIXES: Final = (".tar.gz", ".tgz")
POLICY_SUFFIX: Final = ".rego"


class ConflictError(ValueError):
    """Two documents give different values to one place; the argument is the path of keys to it."""

    @property
    def place(self) -> tuple[str, ...]:
        """The keys that lead to the place."""
        return tuple(self.args[0])


def merge(base: Document, other: Mapping[str, Value]) -> None:
    """Put a document into another, which takes its values over: objects meet, other values must not."""
    work: list[tuple[Document, Mapping[str, Value], tuple[str, ...]]] = [(base, other, ())]
    while work:
        into, taken, place = work.pop()
        for key, value in taken.items():
            if key not in into:
                into[key] = value
            elif isinstance(into[key], dict) and isinstance(value, dict):
                work.append((into[key], value, (*place, key)))
            else:
                raise ConflictError((*place, key))


def nested(place: Sequence[str], value: Value) -> Value:
    """The document that holds the value at a place and nothing else."""
    for key in reversed(place):
        value = {key: value}
    return value


def reference(place: Iterable[str]) -> str:
    """A place as a reference: `data.a["b-c"]`."""
    return "data" + "".join(f".{key}" if _is_name(key) else f'["{key}"]' for key in place)


def _is_name(key: str) -> bool:
    return key.isidentifier() and key.isascii()


# Texts


def read_json(text: str, path: str) -> Value:
    """The value of a JSON text."""
    try:
        return unmarshal(text)
    except BuiltinError as error:
        raise load_error(f"{path}: {error}", path) from None


def read_yaml(text: str, path: str) -> Value:
    """The value of a YAML text."""
    try:
        return load_yaml(text)
    except (YamlError, DepthError) as error:
        raise load_error(f"{path}: error converting YAML to JSON: {error}", path) from None


READERS: Final[Mapping[str, Callable[[str, str], Value]]] = {
    ".json": read_json,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}


# Files and folders


@dataclass
class Loaded:
    """What files and folders hold: base documents, and policies by their paths."""

    data: Document = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    archives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Bundles met on the way, for the caller to open, and the places their data stands at."""
    _files: dict[tuple[tuple[str, ...], str], None] = field(default_factory=dict)

    def add(self, place: tuple[str, ...], path: Path, *, named: bool) -> None:
        """Take in a file; one that is not named and of no known kind is passed over."""
        key = (place, str(path))
        if key in self._files:
            return
        if path.name.endswith(ARCHIVE_SUFFIXES):
            self.archives[str(path)] = place
        elif path.suffix == POLICY_SUFFIX:
            self.modules[str(path)] = decode(read_bytes(path), str(path))
        elif path.suffix in READERS:
            self._add_document(place, str(path), READERS[path.suffix](decode(read_bytes(path), str(path)), str(path)))
        elif named:
            self._add_document(place, str(path), _read_any(path))
        self._files[key] = None

    def _add_document(self, place: tuple[str, ...], path: str, value: Value) -> None:
        document = nested(place, value)
        if not isinstance(document, dict):
            raise load_error(f"{path}: document must be of type object", path)
        try:
            merge(self.data, document)
        except ConflictError as conflict:
            raise load_error(f"{path}: merge error: {self._conflict(conflict.place, path)}", path) from None

    def _conflict(self, place: tuple[str, ...], path: str) -> str:
        text = f"conflicting values at {reference(place)}"
        other = next((name for where, name in self._files if name != path and _defines(where, name, place)), None)
        return f"{text}, also defined in {other}" if other else f"{text}, data from multiple files must not overlap"


def _read_any(path: Path) -> Value:
    """The document in a file whose name does not tell its kind."""
    for read in (read_json, read_yaml):
        try:
            value = read(decode(read_bytes(path), str(path)), str(path))
        except PolicyError:
            continue
        if isinstance(value, dict):
            return value
    kinds = ", ".join((POLICY_SUFFIX, *READERS, *ARCHIVE_SUFFIXES))
    raise load_error(f"{path}: can't recognize file type", str(path), hint=f"the known kinds are {kinds}")


def _defines(where: tuple[str, ...], path: str, place: tuple[str, ...]) -> bool:
    """Whether a file, which was read before, gives a value to a place."""
    suffix = Path(path).suffix
    if suffix not in READERS:
        return False
    value = nested(where, READERS[suffix](decode(read_bytes(Path(path)), path), path))
    for key in place:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def load_documents(paths: Iterable[str | Path], ignore: Sequence[str] = ()) -> Loaded:
    """Everything in these files and folders; whatever cannot be read is reported together.

    Args:
        paths: the files and folders.
        ignore: patterns of names of files and folders to leave out below the paths.
    """
    loaded = Loaded()
    errors: list[PolicyError] = []
    for path in paths:
        place, plain = split_prefix(str(path))
        try:
            for where, file, named in _walk(Path(file_path(plain)), place, (), ignore):
                try:
                    loaded.add(where, file, named=named)
                except PolicyError as error:
                    errors.append(error)
        except OSError as error:
            errors.append(_unreadable(plain, error))
    raise_all(errors)
    return loaded


def split_prefix(path: str) -> tuple[tuple[str, ...], str]:
    """Where the content of a path stands, and the path: `a.b:x.json` stands under `data.a.b`."""
    prefix, colon, rest = path.partition(":")
    if not colon or not prefix or rest.startswith("//"):
        return (), path
    return tuple(prefix.split(".")), rest


def file_path(path: str) -> str:
    """The path of a `file://` URL; other paths are themselves."""
    return unquote(urlsplit(path).path) if path.startswith("file://") else path


def is_ignored(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns fits the name of a file or folder."""
    return any(fnmatchcase(name, pattern.replace("[^", "[!")) for pattern in patterns)


def _walk(
    path: Path, place: tuple[str, ...], above: tuple[Path, ...], ignore: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], Path, bool]]:
    """The files below a path in the order of their names, with the place each stands for."""
    if not path.is_dir():
        path.stat()
        yield place, path, not above
        return
    real = path.resolve()
    if real in above:
        raise load_error(f"the folder `{path}` holds itself through a link", str(path))
    inner = (*place, path.name) if above else place
    for entry in sorted(path.iterdir(), key=lambda each: each.name):
        if not is_ignored(entry.name, ignore):
            yield from _walk(entry, inner, (*above, real), ignore)


def read_bytes(path: Path) -> bytes:
    """The content of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(str(path), error) from None


def _unreadable(path: str, error: OSError) -> PolicyError:
    return load_error(f"cannot read the file: {(error.strerror or str(error)).lower()}", path)
