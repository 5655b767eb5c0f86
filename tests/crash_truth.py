"""What the venue's own fills say that the book has to hold: lots at their true cost, slot by slot, and the profit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from actors.gateway.keeper import read_book
from actors.journal.place import open_journal
from actors.settings.account import Settings
from grid.book import Book
from grid.client_id import decode
from grid.records import from_body

EXACT = Decimal("0.00000001")


@dataclass(slots=True)
class TrueLot:
    """What was bought for a slot and not sold yet, in coins and in quote currency."""

    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)


def true_lots(account: Mapping[str, Any], symbol: str) -> tuple[dict[tuple[int, int], TrueLot], Decimal, list[str]]:
    """Return the lots by (generation, level), the gross profit so far, and each second buy of a held lot.

    For long grids; worked out from the venue's fills alone, by what our client ids say.
    """
    lots: dict[tuple[int, int], TrueLot] = {}
    wanted = {row["clientOrderId"]: Decimal(row["origQty"]) for row in account["orders"]}
    buyer: dict[tuple[int, int], str] = {}
    gross, doubled = Decimal(0), []
    for fill in sorted(account["fills"], key=lambda row: (row["time"], row["id"])):
        identity = decode(fill["clientOrderId"], fill["symbol"])
        if identity is None or fill["symbol"] != symbol:
            continue
        slot = (identity.generation, identity.level)
        lot = lots.setdefault(slot, TrueLot())
        quantity, notional = Decimal(fill["qty"]), Decimal(fill["qty"]) * Decimal(fill["price"])
        if identity.purpose.closing:
            share = lot.cost * quantity / lot.quantity if quantity < lot.quantity else lot.cost
            gross += notional - share
            lot.quantity, lot.cost = lot.quantity - quantity, lot.cost - share
            continue
        if lot.quantity and buyer[slot] != fill["clientOrderId"]:
            doubled.append(f"{symbol} level {identity.level}: bought again while it held {lot.quantity}")
        buyer[slot] = fill["clientOrderId"]
        lot.quantity, lot.cost = lot.quantity + quantity, lot.cost + notional
        assert lot.quantity <= wanted[fill["clientOrderId"]] or doubled, "a fill beyond its order"
    return {slot: lot for slot, lot in lots.items() if lot.quantity}, gross, doubled


def book_on_disk(settings: Settings) -> Book:
    """Return the book that the journal holds; nobody else may have it open."""
    journal = open_journal(settings)
    try:
        return read_book(journal, from_body)
    finally:
        journal.close()


def not_true(settings: Settings, account: Mapping[str, Any]) -> Iterator[str]:
    """Yield each lot on the disk whose slot, size or cost is not true, each second buy, and a profit that jumped."""
    book = book_on_disk(settings)
    for ladder in settings.symbols:
        true, gross, doubled = true_lots(account, ladder.symbol)
        yield from doubled
        symbol = book.symbol(ladder.symbol)
        if not symbol.generations:
            continue
        step = symbol.generation.step
        held = {(key.generation, key.level): (step * lot.quantity, lot.cost) for key, lot in symbol.lots()}
        for slot in sorted({*true, *held}):
            quantity, cost = held.get(slot, (Decimal(0), Decimal(0)))
            lot = true.get(slot, TrueLot())
            if quantity != lot.quantity or abs(cost - lot.cost) > EXACT:
                yield f"{ladder.symbol} {slot}: {quantity} for {cost} booked, {lot.quantity} for {lot.cost} in truth"
        if abs(symbol.ledger.realised - gross) > EXACT:
            yield f"{ladder.symbol}: realised {symbol.ledger.realised} by the book, {gross} in truth"
