"""What all stores of budgets do alike where a model with small numbers does not look."""

from collections.abc import Iterator
from pathlib import Path as File

import pytest

from budgets import DELEGATION, KINDS, PERSON, PROMPT, Process, line, path, redis_server, start_server
from gateways import CONFIG, World
from procurator.governance.budget.meters import CEILING, Shown
from procurator.governance.budget.stores import ENDED, PAUSED, BudgetStore, Standing
from procurator.governance.budget.stores.redis import RedisBudgets
from procurator.governance.budget.units import MOST
from procurator.governance.budget.windows import BUCKET, DAY, MONTH, SLIDING, Window
from procurator.governance.store import StoreError
from procurator.governance.times import time_text
from procurator.governance.transactions import Transaction
from spenders import spent

NOON = 1_800_014_400_000_000_000
MINUTE = 60_000_000_000
LATER = NOON + 600 * 1_000_000_000


@pytest.fixture(params=KINDS)
def process(request: pytest.FixtureRequest, tmp_path: File) -> Iterator[Process]:
    """A process on each kind of store."""
    started = KINDS[request.param].start(tmp_path)
    yield started
    started.close()


def shown(process: Process, *lines: object, now: int = NOON) -> list[Shown]:
    return [*process.run(lambda store, tx: store.read(tx, path(*lines), now))]


def reserve(process: Process, wanted: object, cost: int, permit: str, now: int = NOON, unit: str = "EUR") -> int | None:
    return process.run(lambda store, tx: store.reserve(tx, wanted, {unit: cost}, now, permit, now + MINUTE))


def settle(process: Process, permit: str, actual: int, now: int = NOON, unit: str = "EUR") -> None:
    assert process.run(lambda store, tx: store.settle(tx, permit, {unit: actual}, now)) is not None


def test_no_digit_is_lost(process: Process) -> None:
    """Amounts with more digits than a double has, added, compared and taken away."""
    wanted = path(line(PROMPT, "", "EUR", MOST - 1), line(PERSON, "a", "EUR", MOST, Window(SLIDING, seconds=60)))
    half = MOST // 2 - 3
    assert reserve(process, wanted, half, "a") is None
    assert reserve(process, wanted, half + 6, "b") == 0
    assert reserve(process, wanted, half + 5, "b") is None
    assert shown(process, *wanted.lines) == [Shown(MOST - 1, MOST - 1, MOST - 1), Shown(MOST, MOST - 1, MOST - 1)]
    settle(process, "a", half - 1)
    assert [one.remaining for one in shown(process, *wanted.lines)] == [1, 2]


def test_what_is_overdrawn_beyond_all_measure_still_has_64_bits(process: Process) -> None:
    """It stays blocked, and nothing breaks."""
    wanted = path(line(PROMPT, "", "EUR", 10), line(PERSON, "a", "EUR", 10, Window(BUCKET, seconds=60, amount=10)))
    for number in range(6):
        assert reserve(process, wanted, 1, str(number)) is None
    for number in range(6):
        settle(process, str(number), MOST)
    assert [one.used for one in shown(process, *wanted.lines)] == [CEILING, CEILING]
    assert reserve(process, wanted, 0, "x", now=NOON + 1000 * MINUTE) == 0
    bucket = path(wanted.lines[1])
    assert shown(process, *bucket.lines, now=NOON + 1000 * MINUTE) == [Shown(10, CEILING - 10_000, 0)]


def test_a_bucket_refills_in_steps(process: Process) -> None:
    """Evenly, and to the brim; what comes back of a reservation is what had not come back by then."""
    one = line(PERSON, "a", "actions", 10, Window(BUCKET, seconds=60, amount=10))
    wanted, second = path(one), MINUTE // 60
    assert reserve(process, wanted, 10, "a", unit="actions") is None
    assert reserve(process, wanted, 1, "b", unit="actions") == 0
    assert [shown(process, one, now=NOON + at * second)[0].used for at in (0, 5, 6, 30, 600)] == [10, 10, 9, 5, 0]


def test_a_clock_that_was_set_back_brings_nothing_back(process: Process) -> None:
    """Not on a day, not in a sliding window, not in a bucket."""
    windows = [Window(DAY), Window(SLIDING, seconds=3600), Window(BUCKET, seconds=3600, amount=10)]
    lines = [line(PERSON, str(at), "actions", 10, window) for at, window in enumerate(windows)]
    for at, one in enumerate(lines):
        tomorrow = NOON + 24 * 60 * MINUTE
        assert reserve(process, path(one), 10, f"a{at}", tomorrow, "actions") is None
        assert reserve(process, path(one), 1, f"b{at}", NOON, "actions") == 0
        settle(process, f"a{at}", 10, NOON, "actions")
        assert reserve(process, path(one), 1, f"c{at}", tomorrow, "actions") == 0


