"""Policies and base documents for an engine, from files, folders and bundles.

Whatever is named beside bundles is merged as OPA's `--data` merges it, archives included. Bundles come last, as with
its `--bundle`: what stands below their roots makes room for their data, and roots of two bundles must not overlap.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from procurator.data.bundle import Bundle, Manifest, read_bundle, segments
from procurator.data.documents import ConflictError, Document, file_path, load_documents, merge, nested, reference
from procurator.data.problems import load_error
from procurator.data.signatures import Verification
from procurator.values import Value
from procurator_rules.errors import PolicyError, raise_all
from procurator_rules.nodes import Package, String


class Packaged(Protocol):
    """A module, or what is going to be one."""

    @property
    def package(self) -> Package:
        """The package that it belongs to."""


M = TypeVar("M", bound=Packaged)

Parse = Callable[[str, str, int], M]
"""The module of a text, given its name and its version of Rego."""
AnyPath = str | Path

NEWEST: Final = 1


@dataclass
class Policies(Generic[M]):
    """What was loaded: modules by the names that errors report them under, and base documents."""

    modules: dict[str, M] = field(default_factory=dict)
    data: Document = field(default_factory=dict)

    def add(self, document: Mapping[str, Value], name: str) -> None:
        """Merge in the base documents of a source.

        Raises:
            PolicyError: something else stands where one of its values does.
        """
        try:
            merge(self.data, document)
        except ConflictError as conflict:
            place = reference(conflict.place)
            raise load_error(f"{name}: merge error: conflicting values at {place}", name) from None

    def holds(self, path: Sequence[str]) -> bool:
        """Whether a base document stands at a path, or a value that has no members on the way to it."""
        at: Value = self.data
        for key in path:
            if not isinstance(at, dict):
                return True
            if key not in at:
                return False
            at = at[key]
        return True


def load_policies(
    paths: Iterable[AnyPath],
    parse: Parse[M],
    *,
    bundles: Iterable[AnyPath] = (),
    ignore: Sequence[str] = (),
    rego_version: int = NEWEST,
    verification: Verification | None = None,
    skip_verification: bool = False,
) -> Policies[M]:
    """Everything in files, folders and bundles.

    Args:
        paths: policies, documents and archives, and folders of these; `a.b:x.json` stands under `data.a.b`.
        parse: parses a policy.
        bundles: archives or folders that are bundles.
        ignore: patterns of names of files and folders to leave out below the paths.
        rego_version: the version of Rego of policies that do not say so, and whose bundle does not.
        verification: the keys for signatures of bundles.
        skip_verification: whether signatures are left unchecked.

    Raises:
        PolicyError: something cannot be read or does not fit; PolicyErrors for several mistakes.
    """
    loaded = load_documents(paths, ignore)
    found = Policies(_each(loaded.modules, parse, dict.fromkeys(loaded.modules, rego_version)), loaded.data)
    read = partial(
        read_bundle,
        verification=verification,
        skip_verification=skip_verification,
        rego_version=rego_version,
        ignore=ignore,
    )
    for path, place in loaded.archives.items():
        bundle = _read(path, read, parse, found)
        found.add(nested(place, bundle.data), bundle.name)
        if len(loaded.archives) == 1:
            # OPA refuses several, as what they say of themselves would stand at one place.
            found.add(nested((*place, "system", "bundle", "manifest"), manifest_json(bundle.manifest)), bundle.name)
    wanted = dict.fromkeys(file_path(str(path)) for path in bundles)
    _activate(found, [_read(path, read, parse, found) for path in wanted])
    return found


def _each(texts: Mapping[str, str], parse: Parse[M], versions: Mapping[str, int]) -> dict[str, M]:
    modules: dict[str, M] = {}
    errors: list[PolicyError] = []
    for name, text in texts.items():
        try:
            modules[name] = parse(text, name, min(versions[name], NEWEST))
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return modules


def _read(path: str, read: Callable[..., Bundle], parse: Parse[M], found: Policies[M]) -> Bundle:
    """A bundle; its modules are parsed and taken in, each once."""
    parsed: dict[str, M] = {}

    def package_of(text: str, name: str, version: int) -> Sequence[str]:
        parsed[name] = parse(text, name, min(version, NEWEST))
        return [term.value if isinstance(term, String) else "" for term in parsed[name].package.path.terms[1:]]

    bundle = read(path, package_of=package_of)
    texts = {f"{path}/{name}": text for name, text in bundle.modules.items() if f"{path}/{name}" not in parsed}
    versions = {f"{path}/{name}": version for name, version in bundle.rego_versions.items()}
    found.modules.update({**parsed, **_each(texts, parse, versions)})
    return bundle


# Bundles


def _activate(found: Policies[Any], bundles: Sequence[Bundle]) -> None:
    """Put the data of bundles in the place of what stands below their roots."""
    _check_overlaps({bundle.name: bundle for bundle in bundles})
    for bundle in bundles:
        for root in bundle.manifest.roots:
            _erase(found.data, segments(root))
    for bundle in bundles:
        found.add(bundle.data, bundle.name)
        facts: Document = {"etag": "", "manifest": manifest_json(bundle.manifest)}
        _erase(found.data, ("system", "bundles", bundle.name))
        found.add(nested(("system", "bundles", bundle.name), facts), bundle.name)


def _erase(data: Document, place: Sequence[str]) -> None:
    if not place:
        data.clear()
        return
    at: Value = data
    for key in place[:-1]:
        at = at.get(key) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(place[-1], None)


def _check_overlaps(bundles: Mapping[str, Bundle]) -> None:
    colliding: set[str] = set()
    overlaps: set[str] = set()
    for one, other in combinations(sorted(bundles.values(), key=lambda bundle: bundle.name), 2):
        found = [
            _overlap(root, other_root)
            for root in one.manifest.roots
            for other_root in other.manifest.roots
            if _meet(segments(root), segments(other_root))
        ]
        overlaps.update(found)
        colliding.update((one.name, other.name) if found else ())
    if not colliding:
        return
    names = ", ".join(sorted(colliding))
    empty = ", ".join(sorted(name for name, bundle in bundles.items() if "" in bundle.manifest.roots))
    if empty:
        raise load_error(
            f"bundles [{names}] have overlapping roots and cannot be activated simultaneously because "
            f"bundle(s) [{empty}] specify empty root paths ('') which overlap with any other bundle root"
        )
    listed = ", ".join(sorted(overlaps))
    raise load_error(f"detected overlapping roots in manifests for these bundles: [{names}] ({listed})")


def _meet(root: Sequence[str], other: Sequence[str]) -> bool:
    shared = min(len(root), len(other))
    return root[:shared] == other[:shared]


def _overlap(root: str, other: str) -> str:
    first, second = sorted((root, other))
    return f"root {root} is in multiple bundles" if root == other else f"{first} overlaps {second}"


def manifest_json(manifest: Manifest) -> Document:
    """A manifest as policies see it."""
    told: Document = {"revision": manifest.revision, "roots": list(manifest.roots)}
    optional: dict[str, Value] = {
        "rego_version": manifest.rego_version,
        "file_rego_versions": dict(manifest.file_rego_versions) or None,
        "metadata": dict(manifest.metadata) or None,
    }
    return told | {name: value for name, value in optional.items() if value is not None}
