"""Journal records of the account's own money: breakers, the day's opening, the equity tie, income and rates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSet:
    """Where a breaker stands; `symbol` empty is the account. `kind` empty: nothing has tripped.

    `base` is the profit that it measures from and `peak` the highest since; `price` is the symbol's at the trip.
    """

    symbol: str
    base: Decimal
    peak: Decimal
    kind: str = ""
    reason: str = ""
    price: Decimal | None = None
    at_ms: int = 0
    is_selling: bool = False
    """The lots in its scope are being sold; a restart goes on with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOpened:
    """The day of the loss limit (days since the epoch, UTC), its first equity, and the equity that tripped it."""

    day: int
    opening: Decimal
    tripped_at: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakSet:
    """The highest equity that the drawdown rule measures from."""

    equity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityBaseline:
    """What the account held apart from our own cash flow when the journal first tied with it, in quote currency.

    `fees` is what our fills had paid in that currency by then; rows of income up to `venue_ms` are in `amount`.
    """

    amount: Decimal
    fees: Decimal
    venue_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeBooked:
    """A row of the venue's ledger, identified by (kind, transaction_id)."""

    kind: str
    transaction_id: str
    symbol: str
    asset: str
    amount: Decimal
    venue_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSet:
    """What one unit of an asset that fees are paid in is worth in quote currency."""

    asset: str
    rate: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolJoined:
    """A symbol was added while the deployment ran. `run` names that run, `ladder` is the symbol's configuration."""

    symbol: str
    run: str
    ladder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolLeft:
    """A symbol is being removed while the deployment runs; lots may be left. `mode`: keep, leave_exits or flatten."""

    symbol: str
    run: str
    ladder: str
    mode: str
    is_verified: bool = False
    """What had to go is verified gone at the venue."""


AccountRecord = BreakerSet | DayOpened | PeakSet | EquityBaseline | IncomeBooked | RateSet | SymbolJoined | SymbolLeft
