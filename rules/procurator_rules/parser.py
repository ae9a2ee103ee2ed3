"""From text to syntax tree: the public functions.

    parse_module    a policy file
    parse_query     a query: a body without a module
    parse_term      one term; parse_ref, one reference

Every problem of a text is a PolicyError with its place.
"""

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from procurator_rules import keywords
from procurator_rules.annotations import attach, parse_annotations
from procurator_rules.bodies import is_plain
from procurator_rules.capabilities import DEFAULT, Capabilities
from procurator_rules.depth import check_depth
from procurator_rules.errors import PARSE, PolicyError, raise_all
from procurator_rules.hints import rule_keyword
from procurator_rules.imports import version
from procurator_rules.lalr import run
from procurator_rules.lines import Statements
from procurator_rules.lower import Lowering
from procurator_rules.nodes import Body, Import, Module, Package, Ref, Rule, Term, Var
from procurator_rules.operands import loose_keyword
from procurator_rules.reading import MAX_DEPTH, Reading
from procurator_rules.rule_forms import v1_errors
from procurator_rules.spans import Location, Source

NODES_PER_BRACKET: Final = 4
"""Levels of a tree that one pair of brackets makes at most: `[x | y := [...]]`."""


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


@contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage collection for a while: it would look at a growing tree again and again, and free nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(reading: Reading, goal: str) -> Any:
    """What the text of a reading stands for.

    Raises:
        PolicyError: for the mistakes met before, and the one that ended the reading.
    """
    try:
        with _without_collection():
            result = run(Lowering(reading), goal)
        if reading.loose_keywords:
            # A reference may begin with a keyword only where a line or a rule begins.
            raise loose_keyword(min(reading.loose_keywords), reading)
    except PolicyError as error:
        raise_all([*reading.mistakes, error])
    raise_all(reading.mistakes)
    if (reading.deepest + 1) * (reading.longest + reading.extended + NODES_PER_BRACKET) > MAX_DEPTH:
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
    return _module(_parse(reading, "module"), reading)


def _module(statements: Statements, reading: Reading) -> Module:
    source = reading.source
    if not statements:
        hint = "begin with `package name`"
        raise PolicyError(PARSE, "empty module", at=source.location(0), hint=hint)
    mistakes: list[PolicyError] = []
    package = statements[0]
    if not isinstance(package, Package):
        hint = "begin the file with `package name`"
        mistakes.append(PolicyError(PARSE, "package expected", at=_place(package), hint=hint))
    rules: list[Rule] = []
    for place, statement in enumerate(statements[1:], 1):
        if isinstance(statement, list):
            rules += statement
        elif isinstance(statement, Rule):
            rules.append(statement)
        elif isinstance(statement, Package):
            mistakes.append(PolicyError(PARSE, "unexpected package", at=statement.span))
        elif isinstance(statement, PolicyError):
            mistakes.append(_with_hint(statement, statements[place + 1 : place + 2], reading))
    rego_version = version(reading.imports, reading.rego_version)
    if rego_version >= 1:
        mistakes += [error for rule in rules for error in v1_errors(rule)]
    raise_all(mistakes)
    comments = tuple(reading.comments)
    found = attach(package, reading.imports, rules, parse_annotations(comments, parse_term))
    return Module(found.package, tuple(reading.imports), found.rules, comments, found.annotations, rego_version, source)


def _with_hint(error: PolicyError, following: Sequence[Any], reading: Reading) -> PolicyError:
    """The error for a statement that is no rule; in v0, `p if …` is three statements for want of an import."""
    for statement in (error, *following):
        place = _place(statement)
        if place is not None and error.location is not None and place.row == error.location.row:
            name = re.split(r"\W", reading.source.text[place.start : place.start + 20], maxsplit=1)[0]
            error.hint = rule_keyword(name, reading, first=statement is error) or error.hint
    return error


def _place(statement: Any) -> Location | None:
    if isinstance(statement, PolicyError):
        return statement.location
    first = statement[0] if isinstance(statement, list) else statement
    place: Location | None = first.span.location
    return place


def parse_query(
    text: str,
    name: str = "",
    rego_version: int = 1,
    capabilities: Capabilities = DEFAULT,
    imports: Sequence[Import] = (),
) -> Body:
    """Parse a query: the lines of a body, empty for a text of white space.

    Args:
        text: the query.
        name: the file name for messages.
        rego_version: 0 or 1.
        capabilities: what the query may use; all we have by default.
        imports: imports the query is read with; those of keywords take effect.

    Raises:
        PolicyError: the text is no query.
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
