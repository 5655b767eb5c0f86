"""What one fill or funding payment does to lots, foreign quantity and ledger (rules 13, 14, 17, 21).

All lots of a symbol are of one side at every moment: a venue in one-way mode nets a long and a short one, and so does
the book.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from grid.ledger import fees_of, with_fees
from grid.lot import Fees, Lot, add_fees, share
from grid.order import Fill, Purpose
from grid.records import FundingBooked
from grid.slot import SlotKey
from grid.symbol_book import OrderEntry, SymbolBook

_SMALLEST = Decimal("1e-12")


def book_own(symbol: SymbolBook, order: OrderEntry, fill: Fill) -> tuple[SlotKey, ...]:
    """Book a fill of an order of ours: an entry grows its slot's lot, anything else closes lots."""
    notional = notional_of(symbol, fill)
    ledger = symbol.ledger
    symbol.ledger = replace(
        ledger,
        fees=with_fees(ledger.fees, fill.fee_asset, fill.fee),
        cash=ledger.cash - fill.side.sign * notional,
        volume=ledger.volume + notional,
        taker_fills=ledger.taker_fills + (0 if fill.is_maker else 1),
        entry_fills=ledger.entry_fills + (0 if order.purpose.closing else 1),
        exit_fills=ledger.exit_fills + (1 if order.purpose.closing else 0),
    )
    if not order.purpose.closing and order.key is not None:
        return _open(symbol, order.key, order.target, fill, notional)
    if order.purpose is Purpose.EXIT and order.key is not None:
        return _close(symbol, [order.key], fill, notional)
    # What the desk sells for certain slots comes off their lots first; it owns no other's while those last.
    rest = [key for key, _ in symbol.lots_from_the_top() if key not in order.closes]
    return _close(symbol, [*order.closes, *rest], fill, notional)


def book_foreign(symbol: SymbolBook, fill: Fill) -> tuple[SlotKey, ...]:
    """Book a fill that is not ours: it changes foreign.

    What it closes beyond foreign comes off our lots, at its price and fee.
    """
    notional = notional_of(symbol, fill)
    held_sign = symbol.held_sign
    closes_grid = fill.side.sign == -held_sign
    held_by_others = max(0, held_sign * symbol.foreign)
    beyond = min(max(0, fill.quantity - held_by_others), symbol.lot_steps()) if closes_grid else 0
    symbol.foreign += fill.side.sign * (fill.quantity - beyond)
    ours = share(notional, beyond, fill.quantity) if beyond else Decimal(0)
    fee = share(fill.fee, beyond, fill.quantity) if beyond else Decimal(0)
    ledger = symbol.ledger
    symbol.ledger = replace(
        ledger,
        fees=with_fees(ledger.fees, fill.fee_asset, fee),
        cash=ledger.cash - fill.side.sign * ours,
        foreign_cash=ledger.foreign_cash - fill.side.sign * (notional - ours),
        foreign_fees=with_fees(ledger.foreign_fees, fill.fee_asset, fill.fee - fee),
        volume=ledger.volume + ours,
    )
    if not beyond:
        return ()
    part = replace(fill, quantity=beyond, fee=fee)
    return _close(symbol, [key for key, _ in symbol.lots_from_the_top()], part, ours)


def book_funding(symbol: SymbolBook, record: FundingBooked) -> tuple[SlotKey, ...]:
    """Share a funding payment by signed quantity held; the remainder goes to the largest lot, foreign takes its share.

    A payment that finds neither lots nor foreign (they were sold since) is the grid's.
    """
    lots = sorted(symbol.lots(), key=lambda pair: (pair[1].quantity, pair[0]))
    held = symbol.held_sign * symbol.expected_position()
    total = share(record.amount, symbol.lot_steps(), held) if held else record.amount
    ledger = symbol.ledger
    symbol.ledger = replace(
        ledger,
        funding=ledger.funding + total,
        cash=ledger.cash + total,
        foreign_cash=ledger.foreign_cash + record.amount - total,
    )
    if not lots:
        return ()
    left = total
    for key, lot in lots[:-1]:
        part = (total * lot.quantity / symbol.lot_steps()).quantize(_SMALLEST, rounding=ROUND_DOWN)
        left -= part
        _replace_lot(symbol, key, replace(lot, funding=lot.funding + part))
    key, largest = lots[-1]
    _replace_lot(symbol, key, replace(largest, funding=largest.funding + left))
    return tuple(key for key, _ in lots)


