"""Built-ins `json.match_schema` and `json.verify_schema`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from procurator.builtins._jsonschema.documents import document
from procurator.builtins._jsonschema.loading import load_schema
from procurator.builtins._jsonschema.nodes import Node, SchemaError
from procurator.builtins._jsonschema.validation import validate
from procurator.builtins.operands import BuiltinError
from procurator.values import Value, dumps, loads


def match_schema(value: Value, schema: Value) -> Value:
    """Whether a document fits a schema, and the list of its errors."""
    try:
        checked = document(value)
        faults = validate(_schema(schema), checked)
    except SchemaError as error:
        raise BuiltinError(str(error)) from None
    told = [
        {
            "error": f"{fault.field}: {fault.description}",
            "type": fault.kind,
            "field": fault.field,
            "desc": fault.description,
        }
        for fault in faults
    ]
    return [not told, told]


def verify_schema(schema: Value) -> Value:
    """Whether a schema is well formed, and if not, why."""
    try:
        _schema(schema)
    except SchemaError as error:
        return [False, f"jsonschema: {error}"]
    return [True, None]


def _schema(schema: Value) -> Node:
    return _loaded(dumps(document(schema)))


@lru_cache(maxsize=128)
def _loaded(text: str) -> Node:
    return load_schema(loads(text))


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "json.match_schema": match_schema,
    "json.verify_schema": verify_schema,
}
