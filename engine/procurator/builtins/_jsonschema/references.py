"""What `$ref` refers to: places in the schema itself and the schemas of schemas, never anything remote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from procurator.builtins._jsonschema.nodes import Document, SchemaError

if TYPE_CHECKING:
    from referencing import Registry

_DRAFTS: Final = {f"http://json-schema.org/draft-0{number}/schema": number for number in (4, 6, 7)}
MIXED: Final = 8
"""The draft of a schema that names none: keywords of all drafts count."""


def draft_of(root: Document) -> int:
    """The draft a schema names with `$schema`."""
    if isinstance(root, bool):
        return MIXED
    if not isinstance(root, dict):
        raise SchemaError("schema is invalid")
    named = root.get("$schema", "")
    if not isinstance(named, str):
        raise SchemaError("$schema must be of type string")
    return _DRAFTS.get(named.removesuffix("#"), MIXED)


class References:
    """Looks references up from one place of a schema."""

    def __init__(self, root: Document, draft: int) -> None:
        from referencing.jsonschema import DRAFT4, DRAFT7

        old = draft == 4 or (isinstance(root, dict) and isinstance(root.get("id"), str))
        self.specification: Any = DRAFT4 if old else DRAFT7
        resource = self.specification.create_resource(root)
        # A malformed `$id` is told about when its schema is read.
        name = _identifier(self.specification, root)
        self.resolver: Any = _schemas_of_schemas().with_resource(name, resource).resolver(name)

    def within(self, schema: dict[str, Document]) -> References:
        """The references as they count inside a schema, which may have an `$id` of its own."""
        if not _identifier(self.specification, schema):
            return self
        resource = self.specification.create_resource(schema)
        return self._at(self.resolver.in_subresource(resource))

    def lookup(self, reference: str) -> Found:
        """The schema referred to."""
        from referencing.exceptions import PointerToNowhere, Unresolvable

        try:
            found = self.resolver.lookup(reference)
        except PointerToNowhere as error:
            raise SchemaError(_missing(error.resource.contents, error.ref)) from None
        except Unresolvable:
            raise SchemaError(f"remote reference loading disabled: {reference}") from None
        except ValueError:
            raise SchemaError(_missing(self.resolver.lookup("#").contents, reference.lstrip("#"))) from None
        except (AttributeError, KeyError, TypeError):
            # The library trusts a schema to be well formed where it searches for `$id`.
            raise SchemaError(f"Reference {reference} must be canonical") from None
        draft = draft_of(found.contents) if isinstance(found.contents, dict) else MIXED
        return Found(found.contents, self._at(found.resolver), None if draft == MIXED else draft)

    def _at(self, resolver: Any) -> References:
        moved = References.__new__(References)
        moved.specification, moved.resolver = self.specification, resolver
        return moved


@dataclass(frozen=True)
class Found:
    """What a reference refers to; the draft is None where that is the one of the schema that refers."""

    schema: Document
    references: References
    draft: int | None


@lru_cache(maxsize=1)
def _schemas_of_schemas() -> Registry[Any]:
    from jsonschema.validators import Draft4Validator, Draft6Validator, Draft7Validator
    from referencing import Registry

    validators = (Draft4Validator, Draft6Validator, Draft7Validator)
    documents = [dict(validator.META_SCHEMA) for validator in validators]
    return Registry[Any]().with_contents((document["$schema"], document) for document in documents).crawl()


def _identifier(specification: Any, schema: Document) -> str:
    named = schema.get("id" if specification.name == "draft-04" else "$id") if isinstance(schema, dict) else None
    return named if isinstance(named, str) else ""


def _missing(document: Document, pointer: str) -> str:
    """Which part of a JSON pointer leads nowhere."""
    for part in pointer.lstrip("/").split("/"):
        token = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            if token not in document:
                return f"Object has no key '{token}'"
            document = document[token]
        elif isinstance(document, list) and token.isdecimal():
            if int(token) >= len(document):
                return f"Out of bound array[0,{len(document)}] index '{token}'"
            document = document[int(token)]
        else:
            return (
                f"Invalid array index '{token}'" if isinstance(document, list) else f"Invalid token reference '{token}'"
            )
    return f"Invalid token reference '{pointer}'"
