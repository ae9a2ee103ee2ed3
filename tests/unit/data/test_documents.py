"""Base documents and policies from files and folders."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packing import message

from procurator.data.documents import ConflictError, file_path, load_documents, merge, nested, reference, split_prefix
from procurator_rules.errors import PolicyError, PolicyErrors

Files = dict[str, str]


def write(folder: Path, files: Files) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


LOADED: list[tuple[Files, list[str], Any]] = [
    ({"x.json": '{"a": 1}'}, ["x.json"], {"a": 1}),
    ({"x.json": '{"a": 1}'}, ["."], {"a": 1}),
    ({"d/x.json": '{"a": 1}'}, ["d"], {"a": 1}),
    ({"d/e/x.json": '{"a": 1}'}, ["d"], {"e": {"a": 1}}),
    ({"d/e/x.json": "[1]"}, ["d"], {"e": [1]}),
    ({"x.yaml": "a: yes\nb: 1.50", "y.yml": "c: [~]"}, ["."], {"a": "yes", "b": 1.5, "c": [None]}),
    ({"a.json": '{"x": {"y": 1}}', "b.yaml": "x: {z: 2}"}, ["."], {"x": {"y": 1, "z": 2}}),
    ({"x.json": "1"}, ["a.b:x.json"], {"a": {"b": 1}}),
    ({"d/e/x.json": "1"}, ["a.b:d"], {"a": {"b": {"e": 1}}}),
    ({"x.json": '{"a": 1}'}, ["x.json", "x.json", "b:x.json"], {"a": 1, "b": {"a": 1}}),
    ({"x.json": '\ufeff{"n": 12345678901234567890.5}'}, ["."], {"n": Decimal("12345678901234567890.5")}),
    ({"x.txt": "?", "README": "?"}, ["."], {}),
    ({"x.txt": '{"a": 1}', "y": "b: 2"}, ["x.txt", "y"], {"a": 1, "b": 2}),
]


@pytest.mark.parametrize(("files", "paths", "data"), LOADED)
def test_documents(files: Files, paths: list[str], data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, files)
    assert load_documents(paths).data == data


def test_policies_and_archives_are_found(tmp_path: Path) -> None:
    write(tmp_path, {"a/p.rego": "package p\n", "b.tar.gz": "", "c.tgz": ""})
    loaded = load_documents([tmp_path, f"file://{tmp_path}/a/p.rego"])
    assert loaded.modules == {str(tmp_path / "a/p.rego"): "package p\n"}
    assert loaded.archives == {str(tmp_path / "b.tar.gz"): (), str(tmp_path / "c.tgz"): ()}


REFUSED: list[tuple[Files, list[str], str]] = [
    ({"x.json": "[1]"}, ["x.json"], "x.json: document must be of type object"),
    ({"x.json": "{"}, ["x.json"], "x.json: unexpected EOF"),
    ({"x.json": '{"a": NaN}'}, ["x.json"], "x.json: invalid character 'N' looking for beginning of value"),
    ({"x.txt": "text"}, ["x.txt"], "x.txt: can't recognize file type"),
    ({}, ["x.json"], "cannot read the file: no such file or directory"),
    (
        {"a.json": '{"x": {"y-z": 1}}', "b.json": '{"x": {"y-z": 2}}'},
        ["."],
        'b.json: merge error: conflicting values at data.x["y-z"], also defined in a.json',
    ),
    (
        {"a.json": '{"x": 1}', "b.json": '{"x": {"y": 2}}'},
        ["."],
        "b.json: merge error: conflicting values at data.x, also defined in a.json",
    ),
    (
        {"a.json": '{"x": 1}', "d/x.json": "1"},
        ["a.json", "x:d/x.json"],
        "d/x.json: merge error: conflicting values at data.x, also defined in a.json",
    ),
]


@pytest.mark.parametrize(("files", "paths", "text"), REFUSED)
def test_refusals(files: Files, paths: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, files)
    with pytest.raises(PolicyError) as caught:
        load_documents(paths)
    assert message(caught.value) == f"load_error: {text}"


def test_yaml_that_is_none_is_placed(tmp_path: Path) -> None:
    write(tmp_path, {"x.yaml": "a: [1"})
    with pytest.raises(PolicyError) as caught:
        load_documents([tmp_path / "x.yaml"])
    assert caught.value.message.startswith(f"{tmp_path}/x.yaml: error converting YAML to JSON: yaml: line 1")
    assert caught.value.location is not None
    assert caught.value.location.file == f"{tmp_path}/x.yaml"


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    write(tmp_path, {"a.json": "{", "b.json": "[]", "c.rego": "package c\n"})
    (tmp_path / "d.rego").write_bytes(b"package \xff\n")
    with pytest.raises(PolicyErrors) as caught:
        load_documents([tmp_path])
    assert [error.code for error in caught.value.errors] == ["load_error", "load_error", "rego_parse_error"]


def test_a_folder_that_holds_itself(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").symlink_to(tmp_path)
    with pytest.raises(PolicyError) as caught:
        load_documents([tmp_path])
    assert caught.value.message == f"the folder `{tmp_path}/a/b` holds itself through a link"


PREFIXES = [
    ("x.json", ((), "x.json")),
    ("a:x.json", (("a",), "x.json")),
    ("a.b:d/x.json", (("a", "b"), "d/x.json")),
    ("file:///d/x.json", ((), "file:///d/x.json")),
    ("a.b:file:///d/x.json", (("a", "b"), "file:///d/x.json")),
    (":x", ((), ":x")),
]


@pytest.mark.parametrize(("path", "wanted"), PREFIXES)
def test_prefixes(path: str, wanted: Any) -> None:
    assert split_prefix(path) == wanted


def test_file_urls() -> None:
    assert file_path("file:///a%20b/c.json") == "/a b/c.json"
    assert file_path("a/b.json") == "a/b.json"


def test_references() -> None:
    assert reference(["a", "b-c", "é"]) == 'data.a["b-c"]["é"]'


TREES = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)
DOCUMENTS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


def leaves(value: Any, place: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The values of a document by their places; empty objects are values too."""
    if not isinstance(value, dict) or not value:
        return {place: {} if isinstance(value, dict) else value}
    return {where: leaf for key, item in value.items() for where, leaf in leaves(item, (*place, key)).items()}


def conflict_of(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, ...] | None:
    try:
        merge(one, other)
    except ConflictError as conflict:
        return conflict.place
    return None


@given(DOCUMENTS, DOCUMENTS)
def test_merging_keeps_every_value_or_names_a_conflict(one: dict[str, Any], other: dict[str, Any]) -> None:
    before = leaves(one), leaves(other)
    conflict = conflict_of(one, other)
    if conflict is None:
        values = {where: value for side in before for where, value in side.items() if value != {}}
        assert {where: value for where, value in leaves(one).items() if value != {}} == values
    else:
        assert any(where[: len(conflict)] == conflict for where in before[0] | before[1])


def test_nested_documents() -> None:
    assert nested(["a", "b"], 1) == {"a": {"b": 1}}
    assert nested([], 1) == 1
