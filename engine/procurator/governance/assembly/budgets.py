"""Budgets as the configuration sets them up: units, limits, and where they are kept."""

from __future__ import annotations

from procurator.governance.budget.accounts import PROMPT, Limit, Paths
from procurator.governance.budget.stores import BudgetStore
from procurator.governance.budget.stores.memory import MemoryBudgets
from procurator.governance.budget.stores.redis import RedisBudgets
from procurator.governance.budget.stores.sqlite import SqliteBudgets
from procurator.governance.budget.units import ACTIONS, COMPUTE_TOKENS, REPLANS, UNPROVEN, Units
from procurator.governance.budget.windows import BUCKET, Window
from procurator.governance.config.settings import GatewayConfig, Quotas
from procurator.governance.store import Store


def paths_of(config: GatewayConfig) -> Paths:
    """The limits, and the units that are known."""
    units = Units(config.quotas.units)
    replans = Limit(PROMPT, units[REPLANS], Window(), config.replanning.max_per_prompt)
    return Paths(_limits(config.quotas, units), units, [replans])


def budgets_of(config: GatewayConfig, store: Store) -> BudgetStore:
    """Where meters and reservations are kept.

    Raises:
        StoreError: it cannot be opened.
    """
    wanted = config.quotas.store
    if wanted.url is not None:
        return RedisBudgets(wanted.url, wanted.prefix)
    return MemoryBudgets() if wanted.kind == "memory" else SqliteBudgets(store)


def _limits(quotas: Quotas, units: Units) -> list[Limit]:
    usual = {ACTIONS: quotas.max_actions_per_prompt, COMPUTE_TOKENS: quotas.max_compute_tokens}
    soft = quotas.soft_percent
    limits = [Limit(PROMPT, units[unit], Window(), amount, _part(amount, soft)) for unit, amount in usual.items()]
    for one in quotas.limits:
        amount = units[one.unit].amount(one.amount)
        holds = amount if one.window == BUCKET else 0
        window = Window(one.window, one.time_zone, one.seconds or 0, holds)
        limits.append(Limit(one.scope, units[one.unit], window, amount, _part(amount, one.soft_percent or soft)))
    return [*limits, Limit(PROMPT, units[UNPROVEN], Window(), quotas.runaway_agents)]


def _part(amount: int, percent: int) -> int | None:
    """The soft limit; none where nothing may be spent anyway."""
    return -(-amount * percent // 100) if amount else None
