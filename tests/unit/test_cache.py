"""The cache: what it spares, what it must not believe, and what it leaves on the disk."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procurator import Engine, Limits, PolicyError, texts
from procurator.cache import MAGIC, Cache
from procurator.compile.artefact import decode_code, encode_code
from procurator.compile.packing import DamagedError
from procurator.values import key_of
from procurator_rules.errors import PolicyErrors
from procurator_rules.spans import Source

POLICY = """package t

default allow := false

allow if input.user == "ann"

allow if input.user == "bob"

allow if { some role in data.roles[input.user]; role == "admin" }

big := 100000000000000000000000000000000

odd := {"a": {1, [2], {"b": null}}, "c": 0.1, "d": {[1]: {true}}}

conflict := 1 if input.x

conflict := 2 if input.y

first := x if some x in input.xs
"""

DATA = {"roles": {"eve": ["admin"], "joe": []}}

QUESTIONS: list[tuple[str, Any]] = [
    ("data.t.allow", {"user": "bob"}),
    ("data.t.allow", {"user": "eve"}),
    ("data.t.allow", {}),
    ("data.t.big", {}),
    ("data.t.odd", {}),
    ("data.t", {"user": "ann"}),
]

CONFLICT = ("data.t.conflict", {"x": 1, "y": 1})
"""To name the values that do not agree takes the program itself."""


def engine(folder: Any) -> Engine:
    return Engine.from_sources({"t.rego": POLICY}, DATA, cache=folder)


def answers(made: Engine, questions: list[tuple[str, Any]] = QUESTIONS) -> list[Any]:
    """Values, rules and errors with their places."""
    found: list[Any] = []
    for term, document in questions:
        prepared = made.prepare(term)
        try:
            decision = prepared.decide(document)
        except PolicyError as error:
            found.append((error.code, error.render()))
        else:
            assert key_of(prepared(document)) == key_of(decision.value)
            found.append((key_of(decision.value), decision.path, decision.rules))
    return found


WANTED = answers(Engine.from_sources({"t.rego": POLICY}, DATA))


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_what_is_in_the_cache_is_neither_parsed_nor_checked(tmp_path: Path) -> None:
    assert answers(engine(tmp_path)) == WANTED
    with patch.object(texts, "parse_module", side_effect=AssertionError):
        assert answers(engine(tmp_path)) == WANTED


def test_a_conflict_is_told_as_if_there_was_no_cache(tmp_path: Path) -> None:
    wanted = answers(Engine.from_sources({"t.rego": POLICY}, DATA), [CONFLICT])
    assert [answers(engine(tmp_path), [CONFLICT]) for _ in range(2)] == [wanted, wanted]


@pytest.mark.parametrize(
    ("options", "new"),
    [
        ({"strict_builtin_errors": True}, 3),
        ({"limits": Limits(steps=1)}, 2),
        ({"limits": Limits(output=9)}, 2),
        ({"print_to": print}, 2),
    ],
)
def test_what_an_evaluation_may_do_is_part_of_the_key(tmp_path: Path, options: dict[str, Any], new: int) -> None:
    """Strictness decides about plans, limits and printing about code alone, of which there is one with a trace."""
    engine(tmp_path).prepare("data.t.first")
    before = set(files(tmp_path))
    Engine.from_sources({"t.rego": POLICY}, DATA, cache=tmp_path, **options).prepare("data.t.first")
    assert len(set(files(tmp_path)) - before) == new


@pytest.mark.parametrize("change", ["policy", "strict", "version", "function", "compiler", "query"])
def test_whatever_decides_about_code_is_part_of_the_key(tmp_path: Path, change: str) -> None:
    engine(tmp_path).prepare("data.t.allow")
    before = set(files(tmp_path))
    options: dict[str, Any] = {"strict": True} if change == "strict" else {}
    if change == "function":
        options = {"builtins": {"own.f": lambda x: x}}
    if change == "version":
        options = {"rego_version": 0}
    policy = POLICY + ("other := 1\n" if change == "policy" else "")
    policy = policy.replace("package t\n", "package t\n\nimport rego.v1\n") if change == "version" else policy
    with patch("procurator.stored.compiler", return_value=b"x" * 32) if change == "compiler" else patch("os.getpid"):
        made = Engine.from_sources({"t.rego": policy}, DATA, cache=tmp_path, **options)
        made.prepare("data.t.big" if change == "query" else "data.t.allow")
    assert len(set(files(tmp_path)) - before) >= (3 if change == "query" else 4)


def test_other_data_of_one_shape_needs_no_new_code(tmp_path: Path) -> None:
    made = engine(tmp_path)
    made.prepare("data.t.allow")
    before = files(tmp_path)
    other = Engine.from_sources({"t.rego": POLICY}, {"roles": {"eve": ["x"], "joe": []}}, cache=tmp_path)
    assert other.prepare("data.t.allow")({"user": "eve"}) is False
    assert files(tmp_path) == before


def test_wrong_policies_and_queries_are_refused_every_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(PolicyErrors):
            Engine.from_sources({"a.rego": "package", "b.rego": "package b\np if"}, cache=tmp_path)
        with pytest.raises(PolicyError, match="rego_unsafe_var_error"):
            engine(tmp_path).query("x == 1")
        with pytest.raises(PolicyError, match="expected one term"):
            engine(tmp_path).prepare("data.t[x]")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a cache that has answered everything."""
    folder = tmp_path_factory.mktemp("filled")
    answers(engine(folder))
    return {path.name: path.read_bytes() for path in files(folder)}


