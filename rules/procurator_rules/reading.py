"""What one reading of a text knows: the source, the active keywords, and what has been met so far."""

from dataclasses import dataclass, field

from lark.lexer import Token

from procurator_rules.capabilities import Capabilities
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.nodes import Comment, Import
from procurator_rules.spans import Source, Span
from procurator_rules.templates import Template

MAX_DEPTH = 200
"""Levels of brackets and operators that a text may nest; what walks a tree counts on it."""


@dataclass(slots=True)
class Reading:
    """The state of one parse; made new for each text.

    Attributes:
        active: the keywords that the version and the imports turn on; `not` for its newer semantics.
        reserved: the words that cannot be names here.
        loose_keywords: offsets of references that begin with a keyword and wait to be found at the start of a line.
        longest: the most operators of one chain, which nest the tree without a bracket.
    """

    source: Source
    rego_version: int
    capabilities: Capabilities
    active: frozenset[str]
    reserved: frozenset[str]
    templates: dict[int, Template] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    loose_keywords: dict[int, str] = field(default_factory=dict)
    wildcards: int = 0
    depth: int = 0
    deepest: int = 0
    longest: int = 0
    template_depth: int = 0

    def span(self, token: Token) -> Span:
        """The span of a token."""
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    def between(self, first: Token, last: Token) -> Span:
        """The span from one token to another, both included."""
        return Span(self.source, first.start_pos or 0, last.end_pos or 0)

    def wildcard(self) -> str:
        """A new name for `_`."""
        name = f"${self.wildcards}"
        self.wildcards += 1
        return name

    def opened(self, token: Token) -> Token:
        """Count an opening bracket."""
        self.depth += 1
        if self.depth > self.deepest:
            self.deepest = self.depth
            if self.depth > MAX_DEPTH:
                raise too_deep(self.span(token))
        return token

    def closed(self, token: Token) -> Token:
        """Count a closing bracket."""
        self.depth -= 1
        return token


def too_deep(at: Span) -> PolicyError:
    """The error for a text that nests deeper than `MAX_DEPTH`."""
    return PolicyError(
        PARSE,
        "max parsing recursion depth exceeded",
        at=at,
        hint=f"nest at most {MAX_DEPTH} levels; name parts by rules or variables of their own",
    )
