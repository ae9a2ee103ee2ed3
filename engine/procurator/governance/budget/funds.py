"""What an action costs and who pays, as far as its decision has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from procurator.governance.budget.accounts import DELEGATION, Line, Path
from procurator.governance.budget.meters import Shown
from procurator.governance.budget.windows import BUCKET, SLIDING
from procurator.governance.refusals import Refused
from procurator.governance.strict_json import canonical
from procurator.governance.times import time_text


class Funds:
    """The cost of an action, its path, and what has been found out.

    Attributes:
        cost: what it costs, by unit.
        path: what it has to fit into.
        shown: what the meters of the path showed before the policy was asked.
        permit_id: what it was reserved for; None if it was not.
        near: the lines whose soft limits are reached with the action, and what is left of them, once it is reserved.
    """

    __slots__ = ("cost", "near", "path", "permit_id", "shown")

    def __init__(self, cost: Mapping[str, int], path: Path) -> None:
        self.cost = cost
        self.path = path
        self.shown: Sequence[Shown] = ()
        self.permit_id: str | None = None
        self.near: Sequence[tuple[Line, Mapping[str, str | None]]] = ()

    def document(self) -> list[dict[str, Any]]:
        """What policies see of it."""
        return [line.document(shown) for line, shown in zip(self.path.lines, self.shown, strict=True)]

    @property
    def warnings(self) -> tuple[Mapping[str, str | None], ...]:
        """The lines that are past their soft limits, as answers tell them."""
        return tuple([told for _, told in self.near])

    def past_soft(self, now_ns: int) -> list[tuple[Line, Mapping[str, str | None]]]:
        """The lines whose soft limits are reached with this action, and what is left of them."""
        return [
            (line, wire(line, shown._replace(used=used), now_ns))
            for at, line, soft in self.path.warned_of
            if (used := (shown := self.shown[at]).used + self.cost.get(line.unit.name, 0)) >= soft
            and used >= (line.soft_of(shown) or 0)
        ]

    def record(self) -> str:
        """What the record says of a reservation: canonical JSON."""
        cost = self.cost
        lines = [
            line.record(shown, cost[line.unit.name])
            for line, shown in zip(self.path.lines, self.shown, strict=True)
            if line.unit.name in cost
        ]
        return f'{{"scopes":[{",".join(lines)}],"warnings":{canonical([*self.warnings]) if self.near else "[]"}}}'


class OverLimit(Refused):
    """An action does not fit into a line.

    Attributes:
        line: the line.
        budget: the answer's object of what is left.
    """

    def __init__(self, reason: str, line: Line, budget: Mapping[str, str | None]) -> None:
        account = line.account
        left = f"{budget['remaining']} of {budget['limit']} {budget['unit']} are left to the {account.scope}"
        super().__init__(reason, f"{left} `{account.id}`")
        self.line = line
        self.budget = budget

    @property
    def is_lasting(self) -> bool:
        """Whether it concerns the whole prompt, and time alone will not soon mend it."""
        return self.line.account.scope != DELEGATION and self.line.window.kind not in (SLIDING, BUCKET)


def wire(line: Line, shown: Shown, now_ns: int) -> dict[str, str | None]:
    """The object of AADP about what is left: amounts are decimal texts."""
    unit, remaining, resets_ns = line.unit, shown.remaining, line.window.resets_ns(now_ns, shown.used)
    return {
        "dimension": unit.dimension,
        "unit": unit.name,
        "window": line.window.wire,
        "limit": None if shown.limit is None else unit.text(shown.limit),
        "consumed": unit.text(shown.used),
        "remaining": None if remaining is None else unit.text(max(0, remaining)),
        "window_resets_at": None if resets_ns is None else time_text(resets_ns),
    }
