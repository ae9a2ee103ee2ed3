"""Template strings: finding them before parsing, taking them apart after.

What stands between the delimiters of a template string is itself Rego, to any depth, and no regular expression can find
its end. So the text is masked first: everything inside a template is replaced, character by character, by a filler, which
leaves all offsets as they are; the grammar then sees one plain token.
"""

import re
from dataclasses import dataclass

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.spans import Source

FILLER = "x"

_INTERESTING = re.compile(r'#[^\n]*+|"(?>[^"\\\n]++|\\.)*+"?|`[^`]*+`?|\$["`]')
_INSIDE = re.compile(r'#[^\n]*+|"(?>[^"\\\n]++|\\.)*+"?|`[^`]*+`?|\$["`]|[{}]')
_LITERAL = {'"': re.compile(r'(?>[^"\\\n{]++|\\.)*+'), "`": re.compile(r"(?>[^`\\{]++|\\\{|\\)*+")}


@dataclass(frozen=True, slots=True)
class TemplatePart:
    """A piece of a template string: text when constant, else the expression between its braces."""

    start: int
    end: int
    constant: bool


@dataclass(frozen=True, slots=True)
class Template:
    """Where a template string stands, delimiters included, and its parts in order."""

    start: int
    end: int
    quote: str
    parts: tuple[TemplatePart, ...]


def find_templates(source: Source) -> dict[int, Template]:
    """The template strings of a text that are in no other, by the offset at which they begin.

    Raises:
        PolicyError: a template string does not end.
    """
    if '$"' not in source.text and "$`" not in source.text:
        return {}
    return _find(source, 0, len(source.text))


def mask(text: str, templates: dict[int, Template]) -> str:
    """The text with the insides of its template strings replaced by a filler of the same length."""
    pieces, at = [], 0
    for template in templates.values():
        pieces += [text[at : template.start + 2], FILLER * (template.end - template.start - 3)]
        at = template.end - 1
    return "".join((*pieces, text[at:]))


def _find(source: Source, start: int, end: int) -> dict[int, Template]:
    found: dict[int, Template] = {}
    at = start
    while match := _INTERESTING.search(source.text, at, end):
        at = match.end()
        if match.group()[0] == "$":
            template = scan_template(source, match.start())
            found[template.start] = template
            at = template.end
    return found


def nested_templates(source: Source, start: int, end: int) -> dict[int, Template]:
    """The template strings directly inside one expression of a template string, given by its offsets."""
    return _find(source, start, end)


def scan_template(source: Source, start: int) -> Template:
    """Find the end and the parts of the template string that begins at an offset.

    A stack of open templates takes the place of recursion, so that depth costs nothing.
    """
    text = source.text
    open_templates: list[tuple[int, str, list[TemplatePart], int]] = []
    braces: list[int] = []
    at, quote, parts = start + 2, text[start + 1], list[TemplatePart]()
    begin = start
    while True:
        # In the constant text of a template.
        match = _LITERAL[quote].match(text, at)
        assert match is not None
        if match.end() > at:
            parts.append(TemplatePart(at, match.end(), constant=True))
        at = match.end()
        closing = text[at : at + 1]
        if closing == quote:
            done = Template(begin, at + 1, quote, tuple(parts))
            at += 1
            if not open_templates:
                return done
            begin, quote, parts, expression = open_templates.pop()
            braces_open = braces.pop()
        elif closing == "{":
            expression, braces_open = at + 1, 1
            at += 1
        else:
            raise PolicyError(PARSE, "non-terminated string", at=source.location(begin))
        # In an expression, up to its closing brace or a template inside it.
        while braces_open:
            inside = _INSIDE.search(text, at)
            if inside is None:
                raise PolicyError(PARSE, "non-terminated string", at=source.location(begin))
            at = inside.end()
            token = inside.group()
            if token == "{":
                braces_open += 1
            elif token == "}":
                braces_open -= 1
            elif token[0] == "$":
                open_templates.append((begin, quote, parts, expression))
                braces.append(braces_open)
                begin, quote, parts = inside.start(), token[1], []
                break
        else:
            parts.append(TemplatePart(expression, at - 1, constant=False))