def set_lot(symbol: SymbolBook, key: SlotKey, lot: Lot | None) -> None:
    """Give a slot a lot, or take it away, without a fill: what that changes in cost is `adjusted`, not profit."""
    before = symbol.slot(key).lot
    change = (lot.cost if lot is not None else Decimal(0)) - (before.cost if before is not None else Decimal(0))
    symbol.ledger = replace(symbol.ledger, adjusted=symbol.ledger.adjusted + change)
    _replace_lot(symbol, key, lot)


def notional_of(symbol: SymbolBook, fill: Fill) -> Decimal:
    """Return price times quantity of the fill in quote currency, by the current generation's units."""
    units = symbol.generation
    return units.tick * fill.price * (units.step * fill.quantity)


def _open(symbol: SymbolBook, key: SlotKey, target: int, fill: Fill, notional: Decimal) -> tuple[SlotKey, ...]:
    """Book what an entry traded: lots of the other side are closed by it first, the rest makes a lot.

    Only an entry that comes to light after its neutral grid has turned around can meet any.
    """
    held = symbol.lot_steps() if symbol.held_sign != symbol.side_of(key).sign else 0
    netted = min(fill.quantity, held)
    if not netted:
        return _grow(symbol, key, target, fill, notional)
    proceeds, fee = share(notional, netted, fill.quantity), share(fill.fee, netted, fill.quantity)
    part = replace(fill, quantity=netted, fee=fee)
    changed = _close(symbol, [one for one, _ in symbol.lots_from_the_top()], part, proceeds)
    if netted == fill.quantity:
        return changed
    rest = replace(fill, quantity=fill.quantity - netted, fee=fill.fee - fee)
    return (*changed, *_grow(symbol, key, target, rest, notional - proceeds))


def _grow(symbol: SymbolBook, key: SlotKey, target: int, fill: Fill, notional: Decimal) -> tuple[SlotKey, ...]:
    fees = fees_of(fill.fee_asset, fill.fee)
    lot = symbol.slot(key).lot
    if lot is None:
        lot = Lot(quantity=fill.quantity, cost=notional, target=target, fees=fees, opened_ms=fill.venue_ms)
    else:
        lot = lot.grown(fill.quantity, notional, fees)
    _replace_lot(symbol, key, lot)
    return (key,)


def _close(symbol: SymbolBook, keys: list[SlotKey], fill: Fill, notional: Decimal) -> tuple[SlotKey, ...]:
    """Take the fill's quantity off the slots' lots in order; what no lot covers changes foreign, its money too."""
    left, notional_left, fee_left, changed = fill.quantity, notional, fill.fee, []
    for key in keys:
        lot = symbol.slot(key).lot
        if lot is None or not left:
            continue
        taken = min(left, lot.quantity)
        leaving, staying = lot.split(taken)
        proceeds, fee = share(notional_left, taken, left), share(fee_left, taken, left)
        _realise(symbol, key, leaving, proceeds, fees_of(fill.fee_asset, fee), is_whole=staying is None)
        _replace_lot(symbol, key, staying)
        left, notional_left, fee_left = left - taken, notional_left - proceeds, fee_left - fee
        changed.append(key)
    if left:
        symbol.foreign += fill.side.sign * left
        moved = fill.side.sign * notional_left
        ledger = symbol.ledger
        symbol.ledger = replace(ledger, cash=ledger.cash + moved, foreign_cash=ledger.foreign_cash - moved)
    return tuple(changed)


def _realise(
    symbol: SymbolBook, key: SlotKey, leaving: Lot, proceeds: Decimal, exit_fees: Fees, *, is_whole: bool
) -> None:
    ledger = symbol.ledger
    symbol.ledger = replace(
        ledger,
        realised=ledger.realised + symbol.side_of(key).sign * (proceeds - leaving.cost),
        realised_fees=add_fees(ledger.realised_fees, add_fees(leaving.fees, exit_fees)),
        round_trips=ledger.round_trips + (1 if is_whole else 0),
    )


def _replace_lot(symbol: SymbolBook, key: SlotKey, lot: Lot | None) -> None:
    symbol.slots[key] = symbol.slot(key).with_lot(lot)
