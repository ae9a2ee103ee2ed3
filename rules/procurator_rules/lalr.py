"""Running the grammar: Lark's LALR tables and its terminals for each state, in one loop that lexes and parses.

Lark reads `rego.lark` and computes the tables. The loop is ours for two reasons. What ends an expression inside a
template string depends on the brackets that are open, which no regular expression can tell. And Lark's own loop spends
most of its time on tokens that know their row and column, and on looking rules up by their hash.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from lark import Lark
from lark.parsers.lalr_analysis import Shift

from procurator_rules import keywords
from procurator_rules.explain import explain
from procurator_rules.lower import Lowering
from procurator_rules.reading import MAX_DEPTH, Reading, too_deep
from procurator_rules.syntax_errors import Misplaced
from procurator_rules.templates import check_supported
from procurator_rules.tokens import SPACE, Token, after_space

_IMPORTED: Final = {"if": "IF", "contains": "CONTAINS", "every": "EVERY", "in": "IN", "and": "AND", "or": "OR"}
"""The terminal of each keyword that is not always one."""

_CONTINUING: Final = {
    **dict.fromkeys(("as", "with", "else", "in", "and", "or"), r"(?![.\[])"),
    "if": r"(?!\.)",
    "contains": r"(?![.\[(])",
}
"""Words that continue a statement on a new line, and what may not follow them for that."""

_BREAKS: Final = ("_NL", "_NLB")
_END: Final = "$END"

_OPENING: Final = frozenset({"LBRACE", "LBRACK", "LPAR", "ADJ_LBRACK", "ADJ_LPAR", "TEMPLATE_OPEN"})
_CLOSING: Final = frozenset({"RBRACE", "RBRACK", "RPAR", "TEMPLATE_END"})
_BRACKETS: Final = _OPENING | _CLOSING

_TEMPLATE_REST: Final = {
    quote: re.compile(rf"{SPACE}(?:(?P<TEMPLATE_END>\}}{text}{quote})|(?P<TEMPLATE_MIDDLE>\}}{text}\{{))").match
    for quote, text in {'"': r'(?>[^"\\\n{]++|\\(?:["\\/bfnrt{]|u[^\n]{4}))*+', "`": r"(?>[^`\\{]++|\\\{?)*+"}.items()
}
"""From the brace that closes an expression of a template string to the next expression or the end, by the quote."""

Scanner: TypeAlias = Callable[[str, int], "re.Match[str] | None"]
Reduction: TypeAlias = tuple[int, "Callable[[Lowering, list[Any]], Any] | None", dict[int, int]]
"""The number of values to take, what makes one of them (None keeps a single one), and the next state by the last."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What Lark computes from the grammar.

    Attributes:
        shifts: for each state, the state to go to when a terminal is taken.
        reductions: for each state, what comes before that at the sight of a terminal.
        terminals: for each state the terminals that it knows, those to try first in front.
        patterns: the regular expression of each terminal.
        first: the state to begin in, by the name of the rule that the text is to match.
    """

    shifts: list[dict[str, int]]
    reductions: list[dict[str, Reduction]]
    terminals: list[list[str]]
    patterns: dict[str, str]
    first: dict[str, int]


@cache
def _tables() -> Tables:
    grammar = (Path(__file__).parent / "rego.lark").read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer="contextual", start=["module", "query"], maybe_placeholders=False)
    table = lark.parser.parser._parse_table
    patterns = {terminal.name: terminal.pattern.to_regexp() for terminal in lark.terminals}
    in_order = [terminal.name for terminal in sorted(lark.terminals, key=_preference)]
    gotos: dict[str, dict[int, int]] = {rule.origin.name: {} for rule in lark.rules}
    for state, known in table.states.items():
        for symbol in known.keys() & gotos.keys():
            gotos[symbol][state] = known[symbol][1]
    shifts: list[dict[str, int]] = [{} for _ in table.states]
    reductions: list[dict[str, Reduction]] = [{} for _ in table.states]
    for state, known in table.states.items():
        for symbol, (action, target) in known.items():
            if action is not Shift:
                reductions[state][symbol] = _reduction(target, gotos)
            elif symbol not in gotos:
                shifts[state][symbol] = target
    for state in table.end_states.values():
        # Where a text is complete, its end is taken like a token.
        shifts[state][_END] = state
    terminals = [[name for name in in_order if name in known] for known in table.states.values()]
    return Tables(shifts, reductions, terminals, patterns, table.start_states)


def _preference(terminal: Any) -> tuple[int, int, int, str]:
    # The order in which Lark itself tries terminals.
    pattern = terminal.pattern
    return (-terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name)


def _reduction(rule: Any, gotos: dict[str, dict[int, int]]) -> Reduction:
    size, origin = len(rule.expansion), rule.origin.name
    if rule.alias is None and rule.options.expand1 and size == 1:
        return size, None, gotos[origin]
    return size, getattr(Lowering, rule.alias or origin), gotos[origin]


class Machine:
    """The tables, and the scanners that read the tokens of each state under one set of keywords."""

    def __init__(self, active: frozenset[str]) -> None:
        self.tables = _tables()
        self.scanners: list[Scanner | None] = [None] * len(self.tables.shifts)
        self._compiled: dict[str, Scanner] = {}
        self._patterns = _patterns(self.tables.patterns, active)

    def compile(self, state: int) -> Scanner:
        """The scanner of a state: matches white space and then one of the tokens the state knows."""
        known = [(name, self._patterns[name]) for name in self.tables.terminals[state] if name in self._patterns]
        # Behind the name that a rule begins with, a bracket on the next line goes on with it.
        goes_on = (
            r"(?![\[(])" if "LBRACK" in self.tables.shifts[state] and "_NL" in self.tables.reductions[state] else ""
        )
        breaks = [f"(?P<{name}>{pattern}{goes_on})" for name, pattern in known if name in _BREAKS]
        others = "|".join(f"(?P<{name}>{pattern})" for name, pattern in known if name not in _BREAKS)
        pattern = "|".join((*breaks, f"{SPACE}(?:{others or '(?!)'})"))
        scanner = self._compiled.get(pattern)
        if scanner is None:
            scanner = self._compiled[pattern] = re.compile(pattern).match
        self.scanners[state] = scanner
        return scanner


def _patterns(patterns: dict[str, str], active: frozenset[str]) -> dict[str, str]:
    """The patterns without inactive keywords and with the look-ahead of line breaks completed."""
    inactive = {terminal for word, terminal in _IMPORTED.items() if word not in active}
    words = [
        rf"{word}(?![A-Za-z_\d]){unless}"
        for word, unless in _CONTINUING.items()
        if word in active or word in keywords.ALWAYS
    ]
    known = {name: pattern for name, pattern in patterns.items() if name not in inactive}
    return {**known, "_NL": f"{patterns['_NL']}(?!{'|'.join(words)})"}


@cache
def _machine(active: frozenset[str]) -> Machine:
    return Machine(active)


class _Watch:
    """What the loop must know of the tokens it has taken: which template strings are open, how deep brackets go."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.quotes = [""]

    def take(self, token: Token) -> str:
        """Note a bracket; returns the quote of the template string whose expression is read next, if it is one."""
        kind = token.type
        if kind in _OPENING:
            if kind == "TEMPLATE_OPEN":
                check_supported(token, self.reading)
            self.quotes.append(token[1] if kind == "TEMPLATE_OPEN" else "")
            depth = len(self.quotes) - 1
            if depth > self.reading.deepest:
                self.reading.deepest = depth
                if depth > MAX_DEPTH:
                    raise too_deep(self.reading.span(token))
        else:
            self.quotes.pop()
        return self.quotes[-1]


