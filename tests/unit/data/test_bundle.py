"""Bundles: archives and folders, manifests and roots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from packing import bundle, message

from procurator.data.archive import Limits
from procurator.data.bundle import Bundle, Manifest, bundle_of, read_bundle
from procurator_rules.errors import PolicyError

Files = dict[str, str]

POLICY = "package a.p\nallow := true\n"
FILES: Files = {
    ".manifest": '{"revision": "r1", "roots": ["a", "/b/c/"], "metadata": {"k": [1]}, "rego_version": 0}',
    "a/data.json": '{"x": 1}',
    "a/y/data.yaml": "z: yes",
    "b/c/data.yml": "[1]",
    "p.rego": POLICY,
    "other.json": "{",
    "README": "?",
}


def from_files(files: Files, **options: Any) -> Bundle:
    return bundle_of({name: text.encode() for name, text in files.items()}, "x", **options)


def check_whole(read: Bundle) -> None:
    assert dict(read.modules) == {"p.rego": POLICY}
    assert read.data == {"a": {"x": 1, "y": {"z": "yes"}}, "b": {"c": [1]}}
    assert read.manifest == Manifest("r1", ("a", "b/c"), 0, {}, {"k": [1]})
    assert (read.revision, dict(read.rego_versions)) == ("r1", {"p.rego": 0})


def test_an_archive_and_a_folder_give_the_same(tmp_path: Path) -> None:
    archive, folder = tmp_path / "x.tar.gz", tmp_path / "folder"
    archive.write_bytes(bundle({f"/{name}": text for name, text in FILES.items()}))
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for path in (archive, str(folder)):
        check_whole(read_bundle(path))
    assert read_bundle(archive).name == str(archive)


def test_an_empty_bundle() -> None:
    assert from_files({}) == Bundle({}, {}, Manifest(), {}, "x")


MANIFESTS: list[tuple[Any, str]] = [
    ("[]", "bundle load failed on manifest decode: the manifest must be an object"),
    ("{", "x/.manifest: unexpected EOF"),
    ({"revision": 1}, "bundle load failed on manifest decode: `revision` must be a string"),
    ({"roots": "a"}, "bundle load failed on manifest decode: `roots` must be an array of strings"),
    ({"roots": [1]}, "bundle load failed on manifest decode: `roots` must be an array of strings"),
    ({"rego_version": True}, "bundle load failed on manifest decode: `rego_version` must be a number"),
    ({"rego_version": 3}, "manifest has unknown rego-version 3"),
    ({"file_rego_versions": {"a": 9}}, "manifest has unknown rego-version 9 for file 'a'"),
    (
        {"file_rego_versions": {"a": "1"}},
        "bundle load failed on manifest decode: `file_rego_versions` must be an object of numbers",
    ),
    ({"metadata": 1}, "bundle load failed on manifest decode: `metadata` must be an object"),
    ({"wasm": [{}]}, "bundles with policies as WebAssembly are not supported"),
    ({"roots": ["a", "a"]}, "manifest has overlapped roots: 'a' and 'a'"),
    ({"roots": ["a/b", "a"]}, "manifest has overlapped roots: 'a/b' and 'a'"),
    ({"roots": ["", "a"]}, "manifest has overlapped roots: '' and 'a'"),
]


@pytest.mark.parametrize(("manifest", "text"), MANIFESTS)
def test_bad_manifests(manifest: Any, text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        from_files({".manifest": manifest if isinstance(manifest, str) else json.dumps(manifest)})
    assert message(caught.value) == f"load_error: {text}"


def test_members_that_are_null_or_unknown_count_as_missing() -> None:
    assert from_files({".manifest": '{"roots": null, "rego_version": null, "foo": 1}'}).manifest == Manifest()


# Roots, and what does and does not lie below them.
ROOTS: list[tuple[list[str], Files, str | None]] = [
    ([""], {"data.json": '{"x": 1}', "p.rego": POLICY}, None),
    (["a"], {"a/data.json": "1"}, None),
    (["a/b"], {"a/b/data.json": "1"}, None),
    (["a/b"], {"data.json": '{"a": {"b": {"c": 1}}}'}, None),
    (["a/b"], {"data.json": '{"a": {}}'}, None),
    (["a/p"], {"p.rego": POLICY}, None),
    (["a"], {"p.rego": POLICY}, None),
    ([], {"data.json": "{}"}, "manifest roots [] do not permit data at path '/'"),
    (["a"], {"data.json": '{"b": 1}'}, "manifest roots [a] do not permit data at path '/b'"),
    (["a"], {"ab/data.json": "1"}, "manifest roots [a] do not permit data at path '/ab'"),
    (["a/b"], {"data.json": '{"a": 1}'}, "manifest roots [a/b] do not permit data at path '/a'"),
    (["a/b"], {"data.json": '{"a": {"c": {}}}'}, "manifest roots [a/b] do not permit data at path '/a/c'"),
    (["a/q"], {"p.rego": POLICY}, "manifest roots [a/q] do not permit 'package a.p' in module 'p.rego'"),
    (["a/p/q"], {"p.rego": POLICY}, "manifest roots [a/p/q] do not permit 'package a.p' in module 'p.rego'"),
    (["b"], {"p.rego": 'package b["/x"]\n'}, None),
]


@pytest.mark.parametrize(("roots", "files", "text"), ROOTS)
def test_roots(roots: list[str], files: Files, text: str | None) -> None:
    files = {".manifest": json.dumps({"roots": roots}), **files}
    if text is None:
        assert from_files(files).manifest.roots == tuple(roots)
        return
    with pytest.raises(PolicyError) as caught:
        from_files(files)
    assert message(caught.value) == f"load_error: {text}"


def test_the_caller_may_parse() -> None:
    files = {".manifest": '{"roots": ["a"]}', "p.rego": "not parsed here"}
    asked: list[tuple[str, str, int]] = []

    def package_of(text: str, name: str, version: int) -> list[str]:
        asked.append((text, name, version))
        return ["a", "p"]

    assert from_files(files, package_of=package_of).modules == {"p.rego": "not parsed here"}
    assert asked == [("not parsed here", "x/p.rego", 1)]


VERSIONS = [
    ({}, 1, {"a/p.rego": 1, "q.rego": 1}),
    ({}, 0, {"a/p.rego": 0, "q.rego": 0}),
    ({"rego_version": 0}, 1, {"a/p.rego": 0, "q.rego": 0}),
    ({"rego_version": 0, "file_rego_versions": {"/a/*": 1}}, 1, {"a/p.rego": 1, "q.rego": 0}),
    ({"file_rego_versions": {"q.rego": 0}}, 1, {"a/p.rego": 1, "q.rego": 0}),
    ({"file_rego_versions": {"*.rego": 0, "/a/p.rego": 1}}, 1, {"a/p.rego": 0, "q.rego": 0}),
]


@pytest.mark.parametrize(("manifest", "default", "wanted"), VERSIONS)
def test_versions_of_rego(manifest: Any, default: int, wanted: dict[str, int]) -> None:
    files = {".manifest": json.dumps(manifest), "a/p.rego": "package p\n", "q.rego": "package q\n"}
    assert dict(from_files(files, rego_version=default).rego_versions) == wanted


REFUSED: list[tuple[Files, str]] = [
    ({"data.json": "[1]"}, "bundle load failed on x/data.json: root value must be object"),
    ({"data.json": "{"}, "x/data.json: unexpected EOF"),
    (
        {"a/data.json": '{"b": 1}', "a/b/data.json": "{}"},
        "bundle load failed on x/a/data.json: failed to insert data file from path a",
    ),
    (
        {"data.json": '{"x": 1}', "data.yaml": "x: 1"},
        "bundle load failed on x/data.yaml: failed to insert data file from path ",
    ),
    (
        {".manifest": "{}", "a/.manifest": "{}"},
        'bundle contains multiple manifest files: ".manifest" and "a/.manifest"',
    ),
    ({".manifest.pb": ""}, "`.manifest.pb`: manifests as protocol buffers are not supported"),
    ({"patch.json": "{}"}, "delta bundles are not supported"),
    ({".signatures.json": "{}"}, "verification key not provided"),
    (
        {".manifest": '{"file_rego_versions": {"[": 0}}', "p.rego": POLICY},
        "failed to compile glob pattern of `file_rego_versions`: glob: syntax error at 1: unexpected end of input",
    ),
]


@pytest.mark.parametrize(("files", "text"), REFUSED)
def test_refusals(files: Files, text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        from_files(files)
    assert message(caught.value) == f"load_error: {text}"


def test_verification_can_be_skipped() -> None:
    assert from_files({".signatures.json": "?", "data.json": '{"x": 1}'}, skip_verification=True).data == {"x": 1}


def test_links_in_folders(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text('{"x": 1}')
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "README").symlink_to(outside)
    assert read_bundle(folder).data == {}
    (folder / "data.json").symlink_to(outside)
    with pytest.raises(PolicyError) as caught:
        read_bundle(folder)
    assert caught.value.message == f"`{folder}/data.json` is a symbolic link, which a bundle may not hold"


def test_limits_hold_for_folders(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('{"x": 1}')
    with pytest.raises(PolicyError) as caught:
        read_bundle(tmp_path, limits=Limits(total=3))
    assert caught.value.message == "the folder holds more than a bundle may"
