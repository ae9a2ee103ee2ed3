"""A document with changes: what was there stays as it is, and each object is copied at most once."""

from collections.abc import Sequence
from typing import Any, Final

from procurator.values import UNDEFINED, Value

Object = dict[Any, Value]

_TOP: Final = ""


class Overlay:
    """A document under change.

    The time it takes is that of the objects on the way to the changes, each once, however many changes there are.
    """

    def __init__(self, whole: Value) -> None:
        self._root: Object = {} if whole is UNDEFINED else {_TOP: whole}
        # By identity; that they are held here keeps their identities from being used again.
        self._own: dict[int, Object] = {}

    @property
    def whole(self) -> Value:
        """The document as it is now; UNDEFINED when there was nothing and nothing was put there."""
        return self._root.get(_TOP, UNDEFINED)

    def object_at(self, path: Sequence[str]) -> Object:
        """The object at a path, which may be changed; what is in the way gives place to objects."""
        return self._object((_TOP, *path))

    def put(self, path: Sequence[str], value: Value) -> None:
        """Put a value at a path, whatever is there."""
        *outer, last = (_TOP, *path)
        self._object(outer)[last] = value

    def fill(self, path: Sequence[str], value: Value) -> None:
        """Put a value at a path where nothing is; what is there stays, and objects are merged."""
        *outer, last = (_TOP, *path)
        pending = [(self._object(outer), {last: value})]
        while pending:
            into, added = pending.pop()
            for key, member in added.items():
                found = into.setdefault(key, member)
                if found is not member and isinstance(found, dict) and isinstance(member, dict):
                    pending.append((self._owned(into, key), member))

    def _object(self, names: Sequence[str]) -> Object:
        found = self._root
        for name in names:
            found = self._owned(found, name)
        return found

    def _owned(self, outer: Object, name: Any) -> Object:
        found = outer.get(name)
        if id(found) in self._own:
            return self._own[id(found)]
        made = outer[name] = dict(found) if isinstance(found, dict) else {}
        self._own[id(made)] = made
        return made
