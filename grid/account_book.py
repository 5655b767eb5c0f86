"""The part of the book that belongs to no symbol: what the account's own records add up to."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal

from grid.account_records import (
    AccountRecord,
    BreakerSet,
    DayOpened,
    EquityBaseline,
    IncomeBooked,
    PeakSet,
    RateSet,
    SymbolJoined,
    SymbolLeft,
)

INCOME_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeTotal:
    """The sum of the rows of one kind, symbol and asset since the baseline."""

    kind: str
    symbol: str
    asset: str
    amount: Decimal


@dataclass(slots=True)
class AccountBook:
    """Breakers by scope (empty: the account), the day, the equity tie's baseline, and income since then."""

    breakers: dict[str, BreakerSet] = field(default_factory=dict)
    day: DayOpened | None = None
    peak: Decimal | None = None
    baseline: EquityBaseline | None = None
    rates: dict[str, RateSet] = field(default_factory=dict)
    totals: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    """Income by (kind, symbol, asset)."""
    rows: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)
    income_ms: int = 0
    """Venue time of the newest row."""

    roster: dict[str, SymbolJoined | SymbolLeft] = field(default_factory=dict)
    """Symbols that were added to or removed from a running deployment, by the last word about each, oldest first."""

    def apply(self, record: AccountRecord) -> None:
        """Change by one record. A row of income that is known already changes nothing."""
        match record:
            case BreakerSet():
                self.breakers[record.symbol] = record
            case DayOpened():
                self.day = record
            case PeakSet(equity=equity):
                self.peak = equity
            case EquityBaseline():
                self.baseline = record
            case RateSet():
                self.rates[record.asset] = record
            case SymbolJoined() | SymbolLeft():
                self.roster.pop(record.symbol, None)
                self.roster[record.symbol] = record
            case IncomeBooked():
                self._book(record)

    def knows(self, kind: str, transaction_id: str) -> bool:
        """Whether the row is booked."""
        return (kind, transaction_id) in self.rows

    def income(self, kind: str, asset: str) -> Decimal:
        """Return the sum of a kind over all symbols in an asset."""
        return sum((a for (k, _, unit), a in self.totals.items() if (k, unit) == (kind, asset)), Decimal(0))

    def remember(self, rows: tuple[tuple[str, str], ...], totals: tuple[IncomeTotal, ...]) -> None:
        """Put back what a snapshot kept of income."""
        self.rows = OrderedDict.fromkeys(rows)
        self.totals = {(total.kind, total.symbol, total.asset): total.amount for total in totals}

    def _book(self, record: IncomeBooked) -> None:
        row = (record.kind, record.transaction_id)
        if row in self.rows:
            return
        self.rows[row] = None
        self.income_ms = max(self.income_ms, record.venue_ms)
        if len(self.rows) > INCOME_REMEMBERED:
            self.rows.popitem(last=False)
        key = (record.kind, record.symbol, record.asset)
        self.totals[key] = self.totals.get(key, Decimal(0)) + record.amount
