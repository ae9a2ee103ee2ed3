"""What a child admits, its parent admits; and a child that was made by narrowing is known to be contained.

Constraints are drawn over a small alphabet, so that they meet often, and are asked about every short text over it,
about texts that their own languages produce, and about numbers and arrays around their constants.
"""

from __future__ import annotations

import string
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import re2
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from procurator.governance.scope.authority import Argument, Authority, Effective, Grant, widening
from procurator.governance.scope.authority import contains as authority_contains
from procurator.governance.scope.authorization_details import (
    authority_from_json,
    authority_to_json,
    constraint_from_json,
    constraint_to_json,
)
from procurator.governance.scope.automata import Alt, Automaton, Chars, Language, Seq, Star
from procurator.governance.scope.combinations import AllOf, AnyOf, Not
from procurator.governance.scope.constraints import (
    Constraint,
    Contains,
    Exact,
    NotOneOf,
    OneOf,
    PathConstraint,
    Pattern,
    Range,
    Regex,
    Subpath,
    Subset,
    Wildcard,
)
from procurator.governance.scope.containment import contains
from procurator.governance.scope.expressions import compiled
from procurator.governance.scope.paths import normal_path, normalised
from procurator.governance.scope.patterns import PatternError, glob_language, normal_pattern

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
MORE = settings(FEW, max_examples=80)

SHORT_TEXTS = ["".join(chars) for length in range(5) for chars in product("/ab.", repeat=length)]
NUMBERS = [0, 1, 2, 3, 1.0, 0.5, 1.5, Decimal("2.5"), -1, 10**30, True, False]
OTHERS: list[Any] = [None, {}, {"a": 1}, "A", "/a\\b", "/%61", "\u0430", "/a/\u200b", "b\n", "a" * 40, "/a" * 20]
OTHERS += [
    "a:",
    "a:/b",
    "http:",
    "http:/a",
    "http:a",
    "HTTP:/a",
    " http:/a",
    "http://a",
    "http://a/",
    "http://a/b",
    "http://A/b",
]
OTHERS += [
    "http://a:80/b",
    "http://a:080/b",
    "http://a/b#a",
    "http://a/b?",
    "http://1/",
    "http://1.1/a",
    "http://[::1]/a",
]
ARRAYS: list[Any] = [list(items) for length in range(4) for items in product(["a", "b", 1, True], repeat=length)]
VALUES: list[Any] = [*SHORT_TEXTS, *NUMBERS, *OTHERS, *ARRAYS]

GLOBS = st.lists(
    st.sampled_from(
        ["/", "/", "a", "b", ".", "*", "**", "**/", "?", "[ab]", "[!a]", "{a,b}", "{a/b,*}", "{,b}", "http://"]
    ),
    min_size=1,
    max_size=6,
).map("".join)
EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["a", "b", "/", "[ab]", "[^a]", ".", r"\w", r"\.", "", r"[a-b/]", r"\x61", ":", "http:", "http://a/"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=5,
)
OPAQUE = st.sampled_from([r"(?i)a+", r"\ba", r"a$b?"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 1.5, "a", "b", "/a", "/a/b", "/a/", "ab", ""])
BOUNDS = st.sampled_from([None, 0, 1, 2, 3, Decimal("1.5")])
ITEMS = st.lists(st.sampled_from(["a", "b", 1, True]), max_size=3)


@st.composite
def patterns(draw: st.DrawFn) -> Constraint:
    """A glob that is one."""
    try:
        return Pattern(draw(GLOBS))
    except PatternError:
        assume(False)
        raise


@st.composite
def ranges(draw: st.DrawFn) -> Constraint:
    """A range that is not upside down."""
    low, high = draw(BOUNDS), draw(BOUNDS)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return Range(low, high, draw(st.booleans()), draw(st.booleans()))


LEAVES = st.one_of(
    patterns(),
    patterns(),
    EXPRESSIONS.map(Regex),
    EXPRESSIONS.map(Regex),
    OPAQUE.map(Regex),
    st.sampled_from(["/", "/a", "/a/b", "/b"]).map(Subpath),
    ranges(),
    st.just(Wildcard()),
    SCALARS.map(Exact),
    st.lists(SCALARS | ITEMS, min_size=1, max_size=4).map(tuple).map(OneOf),
    st.lists(SCALARS, max_size=3).map(tuple).map(NotOneOf),
    ITEMS.map(tuple).map(Contains),
    ITEMS.map(tuple).map(Subset),
)
CONSTRAINTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=4,
)


