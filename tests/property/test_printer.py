"""What holds for every syntax tree: it can be printed, and what is printed is read as the same tree."""

from hypothesis import HealthCheck, Phase, given, settings

from procurator_rules.nodes import Module, Term
from procurator_rules.parser import parse_module, parse_term
from procurator_rules.printer import format_module, format_term
from strategies import modules, terms

QUIET = settings(
    max_examples=120,
    derandomize=True,
    deadline=None,
    # Making a tree smaller that fails takes minutes; the text in the message is short enough.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@QUIET
@given(modules())
def test_a_module_is_read_as_it_was_printed(module: Module) -> None:
    """No kind of node, no nesting and no brackets are lost or added; printing once more changes nothing."""
    text = format_module(module)
    read = parse_module(text)
    assert read == module
    assert format_module(read) == text


@QUIET
@given(terms())
def test_a_term_in_one_line_is_read_as_the_same_term(term: Term) -> None:
    """Messages show terms as policies have them."""
    assert parse_term(format_term(term)) == term