@settings(max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_change_of_a_file_changes_an_answer(filled: dict[str, bytes], tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed, cut off, added, taken from another file, or put there by somebody."""
    name = data.draw(st.sampled_from(sorted(filled)))
    content = filled[name]
    place = data.draw(st.integers(0, len(content) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :],
                content[:place],
                content + b"\0",
                filled[data.draw(st.sampled_from(sorted(filled)))],
                MAGIC + b"\0" * 32 + content[len(MAGIC) + 32 :],
                data.draw(st.binary(max_size=200)),
            ]
        )
    )
    for other, bytes_ in filled.items():
        (tmp_path / other).write_bytes(changed if other == name else bytes_)
        (tmp_path / other).chmod(0o600)
    assert answers(engine(tmp_path)) == WANTED
    assert answers(engine(tmp_path)) == WANTED


@settings(max_examples=600, derandomize=True, database=None, deadline=None)
@given(st.data())
def test_reading_any_bytes_gives_code_or_a_refusal(data: st.DataObject) -> None:
    """Even with a digest that fits, nothing but the two outcomes is possible."""
    query = Engine.from_sources({"t.rego": POLICY}, DATA).compiled("data.t", as_term=True)
    sources = (query.made.rules[0].span.source, Source("", "data.t"))
    content = bytearray(encode_code(query.loaded().code, sources))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DamagedError):
        decode_code(bytes(content), sources, query.made.rules)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache"
    engine(folder).prepare("data.t.allow")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(folder)} == {0o600}
    assert {path.suffix for path in files(folder)} == {".artefact"}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no such permissions here")
def test_files_that_others_can_write_and_links_are_not_read(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(b"k" * 32, b"payload")
    (path,) = files(tmp_path)
    assert cache.get(b"k" * 32) == b"payload"
    path.chmod(0o666)
    assert cache.get(b"k" * 32) is None
    path.chmod(0o600)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.get(b"k" * 32) is None


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=10_000)
    for number in range(40):
        cache.put(bytes([number]) * 32, b"x" * 900)
        for age, path in enumerate(sorted(files(tmp_path), key=lambda one: one.stat().st_mtime_ns, reverse=True)):
            os.utime(path, (1e9 - age, 1e9 - age))
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 12_500
    assert cache.get(bytes([39]) * 32) == b"x" * 900
    assert cache.get(bytes([0]) * 32) is None
    cache.put(b"z" * 32, b"x" * 20_000)
    assert cache.get(b"z" * 32) is None


def test_many_threads_may_share_a_folder(tmp_path: Path) -> None:
    found: list[Any] = []
    workers = [threading.Thread(target=lambda: found.append(answers(engine(tmp_path)))) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [WANTED] * 6
    assert {path.suffix for path in files(tmp_path)} == {".artefact"}
