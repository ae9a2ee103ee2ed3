"""From text to syntax tree: sets Lark up for the keywords of a text, runs it, and words its errors.

    parse_module    a policy file
    parse_query     a query: a body without a module
    parse_term      one term; parse_ref, one reference

Every problem of a text is a PolicyError with its place.
"""

import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from lark import Lark, TextSlice
from lark.exceptions import UnexpectedInput

from procurator_rules import keywords
from procurator_rules.bodies import is_plain
from procurator_rules.capabilities import DEFAULT, Capabilities
from procurator_rules.depth import check_depth
from procurator_rules.errors import PARSE, PolicyError, raise_all
from procurator_rules.lower import Lowering
from procurator_rules.nodes import Body, Expr, Import, Module, Package, Ref, Rule, Term, Var
from procurator_rules.reading import Reading, too_deep
from procurator_rules.rule_forms import v1_errors
from procurator_rules.spans import Source, Span
from procurator_rules.syntax_errors import explain
from procurator_rules.templates import find_templates, mask, nested_templates

MAX_TEMPLATE_DEPTH: Final = 20
"""How deep template strings may stand in each other."""

SUSPICIOUS_DEPTH: Final = 40
"""Nesting from which on the exact depth of a tree is measured."""

_IMPORT_KEYWORDS: Final = {"if": "IF", "contains": "CONTAINS", "every": "EVERY", "in": "IN", "and": "AND", "or": "OR"}
_NEVER: Final = "(?!x)x"

_STATEMENT_START: Final = r'["`$\[(\d.A-Za-z_]'
_CONTINUING: Final = {
    "as": r"(?![.\[])", "with": r"(?![.\[])", "else": r"(?![.\[])", "if": r"(?!\.)", "contains": r"(?![.\[(])", "in": r"(?![.\[])",
    "and": r"(?![.\[])", "or": r"(?![.\[])",
}  # fmt: skip
"""Words that continue a statement on a new line, and what may not follow them for that."""


class _Parser:
    """One Lark parser for one set of keywords; used by one thread."""

    def __init__(self, active: frozenset[str]) -> None:
        self.lowering = Lowering()
        self.lowering.parse_template = self._parse_template
        opened, closed, comments = self._opened, self._closed, self.lowering.add_comments
        self.lark = Lark(
            _grammar(active),
            parser="lalr",
            lexer="contextual",
            start=["module", "query", "template"],
            transformer=self.lowering,
            maybe_placeholders=False,
            lexer_callbacks={
                **dict.fromkeys(("LBRACE", "LBRACK", "LPAR", "ADJ_LBRACK", "ADJ_LPAR"), opened),
                **dict.fromkeys(("RBRACE", "RBRACK", "RPAR"), closed),
                **dict.fromkeys(("COMMENT", "_NL", "_NLB"), comments),
            },
        )

    def _opened(self, token: Any) -> Any:
        return self.lowering.reading.opened(token)

    def _closed(self, token: Any) -> Any:
        return self.lowering.reading.closed(token)

    def parse(self, reading: Reading, start: str) -> Any:
        """Parse the whole text of a reading."""
        self.lowering.reading = reading
        reading.templates = find_templates(reading.source)
        text = mask(reading.source.text, reading.templates)
        return self._run(text, 0, len(text), start)

    def _parse_template(self, start: int, end: int) -> Expr:
        reading = self.lowering.reading
        reading.template_depth += 1
        if reading.template_depth > MAX_TEMPLATE_DEPTH:
            raise too_deep(Span(reading.source, start, end))
        nested = nested_templates(reading.source, start, end)
        reading.templates.update(nested)
        text = mask(reading.source.text, nested) if nested else reading.source.text
        if not text[start:end].strip():
            raise PolicyError(PARSE, "invalid template-string expression", at=reading.source.location(end))
        expr: Expr = self._run(text, start, end, "template")
        reading.template_depth -= 1
        return expr

    def _run(self, text: str, start: int, end: int, rule: str) -> Any:
        reading = self.lowering.reading
        try:
            return self.lark.parse(TextSlice(text, start, end), start=rule)
        except UnexpectedInput as error:
            raise explain(error, reading.source, reading.reserved, end) from None


@cache
def _grammar_text() -> str:
    return (Path(__file__).parent / "rego.lark").read_text(encoding="utf-8")


def _grammar(active: frozenset[str]) -> str:
    """The grammar with its inactive keywords blanked and the look-ahead of line breaks completed."""
    text = _grammar_text()
    for word, terminal in _IMPORT_KEYWORDS.items():
        if word not in active:
            text = re.sub(
                rf"^{terminal}\.2: .*$", lambda _, name=terminal: f"{name}.2: /{_NEVER}/", text, flags=re.MULTILINE
            )  # type: ignore[misc]
    continuing = [
        rf"{word}(?![A-Za-z_\d]){unless}"
        for word, unless in _CONTINUING.items()
        if word in active or word in keywords.ALWAYS
    ]
    return text.replace(f"(?={_STATEMENT_START})/", f"(?={_STATEMENT_START})(?!{'|'.join(continuing)})/")


_parsers = threading.local()


def _parser(active: frozenset[str]) -> _Parser:
    # What `not` means is no matter of the grammar.
    key = active - {"not"}
    made: dict[frozenset[str], _Parser] = _parsers.__dict__
    if key not in made:
        made[key] = _Parser(key)
    return made[key]


