"""The types of all rules, and what is wrong with their terms.

Rules are looked at in the order of their dependencies, so that what a rule refers to has its type already. What rules
of one path say comes together in one type. Schemas, from annotations or given from outside, say what documents are that
no rule makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from procurator_rules import types
from procurator_rules.checks.infer import Inference
from procurator_rules.checks.metadata import AnnotationSet, annotation_set
from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import Definition, Key, key_of
from procurator_rules.checks.text import ref_text
from procurator_rules.checks.type_arguments import ArgumentTypes
from procurator_rules.checks.type_dependents import DependentTypes
from procurator_rules.checks.type_places import Place, constant_of, nested
from procurator_rules.constants import Key as Constant
from procurator_rules.errors import TYPE, PolicyError
from procurator_rules.nodes import Body, Head, Ref, Rule, SchemaAnnotation, String, Term, Var
from procurator_rules.schemas import type_of_schema
from procurator_rules.signatures import signatures_of
from procurator_rules.spans import Location, Span
from procurator_rules.types import ANY, BOOLEAN, Inferred, Object, Type
from procurator_rules.visitor import walk

SchemaSet: TypeAlias = Mapping[tuple[str, ...], object]
"""Schemas as JSON documents by what stands behind `schema` in references to them; the empty name is that of `input`."""


@dataclass(frozen=True)
class Types:
    """What the type checker found.

    Attributes:
        documents: the types of what rules and schemas make, by path.
        dependents: what depends on which documents.
        errors: what is wrong.
    """

    documents: Place
    dependents: DependentTypes
    errors: tuple[PolicyError, ...]

    def of_rule(self, path: Sequence[Key]) -> Inferred:
        """The type of the document that the rules of a path make; None if nothing is known of it."""
        return _type_at(self.documents, ("data", *path))


def infer_types(program: Program) -> Types:
    """The types of all rules of a program whose names are resolved and whose bodies are in order."""
    checker = _Checker(program)
    for path in dict.fromkeys(program.order):
        node = program.tree.find(path)
        for definition in node.definitions if node is not None else ():
            checker.rule(definition)
    return Types(checker.documents, checker.dependents, tuple(checker.errors))


def check_types(program: Program) -> tuple[Program, list[PolicyError]]:
    """Find the types of all rules; the program comes back with them."""
    found = infer_types(program)
    return replace(program, types=found), list(found.errors)


def check_query_types(program: Program, body: Body) -> list[PolicyError]:
    """What is wrong with the terms of a query, its names resolved and its lines in order."""
    found: Types = program.types or infer_types(program)
    inference = _inference(program, found.documents, found.dependents)
    inference.body(body)
    return inference.errors


def _inference(program: Program, documents: Place, dependents: DependentTypes) -> Inference:
    """What looks at the bodies of a program or a query, and into the functions that they call."""
    arguments = ArgumentTypes(program, documents, dependents.replaced_by)
    options = program.options
    signatures = signatures_of(options.capabilities)
    return Inference(documents, signatures, dependents.replaced_by, arguments.refuses, strict=options.strict)


class _Checker:
    """Looks at rules one after the other.

    Attributes:
        documents: the types of the documents so far.
        dependents: what depends on which documents.
        errors: what is wrong so far.
    """

    def __init__(self, program: Program) -> None:
        self.documents = Place()
        self.errors: list[PolicyError] = []
        self._program = program
        self._schemas = _Schemas(program.options.schemas, program.options.capabilities.allow_net)
        self._annotations: AnnotationSet = annotation_set(program.modules)
        self.dependents = DependentTypes(program)
        self._inference = _inference(program, self.documents, self.dependents)
        self._read_input_schema()

    def _read_input_schema(self) -> None:
        try:
            one = self._schemas.named(())
        except PolicyError as error:
            self.errors.append(error)
        else:
            if one is not None:
                self.documents.put(("input",), one)

    def rule(self, definition: Definition) -> None:
        """Look at a rule and each of its `else`s; what they give adds to the document at their path."""
        module = self._program.modules[definition.module]
        rule = module.rules[definition.index]
        overlay = self._overlay(definition, rule)
        head, inference = rule.head, self._inference
        branches: list[tuple[Body, Term | None]] = [
            (rule.body, head.value),
            *((one.body, one.value) for one in rule.elses),
        ]
        for body, value in branches:
            inference.start(self.documents, *(() if overlay is None else (overlay,)))
            inference.body(body)
            one = _contribution(inference, definition, head, value)
            self.errors += inference.errors
            path = ("data", *definition.prefix)
            if inference.errors:
                self.documents.put(path, ANY)
            elif one is not None:
                self.documents.add(path, one)

    def _overlay(self, definition: Definition, rule: Rule) -> Place | None:
        """What the schemas of annotations say of the documents that a rule refers to."""
        module = self._program.modules[definition.module]
        overlay: Place | None = None
        for annotation in self._annotations.about(module.package, rule):
            for schema in annotation.schemas:
                one = self._schema(schema, rule)
                if one is not None:
                    overlay = overlay or Place()
                    _override(overlay, self.documents, schema.path, one)
        return overlay

    def _schema(self, annotation: SchemaAnnotation, rule: Rule) -> Inferred:
        try:
            return self._schemas.annotated(annotation)
        except PolicyError as error:
            self.errors.append(PolicyError(error.code, error.message, at=_first_line(rule.span)))
            return None


def _first_line(span: Span) -> Location | None:
    return Span(span.source, span.start, span.start + len(span.text.partition("\n")[0])).location


def _contribution(inference: Inference, definition: Definition, head: Head, value: Term | None) -> Inferred:
    """What a branch adds to the document at the path of its rule."""
    visit = inference.visits
    if head.args:
        if value is not None:
            visit[type(value)](value)
        args = [_argument(inference, arg) for arg in head.args]
        result = BOOLEAN if value is None else inference.type_of(value)
        return types.Function(args, ANY if result is None else result)
    suffix = head.ref.terms[len(definition.prefix) + 1 :]
    keys = tuple([visit[type(term)](term) for term in suffix])
    if head.key is not None:
        key = visit[type(head.key)](head.key)
        return None if key is None else nested(keys, types.Set(key))
    return nested(keys, BOOLEAN if value is None else visit[type(value)](value))


def _argument(inference: Inference, arg: Term) -> Inferred:
    """The type of an argument; a variable of which the body says nothing can be anything."""
    for part in walk(arg):
        if isinstance(part, Var) and inference.variable(part.name) is None:
            inference.assign(part.name, ANY)
    return inference.visits[type(arg)](arg)


def _override(overlay: Place, documents: Place, path: Ref, one: Type) -> None:
    """Put the type that a schema gives a document in front of what else is known of it, within the object around it."""
    head, *operands = path.terms
    name = head.name if isinstance(head, Var) else ""
    keys = [key_of(operand) for operand in operands]
    whole = tuple(key for key in keys if key is not None)
    for length in range(len(whole)):
        around = _type_at(overlay, (name, *whole[:length])) or _type_at(documents, (name, *whole[:length]))
        if isinstance(around, Object):
            overlay.put((name, *whole[:length]), _with_value(around, whole[length:], one))
            return
    place = overlay.at((name, *whole))
    place.type = one
    place.children.clear()


def _type_at(place: Place, path: Sequence[Key]) -> Inferred:
    for key in path:
        below = place.children.get(key)
        if below is None:
            return None
        place = below
    return None if place.type is None else place.type.resolved()


def _with_value(whole: Object, path: Sequence[Key], one: Type) -> Object:
    """An object with the type of the value at a path replaced or added."""
    key: Constant = constant_of(path[0])
    inner: Inferred = one
    if len(path) > 1:
        held = whole.by_key.get(key)
        resolved = held.resolved() if held is not None else None
        around = resolved if isinstance(resolved, Object) else Object((), (ANY, ANY))
        inner = _with_value(around, path[1:], one)
    return Object({**whole.by_key, key: inner}.items(), whole.dynamic, is_promised=whole.is_promised)


class _Schemas:
    """The types of schemas, each read once."""

    def __init__(self, schemas: SchemaSet | None, allow_net: frozenset[str] | None) -> None:
        self._schemas = schemas
        self._allow_net = allow_net
        self._named: dict[tuple[str, ...], Type] = {}
        self._written: dict[int, Type] = {}

    def named(self, name: tuple[str, ...]) -> Inferred:
        """The type of a schema of the set; None if there is none of that name."""
        if name not in self._named and self._schemas is not None and name in self._schemas:
            self._named[name] = type_of_schema(self._schemas[name], self._allow_net)
        return self._named.get(name)

    def annotated(self, annotation: SchemaAnnotation) -> Inferred:
        """The type of the schema of an annotation; None where it has a name and no schemas are given.

        Raises:
            PolicyError: there is no such schema, or it is none.
        """
        if annotation.schema is None:
            key = id(annotation.definition)
            if key not in self._written:
                self._written[key] = type_of_schema(annotation.definition, self._allow_net)
            return self._written[key]
        if self._schemas is None:
            return None
        name = tuple(term.value if isinstance(term, String) else "" for term in annotation.schema.terms[1:])
        found = self.named(name)
        if found is None:
            raise PolicyError(TYPE, f"undefined schema: {ref_text(annotation.schema.terms)}")
        return found