@st.composite
def words(draw: st.DrawFn, language: Language) -> str:
    """A text of a language."""
    match language:
        case Chars(ranges):
            low, high = draw(st.sampled_from(ranges or ((97, 97),)))
            near = [ord(char) for char in "/ab.A" if low <= ord(char) <= high]
            return chr(draw(st.sampled_from([*near, low, high])))
        case Seq(parts):
            return "".join([draw(words(part)) for part in parts])
        case Alt(parts):
            return draw(words(draw(st.sampled_from(parts))))
        case Star(part):
            return "".join([draw(words(part)) for _ in range(draw(st.integers(0, 3)))])


@st.composite
def texts_of(draw: st.DrawFn, *constraints: Constraint) -> list[str]:
    """Texts that the patterns of the constraints produce, and ways to disguise them."""
    paths = [leaf for constraint in constraints for leaf in constraint.leaves() if isinstance(leaf, PathConstraint)]
    texts = [draw(words(leaf.language)) for leaf in paths for _ in range(3)]
    expressions = [leaf.automaton for each in constraints for leaf in each.leaves() if isinstance(leaf, Regex)]
    texts += [automaton.example() or "" for automaton in expressions if automaton is not None]
    texts += [a + b for a in texts[:3] for b in texts[-3:]]
    disguised = [text.replace("/", "//") for text in texts] + [f"{text}/../{text}" for text in texts]
    return [*texts, *disguised, *[text.replace("a", "%61") for text in texts], *[f"{text}/" for text in texts]]


@st.composite
def narrowed(draw: st.DrawFn, parent: Constraint) -> Constraint:
    """A constraint that admits no more, by the way it was made."""
    further = draw(LEAVES)
    ways = [AllOf((parent, further)), AllOf((further, parent)), parent]
    if isinstance(parent, AnyOf):
        kept = [part for part in parent.constraints if part.of_paths == parent.of_paths]
        ways += [AnyOf((part,)) for part in kept]
    if isinstance(parent, AllOf):
        ways.append(AllOf((*parent.constraints, further)))
    if not parent.of_paths and (inside := [value for value in VALUES if parent.admits(value)]):
        ways.append(OneOf(tuple(draw(st.lists(st.sampled_from(inside), min_size=1, max_size=4)))))
        ways.append(Exact(draw(st.sampled_from(inside))))
    return draw(st.sampled_from(ways))


def assert_sound(parent: Constraint, child: Constraint, values: list[Any]) -> None:
    wider = [value for value in values if child.admits(value) and not parent.admits(value)]
    assert wider == [], (parent, child)


@MORE
@given(CONSTRAINTS, CONSTRAINTS, st.data())
def test_containment_is_sound(parent: Constraint, child: Constraint, data: st.DataObject) -> None:
    """Where the answer is yes, no value is admitted by the child alone."""
    if contains(parent, child):
        assert_sound(parent, child, [*VALUES, *data.draw(texts_of(parent, child))])


@MORE
@given(CONSTRAINTS, st.data())
def test_narrowing_is_sound_and_recognised(parent: Constraint, data: st.DataObject) -> None:
    """A constraint that was narrowed is contained; so are the values it was reduced to."""
    child = data.draw(narrowed(parent))
    assert contains(parent, child)
    assert_sound(parent, child, [*VALUES, *data.draw(texts_of(parent, child))])


@MORE
@given(patterns(), patterns(), st.data())
def test_globs_are_compared_as_languages(parent: Constraint, child: Constraint, data: st.DataObject) -> None:
    """Yes is never wrong, and what is wider by the way it was made is known to be."""
    answer = contains(parent, child)
    samples = [*SHORT_TEXTS, *data.draw(texts_of(parent, child))]
    if answer:
        assert_sound(parent, child, samples)
    assert contains(AnyOf((parent, child)), child)
    assert contains(child, AllOf((parent, child)))
    assert contains(Not(child), AllOf((Not(child), parent)))


@MORE
@given(EXPRESSIONS, EXPRESSIONS)
def test_expressions_are_compared_as_languages(parent: str, child: str) -> None:
    """Yes is never wrong for a short text, and what is wider by the way it was made is known to be."""
    wider = [text for text in SHORT_TEXTS if Regex(child).admits(text) and not Regex(parent).admits(text)]
    assert not (contains(Regex(parent), Regex(child)) and wider)
    assert contains(Regex(f"(?:{parent})|(?:{child})"), Regex(child))
    assert contains(Regex(f"(?:{child})*"), Regex(child))


