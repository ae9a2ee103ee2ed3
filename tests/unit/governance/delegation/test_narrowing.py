"""What a link takes away from its parent."""

from __future__ import annotations

from typing import Any

from delegations import MIDDLE_KEY, NOW, ROOT_KEY, forged, leaf_token, root_token, verified
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.delegation.narrowing import Narrowing, narrowings
from procurator.governance.scope.authorization_details import authority_from_json

ANYTHING = {"constraint_type": "wildcard"}


def of_child(tools: dict[str, Any], parent_tools: dict[str, Any], **claims: Any) -> tuple[Narrowing, ...]:
    """What a child with some tools takes away from a parent with others."""
    details = [{"type": "attenuating_agent_token", "tools": parent_tools}]
    root = forged(root_token(), 0, {"authorization_details": details, **claims})
    authority = authority_from_json([{"type": "attenuating_agent_token", "tools": tools}])
    chain = verified(derive(root, ROOT_KEY, Share("a", MIDDLE_KEY.public, authority), now=NOW))
    return narrowings(*chain.links)


def test_each_limit_that_differs_is_named_once() -> None:
    """With what it was and what it is; a tool that is gone stands for all its limits."""
    root, middle, leaf = verified(leaf_token()).links
    assert narrowings(root, root) == ()
    assert narrowings(root, middle) == (
        Narrowing("expires", NOW + 300, NOW + 200),
        Narrowing("budget.EUR", 5, None),
        Narrowing("budget.actions", 20, 10),
    )
    subpath = {"constraint_type": "subpath", "root": "/data"}
    pattern = {"constraint_type": "pattern", "pattern": "/data/reports/*"}
    assert narrowings(middle, leaf) == (
        Narrowing("expires", NOW + 200, NOW + 100),
        Narrowing("audience", ["urn:example:tools", "urn:example:other"], ["urn:example:tools"]),
        Narrowing("tools.read_file.resources", ["/data/**"], ["/data/reports/*"]),
        Narrowing("tools.read_file.arguments.path", subpath, pattern),
        Narrowing("tools.search", "granted", None),
    )


def test_arguments_are_named_where_any_were_admitted() -> None:
    """And dropped where they may be left out."""
    assert of_child({"t": {"a": ANYTHING}}, {"t": {}}) == (
        Narrowing("tools.t.arguments", "any", "those named"),
        Narrowing("tools.t.arguments.a", None, ANYTHING),
    )
    optional = ANYTHING | {"optional": True}
    assert of_child({"t": {"a": ANYTHING}}, {"t": {"a": optional, "b": optional}}) == (
        Narrowing("tools.t.arguments.a", optional, ANYTHING),
        Narrowing("tools.t.arguments.b", optional, None),
    )


def test_a_start_that_goes_on_to_hold_is_not_taken_away() -> None:
    """A child need not repeat it."""
    assert of_child({"t": {}}, {"t": {}}, nbf=NOW) == ()
