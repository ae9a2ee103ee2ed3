"""JSON Schema -> type: what a document that is valid by a schema can hold.

Only what narrows a type is read: `type`, `properties`, `items`, `anyOf`, `allOf`, `$ref`; all else leaves it open.
An object with `properties` has no other keys: a reference to a key that no schema lists is taken for a mistake.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from procurator_rules.constants import STRING as STRING_KEY
from procurator_rules.errors import TYPE, PolicyError
from procurator_rules.schema_keywords import is_schema, problem_in, schemas_in
from procurator_rules.types import ANY, BOOLEAN, NUMBER, STRING, Array, Inferred, Object, Recursive, Type, Union, union

MAX_NESTING: Final = 60
"""How many levels of a schema make levels of a type; below them anything goes."""

METASCHEMAS: Final = "http://json-schema.org/draft-"

NARROWING: Final = ("boolean", "string", "integer", "number", "object", "array")
"""The types that narrow; where a schema lists several, the first of these decides."""

SCALARS: Final[Mapping[str, Type]] = {"boolean": BOOLEAN, "string": STRING, "integer": NUMBER, "number": NUMBER}


class _RefusedError(Exception):
    """A schema that no type can be made of."""


def type_of_schema(schema: object, allow_net: frozenset[str] | None = None) -> Type:
    """The type of the documents that a schema describes.

    Args:
        schema: the schema as a JSON document.
        allow_net: the hosts that may be asked for a schema; None allows all. Nothing is fetched in any case.

    Raises:
        PolicyError: the schema is none, or refers to something that is not there.
    """
    try:
        documents = _Documents(schema, allow_net)
    except _RefusedError as refusal:
        raise PolicyError(TYPE, f"unable to compile the schema: {refusal}") from None
    try:
        return _Reader(documents).type_of(schema) or ANY
    except _RefusedError as refusal:
        raise PolicyError(TYPE, f"type checking: {refusal}") from None


class _Documents:
    """A schema with all schemas in it, found by the references that they use."""

    def __init__(self, root: object, allow_net: frozenset[str] | None) -> None:
        if not is_schema(root):
            raise _RefusedError("no schema as input to compile" if root is None else "schema is invalid")
        self._allow_net = allow_net
        self._known: dict[str, object] = {"": root}
        self._bases: dict[int, str] = {}
        self._collect(root)
        self._check(root)

    def target(self, schema: Mapping[str, object]) -> tuple[str, object] | None:
        """What a schema refers to: the absolute reference and the schema there; None if it refers to nothing."""
        ref = schema.get("$ref")
        if not isinstance(ref, str):
            return None
        absolute = _absolute(self._bases.get(id(schema), ""), ref)
        if absolute not in self._known:
            self._known[absolute] = self._look_up(absolute)
        return absolute, self._known[absolute]

    def _collect(self, root: object) -> None:
        """Learn the identifiers and, for each schema, the one that references in it start from."""
        waiting: list[tuple[object, str]] = [(root, "")]
        while waiting:
            part, base = waiting.pop()
            if isinstance(part, list):
                waiting += [(element, base) for element in part]
            elif isinstance(part, Mapping):
                base = self._identify(part, base)
                waiting += [(inner, base) for inner in _parts(part)]

    def _identify(self, schema: Mapping[str, object], base: str) -> str:
        if id(schema) in self._bases:
            return base
        name = schema.get("id" if "id" in schema else "$id")
        if isinstance(name, str):
            base = _absolute(base, name)
            if base and self._known.setdefault(base, schema) is not schema:
                raise _RefusedError(f'Reference already exists: "{base}"')
        self._bases[id(schema)] = base
        return base

    def _check(self, root: object) -> None:
        """Check the keywords of all schemas that can be reached, and that each reference leads to one."""
        waiting, seen = [root], set[int]()
        while waiting:
            schema = waiting.pop()
            if not isinstance(schema, Mapping) or id(schema) in seen:
                continue
            seen.add(id(schema))
            if not isinstance(schema.get("$schema", ""), str):
                raise _RefusedError("$schema must be of type string")
            if problem := problem_in(schema):
                raise _RefusedError(problem)
            target = self.target(schema)
            waiting += reversed(schemas_in(schema)) if target is None else [target[1]]

    def _look_up(self, absolute: str) -> object:
        address, _, pointer = absolute.partition("#")
        if address in self._known:
            found = _follow(self._known[address], pointer)
        else:
            self._refuse_remote(absolute, address)
            found = True
        if not is_schema(found):
            raise _RefusedError("Valid Schema must be of type object")
        return found

    def _refuse_remote(self, absolute: str, address: str) -> None:
        from urllib.parse import urlsplit

        parts = urlsplit(address)
        if address.startswith(METASCHEMAS):
            return
        if not parts.scheme or (parts.scheme != "file" and not parts.netloc):
            raise _RefusedError(f"Reference {absolute} must be canonical")
        if parts.scheme == "file" or (self._allow_net is not None and parts.hostname not in self._allow_net):
            raise _RefusedError(f"remote reference loading disabled: {absolute}")
        raise _RefusedError(f"remote reference loading not available: {absolute}: put the schema into the file")


def _parts(schema: Mapping[str, object]) -> Iterable[object]:
    """What can hold schemas: not literal values, and of keywords that map names only what is named."""
    for key, value in schema.items():
        if key in ("properties", "dependencies", "patternProperties") and isinstance(value, Mapping):
            yield from value.values()
        elif key not in ("const", "enum"):
            yield value


def _absolute(base: str, ref: str) -> str:
    if ref.startswith("#"):
        return (base.partition("#")[0] + ref).removesuffix("#")
    from urllib.parse import urljoin

    joined = urljoin(base, ref).removesuffix("#")
    return joined if ":" in joined or joined.startswith("/") else f"/{joined}"


def _follow(document: object, pointer: str) -> object:
    if not pointer.startswith("/"):
        return document
    from urllib.parse import unquote

    for token in unquote(pointer[1:]).split("/"):
        document = _step(document, token.replace("~1", "/").replace("~0", "~"))
    return document


def _step(document: object, token: str) -> object:
    if isinstance(document, Mapping):
        if token not in document:
            raise _RefusedError(f"Object has no key '{token}'")
        return document[token]
    if not isinstance(document, list):
        raise _RefusedError(f"Invalid token reference '{token}'")
    if not token.isdecimal():
        raise _RefusedError(f"Invalid array index '{token}'")
    if int(token) >= len(document):
        raise _RefusedError(f"Out of bound array[0,{len(document)}] index '{token}'")
    return document[int(token)]


@dataclass(slots=True)
class _Shape:
    """What of a schema narrows its type."""

    types: list[str] = field(default_factory=list)
    properties: dict[str, object] = field(default_factory=dict)
    items: list[object] = field(default_factory=list)
    alike: bool = False
    any_of: Sequence[object] = ()
    all_of: Sequence[object] = ()

    def take_for_granted(self) -> None:
        """A schema with properties describes objects, one with items arrays, whether it says so or not."""
        implied = "object" if self.properties else "array" if self.items else None
        if implied and implied not in self.types:
            self.types.append(implied)

    @property
    def named(self) -> str:
        """The types as messages name them."""
        if len(self.types) > 1:
            return f"[{','.join(self.types)}]"
        return self.types[0] if self.types else "Undefined"


def _shape(schema: object) -> _Shape:
    if not isinstance(schema, Mapping):
        return _Shape()
    types, items = schema.get("type", []), schema.get("items", [])
    return _Shape(
        types=[types] if isinstance(types, str) else list(types),
        properties=dict(schema.get("properties", {})),
        items=list(items) if isinstance(items, list) else [items],
        alike=not isinstance(items, list),
        any_of=schema.get("anyOf", ()),
        all_of=schema.get("allOf", ()),
    )


class _Reader:
    """Makes types; the type of each reference once, and a recursive one where a type contains itself."""

    def __init__(self, documents: _Documents) -> None:
        self._documents = documents
        self._finished: dict[str, Inferred] = {}
        self._unfinished: dict[str, Recursive | None] = {}
        self._nesting = 0

    def type_of(self, schema: object) -> Inferred:
        """The type of one schema."""
        if self._nesting > MAX_NESTING:
            return ANY
        self._nesting += 1
        target = self._documents.target(schema) if isinstance(schema, Mapping) else None
        found = self._of_shape(_shape(schema)) if target is None else self._of_reference(*target)
        self._nesting -= 1
        return found

    def _of_reference(self, name: str, schema: object) -> Inferred:
        if name in self._finished:
            return self._finished[name]
        if name in self._unfinished:
            recursive = self._unfinished[name] or Recursive(name)
            self._unfinished[name] = recursive
            return recursive
        self._unfinished[name] = None
        found = self.type_of(schema)
        inner = self._unfinished.pop(name)
        if inner is not None:
            # A choice between itself and something else is that something.
            found = union(*(part for part in found.of if part is not inner)) if isinstance(found, Union) else found
            inner.target = ANY if found is None or isinstance(found, Recursive) else found
        if self._nesting < MAX_NESTING:
            self._finished[name] = found
        return found

    def _of_shape(self, shape: _Shape) -> Inferred:
        if shape.any_of:
            return union(*map(self.type_of, shape.any_of), self._core(replace(shape, any_of=())))
        if shape.all_of:
            return self._of_all(shape)
        shape.take_for_granted()
        kind = next((kind for kind in NARROWING if kind in shape.types), "")
        if kind == "object":
            return self._of_object(shape)
        return self._of_array(shape) if kind == "array" else SCALARS.get(kind, ANY)

    def _core(self, shape: _Shape) -> Inferred:
        """What stands beside an `anyOf` counts as one more choice if it names the keys of an object."""
        found = self._of_shape(shape) if shape.types else None
        return found if isinstance(found, Object) and found.dynamic is None else None

    def _of_object(self, shape: _Shape) -> Type:
        if not shape.properties:
            return Object((), (ANY, ANY))
        properties = [((STRING_KEY, name), self.type_of(schema)) for name, schema in shape.properties.items()]
        return Object(properties, is_promised=True)

    def _of_array(self, shape: _Shape) -> Type:
        if not shape.items:
            return Array((), ANY)
        types = [self.type_of(item) for item in shape.items]
        return Array((), types[0]) if shape.alike else Array(types)

    def _of_all(self, shape: _Shape) -> Inferred:
        parts = [_shape(self._resolved(part)) for part in shape.all_of]
        telling = [part for part in parts if part.types or part.properties or part.items or not part.any_of]
        if not telling:
            return ANY
        merged = self._merge(telling)
        if shape.types:
            if {"object", "array"} & set(shape.types) & set(merged.types):
                merged = self._merge([merged, replace(shape, types=list(shape.types))])
            elif shape.named != merged.named:
                raise _RefusedError("unable to merge these schemas")
        return self._of_shape(merged)

    def _resolved(self, schema: object) -> object:
        seen = set[str]()
        while isinstance(schema, Mapping) and (target := self._documents.target(schema)) and target[0] not in seen:
            seen.add(target[0])
            schema = target[1]
        return schema

    def _merge(self, shapes: Sequence[_Shape]) -> _Shape:
        for shape in shapes:
            shape.take_for_granted()
        result, *others = shapes
        for other in others:
            if result.named != other.named:
                raise _RefusedError(f"unable to merge these schemas: type mismatch: {result.named} and {other.named}")
            if "object" in result.types and result.properties:
                result.properties = {**other.properties, **result.properties}
            elif "array" in result.types and result.items and other.items:
                self._merge_items(result, other)
        return result

    def _merge_items(self, result: _Shape, other: _Shape) -> None:
        for mine, theirs in zip(result.items, other.items, strict=False):
            if _shape(self._resolved(mine)).named != _shape(self._resolved(theirs)).named:
                raise _RefusedError("unable to merge these schemas")
        result.items += other.items[len(result.items) :]