def run(lowering: Lowering, goal: str) -> Any:
    """Parse the whole text of a reading and return what its callbacks have made of it.

    Args:
        lowering: the callbacks, with the reading.
        goal: the rule of the grammar that the text is to match.

    Raises:
        PolicyError: it does not.
    """
    reading = lowering.reading
    # What `not` means is no matter of the grammar.
    machine = _machine(reading.active - {"not"})
    text, shifts, reductions = reading.source.text, machine.tables.shifts, machine.tables.reductions
    scanners = machine.scanners
    state = machine.tables.first[goal]
    states, values, watch, quote, at = [state], list[Any](), _Watch(reading), "", 0
    make_token = str.__new__
    while True:
        match = _TEMPLATE_REST[quote](text, at) if quote else None
        if match is None:
            match = (scanners[state] or machine.compile(state))(text, at)
        if match is not None:
            kind = match.lastgroup or ""
            begin, end = match.span(kind)
        else:
            kind = _END
            begin = end = after_space(text, at)
            if end < len(text):
                raise explain(at, values, reading)
        gap = end if kind in _BREAKS else begin
        if gap > at + 1 and text.find("#", at, gap) >= 0:
            reading.add_comments(at, gap)
        while (reduction := reductions[state].get(kind)) is not None:
            size, make, gotos = reduction
            if make is None:
                states[-1] = state = gotos[states[-2]]
            else:
                cut = len(values) - size
                taken = values[cut:]
                del values[cut:], states[cut + 1 :]
                try:
                    values.append(make(lowering, taken))
                except Misplaced as misplaced:
                    raise explain(misplaced.at, values + taken, reading) from None
                state = gotos[states[-1]]
                states.append(state)
        if kind not in shifts[state]:
            raise explain(at, values, reading)
        if kind is _END:
            return values[-1]
        state = shifts[state][kind]
        states.append(state)
        token = make_token(Token, text[begin:end])
        token.type, token.start, token.end = kind, begin, end
        values.append(token)
        at = end
        if kind in _BRACKETS:
            quote = watch.take(token)
