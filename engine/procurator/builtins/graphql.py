"""The `graphql.*` built-ins."""

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from importlib import import_module
from typing import Any, Final

from procurator.builtins.operands import BuiltinError, collection, string
from procurator.values import Value

TREES: Final = ("string", "object")


def _part(name: str) -> Any:
    """A part of the implementation; it brings graphql-core, an extra that is slow to import."""
    try:
        return import_module(f"procurator.builtins._graphql.{name}")
    except ModuleNotFoundError as error:
        if error.name != "graphql":
            raise
        raise BuiltinError("graphql-core is not installed: pip install 'procurator[graphql]'") from None


def _bounded(function: Callable[..., Value]) -> Callable[..., Value]:
    @wraps(function)
    def bounded(*operands: Value) -> Value:
        _part("reader")  # outside the function, which may take an error for an invalid document
        try:
            return function(*operands)
        except RecursionError:
            raise BuiltinError("document is nested too deeply or takes too much work") from None

    return bounded


def _query(source: Value) -> Any:
    if isinstance(source, str):
        return _part("query").QueryParser(source).document()
    return _part("tree").decode(collection(source, 0, *TREES), "QueryDocument")


def _schema(source: Value) -> Any:
    if isinstance(source, str):
        return _part("sdl").SchemaParser(source).document()
    return _part("tree").decode(collection(source, 1, *TREES), "SchemaDocument")


def _pruned(tree: Any) -> Value:
    return _part("tree").prune(tree)


def _verified(query: Value, schema: Value) -> list[Value]:
    tree = _query(query)
    rules, shown = _known_schema(schema) if isinstance(schema, str) else _loaded(schema)
    _part("check").validate(rules, tree)
    return [_pruned(tree), shown]


def _loaded(source: Value) -> tuple[Any, Value]:
    """A schema as the rules of queries need it, and its tree."""
    tree = _schema(source)
    return _part("check").schema_of(_part("schema").load(tree)), _pruned(tree)


# Policies check many queries against few schemas.
_known_schema: Final = lru_cache(maxsize=16)(_loaded)


@_bounded
def parse_query(source: Value) -> Value:
    """The tree of a query."""
    return _pruned(_query(string(source, 1)))


@_bounded
def parse_schema(source: Value) -> Value:
    """The tree of a schema, whose sense is not checked."""
    return _pruned(_schema(string(source, 1)))


@_bounded
def parse(query: Value, schema: Value) -> Value:
    """The trees of a query and of the schema it fits."""
    return _verified(query, schema)


@_bounded
def parse_and_verify(query: Value, schema: Value) -> Value:
    """Whether the query fits the schema, and both trees; empty ones if not."""
    if not (isinstance(query, str | dict) and isinstance(schema, str | dict)):
        return [False, {}, {}]
    try:
        return [True, *_verified(query, schema)]
    except BuiltinError:
        return [False, {}, {}]


@_bounded
def is_valid(query: Value, schema: Value) -> Value:
    """Whether the query fits the schema."""
    return parse_and_verify(query, schema)[0]


@_bounded
def schema_is_valid(schema: Value) -> Value:
    """Whether the schema makes sense."""
    if not isinstance(schema, str | dict):
        return False
    try:
        _part("schema").load(_schema(schema))
    except BuiltinError:
        return False
    return True


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "graphql.is_valid": is_valid,
    "graphql.parse": parse,
    "graphql.parse_and_verify": parse_and_verify,
    "graphql.parse_query": parse_query,
    "graphql.parse_schema": parse_schema,
    "graphql.schema_is_valid": schema_is_valid,
}
