"""METADATA blocks: comments -> annotations, and the packages and rules they stand above.

    # METADATA
    # title: Admins may do anything
    # schemas:
    #   - input: schema.request

A block starts with a comment in the first column and goes on while comments in the first column follow line by line.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final, TypeAlias

from procurator_rules import yaml_blocks
from procurator_rules.constants import quoted
from procurator_rules.errors import PARSE, PolicyError, raise_all
from procurator_rules.nodes import (
    Annotation,
    Boolean,
    Comment,
    Import,
    Null,
    Number,
    Package,
    Ref,
    Rule,
    SchemaAnnotation,
    String,
    Term,
    Var,
)
from procurator_rules.spans import Span
from procurator_rules.yaml_blocks import BlockError, Value

TermParser: TypeAlias = Callable[[str], Term]
Statement: TypeAlias = Package | Import | Rule

RULE: Final = "rule"
DOCUMENT: Final = "document"
PACKAGE: Final = "package"
SUBPACKAGES: Final = "subpackages"

KINDS: Final[Mapping[str, str]] = {
    "scope": "string",
    "title": "string",
    "entrypoint": "boolean",
    "description": "string",
    "organizations": "strings",
    "related_resources": "values",
    "authors": "values",
    "schemas": "mappings",
    "compile": "mapping",
    "custom": "mapping",
    "labels": "mapping",
}
"""The fields of a block and what each has to be."""

TARGETS: Final[Mapping[str, tuple[str, type[Statement]]]] = {
    RULE: ("rule", Rule),
    DOCUMENT: ("rule", Rule),
    PACKAGE: ("package", Package),
    SUBPACKAGES: ("package", Package),
}
"""What an annotation of each scope has to stand above."""

CONSTANTS: Final = (Null, Boolean, Number, String)

STATEMENTS: Final[Mapping[type[Statement], str]] = {Package: "package", Import: "import", Rule: "rule"}


def is_metadata(comment: Comment) -> bool:
    """Whether a comment opens a block."""
    return comment.text.lstrip().startswith("METADATA") and comment.span.column == 1


def parse_annotations(comments: Sequence[Comment], parse_term: TermParser) -> tuple[Annotation, ...]:
    """The blocks among the comments of a module, in the order of the text.

    Args:
        comments: all comments of the module, in order.
        parse_term: reads the references in `schemas` and `compile`.

    Raises:
        PolicyError: a block is not what it should be; several are raised together.
    """
    found: list[Annotation] = []
    errors: list[PolicyError] = []
    for block in _blocks(comments):
        try:
            found.append(_annotation(block, parse_term))
        except BlockError as error:
            errors.append(_located(error, block))
    raise_all(errors)
    return tuple(found)


def _blocks(comments: Sequence[Comment]) -> Iterator[Sequence[Comment]]:
    """The opening comment of each block and those that belong to it."""
    for at, comment in enumerate(comments):
        if not is_metadata(comment):
            continue
        end, row = at + 1, comment.span.row + 1
        while end < len(comments) and _continues(comments[end], row):
            end, row = end + 1, row + 1
        yield comments[at:end]


def _continues(comment: Comment, row: int) -> bool:
    return comment.span.row == row and comment.span.column == 1 and not is_metadata(comment)


def _located(error: BlockError, block: Sequence[Comment]) -> PolicyError:
    lines = block[1:]
    at = block[0] if error.line is None or not lines else lines[min(error.line, len(lines) - 1)]
    hints = map(_separator_hint, lines) if error.message.startswith("yaml: ") else ()
    return PolicyError(PARSE, error.message + "".join(hints), at=at.span)


def _separator_hint(comment: Comment) -> str:
    """What is often behind an error of YAML: a `:` with something other than a space after it."""
    strange: list[str] = []
    for part in comment.text.rstrip("\r").split(":")[1:]:
        if part[:1] in (" ", "\t", ""):
            break
        strange.append(f"'{part[0]}'" if part[0].isascii() else f"'\\u{ord(part[0]):04x}'")
    if not strange:
        return ""
    return (
        f"\n  Hint: on line {comment.span.row}, symbol(s) [{' '.join(strange)}] immediately following a key/value"
        " separator ':' is not a legal yaml space character"
    )


def _annotation(block: Sequence[Comment], parse_term: TermParser) -> Annotation:
    text = "".join(f"{comment.text.rstrip(chr(13)).removeprefix(' ')}\n" for comment in block[1:])
    if not text.strip():
        raise BlockError("expected METADATA block, found whitespace")
    written = yaml_blocks.read(text, KINDS)
    fields: dict[str, object] = {key: written[key] for key in KINDS if written.get(key)}
    schemas = tuple(_schema(entry, parse_term) for entry in _list(written, "schemas"))
    fields |= {
        key: [read(entry) for entry in _list(written, key)]
        for key, read in (("related_resources", _related_resource), ("authors", _author))
        if key in fields
    }
    if "compile" in written:
        fields["compile"] = _compile(written["compile"], parse_term)
    first, last = block[0].span, block[-1].span
    scope = written.get("scope", "")
    return Annotation(str(scope), fields, schemas, span=Span(first.source, first.start, last.end))


def _list(fields: Mapping[str, Value], key: str) -> list[Value]:
    value = fields.get(key)
    return value if isinstance(value, list) else []


def _text(fields: Mapping[str, Value], key: str) -> str:
    value = fields.get(key)
    return value.strip() if isinstance(value, str) else ""


def _shown(value: Value) -> str:
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_shown(value[key])}' for key in sorted(value))}]"
    return str(value)


def _author(value: Value) -> dict[str, str]:
    name, email = _name_and_email(value)
    return {"name": name, "email": email} if email else {"name": name}


def _name_and_email(value: Value) -> tuple[str, str]:
    if isinstance(value, dict):
        name, email = _text(value, "name"), _text(value, "email")
        if not name and not email:
            raise _invalid("author", value, "'name' and/or 'email' values required in object")
        return name, email
    if not isinstance(value, str):
        raise _invalid("author", value, "invalid value type, must be string or map")
    words = value.split()
    if not words:
        raise _invalid("author", value, "author is an empty string")
    if re.fullmatch("<.*>", words[-1]):
        return " ".join(words[:-1]), words[-1][1:-1]
    return " ".join(words), ""


def _invalid(what: str, value: Value, why: str) -> BlockError:
    return BlockError(f"invalid {what} definition {_shown(value)}: {why}")


def _related_resource(value: Value) -> dict[str, str]:
    ref, description = (_text(value, "ref"), _text(value, "description")) if isinstance(value, dict) else (value, "")
    if not isinstance(ref, str):
        raise _invalid("related-resource", value, "invalid value type, must be string or map")
    if not ref:
        why = "'ref' value required in object" if isinstance(value, dict) else "ref URL may not be empty string"
        raise _invalid("related-resource", value, why)
    if problem := _url_problem(ref):
        raise _invalid("related-resource", value, f"parse {quoted(ref)}: {problem}")
    entry = {"ref": _UNSAFE.sub(_percent_encoded, ref)}
    return {**entry, "description": description} if description else entry


_URL_PROBLEMS: Final[Sequence[tuple[re.Pattern[str], str]]] = (
    (re.compile(r"[\x00-\x1f\x7f]"), "net/url: invalid control character in URL"),
    (re.compile(r"^:"), "missing protocol scheme"),
    (re.compile(r"^[\w+.-]+://[^/?#]*\[[^\]/?#]*(?:[/?#]|$)"), "missing ']' in host"),
    (re.compile(r"^[\w+.-]+://[^/?#]*([ <>\"^`{|}])"), 'invalid character "{}" in host name'),
    (re.compile(r"(%(?![0-9a-fA-F]{2}).{0,2})"), 'invalid URL escape "{}"'),
)
_UNSAFE = re.compile(r"[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")


def _url_problem(url: str) -> str:
    found = ((pattern.search(url), problem) for pattern, problem in _URL_PROBLEMS)
    return next((problem.format(*match.groups()) for match, problem in found if match), "")


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def _schema(entry: Value, parse_term: TermParser) -> SchemaAnnotation:
    path, value = next(iter(entry.items()), ("", None)) if isinstance(entry, dict) else ("", None)
    ref = _reference(path, parse_term)
    if ref is None:
        raise BlockError("invalid document reference")
    if isinstance(value, str):
        schema = _term(value, parse_term)
        if isinstance(schema, Var):
            schema = Ref((schema,))
        if not isinstance(schema, Ref) or schema.terms[0] != Var("schema"):
            raise BlockError("invalid schema reference")
        return SchemaAnnotation(ref, schema)
    if not isinstance(value, dict):
        raise BlockError(f"invalid schema declaration for path {quoted(path)}")
    return SchemaAnnotation(ref, definition=value)


def _term(text: str, parse_term: TermParser) -> Term | None:
    try:
        return parse_term(text)
    except PolicyError:
        return None


def _reference(text: str, parse_term: TermParser) -> Ref | None:
    term = _term(text, parse_term)
    return term if isinstance(term, Ref) else None


def _compile(value: Value, parse_term: TermParser) -> dict[str, object]:
    """The fields of `compile`, its references read; what is not a string in them is passed over."""
    if not isinstance(value, dict):
        return {}
    unknowns = [text for text in _list(value, "unknowns") if isinstance(text, str)]
    result: dict[str, object] = {"unknowns": [_unknown(text, parse_term) for text in unknowns]} if unknowns else {}
    if isinstance(mask := value.get("mask_rule"), str):
        result["mask_rule"] = _mask(mask, parse_term)
    return result


def _unknown(text: str, parse_term: TermParser) -> Ref:
    try:
        term = parse_term(text)
    except PolicyError as error:
        raise BlockError(f"invalid unknowns element {quoted(text)}: failed to parse ref: {error.message}") from None
    if not isinstance(term, Ref):
        raise BlockError(f"invalid unknowns element {quoted(text)}: expected ref but got {text.strip()}")
    return term


def _mask(text: str, parse_term: TermParser) -> Ref:
    try:
        term = parse_term(text)
    except PolicyError as error:
        raise BlockError(f"invalid mask_rule annotation {quoted(text)}: {error.message}") from None
    if isinstance(term, Var | String):
        return Ref((term,))
    if not isinstance(term, Ref):
        raise BlockError(f"invalid mask_rule annotation type {quoted(text)}: expected a reference")
    return term


@dataclass(frozen=True, slots=True)
class Attached:
    """The statements of a module with the annotations that stand above them."""

    package: Package
    rules: tuple[Rule, ...]
    annotations: tuple[Annotation, ...]


def attach(
    package: Package, imports: Iterable[Import], rules: Sequence[Rule], annotations: Sequence[Annotation]
) -> Attached:
    """Give each annotation its scope and path, and the package and the rules the annotations that are about them.

    A rule takes the blocks of scope `document` for its path, and those of scope `rule` above it, the last of which no
    further rule of the path takes again.

    Raises:
        PolicyError: an annotation stands above something that it cannot be about; several are raised together.
    """
    if not annotations:
        return Attached(package, tuple(rules), ())
    statements: list[Statement] = sorted((package, *imports, *rules), key=_row)
    rows = [_row(statement) for statement in statements]
    errors: list[PolicyError] = []
    placed: list[Annotation] = []
    for annotation in annotations:
        at = bisect_right(rows, annotation.span.row)
        placed.append(_placed(annotation, package, statements[at] if at < len(statements) else None, errors))
    raise_all(errors)
    on_package = tuple(a for a in placed if a.scope in (PACKAGE, SUBPACKAGES))
    return Attached(replace(package, annotations=on_package), _annotated(package, rules, placed), tuple(placed))


def _row(statement: Statement) -> int:
    return statement.span.row


def _placed(
    annotation: Annotation, package: Package, statement: Statement | None, errors: list[PolicyError]
) -> Annotation:
    scope = annotation.scope or _default_scope(annotation, statement)
    entrypoint = annotation.fields.get("entrypoint") is True
    at = annotation.span.source.location(annotation.span.start, annotation.span.end)
    if problem := _misplaced(scope, statement):
        errors.append(PolicyError(PARSE, problem, at=at))
    if entrypoint and scope not in (DOCUMENT, PACKAGE):
        message = f"annotation entrypoint applied to non-document or package scope '{scope}'"
        errors.append(PolicyError(PARSE, message, at=at))
    path = rule_path(package, statement) if isinstance(statement, Rule) else package.path
    return replace(annotation, scope=scope, fields={**annotation.fields, "scope": scope}, path=path)


def _default_scope(annotation: Annotation, statement: Statement | None) -> str:
    if isinstance(statement, Rule) and annotation.fields.get("entrypoint") is True:
        return DOCUMENT
    return "" if statement is None else STATEMENTS[type(statement)]


def _misplaced(scope: str, statement: Statement | None) -> str:
    if scope not in TARGETS:
        return f"invalid annotation scope '{scope}'. Use one of 'rule', 'document', 'package', or 'subpackages'"
    wanted, kind = TARGETS[scope]
    if isinstance(statement, kind):
        return ""
    have = "" if statement is None else f" (have {STATEMENTS[type(statement)]})"
    return f"annotation scope '{scope}' must be applied to {wanted}{have}"


def rule_path(package: Package, rule: Rule) -> Ref:
    """The full path of the document that a rule contributes to, up to the first operand that is not a constant.

    The name of the rule may be the full path already.
    """
    head, *operands = rule.head.ref.terms
    constants = takewhile(lambda operand: isinstance(operand, CONSTANTS), operands)
    if operands and head == package.path.terms[0]:
        return Ref((head, *constants), span=rule.head.ref.span)
    name = String(head.name, span=head.span) if isinstance(head, Var) else head
    return Ref((*package.path.terms, name, *constants), span=rule.head.ref.span)


def _annotated(package: Package, rules: Sequence[Rule], annotations: Sequence[Annotation]) -> tuple[Rule, ...]:
    groups: dict[Ref, _Group] = {}
    for number, annotation in enumerate(annotations):
        if annotation.path and annotation.scope in (RULE, DOCUMENT):
            groups.setdefault(annotation.path, _Group()).add(number, annotation)
    # A rule that is named after `data` has a path that may be no longer than the package's.
    depth = len(package.path.terms)
    names = {path.terms[depth] for path in groups if len(path.terms) > depth}
    return tuple(_with_annotations(package, rule, groups, names, annotations) for rule in rules)


class _Group:
    """The annotations of one path, by their number in the module; rules ask for theirs in the order of the text."""

    def __init__(self) -> None:
        self.documents: list[int] = []
        self.below: deque[tuple[int, int]] = deque()
        self.unclaimed: list[int] = []

    def add(self, number: int, annotation: Annotation) -> None:
        if annotation.scope == DOCUMENT:
            self.documents.append(number)
        else:
            self.below.append((annotation.span.row, number))

    def claim(self, row: int) -> list[int]:
        """What a rule at a row takes: each of the documents, and the unclaimed rule annotations above it."""
        while self.below and self.below[0][0] < row:
            self.unclaimed.append(self.below.popleft()[1])
        taken = sorted(self.documents + self.unclaimed)
        del self.unclaimed[-1:]
        return taken


def _with_annotations(
    package: Package,
    rule: Rule,
    groups: Mapping[Ref, _Group],
    names: set[Term],
    annotations: Sequence[Annotation],
) -> Rule:
    head = rule.head.ref.terms[0]
    if not isinstance(head, Var) or String(head.name) not in names:
        return rule
    group = groups.get(rule_path(package, rule))
    claimed = group.claim(_row(rule)) if group else []
    return replace(rule, annotations=tuple(annotations[number] for number in claimed)) if claimed else rule
