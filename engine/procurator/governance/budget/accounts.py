"""Who pays: the accounts of an action from the widest to the narrowest, and the limits that each has.

An action is paid from the account of its tenant, its person, its prompt and every delegation of its chain. Each limit
is a line; the lines of a chain are its path, and an action has to fit into all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from procurator.governance.budget.meters import Shown
from procurator.governance.budget.units import AGENTS, CURRENCIES, RATE, UNPROVEN, Unit, Units
from procurator.governance.budget.windows import Window, window_of
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.tokens import Principal
from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import Amount
from procurator.governance.strict_json import canonical

TENANT: Final = "tenant"
PERSON: Final = "person"
PROMPT: Final = "prompt"
DELEGATION: Final = "delegation"

SCOPES: Final = (TENANT, PERSON, PROMPT)
"""The accounts that the configuration may limit; those of delegations have their limits in their tokens."""

PROMPTS_KEPT: Final = 10_000
LIVES: Final = Window()
SEPARATOR: Final = "\t"


@dataclass(frozen=True, slots=True)
class Limit:
    """How much may be spent.

    Attributes:
        scope: one of `SCOPES`: of each tenant, each person, each prompt.
        unit: of what.
        window: in which time.
        amount: how much, in the smallest part of the unit.
        soft: from how much on there are warnings; None for none.
    """

    scope: str
    unit: Unit
    window: Window
    amount: int
    soft: int | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """What it limits, whatever the amount: each account has one meter for it."""
        return self.scope, self.unit.name, self.window.name


@dataclass(frozen=True)
class Account:
    """Who pays.

    Attributes:
        scope: `TENANT`, `PERSON`, `PROMPT` or `DELEGATION`.
        id: the issuer, the subject, the prompt, the `jti` of the token.
        owner: whose it is: issuer and subject of the person for a prompt, the issuer for a person.
    """

    scope: str
    id: str
    owner: str = ""

    @cached_property
    def key(self) -> str:
        """Names it among all accounts."""
        return f"{self.scope}:{self.id} {self.owner}" if self.owner else f"{self.scope}:{self.id}"


@dataclass(frozen=True, eq=False)
class Line:
    """One limit of one account.

    Attributes:
        account: whose.
        unit: of what.
        window: in which time.
        limit: how much may be used; None where it is only counted.
        soft: from how much on there are warnings; None for none.
    """

    account: Account
    unit: Unit
    window: Window = LIVES
    limit: int | None = None
    soft: int | None = None

    @cached_property
    def key(self) -> str:
        """Names its meter in the stores."""
        return meter_key(self.account.key, self.unit.name, self.window)

    def document(self, shown: Shown) -> dict[str, Any]:
        """What policies see of it."""
        unit, limit, used, reserved = self.unit, *shown
        return {
            "scope": self.account.scope,
            "id": self.account.id,
            "unit": unit.name,
            "window": self.window.wire,
            "limit": None if limit is None else unit.number(limit),
            "spent": unit.number(used - reserved),
            "reserved": unit.number(reserved),
            "remaining": None if limit is None else unit.number(limit - used),
        }

    def soft_of(self, shown: Shown) -> int | None:
        """From how much on there are warnings, where the limit may have been raised: then so much higher."""
        if self.soft is None or not self.limit or shown.limit is None or shown.limit == self.limit:
            return self.soft
        return -(-shown.limit * self.soft // self.limit)

    @cached_property
    def _record(self) -> tuple[str, str]:
        """What a record says of it, around the amounts."""
        return (
            f'"id":{canonical(self.account.id)},"limit":',
            f'"scope":"{self.account.scope}","unit":"{self.unit.name}","window":"{self.window.wire}"}}',
        )

    def record(self, shown: Shown, cost: int) -> str:
        """What a record says of a reservation: canonical JSON."""
        limit, used, _ = shown
        begin, end = self._record
        text = self.unit.text
        most = "null" if limit is None else text(limit)
        return f'{{"after":{text(used + cost)},"before":{text(used)},{begin}{most},"reserved":{text(cost)},{end}'


@dataclass(frozen=True, eq=False)
class Path:
    """The lines that an action has to fit into, from the widest account to the narrowest.

    Attributes:
        lines: the lines.
        prompt: the account of the prompt.
    """

    lines: tuple[Line, ...]
    prompt: Account

    @cached_property
    def warned_of(self) -> tuple[tuple[int, Line, int], ...]:
        """The numbers of the lines with a soft limit, these lines, and the limit."""
        return tuple((at, line, line.soft) for at, line in enumerate(self.lines) if line.soft is not None)

    @cached_property
    def prompt_key(self) -> str:
        """The key of the account of the prompt."""
        return self.prompt.key

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The names of the meters."""
        return tuple(line.key for line in self.lines)


