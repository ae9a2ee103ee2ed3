"""What the machine's clock says does not bring back what was spent: budgets go by how long the machine has run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateways import CONFIG, Clock, World
from procurator.governance.assembly.assemble import assemble
from procurator.governance.config.loading import read_config
from procurator.governance.decision import GatewayDecision
from procurator.governance.gateway import Gateway, ReportAnswer
from procurator.governance.state import BudgetTime, running_ns

WINDOWS = ("window: day, time_zone: Europe/Berlin", "window: month", "window: sliding, seconds: 60")
TOKENS = "delegation: {token_ttl_seconds: 80000}"
DAYS = 86_400


@dataclass
class Machine:
    """A gateway on a machine with a clock that anybody sets, and one that nobody does.

    Attributes:
        clock: what is set.
        running: what is not.
        world: the gateway; all others have the time that it has.
    """

    clock: Clock
    running: Clock
    world: World

    @classmethod
    def made(cls, folder: Path, quotas: str) -> Machine:
        """One in an empty folder."""
        world = World.made(folder, f"{CONFIG}\n{TOKENS}\nquotas: {{{quotas}}}\n")
        world.gateway.close()
        clock, running = Clock(), Clock(0)
        config = read_config((folder / "agentic-governance.yaml").read_text()).within(folder)
        return cls(clock, running, replace(world, gateway=Gateway(assemble(config, clock, running))))

    def ask(self) -> GatewayDecision:
        """Ask for an action of a new prompt."""
        self.world.clock.now = self.world.gateway.state.clock()
        prompt = f"p{self.clock.now}"
        return self.world.ask(self.world.granted(prompt_id=prompt, ttl=80_000), prompt_id=prompt)

    def of_person(self, name: str) -> set[Any]:
        """A member of the lines of the person, looked at with the first prompt."""
        self.world.clock.now = self.world.gateway.state.clock()
        account = self.world.records("decision")[0]["input"]["prompt_id"]
        [balance] = self.world.gateway.admin.balance(account)
        return {line[name] for line in balance["lines"] if line["scope"] == "person"}

    def records(self, kind: str) -> list[dict[str, Any]]:
        """What the log holds."""
        return self.world.records(kind)


@pytest.mark.parametrize("window", [*WINDOWS, "window: bucket, seconds: 60"])
def test_a_clock_set_forward_or_back_refills_nothing(tmp_path: Path, window: str) -> None:
    """Nor does looking at what is left; time that really goes by does."""
    machine = Machine.made(tmp_path, f"limits: [{{scope: person, unit: actions, amount: 2, {window}}}]")
    assert [machine.ask().reason for _ in range(3)] == ["passed", "passed", "cap_rate"]
    for days in (1, 40, -40, -1, -1, 3):
        machine.clock.forward(days * DAYS)
        assert (machine.of_person("remaining"), machine.ask().reason) == ({0}, "cap_rate")
    assert machine.records("outcome") == []
    machine.running.forward(32 * DAYS)
    assert machine.ask().reason == "passed"


def test_people_hear_that_the_clock_was_set_forward(tmp_path: Path) -> None:
    """Once, and again when it is set further; not of what clocks are off by anyway."""
    machine = Machine.made(tmp_path, "")
    for seconds in (0, 59, 3600, 1, 30, 7200, -10_000):
        machine.clock.forward(seconds)
        machine.ask()
    told = machine.records("notification")
    assert [(one["event"], round(one["ahead_seconds"], -1)) for one in told] == [
        ("clock_set_forward", 3660),
        ("clock_set_forward", 10_890),
    ]
    assert told[0]["budget_time"].startswith("2027-01-15T08:00:00")


def test_a_reservation_is_not_revived(tmp_path: Path) -> None:
    """It ends when the machine has run so long, whatever the clock says then and later."""
    machine = Machine.made(tmp_path, "limits: [{scope: person, unit: actions, amount: 10}]")
    permit = machine.ask().permit_id or ""
    machine.clock.forward(700)
    assert machine.of_person("reserved") == {1}
    machine.running.forward(700)
    machine.ask()
    machine.clock.forward(-1300)
    assert machine.world.gateway.report(permit, "not_attempted") == ReportAnswer(False, "permit_settled")
    assert [(one["permit_id"], one["outcome"]) for one in machine.records("outcome")] == [(permit, "expired")]
    assert machine.of_person("spent") == {1}


def test_budget_time_never_goes_back() -> None:
    """Nor ahead of either clock."""
    running = iter([100, 105, 104, 120, 121])
    time = BudgetTime(lambda: next(running), 1000)
    assert [time(now) for now in (1004, 1003, 1050, 1010)] == [1004, 1004, 1020, 1020]


def test_the_machine_says_how_long_it_has_run() -> None:
    """And that grows."""
    assert 0 < running_ns() <= running_ns()
