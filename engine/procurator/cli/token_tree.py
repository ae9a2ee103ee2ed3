"""Chains of delegation as trees, for people and as JSON. What a token says is shown so that no terminal obeys it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from procurator.cli.terminal import shown
from procurator.governance.delegation.narrowing import Narrowing, limits, narrowings
from procurator.governance.delegation.tokens import Link, budget_to_json
from procurator.governance.scope.authorization_details import KINDS
from procurator.governance.strict_json import canonical

Json = Any

_LABEL: Final = 9
_TIMES: Final = frozenset({"expires", "not_before"})


def record(links: Sequence[Link]) -> list[dict[str, Json]]:
    """The links as JSON: their claims, and what each takes away from the one before."""
    return [
        {**link.claims(), "narrows": [_change(one) for one in narrowings(links[at - 1], link)] if at else []}
        for at, link in enumerate(links)
    ]


def _change(one: Narrowing) -> dict[str, Json]:
    return {"path": one.path, "before": one.before, "after": one.after}


def lines(links: Sequence[Link]) -> Iterator[str]:
    """The tree, line by line."""
    yield from _person(links[0])
    for at, link in enumerate(links):
        margin = "   " * at
        yield f"{margin}└─ {shown(link.agent)}"
        for label, text in _link(links[at - 1] if at else None, link):
            bar = "│  " if at + 1 < len(links) else "   "
            yield f"{margin}   {bar}{label:<{_LABEL}} {text}"


def _person(root: Link) -> Iterator[str]:
    principal = root.principal
    who = "nobody" if principal is None else f"{shown(principal.subject)} of {shown(principal.issuer)}"
    acting = "" if principal is None or not principal.act else f", by {', '.join(map(shown, principal.act))}"
    yield f"{who}{acting}, for task {root.task}"
    if root.intent is not None:
        yield f"   {canonical(root.intent) if root.intent.isprintable() else ascii(root.intent)}"


def _link(parent: Link | None, link: Link) -> Iterator[tuple[str, str]]:
    yield "id", link.token_id
    yield "key", f"{link.key.jkt} ({link.key.alg})"
    yield "issuer", shown(link.issuer)
    yield "depth", f"{link.depth} of at most {link.max_depth}"
    yield "until", moment(link.expires)
    if link.budget is not None:
        yield "budget", ", ".join(f"{shown(unit)} {amount}" for unit, amount in budget_to_json(link.budget).items())
    yield "tools", ", ".join(map(shown, link.authority.tools)) or "none"
    if parent is None:
        grants = (
            (path, value) for path, value in limits(link).items() if path.startswith("tools.") and value != "granted"
        )
        yield from (("allows", f"{shown(path)}: {_value(path, value)}") for path, value in grants)
        return
    for one in narrowings(parent, link):
        before = "not limited" if one.before is None else _value(one.path, one.before)
        after = "none" if one.after is None else _value(one.path, one.after)
        yield "narrows", f"{shown(one.path)}: {before} → {after}"
    if not narrowings(parent, link):
        yield "narrows", "nothing"


def _value(path: str, value: Json) -> str:
    if path in _TIMES:
        return moment(value)
    if isinstance(value, dict):
        return _constraint(value)
    return shown(value) if isinstance(value, str) else _json(value)


def _constraint(value: dict[str, Json]) -> str:
    """The type, and the members; those that go without saying by the type stand without their names."""
    name = value["constraint_type"]
    members = [
        _json(member) if key in KINDS[name].required else f"{key} {_json(member)}"
        for key, member in value.items()
        if key != "constraint_type"
    ]
    return " ".join([name, *members])


def _json(value: Json) -> str:
    return shown(canonical(value))


def moment(seconds: int) -> str:
    """A time for people; far beyond the calendar, its seconds."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} seconds since 1970"
