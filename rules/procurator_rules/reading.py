"""What one reading of a text knows: the source, the active keywords, and what has been met so far."""

from dataclasses import dataclass, field
from typing import Final

from procurator_rules.capabilities import Capabilities
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.keywords import ALWAYS
from procurator_rules.nodes import Comment, Import
from procurator_rules.spans import Source, Span
from procurator_rules.tokens import Token

MAX_DEPTH: Final = 200
"""Levels that brackets and syntax trees may nest; every recursive walk of a tree counts on it.

Comparing two trees takes the most stack, four frames a level: 800 of the 1,000 that Python allows by default.
"""


@dataclass(slots=True)
class Reading:
    """The state of one parse; made new for each text.

    Attributes:
        active: the keywords that the version and the imports turn on; `not` for its newer semantics.
        reserved: the words that cannot be names here.
        loose_keywords: offsets of references that begin with a keyword, until one is found to begin a line or a rule.
        enclosed: offsets of references that stand alone in round brackets.
        deepest: the most brackets open at once.
        longest: the most operators of one chain, which nest the tree without a bracket.
        extended: the calls that a reference goes on from, which do so too.
        mistakes: errors after which the reading goes on.
    """

    source: Source
    rego_version: int
    capabilities: Capabilities
    active: frozenset[str]
    reserved: frozenset[str]
    comments: list[Comment] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    loose_keywords: set[int] = field(default_factory=set)
    enclosed: set[int] = field(default_factory=set)
    wildcards: int = 0
    deepest: int = 0
    longest: int = 0
    extended: int = 0
    mistakes: list[PolicyError] = field(default_factory=list)

    def span(self, token: Token) -> Span:
        """The span of a token."""
        return Span(self.source, token.start, token.end)

    def between(self, first: Token, last: Token) -> Span:
        """The span from one token to another, both included."""
        return Span(self.source, first.start, last.end)

    def wildcard(self) -> str:
        """A new name for `_`."""
        name = f"${self.wildcards}"
        self.wildcards += 1
        return name

    def is_keyword(self, word: str) -> bool:
        """Whether a word is a keyword in this text."""
        return word in ALWAYS or word in self.active

    def add_comments(self, start: int, end: int) -> None:
        """Keep the comments in a piece of white space."""
        text = self.source.text
        at = text.find("#", start, end)
        while at >= 0:
            line_end = text.find("\n", at, end)
            stop = end if line_end < 0 else line_end
            self.comments.append(Comment(text[at + 1 : stop].rstrip("\r"), span=Span(self.source, at, stop)))
            at = text.find("#", stop, end)


def too_deep(at: Span) -> PolicyError:
    """The error for a text that nests deeper than `MAX_DEPTH`."""
    return PolicyError(
        PARSE,
        "max parsing recursion depth exceeded",
        at=at,
        hint=f"nest at most {MAX_DEPTH} levels; name parts by rules or variables of their own",
    )
