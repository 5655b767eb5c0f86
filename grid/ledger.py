"""Money of one symbol, exactly: what was earned, what it cost, and what must tie with the venue (invariant 9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from grid.instrument import Instrument
from grid.lot import Fees, Lot, add_fees

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Totals since the journal began, in quote currency; fees by asset.

    `realised` is exit proceeds minus the cost of what they closed, before fees: the grid's gross profit.
    `realised_fees` are the fees on both sides of what was closed. `cash` is everything that our own fills and funding
    moved, `foreign_cash` what the foreign part moved, fees apart in both. `adjusted` is the cost that lots were given
    (or lost) without a fill, by adoption or mending. So, with sign +1 for a long grid and -1 for a short one, exactly:
    cash = realised + funding - sign * (cost of open lots - adjusted).
    """

    realised: Decimal = ZERO
    realised_fees: Fees = ()
    fees: Fees = ()
    funding: Decimal = ZERO
    cash: Decimal = ZERO
    foreign_cash: Decimal = ZERO
    foreign_fees: Fees = ()
    adjusted: Decimal = ZERO
    round_trips: int = 0
    entry_fills: int = 0
    exit_fills: int = 0
    taker_fills: int = 0
    volume: Decimal = ZERO

    def net_realised(self, asset: str) -> Decimal:
        """Return gross profit minus the fees of what was closed, those paid in `asset`."""
        return self.realised - dict(self.realised_fees).get(asset, ZERO)

    def fees_in(self, asset: str) -> Decimal:
        """Return all fees paid in the asset."""
        return dict(self.fees).get(asset, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """A symbol's money at a mark. `total` stands beside `grid`: profit that waits in losing lots is no profit."""

    grid: Decimal
    unrealised: Decimal
    funding: Decimal
    total: Decimal
    lots: int
    quantity: int
    cost: Decimal


@dataclass(slots=True)
class MutableTotals:
    """Counts by name that change no money: latecomers, repairs, rejects."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str) -> None:
        """Count one more."""
        self.counts[what] = self.counts.get(what, 0) + 1


def value(ledger: Ledger, lots: list[Lot], mark: Decimal, sign: int, instrument: Instrument) -> Valuation:
    """Return the symbol's money with its lots at the mark; `sign` is +1 for a long grid and -1 for a short one."""
    quantity = sum(lot.quantity for lot in lots)
    cost = sum((lot.cost for lot in lots), ZERO)
    unrealised = sign * (mark * instrument.quantity(quantity) - cost)
    fees = ledger.fees_in(instrument.quote)
    grid = ledger.net_realised(instrument.quote)
    return Valuation(
        grid=grid,
        unrealised=unrealised,
        funding=ledger.funding,
        total=ledger.realised - fees + ledger.funding + unrealised,
        lots=len(lots),
        quantity=quantity,
        cost=cost,
    )


def fees_of(asset: str, amount: Decimal) -> Fees:
    """Return the fee of one fill as `Fees`; none where it is zero."""
    return ((asset, amount),) if amount else ()


def with_fees(fees: Fees, asset: str, amount: Decimal) -> Fees:
    """Return the fees with one more."""
    return add_fees(fees, fees_of(asset, amount))
