"""How deep a syntax tree is: the bound that every recursive walk relies on."""

from typing import Any

from procurator_rules.nodes import Object
from procurator_rules.reading import MAX_DEPTH, too_deep
from procurator_rules.visitor import children


def check_depth(tree: Any) -> None:
    """Refuse a tree, or a list of trees, that nests deeper than `MAX_DEPTH` levels.

    Lines of bodies, members and operands do not count by their number, only by what they stand in. An object counts for
    two levels, since its pairs are one of their own.

    Raises:
        PolicyError: at the first node that is too deep.
    """
    waiting = [(node, 1) for node in _flat(tree)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise too_deep(node.span)
        below = depth + 1 + isinstance(node, Object)
        waiting += [(child, below) for child in children(node)]


def _flat(tree: Any) -> list[Any]:
    if isinstance(tree, list | tuple):
        return [node for part in tree for node in _flat(part)]
    return [tree]
