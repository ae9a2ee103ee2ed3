"""What a branch of a rule does: its calls, references and modifiers, gathered once so that no later stage has to look.

A branch is the head of a rule with its body, or one `else` of it; each is defined and evaluated on its own.
"""

from dataclasses import dataclass, field

from procurator_rules.nodes import Call, Expr, Ref, TemplateString


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands anywhere in a branch, bodies inside it included, in the order in which names were resolved.

    Attributes:
        lines: the lines that are calls.
        calls: the calls that stand as terms.
        refs: the references that begin with `data`.
        withs: the lines that have modifiers.
        negations: the lines that are negated, in either way.
        templates: the template strings.
    """

    lines: list[Expr] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)
    withs: list[Expr] = field(default_factory=list)
    negations: list[Expr] = field(default_factory=list)
    templates: list[TemplateString] = field(default_factory=list)