def test_an_overdraft_known_tomorrow_is_booked_tomorrow(process: Process) -> None:
    """And what was not needed yesterday does not come back today."""
    one = line(PERSON, "a", "EUR", 10, Window(DAY))
    for permit in ("a", "b"):
        assert reserve(process, path(one), 5, permit) is None
    tomorrow = NOON + 24 * 60 * MINUTE
    settle(process, "a", 12, tomorrow)
    settle(process, "b", 1, tomorrow)
    assert shown(process, one, now=tomorrow) == [Shown(10, 7, 0)]


def test_overdue_reservations_come_in_order_and_once(process: Process) -> None:
    """The oldest first; a settled one is settled."""
    wanted = path(line(DELEGATION, "t", "EUR", 10))
    for number in range(3):
        assert reserve(process, wanted, 1, f"permit{number}", NOON - number) is None
    assert process.run(lambda store, tx: store.overdue(tx, NOON + MINUTE - 1)) == ["permit2"]
    assert process.run(lambda store, tx: store.overdue(tx, LATER)) == ["permit2", "permit1", "permit0"]
    settle(process, "permit1", 1, LATER)
    later = LATER + MINUTE
    assert process.run(lambda store, tx: store.overdue(tx, later)) == ["permit2", "permit0"]
    assert process.run(lambda store, tx: store.settle(tx, "permit1", {}, later)) is None


def test_prompts_are_stopped_and_go_on(process: Process) -> None:
    """Each by its account; a transaction that comes to nothing stops nobody."""
    paused, ended = Standing(PAUSED, "too much"), Standing(ENDED, "enough")

    def fail(_store: object, tx: object) -> None:
        process.budgets.stop(tx, "prompt:c", paused)
        process.budgets.stop(tx, "prompt:a", None)
        raise LookupError

    process.run(lambda store, tx: store.stop(tx, "prompt:a", paused))
    process.run(lambda store, tx: store.stop(tx, "prompt:b", paused))
    process.run(lambda store, tx: store.stop(tx, "prompt:b", ended))
    with pytest.raises(LookupError):
        process.run(fail)
    assert process.run(lambda store, tx: store.stopped(tx, "prompt:")) == {"prompt:a": paused, "prompt:b": ended}
    process.run(lambda store, tx: store.stop(tx, "prompt:a", None))
    assert process.run(lambda store, tx: store.standing(tx, "prompt:a")) is None
    assert process.run(lambda store, tx: store.standing(tx, "prompt:b")) == ended


def test_people_are_told_once_until_an_instant(process: Process) -> None:
    """Unless the limit is raised; what comes to nothing has told nobody."""
    one = line(PROMPT, "", "EUR", 10)
    tell = lambda now: process.run(lambda store, tx: store.tell(tx, one.key, now, LATER))  # noqa: E731

    def fail(store: BudgetStore, tx: Transaction) -> None:
        assert store.tell(tx, one.key, NOON, LATER)
        raise LookupError

    with pytest.raises(LookupError):
        process.run(fail)
    assert [tell(at) for at in (NOON, NOON + 1, LATER - 1, LATER)] == [True, False, False, True]
    process.run(lambda store, tx: store.raise_limit(tx, one.key, 5, LATER))
    assert [tell(NOON), tell(NOON)] == [True, False]


@pytest.mark.parametrize(
    "window",
    [Window(DAY, "Europe/Berlin"), Window(MONTH), Window(SLIDING, seconds=60), Window(BUCKET, seconds=61, amount=61)],
    ids=lambda window: window.kind,
)
def test_a_window_is_empty_when_it_says_that_it_will_be(process: Process, window: Window) -> None:
    """Neither earlier nor later."""
    one = line(PERSON, "a", "actions", 61, window)
    assert reserve(process, path(one), 61, "a", unit="actions") is None
    resets = window.resets_ns(NOON, 61)
    assert resets is not None
    assert [shown(process, one, now=at)[0].used > 0 for at in (resets - 1, resets)] == [True, False]


