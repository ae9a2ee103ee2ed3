"""A schema read and found well formed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from procurator.numbers import Number


class SchemaError(ValueError):
    """A schema is malformed; the message is that of OPA's validator."""


@dataclass(slots=True)
class Node:
    """One schema; None and empty stand for keywords that are not there."""

    always: bool | None = None
    target: Node | None = None
    types: list[str] = field(default_factory=list)
    properties: dict[str, Node] = field(default_factory=dict)
    additional_properties: Node | bool | None = None
    pattern_properties: dict[str, Node] = field(default_factory=dict)
    property_names: Node | None = None
    dependencies: dict[str, Node | list[str]] = field(default_factory=dict)
    items: Node | list[Node] | None = None
    additional_items: Node | bool | None = None
    multiple_of: Number | None = None
    minimum: Number | None = None
    exclusive_minimum: Number | None = None
    maximum: Number | None = None
    exclusive_maximum: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str = ""
    min_properties: int | None = None
    max_properties: int | None = None
    required: list[str] = field(default_factory=list)
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    contains: Node | None = None
    const: str | None = None
    enum: list[str] | None = None
    one_of: list[Node] = field(default_factory=list)
    any_of: list[Node] = field(default_factory=list)
    all_of: list[Node] = field(default_factory=list)
    negated: Node | None = None
    condition: Node | None = None
    consequence: Node | None = None
    alternative: Node | None = None


Document = Any
"""A JSON document: what a schema is made of and what it is applied to."""