@MORE
@given(EXPRESSIONS, st.lists(st.text(alphabet="/ab.A\n\u00e9", max_size=8), max_size=10))
def test_automata_match_what_re2_matches(expression: str, texts: list[str]) -> None:
    """An automaton is the expression's own."""
    automaton = compiled(expression)[0]
    assert isinstance(automaton, Automaton)
    theirs = re2.compile(expression)
    differing = [t for t in [*texts, *SHORT_TEXTS] if automaton.matches(t) != (theirs.fullmatch(t) is not None)]
    assert differing == []


@MORE
@given(GLOBS, st.data())
def test_a_glob_matches_the_words_of_its_language(glob: str, data: st.DataObject) -> None:
    """What the quick tests for simple globs say is what the language says."""
    try:
        pattern = Pattern(glob)
    except PatternError:
        return
    language = glob_language(normal_pattern(glob))
    automaton = Automaton(language)
    for text in [data.draw(words(language)), *SHORT_TEXTS]:
        path = normalised(text)
        assert pattern.admits(text) == (path is not None and automaton.matches(path))


@MORE
@given(st.text(alphabet=string.printable + "\u00e9\u0301\u0430\uff0f\u2215./", max_size=20))
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    """Twice is once."""
    path = normalised(text)
    if path is not None:
        assert normal_path(text) == path == normalised(path)


@FEW
@given(ranges(), ranges(), st.fractions(-1, 4, max_denominator=8))
def test_ranges_are_compared_exactly(parent: Range, child: Range, value: Fraction) -> None:
    """Yes if and only if no number is in the child alone, for the numbers around the bounds."""
    numbers = [Fraction(eighths, 8) for eighths in range(-8, 40)]
    wider = [number for number in (*numbers, value) if child.covers(number) and not parent.covers(number)]
    assert contains(parent, child) is (wider == [])


@FEW
@given(CONSTRAINTS)
def test_constraints_survive_json(constraint: Constraint) -> None:
    """What is written is read as the same."""
    assert constraint_from_json(constraint_to_json(constraint)) == constraint


OPERATIONS = st.sets(st.sampled_from(["read", "write", "delegate"])).map(frozenset)
GRANTS = st.builds(
    Grant,
    st.dictionaries(st.sampled_from("xyz"), st.builds(Argument, LEAVES, st.booleans()), max_size=2),
    OPERATIONS,
    st.none() | st.lists(patterns(), max_size=2).map(tuple),
    st.booleans(),
)
CALLS = st.tuples(
    st.sampled_from(["read", "write"]),
    st.sampled_from([None, "/a", "/a/b", "/a/../b", "b"]),
    st.dictionaries(st.sampled_from("xyz"), st.sampled_from(VALUES), max_size=3),
)


@MORE
@given(GRANTS, GRANTS, st.lists(CALLS, min_size=20, max_size=20), st.data())
def test_authorities_are_compared_soundly(above: Grant, below: Grant, calls: list[Any], data: st.DataObject) -> None:
    """A contained authority admits no call that its parent refuses, and both together admit what each admits."""
    if data.draw(st.booleans()):
        below = replace(below, arguments=above.arguments, open=False, operations=above.operations)
    parent, child = Authority({"t": above}), Authority({"t": below})
    contained = authority_contains(parent, child)
    assert contained is (widening(parent, child) is None)
    for operation, resource, arguments in calls:
        own = child.admits("t", operation, resource, arguments)
        theirs = parent.admits("t", operation, resource, arguments)
        assert not (contained and own and not theirs)
        both = Effective((parent, child), nested=contained).admits("t", operation, resource, arguments)
        assert both is (own and theirs)


@FEW
@given(st.dictionaries(st.sampled_from(["t", "u"]), GRANTS), st.data())
def test_authorities_survive_json_and_contain_themselves(tools: dict[str, Grant], data: st.DataObject) -> None:
    """What is written is read as the same; fewer tools, operations and resources are contained."""
    authority = Authority(tools)
    assert authority_from_json(authority_to_json(authority)) == authority
    assert authority_contains(authority, authority)
    fewer = {tool: replace(grant, operations=grant.operations - {"write"}) for tool, grant in tools.items()}
    fewer = {tool: replace(grant, resources=grant.resources and grant.resources[:1]) for tool, grant in fewer.items()}
    kept = data.draw(st.sets(st.sampled_from(sorted(tools)))) if tools else set()
    assert authority_contains(authority, Authority({tool: fewer[tool] for tool in kept}))
