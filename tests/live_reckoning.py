"""What must hold after any scenario, beyond the demo's reckoning: fills one by one, and the configured limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from actors.gateway.keeper import read_book
from actors.journal.place import open_journal
from actors.settings.account import Settings
from actors.trials.journal_order import journalled
from exchanges.desk.closing import STOPPING
from grid.client_id import decode
from grid.order import Purpose
from grid.records import HoldPut, OrderIntended, from_body


def broken_rules(settings: Settings, truth: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each rule that the venue's truth, or the journal as it lies on the disk, shows as broken."""
    account = truth["accounts"]["main"]
    yield from _fills_one_by_one(settings, account)
    yield from _limits(settings, account)


def meant_since_the_stop(settings: Settings) -> set[Purpose]:
    """Return the purposes of the orders that the journal has after the last stop, which is a hold put before all else.

    Raises `ValueError` where no stop was ever asked for.
    """
    records = journalled(settings)
    stop = max(
        at for at, one in enumerate(records) if isinstance(one, HoldPut) and one.hold.reason.startswith(STOPPING)
    )
    return {record.purpose for record in records[stop:] if isinstance(record, OrderIntended)}


def _fills_one_by_one(settings: Settings, account: Mapping[str, Any]) -> Iterator[str]:
    """Yield each fill of ours that the closed journal lacks, or has without the venue knowing it."""
    journal = open_journal(settings)
    try:
        book = read_book(journal, from_body)
    finally:
        journal.close()
    at_venue = {
        (row["symbol"], str(row["orderId"]), str(row["id"]))
        for row in account["fills"]
        if decode(row["clientOrderId"], row["symbol"]) is not None
    }
    booked = set(book.fill_keys())
    for key in sorted(at_venue - booked):
        yield f"fill {key} was not booked"
    for key in sorted(booked - at_venue):
        if not any(row["symbol"] == key[0] and str(row["id"]) == key[2] for row in account["fills"]):
            yield f"fill {key} was booked and never happened"


def _limits(settings: Settings, account: Mapping[str, Any]) -> Iterator[str]:
    """Yield entries above their amount, orders that reuse a slot's sequence, and positions above `max_lots`."""
    ladders = {ladder.symbol: ladder for ladder in settings.symbols}
    for row in account["orders"]:
        identity, ladder = decode(row["clientOrderId"], row["symbol"]), ladders.get(row["symbol"])
        if identity is None or ladder is None:
            continue
        notional = Decimal(row["price"]) * Decimal(row["origQty"])
        if identity.purpose is Purpose.ENTRY and notional > ladder.amount:
            yield f"entry {row['clientOrderId']} of {notional} is above the amount {ladder.amount}"
        if identity.purpose.closing and not row["reduceOnly"]:
            yield f"closing order {row['clientOrderId']} was not reduce-only"
    held: dict[str, Decimal] = defaultdict(Decimal)
    for row in sorted(account["fills"], key=lambda fill: (fill["time"], fill["id"])):
        ladder = ladders.get(row["symbol"])
        if ladder is None or decode(row["clientOrderId"], row["symbol"]) is None:
            continue
        held[row["symbol"]] += Decimal(row["qty"]) * (1 if row["side"] == "BUY" else -1)
        worth = abs(held[row["symbol"]]) * Decimal(row["price"])
        if worth > ladder.max_lots * ladder.amount * Decimal("1.05"):
            yield f"{row['symbol']}: a position worth {worth} is above max_lots"
