"""What is at stake on each symbol: the sum that the account's cap bounds."""

from __future__ import annotations

from decimal import Decimal

from exchanges.desk.core import Core
from grid.slot import Phase
from grid.symbol_book import OrderEntry, SymbolBook
from risk.limits import SymbolExposure

ZERO = Decimal(0)


def exposures(core: Core) -> list[SymbolExposure]:
    """Return one for each symbol of the book, former ones too; only those whose book has changed are reckoned anew."""
    return [_kept(core, book) for book in core.book.symbols.values() if book.generations]


def _kept(core: Core, book: SymbolBook) -> SymbolExposure:
    rules = core.symbols.get(book.symbol)
    kept = core.exposures.get(book.symbol)
    if kept is None or kept[0] is not rules:
        kept = core.exposures[book.symbol] = rules, exposure(core, book)
    return kept[1]


def exposure(core: Core, book: SymbolBook) -> SymbolExposure:
    """Return what is at stake. A symbol that the configuration names no more has lots, and no entries."""
    lots_cost = sum((lot.cost for _, lot in book.lots()), start=ZERO)
    known = core.symbols.get(book.symbol)
    if known is None:
        return SymbolExposure(lots_cost=lots_cost, entries_notional=ZERO)
    live = [order for order in core.book.live_orders(book.symbol) if not order.purpose.closing]
    notional = known.instrument.notional
    return SymbolExposure(
        lots_cost=lots_cost,
        entries_notional=sum(
            (
                *(notional(order.price, order.quantity - order.booked) for order in live),
                # What is over and not settled has bought something that no lot shows yet.
                *(notional(order.price, order.missing) for order in _unsettled_entries(core, book)),
            ),
            start=ZERO,
        ),
    )


def _unsettled_entries(core: Core, book: SymbolBook) -> list[OrderEntry]:
    orders = [s.order for s in book.slots.values() if s.phase is Phase.SETTLING and s.has_live_entry]
    return [core.book.orders[order.client_id] for order in orders if order is not None]
