"""Documents with changes: what they hold, and that nothing is copied twice."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from procurator.runtime.overlay import Overlay
from procurator.runtime.support import replaced_input, whole_document
from procurator.values import UNDEFINED, Value

FIXED = settings(max_examples=300, derandomize=True, database=None, deadline=None)

NAMES = st.sampled_from("abc")
PATHS = st.lists(NAMES, max_size=3)
DOCUMENTS = st.recursive(st.integers(0, 9), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8)
CHANGES = st.lists(st.tuples(st.sampled_from(["object", "put", "fill"]), PATHS, DOCUMENTS), max_size=6)


def put(whole: Value, path: Sequence[str], value: Value) -> Value:
    """What `Overlay.put` has to give, copying as it goes."""
    if not path:
        return value
    whole = whole if isinstance(whole, dict) else {}
    return {**whole, path[0]: put(whole.get(path[0], UNDEFINED), path[1:], value)}


def fill(whole: Value, path: Sequence[str], value: Value) -> Value:
    """What `Overlay.fill` has to give."""
    if path:
        whole = whole if isinstance(whole, dict) else {}
        return {**whole, path[0]: fill(whole.get(path[0], UNDEFINED), path[1:], value)}
    if isinstance(whole, dict) and isinstance(value, dict):
        return {**whole, **{key: fill(whole.get(key, UNDEFINED), (), member) for key, member in value.items()}}
    return value if whole is UNDEFINED else whole


def at(whole: Value, path: Sequence[str]) -> Value:
    """What is at a path."""
    for name in path:
        whole = whole.get(name, UNDEFINED) if isinstance(whole, dict) else UNDEFINED
    return whole


@FIXED
@given(st.one_of(st.just(UNDEFINED), DOCUMENTS), CHANGES)
def test_changes_give_what_copies_would(whole: Value, changes: list[tuple[str, list[str], Value]]) -> None:
    """Each kind of change means what it says, and neither the document nor what was put there is changed."""
    before = copy.deepcopy((whole if whole is not UNDEFINED else None, changes))
    made, wanted = Overlay(whole), whole
    for kind, path, value in changes:
        if kind == "object":
            made.object_at(path)
            found = at(wanted, path)
            wanted = put(wanted, path, found if isinstance(found, dict) else {})
        elif kind == "put":
            made.put(path, value)
            wanted = put(wanted, path, value)
        else:
            made.fill(path, value)
            wanted = fill(wanted, path, value)
    assert made.whole == wanted
    assert (whole if whole is not UNDEFINED else None, changes) == before


def test_an_object_is_copied_once() -> None:
    """However many changes there are below an object, it is the first copy that takes them."""
    base = {"a": {"b": {"there": 1}}}
    made = Overlay(base)
    first = made.object_at(("a", "b"))
    for number in range(100):
        made.fill(("a",), {"b": {f"k{number}": number}})
        made.put(("a", "b", f"n{number}"), number)
        assert made.object_at(("a", "b")) is first
    assert len(first) == 201
    assert base == {"a": {"b": {"there": 1}}}


def test_a_value_that_is_put_there_is_no_copy_of_ours() -> None:
    """What others hold too is copied before it is changed, even where a copy of ours stood before."""
    kept: dict[str, Any] = {"x": 1}
    made = Overlay({"a": {}})
    made.object_at(("a",))
    made.put(("a",), kept)
    made.fill(("a",), {"y": 2})
    assert made.whole == {"a": {"x": 1, "y": 2}}
    assert kept == {"x": 1}


def test_a_document_without_changes_is_the_base() -> None:
    """Base data that nothing is added to is given as it is."""
    base = {"a": 1}
    assert whole_document(base, (), [(("b",), lambda _: UNDEFINED)], (), []) is base
    assert whole_document([1], (), (), (), []) == [1]
    assert whole_document(UNDEFINED, (), (), (), []) is UNDEFINED


def test_the_input_is_replaced_at_several_paths() -> None:
    """Replacements count one after the other, and the input stays as it is."""
    document = {"user": {"name": "ann"}, "n": 1}
    replacements = [(("user", "age"), 3), (("n", "deep"), 4), (("user", "name"), "bob")]
    assert replaced_input(document, replacements) == {"user": {"name": "bob", "age": 3}, "n": {"deep": 4}}
    assert replaced_input(document, [((), 1), (("a",), 2)]) == {"a": 2}
    assert replaced_input(UNDEFINED, [(("a",), 2)]) == {"a": 2}
    assert document == {"user": {"name": "ann"}, "n": 1}
