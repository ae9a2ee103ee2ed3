"""Engines over files, folders and bundles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from packing import bundle

from procurator import UNDEFINED, Engine, PolicyError, PolicyErrors
from procurator.data.signatures import Verification, VerificationKey

Files = Mapping[str, str | bytes]

SECRET = "a secret that is long enough for every digest, as 64 bytes are what SHA-512 wants"
KEYS = Verification({"k": VerificationKey(SECRET, "HS256")})
ALLOW = "package app\n\nallow if input.user in data.app.users\n"


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(files: Files, *paths: str, **options: Any) -> Engine:
    """An engine over some of the files of a new folder."""
    write(Path.cwd(), files)
    return Engine.from_paths(*paths, **options)


def refusal(files: Files, *paths: str, **options: Any) -> str:
    """Code, message and place of the error that loading raises."""
    with pytest.raises(PolicyError) as caught:
        loaded(files, *paths, **options)
    error = caught.value
    return f"{error.location}: {error.code}: {error.message}"


BUNDLE: Files = {
    ".manifest": '{"revision": "r1", "roots": ["app"], "metadata": {"by": "us"}}',
    "app/allow.rego": ALLOW,
    "app/data.json": '{"users": ["eve"]}',
    "app/other.json": '{"users": ["bob"]}',
}
MANIFEST = {"revision": "r1", "roots": ["app"], "metadata": {"by": "us"}}

LOADED: list[tuple[Files, list[str], dict[str, Any], str, Any]] = [
    ({"a.rego": ALLOW, "d.json": '{"app": {"users": ["eve"]}}'}, ["a.rego", "d.json"], {}, "data.app.allow", True),
    ({"p/a.rego": ALLOW, "p/app/d.yaml": "users: [eve]"}, ["p"], {}, "data.app", {"users": ["eve"], "allow": True}),
    ({"d.json": "[1]"}, ["a.b:d.json"], {}, "data.a.b", [1]),
    ({"p/x.json": '{"x": 1}', "p/y.json": '{"x": 2}'}, ["p"], {"ignore": ["y.*"]}, "data", {"x": 1}),
    ({"p/t/y/x.json": "{", "p/y.json": '{"x": 2}'}, ["p"], {"ignore": ["t"]}, "data", {"x": 2}),
    ({"d.json": '{"x": 1}'}, ["d.json"], {"ignore": ["*.json"]}, "data", {"x": 1}),
    ({"d.json": '{"x": {"y": 1}}'}, ["d.json"], {"data": {"x": {"z": 2}}}, "data", {"x": {"y": 1, "z": 2}}),
    ({"b.tar.gz": bundle(BUNDLE)}, ["b.tar.gz"], {}, "data", {"app": {"users": ["eve"], "allow": True}}),
    ({"b.tar.gz": bundle(BUNDLE)}, ["b.tar.gz"], {}, "data.system", {"bundle": {"manifest": MANIFEST}}),
    ({"b.tar.gz": bundle(BUNDLE)}, ["x:b.tar.gz"], {}, "data", {
        "app": {},
        "x": {"app": {"users": ["eve"]}, "system": {"bundle": {"manifest": MANIFEST}}},
    }),
    (
        {"p/a.tar.gz": bundle({"a/data.json": "1"}), "p/b.tar.gz": bundle({"b/data.json": "2"})},
        ["p"],
        {},
        "data",
        {"a": 1, "b": 2},
    ),
    (
        {f"b/{name}": content for name, content in BUNDLE.items()},
        [],
        {"bundles": ["b"]},
        "data.system",
        {"bundles": {"b": {"etag": "", "manifest": MANIFEST}}},
    ),
    (
        {"d.json": '{"app": {"users": ["bob"], "k": 1}, "k": 2}', "b.tar.gz": bundle(BUNDLE)},
        ["d.json"],
        {"bundles": ["b.tar.gz", "b.tar.gz"]},
        "data",
        {"app": {"users": ["eve"], "allow": True}, "k": 2},
    ),
    (
        {"d.json": '{"k": 2}', "b/data.json": '{"x": 1}', "b/t/data.json": "{"},
        ["d.json"],
        {"bundles": ["b"], "ignore": ["t"]},
        "data",
        {"x": 1},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "paths", "options", "term", "value"), LOADED)
def test_values(files: Files, paths: list[str], options: dict[str, Any], term: str, value: Any) -> None:
    """Documents stand where their paths say; bundles take the place of what is below their roots."""
    assert loaded(files, *paths, **options).eval(term, {"user": "eve"}) == value


ROOTS = {"a": '["x/y", "v"]', "b": '["x", "w"]', "c": '["w"]'}

REFUSED: list[tuple[Files, list[str], dict[str, Any], str]] = [
    ({}, ["x.json"], {}, "x.json:1: load_error: cannot read the file: no such file or directory"),
    (
        {"a.rego": "package app\n\nx := 1\n", "d.json": '{"app": {"x": 2}}'},
        ["a.rego", "d.json"],
        {},
        "a.rego:3: rego_compile_error: conflicting rule for data path app/x found",
    ),
    (
        {"a.rego": "package app\n\nx := 1\n", "d.json": '{"app": 1}'},
        ["a.rego", "d.json"],
        {},
        "a.rego:3: rego_compile_error: conflicting rule for data path app/x found",
    ),
    (
        {"a.rego": "package app\n\nx := 1\n", "b/app/data.json": '{"x": 1}'},
        ["a.rego"],
        {"bundles": ["b"]},
        "a.rego:3: rego_compile_error: conflicting rule for data path app/x found",
    ),
    (
        {"d.json": '{"x": 1}'},
        ["d.json"],
        {"data": {"x": 2}},
        "data:1: load_error: data: merge error: conflicting values at data.x",
    ),
    (
        {"d.json": '{"x": 1}', "b.tar.gz": bundle({"data.json": '{"x": 2}'})},
        ["."],
        {},
        "b.tar.gz:1: load_error: b.tar.gz: merge error: conflicting values at data.x",
    ),
    (
        {"a/data.json": "{}", "b/.manifest": '{"roots": ["x"]}', "c/.manifest": '{"roots": ["y"]}'},
        [],
        {"bundles": ["c", "b", "a"]},
        (
            "None: load_error: bundles [a, b, c] have overlapping roots and cannot be activated simultaneously because "
            "bundle(s) [a] specify empty root paths ('') which overlap with any other bundle root"
        ),
    ),
    (
        {f"{name}/.manifest": f'{{"roots": {roots}}}' for name, roots in ROOTS.items()},
        [],
        {"bundles": ["a", "b", "c"]},
        (
            "None: load_error: detected overlapping roots in manifests for these bundles: [a, b, c] "
            "(root w is in multiple bundles, x overlaps x/y)"
        ),
    ),
    (
        {"b/.manifest": '{"roots": ["x"]}', "b/p.rego": "package y\n"},
        [],
        {"bundles": ["b"]},
        "b/p.rego:1: load_error: manifest roots [x] do not permit 'package y' in module 'p.rego'",
    ),
    (
        {"b/.manifest": '{"roots": ["x"]}', "b/p.rego": "package x\n\np { true }\n"},
        [],
        {"bundles": ["b"]},
        "b/p.rego:3: rego_parse_error: `if` keyword is required before rule body",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "paths", "options", "text"), REFUSED)
def test_refusals(files: Files, paths: list[str], options: dict[str, Any], text: str) -> None:
    """What does not fit together is an error at its place."""
    assert refusal(files, *paths, **options) == text


def test_mistakes_of_several_policies_are_raised_together() -> None:
    files = {"p/a.rego": "package a\n\np { true }\n", "p/b.rego": "package b\n\nq { true }\n"}
    with pytest.raises(PolicyErrors) as caught:
        loaded(files, "p")
    assert [str(error.location) for error in caught.value.errors] == ["p/a.rego:3", "p/b.rego:3"]


OLD = "package old\n\np[x] { x = 1 }\n"
NEW = "package new\n\np contains 1\n"


def test_policies_are_read_in_the_version_of_their_bundle() -> None:
    """The manifest says which version of Rego a module is in; elsewhere the argument does."""
    manifest = '{"rego_version": 1, "file_rego_versions": {"/old/*": 0}}'
    files = {"b/.manifest": manifest, "b/old/p.rego": OLD, "b/new/p.rego": NEW, "v0/p.rego": OLD}
    assert loaded(files, bundles=["b"]).eval("data.old.p") == loaded(files, bundles=["b"]).eval("data.new.p")
    assert list(loaded(files, "v0", rego_version=0).eval("data.old.p")) == [1]
    assert refusal(files, "v0").startswith("v0/p.rego:3: rego_parse_error: ")


def test_options_are_those_of_sources() -> None:
    """Own built-ins, strictness and limits mean the same."""
    files = {"a.rego": "package a\n\np := corp.twice(input)\nq := 1 / input\n"}
    engine = loaded(files, "a.rego", builtins={"corp.twice": lambda x: 2 * x}, strict_builtin_errors=True)
    assert engine.eval("data.a.p", 4) == 8
    with pytest.raises(PolicyError, match="div: divide by zero"):
        engine.eval("data.a.q", 0)


def signed(files: dict[str, str]) -> bytes:
    """The archive of a signed bundle."""
    listed = [
        {"name": name, "hash": hashlib.sha256(text.encode()).hexdigest(), "algorithm": "SHA-256"}
        for name, text in files.items()
    ]
    token = jwt.encode({"files": listed}, SECRET, "HS256", {"kid": "k"})
    return bundle({**files, ".signatures.json": json.dumps({"signatures": [token]})})


def test_signatures_are_checked_with_keys_and_wanted_then() -> None:
    files: dict[str, str | bytes] = {
        "good.tar.gz": signed({"p.rego": NEW}),
        "plain.tar.gz": bundle({"p.rego": NEW}),
    }
    assert list(loaded(files, "good.tar.gz", verification=KEYS).eval("data.new.p")) == [1]
    assert list(loaded(files, "good.tar.gz", skip_verification=True).eval("data.new.p")) == [1]
    assert list(loaded(files, bundles=["good.tar.gz"], verification=KEYS).eval("data.new.p")) == [1]
    assert refusal(files, "good.tar.gz") == "good.tar.gz:1: load_error: verification key not provided"
    text = "plain.tar.gz:1: load_error: bundle missing .signatures.json file"
    assert refusal(files, "plain.tar.gz", verification=KEYS) == text
    assert refusal(files, bundles=["plain.tar.gz"], verification=KEYS) == text
    other = Verification({"k": VerificationKey(SECRET[1:], "HS256")})
    assert refusal(files, "good.tar.gz", verification=other) == (
        "good.tar.gz:1: load_error: failed to verify JWT signature"
    )


def test_documents_of_the_caller_are_left_alone() -> None:
    """What is merged with the caller's documents does not show up in them."""
    given: dict[str, Any] = {"x": {"z": 2}}
    engine = loaded({"d.json": '{"x": {"y": 1}}'}, "d.json", data=given)
    assert engine.eval("data.x") == {"y": 1, "z": 2}
    assert given == {"x": {"z": 2}}


def test_no_paths_at_all() -> None:
    """An engine without policies answers queries over nothing."""
    assert Engine.from_paths().eval("data.a") is UNDEFINED
    assert Engine.from_paths().query("x := 1 + 1") == [{"x": 2}]