def _reading(
    source: Source, rego_version: int, capabilities: Capabilities, extra: frozenset[str] = frozenset()
) -> Reading:
    _check_characters(source)
    active = extra | keywords.imported(source.text, capabilities.importable_keywords)
    if rego_version >= 1 or ("rego.v1" in source.text and active >= keywords.V1):
        active |= keywords.V1
    return Reading(source, rego_version, capabilities, active, keywords.reserved(rego_version, active))


def _check_characters(source: Source) -> None:
    text = source.text
    if "\0" in text:
        at = text.index("\0")
        raise PolicyError(PARSE, "illegal null character", at=source.location(at), hint="is this a text file?")
    at = text.find("\ufeff", 1)
    if at > 0:
        raise PolicyError(PARSE, "illegal byte-order mark", at=source.location(at))
    if not text.isascii() and (lone := re.search("[\ud800-\udfff]", text)):
        raise PolicyError(PARSE, "illegal utf-8 character", at=source.location(lone.start()))


def decode(content: bytes, name: str) -> str:
    """The text of a policy file's bytes.

    Raises:
        PolicyError: the bytes are not UTF-8; the location is that of the first bad one.
    """
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = Source(name, content[: error.start].decode("utf-8") + "\ufffd")
        at = before.location(len(before.text) - 1)
        raise PolicyError(PARSE, "illegal utf-8 character", at=at, hint="save the file as UTF-8") from None


def _parse(reading: Reading, start: str) -> Any:
    result = _parser(reading.active).parse(reading, start)
    if reading.loose_keywords:
        _check_keyword_heads(reading, result)
    if reading.deepest > SUSPICIOUS_DEPTH or reading.longest > SUSPICIOUS_DEPTH:
        check_depth(result)
    return result


def parse_module(text: str, name: str = "", rego_version: int = 1, capabilities: Capabilities = DEFAULT) -> Module:
    """Parse one policy file.

    Args:
        text: the policy.
        name: the file name for messages.
        rego_version: 0 or 1, the version of a text that does not import `rego.v1` or `rego.v2`.
        capabilities: what the policy may use; all we have by default.

    Raises:
        PolicyError: the text is no module of that version; PolicyErrors for several mistakes.
    """
    source = Source(name, text.removeprefix("\ufeff"))
    reading = _reading(source, rego_version, capabilities)
    statements = _parse(reading, "module")
    return _module(statements, reading)


def _module(statements: list[Any], reading: Reading) -> Module:
    source = reading.source
    if not statements:
        raise PolicyError(PARSE, "empty module", at=source.location(0), hint="begin with `package name`")
    package = statements[0]
    if not isinstance(package, Package):
        first = package[0] if isinstance(package, list) else package
        raise PolicyError(PARSE, "package expected", at=first.span, hint="begin the file with `package name`")
    rules: list[Rule] = []
    for statement in statements[1:]:
        if isinstance(statement, list):
            rules += statement
        elif isinstance(statement, Rule):
            rules.append(statement)
        elif isinstance(statement, Package):
            raise PolicyError(PARSE, "unexpected package", at=statement.span)
    version = _version(reading)
    if version >= 1:
        raise_all([error for rule in rules for error in v1_errors(rule, reading.capabilities)])
    reading.comments.sort(key=lambda comment: comment.span.start)
    comments = tuple(reading.comments)
    return Module(package, tuple(reading.imports), tuple(rules), comments, (), version, source)


def _version(reading: Reading) -> int:
    if reading.rego_version >= 1:
        return 1
    return int(
        any(isinstance(node.path.terms[0], Var) and node.path.terms[0].name == "rego" for node in reading.imports)
    )


def _check_keyword_heads(reading: Reading, result: Any) -> None:
    """A reference may begin with a keyword only where a line or a rule begins."""
    for start, word in reading.loose_keywords.items():
        line = reading.source.text[reading.source.text.rfind("\n", 0, start) + 1 : start]
        if not re.search(r"(?:^|[{;(|]|\bif\b|\bdefault\b|\bnot\b|\belse\b)\s*$", line):
            raise PolicyError(PARSE, f"unexpected {word} keyword", at=reading.source.location(start, start + len(word)))


def parse_query(
    text: str,
    name: str = "",
    rego_version: int = 1,
    capabilities: Capabilities = DEFAULT,
    imports: Sequence[Import] = (),
) -> Body:
    """Parse a query: the lines of a body, empty for a text of white space.

    Args:
        imports: imports the query is read with; those of keywords take effect.
    """
    wanted = "".join(f"import {node.path.span.text}\n" for node in imports)
    extra = keywords.imported(wanted, capabilities.importable_keywords)
    reading = _reading(Source(name, text), rego_version, capabilities, extra)
    return _parse(reading, "query")  # type: ignore[no-any-return]


def parse_term(text: str, name: str = "") -> Term:
    """Parse one term.

    Raises:
        PolicyError: the text is something else.
    """
    body = parse_query(text, name)
    if len(body) != 1 or not is_plain(body[0]):
        raise PolicyError(PARSE, "expected exactly one term", at=Source(name, text).location(0, len(text)))
    return body[0].term  # type: ignore[return-value]  # a statement is not plain


def parse_ref(text: str, name: str = "") -> Ref:
    """Parse one reference, such as `data.app.allow`."""
    term = parse_term(text, name)
    if isinstance(term, Var):
        return Ref((term,), span=term.span)
    if not isinstance(term, Ref):
        raise PolicyError(
            PARSE, "expected a reference, such as `data.app.allow`", at=Source(name, text).location(0, len(text))
        )
    return term
