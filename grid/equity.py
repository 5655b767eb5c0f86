"""The equity tie (invariant 9): our cash flow and positions at mark against wallet and unrealised at the same mark."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from grid.account_book import AccountBook
from grid.instrument import Instrument
from grid.ledger import value
from grid.symbol_book import SymbolBook

FILLED_KINDS = ("REALIZED_PNL", "COMMISSION", "FUNDING_FEE")
"""Income that our own book of a symbol already holds, as cash flow, fees and funding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """One reading of the account against the book, in quote currency."""

    at_ms: int
    venue: Decimal
    ours: Decimal

    @property
    def unexplained(self) -> Decimal:
        """Return what the venue has more than the book accounts for."""
        return self.venue - self.ours


def own_flow(book: SymbolBook, instrument: Instrument, mark: Decimal) -> Decimal:
    """Return what the symbol brought in quote currency, its whole position valued at the mark, foreign included.

    Fees paid in another asset leave another wallet and are not in it.
    """
    ledger, quote = book.ledger, instrument.quote
    fees = ledger.fees_in(quote) + dict(ledger.foreign_fees).get(quote, Decimal(0))
    return ledger.cash + ledger.foreign_cash - fees + mark * instrument.quantity(book.expected_position())


def fees_paid(books: Collection[SymbolBook], asset: str) -> Decimal:
    """Return the fees of all fills booked, foreign ones included, in the asset."""
    return sum(
        (book.ledger.fees_in(asset) + dict(book.ledger.foreign_fees).get(asset, Decimal(0)) for book in books),
        Decimal(0),
    )


def moved(account: AccountBook, own_symbols: Collection[str], quote: str) -> Decimal:
    """Return what income since the baseline moved that no book of ours holds: transfers, bonuses, other symbols."""
    return sum(
        (
            amount
            for (kind, symbol, asset), amount in account.totals.items()
            if asset == quote and not (symbol in own_symbols and kind in FILLED_KINDS)
        ),
        Decimal(0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFees:
    """Fees in assets other than the quote: their worth at the journalled rates, and the amounts without a rate."""

    worth: Decimal
    unvalued: tuple[tuple[str, Decimal], ...]


def other_fees(book: SymbolBook, quote: str, account: AccountBook) -> OtherFees:
    """Value the symbol's fees that were paid in another asset."""
    worth, unvalued = Decimal(0), []
    for asset, amount in book.ledger.fees:
        if asset == quote:
            continue
        rate = account.rates.get(asset)
        if rate is None:
            unvalued.append((asset, amount))
        else:
            worth += amount * rate.rate
    return OtherFees(worth=worth, unvalued=tuple(unvalued))


def total_profit(
    book: SymbolBook, instrument: Instrument, mark: Decimal | None, account: AccountBook
) -> Decimal | None:
    """Return total profit, fees that have a value and funding in it; None where lots wait for a mark."""
    lots = [lot for _, lot in book.lots()]
    if lots and mark is None:
        return None
    worth = value(book.ledger, lots, mark if mark is not None else Decimal(0), book.held_sign, instrument)
    return worth.total - other_fees(book, instrument.quote, account).worth


def index_of(marks: Mapping[str, Decimal], anchors: Mapping[str, Decimal], signs: Mapping[str, int]) -> Decimal | None:
    """Return how far the symbols' prices stand from their first anchors, as the mean of their ratios.

    A short grid counts by the inverse, so that a rise is good for every grid in it. None where a mark is unknown.
    """
    if not anchors or any(symbol not in marks for symbol in anchors):
        return None
    ratios = [
        marks[symbol] / anchor if signs[symbol] > 0 else anchor / marks[symbol] for symbol, anchor in anchors.items()
    ]
    return sum(ratios, Decimal(0)) / len(ratios)