@lru_cache(PROMPTS_KEPT)
def prompt_account(principal: Principal, prompt_id: str) -> Account:
    """Who pays for a prompt; two persons may call theirs the same."""
    return Account(PROMPT, prompt_id, f"{principal.issuer} {principal.subject}")


def prompt_of(account: str) -> tuple[str, Principal]:
    """The prompt and the person of the key of such an account."""
    prompt_id, issuer, subject = account.removeprefix(f"{PROMPT}:").split(" ", 2)
    return prompt_id, Principal(issuer, subject)


def meter_key(account: str, unit: str, window: Window = LIVES) -> str:
    """The key of a meter; without a window that of what is counted for as long as the account lives."""
    return SEPARATOR.join((account, unit, window.name))


def split_key(key: str) -> tuple[str, str, Window]:
    """The key of the account, the name of the unit and the window of a meter."""
    account, unit, window = key.rsplit(SEPARATOR, 2)
    return account, unit, window_of(window)


class Paths:
    """Makes paths from what the configuration limits and what tokens do.

    Attributes:
        units: what is known.
    """

    def __init__(self, limits: Iterable[Limit], units: Units, seldom: Iterable[Limit] = ()) -> None:
        """Keep the limits.

        Args:
            limits: of the configuration; where several are for the same, the strictest holds.
            units: what is known.
            seldom: those that only what costs something of their unit has to fit into.
        """
        usual, others = list(limits), list(seldom)
        every, places = _strictest([*usual, *others]), {limit.place for limit in usual}
        self._limits = tuple(limit for limit in every if limit.place in places)
        self._seldom = {
            other.unit.name: tuple(limit for limit in every if limit.place in places or limit.unit == other.unit)
            for other in others
        }
        self.units = units
        self._priced = frozenset(limit.unit.name for limit in self._limits) & CURRENCIES

    def of_chain(self, chain: Chain, units: Sequence[str]) -> Path:
        """The path of an action under a chain, which costs something of some units.

        Raises:
            Refused: `cost_unknown`: a budget names a unit that is not known, or money is limited in other currencies.
        """
        lines, prompt = self._above(chain.principal, chain.task, units)
        for at, link in enumerate(chain.links):
            if link.budget is not None:
                account = Account(DELEGATION, link.token_id)
                lines += self._of_budget(account, link.budget, units, at)
        return Path(tuple(lines), prompt)

    def of_person(self, principal: Principal, prompt_id: str, units: Sequence[str]) -> Path:
        """The path of what a person does by delegating for a prompt.

        Raises:
            Refused: `cost_unknown`.
        """
        lines, prompt = self._above(principal, prompt_id, units)
        return Path(tuple(lines), prompt)

    def _above(self, principal: Principal, prompt_id: str, units: Sequence[str]) -> tuple[list[Line], Account]:
        """The lines above the tokens; each unit is counted for the prompt, limited or not."""
        for unit in units:
            if unit in CURRENCIES and self._priced and unit not in self._priced:
                raise Refused("cost_unknown", f"money is limited in other currencies than `{unit}`")
        prompt = prompt_account(principal, prompt_id)
        accounts = {
            TENANT: Account(TENANT, principal.issuer),
            PERSON: Account(PERSON, principal.subject, principal.issuer),
            PROMPT: prompt,
        }
        limits = next((self._seldom[unit] for unit in units if unit in self._seldom), self._limits)
        lines = [
            Line(accounts[scope], limit.unit, limit.window, limit.amount, limit.soft)
            for scope in SCOPES
            for limit in limits
            if limit.scope == scope
        ]
        counted = {line.unit.name for line in lines if line.account is prompt and line.window == LIVES}
        return lines + [Line(prompt, self.units[name]) for name in units if name not in counted], prompt

    def _of_budget(
        self, account: Account, budget: Mapping[str, Amount], units: Sequence[str], link: int
    ) -> Iterable[Line]:
        """What a token may spend: of units that it does not name nothing, but for those the gateway counts."""
        for name, amount in budget.items():
            unit, granted = self.units.granted(name, amount, link)
            yield Line(account, unit, LIVES, granted)
        for name in units:
            if name not in budget and self.units[name].dimension != RATE:
                yield Line(account, self.units[name], LIVES, 0)


def _strictest(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The limits, of those for one meter the least: what is spent is booked on each meter once."""
    found: dict[tuple[str, str, str], Limit] = {}
    for limit in limits:
        if limit.place not in found or limit.amount < found[limit.place].amount:
            found[limit.place] = limit
    return tuple(found.values())


SPAWNING: Final = (AGENTS, UNPROVEN)
"""What is counted for each agent that is spawned."""
