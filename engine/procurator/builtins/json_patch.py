"""`json.patch`: RFC 6902 on Rego values, sets and keys of any type included."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final

from procurator.builtins.json_paths import parse_path
from procurator.builtins.operands import BuiltinError, array
from procurator.render import render
from procurator.values import UNDEFINED, Key, Set, Value, bounded, equal, key_of, lookup, type_name

_INDEX: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
# OPA names its own types in these errors.
_SCALARS: Final = {"null": "ast.Null", "boolean": "ast.Boolean", "number": "ast.Number", "string": "ast.String"}

_Path = list[Value]


@bounded
def patch(document: Value, operations: Value) -> Value:
    """The document after all operations; undefined when nothing is left of it."""
    edited = _Document(document)
    for operation in array(operations, 2):
        if not isinstance(operation, dict):
            raise BuiltinError("must be an array of JSON-Patch objects, but at least one element is not an object")
        where, name = _attribute(operation, "path"), _attribute(operation, "op")
        if not isinstance(name, str):
            raise BuiltinError(f"attribute 'op' must be a string but found: {type_name(name)}")
        path = parse_path(where)
        if name not in _OPERATIONS:
            raise BuiltinError(f"unrecognized op: '{name}'")
        _OPERATIONS[name](edited, path, operation)
    return edited.root


def _attribute(operation: dict[Key, Value], name: str) -> Value:
    if name not in operation:
        raise BuiltinError(f"missing required attribute '{name}'")
    return operation[name]


class _Document:
    """A document under change: containers are copied once, at the first edit below them."""

    def __init__(self, root: Value) -> None:
        self.root = root
        # Containers made here, by identity; held, so that no identity is used again.
        self._own: dict[int, Value] = {}

    def at(self, path: _Path) -> Value:
        """The value at a path."""
        if self.root is UNDEFINED:
            raise BuiltinError("nil value encountered where composite value was expected")
        return reduce(_step, path, self.root)

    def insert(self, path: _Path, value: Value) -> None:
        """Put a value at a path; array elements move up."""
        self._check_left(path, "insert")
        self.root = self._edit(self.root, path, lambda node, key: self._insert(node, key, value)) if path else value

    def delete(self, path: _Path) -> None:
        """Take the value at a path away; array elements move down."""
        self._check_left(path or [None], "delete")
        self.root = self._edit(self.root, path, self._delete) if path else UNDEFINED

    def _check_left(self, path: _Path, operation: str) -> None:
        if path and self.root is UNDEFINED:
            raise BuiltinError(f"deleted node encountered during {operation} operation")

    def share(self) -> None:
        """Forget what was copied: a part of it is about to stand in two places."""
        self._own.clear()

    def _edit(self, node: Value, path: _Path, change: Callable[[Value, Value], Value]) -> Value:
        key, *rest = path
        if not rest:
            return change(node, key)
        child = self._edit(_step(node, key), rest, change)
        if isinstance(node, Set):
            return Set([child, *(member for member in node if not equal(member, key))])
        changed = self._owned(node)
        changed[_index(len(node), key) if isinstance(node, list) else key_of(key)] = child
        return changed

    def _owned(self, node: Value) -> Value:
        if id(node) not in self._own:
            node = node.copy()
            self._own[id(node)] = node
        return node

    def _insert(self, node: Value, key: Value, value: Value) -> Value:
        if isinstance(node, dict):
            changed = self._owned(node)
            changed[key_of(key)] = value
            return changed
        if isinstance(node, list):
            index = _index(len(node), key)
            if not 0 <= index <= len(node):
                raise BuiltinError("index for array insertion out of bounds")
            changed = self._owned(node)
            changed.insert(index, value)
            return changed
        _check_composite(node)
        if not equal(key, value):
            raise BuiltinError(f"set key {render(key)} does not equal value to be inserted {render(value)}")
        return node.union(Set([value]))

    def _delete(self, node: Value, key: Value) -> Value:
        if isinstance(node, list):
            index = _index(len(node), key)
            if not 0 <= index < len(node):
                raise BuiltinError("index for array delete out of bounds")
            changed = self._owned(node)
            del changed[index]
            return changed
        _check_composite(node)
        if lookup(node, key) is UNDEFINED:
            raise BuiltinError(f"cannot delete child key {render(key)} that does not exist")
        if isinstance(node, Set):
            return node.difference(Set([key]))
        changed = self._owned(node)
        del changed[key_of(key)]
        return changed


def _step(node: Value, key: Value) -> Value:
    if (kind := type_name(node)) in _SCALARS:
        found = f"found value: {render(node)} (type: {_SCALARS[kind]})"
        raise BuiltinError(f"expected composite type for path {render(key)}, {found}")
    place = _index(len(node), key) if kind == "array" else key
    found = lookup(node, place)
    if found is UNDEFINED:
        shown = key if kind == "set" and isinstance(key, str) else render(place)
        raise BuiltinError(f"path {shown} does not exist in {kind} term {render(node)}")
    return found


def _check_composite(node: Value) -> None:
    if (kind := type_name(node)) in _SCALARS:
        raise BuiltinError(f"expected composite type, found value: {render(node)} (type: {_SCALARS[kind]})")


def _index(length: int, key: Value) -> int:
    if key == "-":
        return length
    if isinstance(key, str):
        if not _INDEX.fullmatch(key):
            raise BuiltinError("invalid string for indexing")
        if key != "0" and key.startswith("0"):
            raise BuiltinError("leading zeros are not allowed in JSON paths")
        return int(key.partition(".")[0])
    if type_name(key) != "number":
        raise BuiltinError("invalid type for indexing")
    if int(key) != key or not -1e16 < key < 1e16:
        raise BuiltinError("invalid number type for indexing")
    return int(key)


# Operations


def _add(document: _Document, path: _Path, operation: dict[Key, Value]) -> None:
    document.insert(path, _attribute(operation, "value"))


def _remove(document: _Document, path: _Path, _operation: dict[Key, Value]) -> None:
    document.delete(path)


def _replace(document: _Document, path: _Path, operation: dict[Key, Value]) -> None:
    document.delete(path)
    _add(document, path, operation)


def _move(document: _Document, path: _Path, operation: dict[Key, Value]) -> None:
    source = parse_path(_attribute(operation, "from"))
    moved = document.at(source)
    document.delete(source)
    document.insert(path, moved)


def _copy(document: _Document, path: _Path, operation: dict[Key, Value]) -> None:
    copied = document.at(parse_path(_attribute(operation, "from")))
    document.share()
    document.insert(path, copied)


def _test(document: _Document, path: _Path, operation: dict[Key, Value]) -> None:
    found, wanted = document.at(path), _attribute(operation, "value")
    if not equal(found, wanted):
        texts = f"Expected: {render(wanted)}\n\nFound: {render(found)}"
        raise BuiltinError(f"value from EditTree != patch value.\n\n{texts}")


_OPERATIONS: Final[Mapping[str, Callable[[_Document, _Path, dict[Key, Value]], None]]] = {
    "add": _add,
    "copy": _copy,
    "move": _move,
    "remove": _remove,
    "replace": _replace,
    "test": _test,
}

TABLE: Final[Mapping[str, Callable[..., Value]]] = {"json.patch": patch}
