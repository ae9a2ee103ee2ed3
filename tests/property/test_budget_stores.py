"""Stores of budgets against a simple model: whatever happens in whatever order, nothing is spent over a limit."""

from __future__ import annotations

import tempfile
from pathlib import Path as File

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from budgets import DELEGATION, KINDS, PERSON, PROMPT, Kind, Model, Process, line, path
from procurator.governance.budget.accounts import Line, Path
from procurator.governance.budget.windows import BUCKET, DAY, MONTH, SLIDING, Window

START_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000

WIDE = (
    line(PERSON, "alice", "EUR", 40, Window(DAY, "Europe/Berlin")),
    line(PERSON, "alice", "compute_tokens", 90, Window(SLIDING, seconds=600)),
    line(PERSON, "alice", "compute_tokens", 300, Window(MONTH)),
    line(PERSON, "alice", "actions", 20, Window(BUCKET, seconds=3600, amount=20)),
    line(PROMPT, "", "actions", 30),
    line(PROMPT, "", "EUR", None),
    line(PROMPT, "", "compute_tokens", 200),
)

COSTS = st.fixed_dictionaries(
    {"actions": st.just(1)}, optional={"EUR": st.integers(0, 15), "compute_tokens": st.integers(0, 60)}
)
TIMES = st.sampled_from([1, 30, 61, 599, 3600, 86_400, 40 * 86_400])
STEPS_BACK = st.sampled_from([1, 61, 3600, 86_400, 40 * 86_400])


class FailureError(Exception):
    """What makes a transaction come to nothing."""


