"""Bundles of policies and data: gzipped tar archives and folders, as OPA defines them.

Only `*.rego`, `data.json`, `data.yaml` and `data.yml` count; the path of a folder is the path of its data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from procurator.builtins.glob import GlobError, compile_glob
from procurator.builtins.re2_patterns import PatternError
from procurator.data.archive import DEFAULT_LIMITS, Limits, read_archive
from procurator.data.documents import (
    ConflictError,
    Document,
    is_ignored,
    merge,
    nested,
    read_bytes,
    read_json,
    read_yaml,
)
from procurator.data.problems import load_error
from procurator.data.signatures import SIGNATURES, Verification, verify
from procurator.values import Value
from procurator_rules.nodes import String
from procurator_rules.parser import decode, parse_module

MANIFEST: Final = ".manifest"
PROTO_MANIFEST: Final = ".manifest.pb"
PATCH: Final = "patch.json"
DATA: Final[Mapping[str, Callable[[str, str], Value]]] = {
    "data.json": read_json,
    "data.yaml": read_yaml,
    "data.yml": read_yaml,
}
REGO_VERSIONS: Final = (0, 1, 2)

PackageOf = Callable[[str, str, int], Sequence[str]]
"""The path of the package of a module, given its text, its name and its version of Rego."""


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself."""

    revision: str = ""
    roots: tuple[str, ...] = ("",)
    rego_version: int | None = None
    file_rego_versions: Mapping[str, int] = field(default_factory=dict)
    """Versions of Rego by patterns of paths."""
    metadata: Mapping[str, Value] = field(default_factory=dict)

    def permits(self, path: Sequence[str]) -> bool:
        """Whether a path of `data` lies below one of the roots."""
        return any(_is_below(path, segments(root)) for root in self.roots)

    def version_of(self, path: str, default: int = 1) -> int:
        """The version of Rego of the module at a path."""
        for pattern in sorted(self.file_rego_versions):
            matcher = compile_glob(pattern, "")
            if matcher.search(f"/{path}".encode()) or matcher.search(path.encode()):
                return self.file_rego_versions[pattern]
        return default if self.rego_version is None else self.rego_version


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and checked."""

    modules: Mapping[str, str]
    """Texts by path below the root of the bundle."""
    data: Document
    manifest: Manifest
    rego_versions: Mapping[str, int]
    """Versions of Rego by path."""
    name: str = ""

    @property
    def revision(self) -> str:
        """The revision that the manifest names."""
        return self.manifest.revision


def read_bundle(
    path: str | Path,
    *,
    verification: Verification | None = None,
    skip_verification: bool = False,
    rego_version: int = 1,
    limits: Limits = DEFAULT_LIMITS,
    package_of: PackageOf | None = None,
    ignore: Sequence[str] = (),
) -> Bundle:
    """The bundle at a path: an archive, or a folder.

    A signed bundle is refused without `verification`, and an unsigned one with it, unless `skip_verification` says not
    to look. `package_of` spares a second parse where the caller parses the modules anyway. Files and folders whose name
    a pattern of `ignore` fits are left out as if they were not there.
    """
    place = Path(path)
    folder = place.is_dir()
    if folder:
        files = _folder(place, limits, whole=verification is not None and not skip_verification)
    else:
        files = read_archive(read_bytes(place), str(path), limits)
    return bundle_of(
        {name: files[name] for name in files if not any(is_ignored(part, ignore) for part in name.split("/"))},
        str(path),
        verification=verification,
        skip_verification=skip_verification,
        rego_version=rego_version,
        package_of=package_of,
        signed_below=place.as_posix().strip("/") if folder else "",
    )


def bundle_of(
    files: Mapping[str, bytes],
    name: str,
    *,
    verification: Verification | None = None,
    skip_verification: bool = False,
    rego_version: int = 1,
    package_of: PackageOf | None = None,
    signed_below: str = "",
) -> Bundle:
    """The bundle that these files, by path, make up.

    The signature of a folder names its files with the path of the folder before them, which is `signed_below`.
    """
    if not skip_verification:
        below = "" if signed_below in ("", ".") else f"{signed_below}/"
        _check_signatures({f"{below}{path}": content for path, content in files.items()}, verification, name)
    manifest = _manifest(files, name)
    modules = {path: decode(files[path], f"{name}/{path}") for path in sorted(files) if path.endswith(".rego")}
    versions = {path: _version(manifest, path, rego_version, name) for path in modules}
    data = _data(files, name)
    _check_roots(manifest, data, name)
    _check_packages(manifest, modules, versions, package_of or _package_of, name)
    return Bundle(MappingProxyType(modules), data, manifest, MappingProxyType(versions), name)


def _check_signatures(files: Mapping[str, bytes], verification: Verification | None, name: str) -> None:
    if verification is not None:
        verify(files, verification, name)
    elif any(_base(path) == SIGNATURES for path in files):
        hint = "give the key, or say that the signature is not to be verified"
        raise load_error("verification key not provided", name, hint=hint)


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _counts(path: Path) -> bool:
    """Whether a file of a bundle says anything."""
    return path.suffix == ".rego" or path.name in (*DATA, MANIFEST, PROTO_MANIFEST, PATCH, SIGNATURES)


def _folder(folder: Path, limits: Limits, *, whole: bool) -> dict[str, bytes]:
    """The files of a folder: all of them, or those that count."""
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and (_counts(path) or path.is_dir()):
            raise load_error(f"`{path}` is a symbolic link, which a bundle may not hold", str(path))
        if path.is_symlink() or not path.is_file() or not (whole or _counts(path)):
            continue
        files[path.relative_to(folder).as_posix()] = content = read_bytes(path)
        total += len(content)
        if total > limits.total or len(files) > limits.entries:
            raise load_error("the folder holds more than a bundle may", str(folder))
    return files


# Manifests


def _manifest(files: Mapping[str, bytes], name: str) -> Manifest:
    found = sorted(path for path in files if _base(path) in (MANIFEST, PROTO_MANIFEST))
    if not found:
        return Manifest()
    if len(found) > 1:
        raise load_error(f'bundle contains multiple manifest files: "{found[0]}" and "{found[1]}"', name)
    if _base(found[0]) == PROTO_MANIFEST:
        raise load_error(f"`{found[0]}`: manifests as protocol buffers are not supported", name)
    path = f"{name}/{found[0]}"
    value = read_json(decode(files[found[0]], path), path)
    if not isinstance(value, dict):
        raise load_error("bundle load failed on manifest decode: the manifest must be an object", name)
    manifest = _manifest_of(value, name)
    _check_manifest(manifest, name)
    return manifest


def _manifest_of(value: dict[Any, Value], name: str) -> Manifest:
    if value.get("wasm"):
        raise load_error("bundles with policies as WebAssembly are not supported", name)
    members = {key: value[key] for key in _MEMBERS if value.get(key) is not None}
    for key, member in members.items():
        kind, check = _MEMBERS[key]
        if not check(member):
            raise load_error(f"bundle load failed on manifest decode: `{key}` must be {kind}", name)
    if "roots" in members:
        members["roots"] = tuple([root.strip("/") for root in members["roots"]])
    return Manifest(**members)


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_MEMBERS: Final[Mapping[str, tuple[str, Callable[[Value], bool]]]] = {
    "revision": ("a string", lambda value: isinstance(value, str)),
    "roots": (
        "an array of strings",
        lambda value: isinstance(value, list) and all(isinstance(root, str) for root in value),
    ),
    "rego_version": ("a number", _is_int),
    "file_rego_versions": (
        "an object of numbers",
        lambda value: isinstance(value, dict) and all(map(_is_int, value.values())),
    ),
    "metadata": ("an object", lambda value: isinstance(value, dict)),
}


def _check_manifest(manifest: Manifest, name: str) -> None:
    for index, root in enumerate(manifest.roots):
        for other in manifest.roots[index + 1 :]:
            if _is_below(segments(root), segments(other)) or _is_below(segments(other), segments(root)):
                raise load_error(f"manifest has overlapped roots: '{root}' and '{other}'", name)
    if manifest.rego_version is not None and manifest.rego_version not in REGO_VERSIONS:
        raise load_error(f"manifest has unknown rego-version {manifest.rego_version}", name)
    for pattern, version in sorted(manifest.file_rego_versions.items()):
        if version not in REGO_VERSIONS:
            raise load_error(f"manifest has unknown rego-version {version} for file '{pattern}'", name)


def _version(manifest: Manifest, path: str, default: int, name: str) -> int:
    try:
        return manifest.version_of(path, default)
    except (GlobError, PatternError) as error:
        raise load_error(f"failed to compile glob pattern of `file_rego_versions`: {error}", name) from None


def segments(root: str) -> tuple[str, ...]:
    """The keys of a root; none for the root that is all of `data`."""
    return tuple(root.split("/")) if root else ()


def _is_below(path: Sequence[str], root: Sequence[str]) -> bool:
    return tuple(path[: len(root)]) == tuple(root)


# Data


def _data(files: Mapping[str, bytes], name: str) -> Document:
    data: Document = {}
    for path in sorted(files):
        folder, _, base = path.rpartition("/")
        if base == PATCH:
            raise load_error("delta bundles are not supported", f"{name}/{path}")
        if base in DATA:
            value = DATA[base](decode(files[path], f"{name}/{path}"), f"{name}/{path}")
            _insert(data, segments(folder), value, f"{name}/{path}")
    return data


def _insert(data: Document, place: Sequence[str], value: Value, path: str) -> None:
    document = nested(place, value)
    if not isinstance(document, dict):
        raise load_error(f"bundle load failed on {path}: root value must be object", path)
    try:
        merge(data, document)
    except ConflictError:
        reason = f"failed to insert data file from path {'/'.join(place)}"
        raise load_error(f"bundle load failed on {path}: {reason}", path) from None


# Roots


def _check_roots(manifest: Manifest, data: Document, name: str) -> None:
    """Refuse data outside of the roots; folders on the way to a root are fine."""
    work: list[tuple[tuple[str, ...], Value]] = [((), data)]
    while work:
        path, value = work.pop()
        if manifest.permits(path):
            continue
        on_the_way = any(_is_below(segments(root), path) for root in manifest.roots)
        if not (isinstance(value, dict) and on_the_way):
            hint = "check bundle directory structure"
            roots = " ".join(manifest.roots)
            raise load_error(
                f"manifest roots [{roots}] do not permit data at path '/{'/'.join(path)}'", name, hint=hint
            )
        work.extend(((*path, str(key)), item) for key, item in value.items())


def _check_packages(
    manifest: Manifest,
    modules: Mapping[str, str],
    versions: Mapping[str, int],
    package_of: PackageOf,
    name: str,
) -> None:
    if manifest.permits(()):
        return
    for path, text in modules.items():
        package = package_of(text, f"{name}/{path}", versions[path])
        if not manifest.permits(package):
            roots = " ".join(manifest.roots)
            shown = ".".join(package)
            message = f"manifest roots [{roots}] do not permit 'package {shown}' in module '{path}'"
            raise load_error(message, f"{name}/{path}")


def _package_of(text: str, name: str, version: int) -> Sequence[str]:
    path = parse_module(text, name, min(version, 1)).package.path
    return [term.value if isinstance(term, String) else "" for term in path.terms[1:]]
