"""Policies of any size, of the kind that people write: what the benchmarks of the front end read."""

from itertools import cycle, islice

SHAPES = (
    """allow if {{
	input.method == "GET"
	input.path == ["items", "{n}"]
	"role{n}" in input.user.roles
}}
""",
    """deny contains message if {{
	some item in input.items{n}
	item.size > {n}
	not exempt(item.owner)
	message := sprintf("item %v of %v is too large: %d", [item.name, input.user.name, item.size])
}}
""",
    """limit_{n} := min({{{n} * 10, input.quota.hard}}) if input.quota.kind == "k{n}"
""",
    """members_{n}[team] := names if {{
	some team, people in data.teams
	names := {{person.name | some person in people; person.level >= {n} % 7}}
	count(names) > 0
}}
""",
    """exempt(owner) if {{
	owner == "owner{n}"
	every tag in input.tags {{ startswith(tag, "t{n}-") }}
}}
""",
    """state_{n} := "open" if input.door == "o{n}" else := "closed" if input.door == "c{n}" else := "unknown"
""",
    """default flag_{n} := false

flag_{n} if count(object.get(input.flags, "f{n}", [])) == {n} + 1
""",
)
"""Each has one rule, or little more."""

HEAD = "package bench\n\ndefault allow := false\n\n"


def policy(rules: int) -> str:
    """A policy of so many rules."""
    return HEAD + "\n".join(shape.format(n=n) for n, shape in enumerate(islice(cycle(SHAPES), rules)))