class Machine(RuleBasedStateMachine):
    """Decides, reports, delegates, lets time pass, crashes."""

    kind: Kind = KINDS["memory"]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.now = START_NS
        self.paths: list[Path] = [path(*WIDE)]
        self.processes: list[Process] = []

    @initialize()
    def start(self) -> None:
        self.processes = [self.kind.start(File(self.folder.name)) for _ in range(2 if self.kind.is_shared else 1)]

    def teardown(self) -> None:
        for process in self.processes:
            process.close()
        self.folder.cleanup()

    @rule(data=st.data(), cost=COSTS, patience=st.sampled_from([50, 5000]))
    def decide(self, data: st.DataObject, cost: dict[str, int], patience: int) -> None:
        wanted, permit, now = self._path(data), f"permit{next(self.model.ids)}", self.now
        deadline = now + patience * SECOND_NS
        refusing = self._process(data).run(lambda store, tx: store.reserve(tx, wanted, cost, now, permit, deadline))
        assert refusing == self.model.reserve(wanted, cost, now, permit, deadline)

    @precondition(lambda self: self.model.open)
    @rule(data=st.data(), actual=st.none() | COSTS)
    def report(self, data: st.DataObject, actual: dict[str, int] | None) -> None:
        permit = data.draw(st.sampled_from(sorted(self.model.open)))
        found = self._process(data).run(lambda store, tx: store.settle(tx, permit, actual, self.now))
        assert found is not None
        assert (found.keys, dict(found.cost)) == (self.model.open[permit][0].keys, self.model.open[permit][1])
        self.model.settle(permit, actual, self.now)
        assert self._process(data).run(lambda store, tx: store.settle(tx, permit, actual, self.now)) is None

    @rule(data=st.data(), share=st.integers(0, 60), unit=st.sampled_from(["compute_tokens", "EUR", "actions"]))
    def delegate(self, data: st.DataObject, share: int, unit: str) -> None:
        above = self._path(data)
        name = f"token{len(self.paths)}"
        self.paths.append(path(*above.lines, line(DELEGATION, name, unit, share)))

    @rule(seconds=TIMES)
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND_NS

    @rule(data=st.data(), seconds=STEPS_BACK, cost=COSTS)
    def set_back(self, data: st.DataObject, seconds: int, cost: dict[str, int]) -> None:
        """A clock that says what it said before gives nothing back."""
        earlier, wanted, process = self.now - seconds * SECOND_NS, self._path(data), self._process(data)
        left = [shown.remaining for shown in self.model.shown(wanted, self.now)]
        seen = process.run(lambda store, tx: store.read(tx, wanted, self.now))
        shown = process.run(lambda store, tx: store.read(tx, wanted, earlier))
        assert [one.used for one in shown] == [one.used for one in seen]
        over = {
            one.unit.name: (most or 0) + 1 for one, most in zip(wanted.lines, left, strict=True) if most is not None
        }
        asked = {**over, **{unit: 0 for unit in cost if unit not in over}}
        assert process.run(lambda store, tx: store.spend(tx, wanted, asked, earlier)) is not None

    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        late = self._process(data).run(lambda store, tx: store.overdue(tx, self.now))
        assert set(late) == self.model.overdue(self.now)
        for permit in late:
            self._process(data).run(lambda store, tx, permit=permit: store.settle(tx, permit, {}, self.now))
            self.model.settle(permit, {}, self.now)

    @precondition(lambda self: self.model.open)
    @rule(data=st.data(), patience=st.sampled_from([50, 5000]))
    def prolong(self, data: st.DataObject, patience: int) -> None:
        permit = data.draw(st.sampled_from(sorted(self.model.open)))
        deadline = self.now + patience * SECOND_NS
        self._process(data).run(lambda store, tx: store.prolong(tx, permit, deadline))
        self.model.prolong(permit, deadline)

    @rule(data=st.data(), amount=st.integers(1, 50))
    def raise_limit(self, data: st.DataObject, amount: int) -> None:
        one = self._line(data)
        self._process(data).run(lambda store, tx: store.raise_limit(tx, one.key, amount, self.now))
        self.model.of(one).raise_limit(amount, self.now)

    @rule(data=st.data(), cost=COSTS)
    def fail(self, data: st.DataObject, cost: dict[str, int]) -> None:
        """A transaction that comes to nothing after it has reserved, spent and settled leaves everything as it was."""
        wanted, process = self._path(data), self._process(data)
        some = data.draw(st.sampled_from([*sorted(self.model.open), "none"]))

        def work(_store: object, tx: object) -> None:
            process.budgets.reserve(tx, wanted, cost, self.now, "lost", self.now + SECOND_NS)
            process.budgets.spend(tx, wanted, {"actions": 1}, self.now)
            process.budgets.settle(tx, some, {"EUR": 99}, self.now)
            process.budgets.raise_limit(tx, wanted.keys[0], 5, self.now)
            for open_permit in sorted(self.model.open)[:2]:
                process.budgets.prolong(tx, open_permit, self.now + 10**6 * SECOND_NS)
            raise FailureError

        with pytest.raises(FailureError):
            process.run(work)

    @precondition(lambda self: self.kind.is_shared)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """A process is gone, whatever it knew, and another takes its place."""
        at = data.draw(st.integers(0, len(self.processes) - 1))
        self.processes[at].budgets.close()
        self.processes[at] = self.kind.start(File(self.folder.name))

    @invariant()
    def all_show_what_the_model_shows(self) -> None:
        for process in self.processes:
            for wanted in self.paths[-3:]:
                shown = list(process.run(lambda store, tx, wanted=wanted: store.read(tx, wanted, self.now)))
                known = self.model.shown(wanted, self.now)
                buckets = [one.window.kind == BUCKET for one in wanted.lines]
                for mine, theirs, one, bucket in zip(known, shown, wanted.lines, buckets, strict=True):
                    assert theirs[: 2 if bucket else 3] == mine[: 2 if bucket else 3], one

    def _path(self, data: st.DataObject) -> Path:
        return data.draw(st.sampled_from(self.paths))

    def _line(self, data: st.DataObject) -> Line:
        return data.draw(st.sampled_from([one for one in self._path(data).lines if one.limit is not None]))

    def _process(self, data: st.DataObject) -> Process:
        return data.draw(st.sampled_from(self.processes))


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_does_what_the_model_does(kind: str) -> None:
    """Decides, reports, delegations, expiries, failures and crashes in any order."""
    machine = type("Machine", (Machine,), {"kind": KINDS[kind]})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
