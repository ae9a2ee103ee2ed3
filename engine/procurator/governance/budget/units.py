"""What is spent: units, exact amounts of them, and what an action costs.

Amounts are whole numbers of the smallest part of their unit, so that sums have no rounding: a billionth for money and
time, one for what is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from types import MappingProxyType
from typing import Any, Final

from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import Amount
from procurator.numbers import Number, number

ACTIONS: Final = "actions"
AGENTS: Final = "agents"
COMPUTE_TOKENS: Final = "compute_tokens"
UNPROVEN: Final = "unproven_agents"
"""Agents spawned since an action of the prompt last succeeded: what runs away is seen by this."""
REPLANS: Final = "replans"
MONEY: Final = "money"

RATE: Final = "rate"
VALUE: Final = "value"

PLACES: Final = 9
"""Decimal places of what is not counted in whole numbers."""

MOST: Final = 10**18
"""The most of a unit, in its smallest part, that one amount may be: sums of several still have 64 bits."""

CURRENCIES: Final[frozenset[str]] = frozenset(
    re.findall(
        "[A-Z]{3}",
        """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
        CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
        HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
        MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
        RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
        TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
        """,
    )
)
"""The currencies of ISO 4217 that money is paid in."""

UNIT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

_EXACT: Final = Context(prec=80, traps=[Inexact, InvalidOperation, Overflow])


@dataclass(frozen=True, slots=True)
class Unit:
    """Something of which an amount can be spent.

    Attributes:
        name: its name; for money the currency.
        places: how many decimal places an amount may have.
        dimension: `rate` for what the gateway counts by itself, `value` for what callers estimate and report.
    """

    name: str
    places: int = PLACES
    dimension: str = VALUE

    def amount(self, value: Any) -> int:
        """An int, a Decimal or a decimal text as a whole number of the smallest part.

        Raises:
            ValueError: it is negative, no number, too large, or has too many places; the text says which.
        """
        parts = value if type(value) is int and not self.places else self._scaled(value)
        if parts < 0:
            raise ValueError("is negative")
        if parts > MOST:
            raise ValueError("is too large")
        return parts

    def _scaled(self, value: Any) -> int:
        if type(value) not in (int, str, Decimal):
            raise ValueError("is no amount: a whole number or a decimal text is wanted")
        try:
            scaled = _EXACT.scaleb(_EXACT.create_decimal(value), self.places)
            whole = scaled.to_integral_value()
        except (Inexact, InvalidOperation, Overflow):
            raise ValueError("is no amount: a whole number or a decimal text is wanted") from None
        if not scaled.is_finite() or abs(scaled) > 10 * MOST:
            raise ValueError("is too large" if scaled > 0 else "is negative" if scaled < 0 else "is no amount")
        if whole != scaled:
            raise ValueError(f"has more than {self.places} decimal places" if self.places else "is no whole number")
        return int(whole)

    def text(self, parts: int) -> str:
        """The decimal text of an amount, without zeros at the end."""
        if not self.places:
            return str(parts)
        whole, rest = divmod(abs(parts), 10**self.places)
        digits = f"{whole}.{rest:0{self.places}d}".rstrip("0").rstrip(".") if rest else str(whole)
        return f"-{digits}" if parts < 0 else digits

    def number(self, parts: int) -> Number:
        """An amount as policies see it."""
        return number(Decimal(self.text(parts))) if self.places else parts


BUILT_IN: Final = (
    Unit(ACTIONS, 0, RATE),
    Unit(AGENTS, 0, RATE),
    Unit(UNPROVEN, 0, RATE),
    Unit(REPLANS, 0, RATE),
    Unit(COMPUTE_TOKENS, 0),
    Unit("seconds"),
)

ALIASES: Final[Mapping[str, str]] = MappingProxyType({"tokens": COMPUTE_TOKENS})
"""Other names that callers may use."""


class Units:
    """The units that are known; callers write money as an amount with its currency."""

    def __init__(self, added: Iterable[str] = ()) -> None:
        """The units there are anyway, and others by their names."""
        names = [*BUILT_IN, *(Unit(name) for name in added)]
        self._units: dict[str, Unit] = {unit.name: unit for unit in names} | {code: Unit(code) for code in CURRENCIES}

    def find(self, name: str) -> Unit | None:
        """The unit with a name, or None."""
        return self._units.get(name)

    def __getitem__(self, name: str) -> Unit:
        """The unit with a name, which has to be known."""
        return self._units[name]

    def granted(self, name: str, amount: Amount, link: int | None = None) -> tuple[Unit, int]:
        """A unit that the budget of a token names, and how much of it that is, in its smallest part.

        Args:
            name: the unit.
            amount: how much.
            link: which link of the chain has the budget, for the refusal.

        Raises:
            Refused: `cost_unknown`: the unit is not known, or the amount is none of it.
        """
        unit = self.find(name)
        if unit is None:
            raise Refused("cost_unknown", f"the budget names `{name}`, which is no unit that is known", link=link)
        try:
            return unit, unit.amount(amount)
        except ValueError as error:
            raise Refused("cost_unknown", f"the budget of `{name}` {error}", link=link) from None

    def cost(self, given: Mapping[str, Any], member: str) -> dict[str, int]:
        """What a caller says that an action costs, by unit.

        Args:
            given: amounts by unit, money with its currency.
            member: where they stand, for the refusal.

        Raises:
            Refused: `cost_unknown`: a unit or a currency is not known, or an amount is none.
        """
        cost: dict[str, int] = {}
        for name, value in given.items():
            unit, amount = self._priced(name, value, member)
            if unit.name in cost:
                raise _unknown(member, name, f"names `{unit.name}` twice")
            try:
                cost[unit.name] = unit.amount(amount)
            except ValueError as error:
                raise _unknown(member, name, str(error)) from None
        return cost

    def _priced(self, name: str, value: Any, member: str) -> tuple[Unit, Any]:
        if name == MONEY:
            if not isinstance(value, Mapping) or value.keys() != {"amount", "currency"}:
                raise _unknown(member, name, "is no amount with a currency")
            if value["currency"] not in CURRENCIES:
                raise _unknown(member, name, "has an unknown currency")
            return self[value["currency"]], value["amount"]
        unit = self.find(ALIASES.get(name, name))
        if unit is None or name in CURRENCIES:
            raise _unknown(member, name, "is no unit that is known")
        if unit.dimension == RATE:
            raise _unknown(member, name, "is counted by the gateway")
        return unit, value


def _unknown(member: str, name: str, problem: str) -> Refused:
    return Refused("cost_unknown", f"`{member}.{name}` {problem}", field=f"$.{member}.{name}")
