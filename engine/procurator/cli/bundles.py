"""The policies of bundles: folders or `.tar.gz` archives with a manifest that says what they may define."""

import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from procurator.cli.sources import LOAD, SUFFIX, files_below, limited, read_text, start_of, unreadable
from procurator_rules.errors import PolicyError, raise_all
from procurator_rules.nodes import Module, Ref, String
from procurator_rules.parser import decode

MANIFEST: Final = ".manifest"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a check needs of a bundle.

    Attributes:
        path: the folder or the archive.
        texts: the policies by their names.
        roots: the paths below which the bundle may define something; an empty one is everything.
        rego_version: the version its manifest asks for, if it does.
    """

    path: str
    texts: Mapping[str, str]
    roots: tuple[str, ...]
    rego_version: int | None


def read_bundle(path: str, ignore: Sequence[str] = ()) -> Bundle:
    """The bundle at a path.

    Raises:
        PolicyError: the path is neither a folder nor an archive, or something in it cannot be read.
    """
    texts = dict(_folder(path, ignore) if Path(path).is_dir() else _archive(path))
    manifest = _manifest(path, texts.pop(MANIFEST, "{}"))
    version = manifest.get("rego_version")
    roots = manifest.get("roots", [""])
    if not isinstance(roots, list) or version not in (None, 0, 1):
        raise PolicyError(LOAD, "illegal manifest", at=start_of(path))
    return Bundle(path, texts, tuple(str(root).strip("/") for root in roots), version)


def check_roots(bundle: Bundle, modules: Mapping[str, Module]) -> None:
    """See that every package is below a root of its bundle.

    Raises:
        PolicyError: one is not; PolicyErrors for several.
    """
    raise_all([error for module in modules.values() for error in _outside(bundle, module)])


def _outside(bundle: Bundle, module: Module) -> Iterator[PolicyError]:
    path = _dotted(module.package.path, "/")
    if any(not root or path == root or path.startswith(f"{root}/") for root in bundle.roots):
        return
    roots = " ".join(bundle.roots)
    package = _dotted(module.package.path, ".")
    yield PolicyError(LOAD, f"manifest roots [{roots}] do not permit `package {package}`", at=module.package.span)


def _dotted(path: Ref, separator: str) -> str:
    return separator.join(part.value for part in path.terms if isinstance(part, String))


def _manifest(path: str, text: str) -> Mapping[str, object]:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(LOAD, f"illegal manifest: {error}", at=start_of(path)) from None
    if not isinstance(manifest, dict):
        raise PolicyError(LOAD, "illegal manifest: not an object", at=start_of(path))
    return manifest


def _folder(path: str, ignore: Sequence[str]) -> Iterator[tuple[str, str]]:
    for file in files_below(path, ignore):
        if file.endswith(SUFFIX):
            yield file, read_text(file)
        elif Path(file) == Path(path) / MANIFEST:
            yield MANIFEST, read_text(file)


def _archive(path: str) -> Iterator[tuple[str, str]]:
    try:
        with tarfile.open(path, "r:gz") as archive:
            yield from _members(path, archive)
    except FileNotFoundError as error:
        raise unreadable(path, error) from None
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        raise PolicyError(LOAD, f"not a bundle: {error}", at=start_of(path)) from None


def _members(path: str, archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for member in archive:
        name = member.name.removeprefix("./").lstrip("/")
        wanted = member.isfile() and (name == MANIFEST or name.endswith(SUFFIX))
        file = archive.extractfile(member) if wanted else None
        if file is not None:
            text = decode(limited(file, f"{path}/{name}"), f"{path}/{name}")
            yield (name if name == MANIFEST else f"{path}/{name}"), text