def test_what_is_empty_in_ten_thousand_years_can_still_be_told() -> None:
    """A bucket that is overdrawn beyond all measure."""
    resets = Window(BUCKET, seconds=10**6, amount=1).resets_ns(NOON, CEILING)
    assert resets is not None
    assert time_text(resets) == "9999-12-31T23:59:59.000000000Z"


def test_meters_are_found_by_the_beginning_of_their_keys(process: Process) -> None:
    """And one that is cleared shows nothing."""
    lines = [line(PROMPT, "", "EUR", 10), line(PERSON, "a", "EUR", 10)]
    assert reserve(process, path(*lines), 3, "a") is None
    found = process.run(lambda store, tx: store.meters(tx, "prompt:", NOON))
    assert {key: one[1:] for key, one in found.items()} == {lines[0].key: (3, 3)}
    process.run(lambda store, tx: store.clear(tx, lines[0].key))
    assert [one.used for one in shown(process, *lines)] == [0, 3]


# Redis


def with_redis(folder: File, quotas: str) -> World:
    """A gateway whose budgets are on a server."""
    url = redis_server()
    if url is None:
        pytest.skip("no program of Redis or Valkey")
    store = f'store: {{kind: redis, url: "{url}", prefix: "{{{folder.name}}}"}}'
    return World.made(folder, f"{CONFIG}\nquotas: {{{quotas}, {store}}}\n")


def test_processes_together_spend_exactly_the_limit_on_one_server(tmp_path: File) -> None:
    """None too much, none lost."""
    world = with_redis(tmp_path, "max_actions_per_prompt: 50")
    reasons = spent(tmp_path, world.granted(), processes=2, threads=2, decisions=30)
    assert (reasons["passed"], reasons["cap_rate"], sum(reasons.values())) == (50, 1, 120)
    [balance] = world.gateway.admin.balance("p1")
    [actions] = [one for one in balance["lines"] if one["unit"] == "actions"]
    assert (actions["spent"] + actions["reserved"], actions["remaining"]) == (50, 0)


def test_a_gateway_settles_what_another_has_left(tmp_path: File) -> None:
    """Its own log says so, without a decision of its own."""
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = with_redis(tmp_path / "one", "max_actions_per_prompt: 5")
    config = (tmp_path / "one" / "agentic-governance.yaml").read_text()
    other = World.made(tmp_path / "other", config)
    permit = one.ask(one.granted()).permit_id
    other.clock.forward(700)
    other.granted(prompt_id="p2")
    record = other.records("outcome")[-1]
    assert (record["permit_id"], record["outcome"], record["decision_seq"]) == (permit, "expired", None)


def test_a_server_that_is_gone_denies_everything(tmp_path: File) -> None:
    """It is said at the start, and every decision is a deny."""
    started = start_server()
    if started is None:
        pytest.skip("no program of Redis or Valkey")
    url, server = started
    with pytest.raises(StoreError, match="cannot be reached"):
        RedisBudgets(f"unix://{tmp_path}/none")
    world = World.made(tmp_path, f'{CONFIG}\nquotas: {{store: {{kind: redis, url: "{url}"}}}}\n')
    token = world.granted()
    assert world.outcome(token) == ("permit", "passed")

    def fail(tx: Transaction) -> None:
        store = world.gateway.budgets.store
        assert store.reserve(tx, path(line(PROMPT, "", "EUR", 5)), {"EUR": 1}, NOON, "permit", NOON) is None
        server.terminate()
        server.wait()
        raise LookupError

    with pytest.raises(LookupError):
        world.gateway.state.store.transact(fail)
    assert world.outcome(token) == ("deny", "internal_error")


def test_a_reservation_that_another_gateway_prolongs_meanwhile_is_settled(
    tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its amount nor its new deadline stays."""
    one, other = (KINDS["redis"].start(tmp_path) for _ in range(2))
    wanted = line(PROMPT, "", "EUR", 10)
    assert reserve(one, path(wanted), 4, "permit") is None
    assert isinstance(one.budgets, RedisBudgets)
    client, later = one.budgets._client, [LATER]
    read = client.get

    def get(key: str) -> object:
        found = read(key)
        if later:
            other.budgets.prolong(None, "permit", later.pop())
        return found

    monkeypatch.setattr(client, "get", get)
    settle(one, "permit", 3)
    assert shown(other, wanted) == [Shown(10, 3, 0)]
    assert other.run(lambda store, tx: store.overdue(tx, LATER + MINUTE)) == []
    one.close()
    other.close()
