"""Go's words for what ruamel.yaml finds wrong in a text."""

from __future__ import annotations

from typing import Any, Final

from procurator.render import quote
from procurator.values import Value

_BY_CONTEXT: Final = {
    "while parsing a block mapping": "did not find expected key",
    "while parsing a block collection": "did not find expected '-' indicator",
    "while parsing a flow sequence": "did not find expected ',' or ']'",
    "while parsing a flow mapping": "did not find expected ',' or '}'",
}
_BY_START: Final = {
    "expected '<document start>'": "did not find expected <document start>",
    "expected the node content": "did not find expected node content",
    "mapping values are not": "mapping values are not allowed in this context",
    "mapping keys are not": "mapping keys are not allowed in this context",
    "sequence entries are not": "block sequence entries are not allowed in this context",
    "found unknown escape character": "found unknown escape character",
    "found unexpected document separator": "found unexpected document indicator",
    "found undefined tag handle": "found undefined tag handle",
    "expected alphabetic or numeric character": "did not find expected alphabetic or numeric character",
    "expected a comment or a line break": "did not find expected comment or line break",
    "expected chomping or indentation indicators": "did not find expected comment or line break",
    "expected indentation indicator in the range": "found an indentation indicator equal to 0",
    "expected escape sequence": "did not find expected hexdecimal number",
    "found incompatible YAML document": "found incompatible YAML document",
    "found duplicate YAML directive": "found duplicate %YAML directive",
    "duplicate tag handle": "found duplicate %TAG directive",
    "invalid intendation": "could not find expected ':'",
    "more indented follow up line": "did not find expected comment or line break",
}


def told(error: Any) -> str:
    """Line and problem of a `MarkedYAMLError`."""
    scanning = type(error).__name__ == "ScannerError"
    lines = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None]
    if "<stream end>" in (error.problem or "") and error.problem_mark.column:
        lines[-1] += 1  # the end of a text counts as a line of its own
    # Go counts lines from 0 in what the parser says and from 1 in what the scanner says.
    where = next((f"line {line + scanning}: " for line in lines if line), "")
    return where + _problem(error.context or "", error.problem or "")


def _problem(context: str, problem: str) -> str:
    if context in _BY_CONTEXT and problem.startswith("expected"):
        return _BY_CONTEXT[context]
    if problem.startswith("found character") and problem.endswith("start any token"):
        return "found character that cannot start any token"
    return next((words for start, words in _BY_START.items() if problem.startswith(start)), problem)


def go_syntax(value: Value) -> str:
    """A value as Go's verb %#v shows it."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_nested, value)) + "}"
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(f"{quote(key)}:{_nested(value[key])}" for key in value) + "}"
    return "<nil>" if value is None else str(value).lower()


def _nested(value: Value) -> str:
    return "interface {}(nil)" if value is None else go_syntax(value)
