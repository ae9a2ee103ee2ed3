"""JSON by path: `json.filter`, `json.remove`, and the paths that `json.patch` shares with them.

A path is a text such as "a/b/0" with `~1` for a slash and `~0` for a tilde, or an array of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from procurator.builtins.operands import OperandError, collection, object_
from procurator.values import UNDEFINED, Key, Set, Value, bounded, key_of, type_name

__all__ = ["TABLE", "filter_", "parse_path", "remove"]

# Paths by their first key; None ends a path, and takes in whatever is below.
_Tree: TypeAlias = "dict[Key, _Tree | None]"


@bounded
def filter_(value: Value, paths: Value) -> Value:
    """The parts of an object that the paths lead to."""
    return _filter(object_(value, 1), _tree(paths))


@bounded
def remove(value: Value, paths: Value) -> Value:
    """The object without the parts that the paths lead to."""
    return _remove(object_(value, 1), _tree(paths))


def _filter(value: Value, tree: _Tree | None) -> Value:
    if tree is None:
        return value
    if isinstance(value, dict):
        return {key: _filter(value[key], below) for key, below in tree.items() if key in value}
    if isinstance(value, list):
        return [_filter(item, tree[str(i)]) for i, item in enumerate(value) if str(i) in tree]
    if isinstance(value, Set):
        return Set(_filter(item, tree[key]) for key, item in value.items.items() if key in tree)
    return value


def _remove(value: Value, tree: _Tree) -> Value:
    if isinstance(value, dict):
        return {key: item for key, item in _remaining(value.items(), tree)}  # noqa: C416  # reads as what it makes
    if isinstance(value, list):
        return [item for _, item in _remaining(((str(i), item) for i, item in enumerate(value)), tree)]
    if isinstance(value, Set):
        return Set(item for _, item in _remaining(value.items.items(), tree))
    return value


def _remaining(items: Iterable[tuple[Key, Value]], tree: _Tree) -> Iterable[tuple[Key, Value]]:
    for key, item in items:
        if key not in tree:
            yield key, item
        elif (below := tree[key]) is not None:
            yield key, _remove(item, below)


def _tree(paths: Value) -> _Tree:
    """The paths as one tree; of two paths that begin alike the shorter one counts."""
    root: _Tree = {}
    for path in collection(paths, 2, "set", "array"):
        *parents, last = parse_path(path) or (UNDEFINED,)
        node: _Tree | None = root
        for key in parents:
            node = None if node is None else node.setdefault(key_of(key), {})
        if node is not None and last is not UNDEFINED:
            node[key_of(last)] = None
    return root


def parse_path(path: Value) -> list[Value]:
    """The keys of a path; none for the empty one, which means the whole document."""
    if isinstance(path, str):
        parts = path.lstrip("/").split("/") if path else []
        return [part.replace("~1", "/").replace("~0", "~") for part in parts]
    if isinstance(path, list):
        return path
    raise OperandError(2, "one of {set, array} containing string paths or array of path segments", got=type_name(path))


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "json.filter": filter_,
    "json.remove": remove,
}
