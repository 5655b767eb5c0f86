"""The gateway's snapshot: plain values for `status`, `explain`, the terminal and the page.

Numbers of money are text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from actors.gateway.account_picture import account_picture, fees_picture
from actors.gateway.money import Money
from exchanges.desk.churn import ChurnReading
from exchanges.desk.core import NextStep
from exchanges.desk.events import Instant
from exchanges.order_desk import OrderDesk
from grid.equity import total_profit
from grid.instrument import Instrument
from grid.ledger import value
from grid.lot import Lot
from grid.slot import SlotState
from grid.symbol_book import SymbolBook

AT_ONCE = 20
"""Symbols painted anew each time: orders wait while that is done, so more of them take turns."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A feed's last price, oriented, and when it was heard here."""

    reference: int
    at_ms: int


class Painter:
    """Paints one desk again and again. A symbol's row is the older the more there are, and whole once trading ends."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._looks = 0

    def paint(
        self,
        desk: OrderDesk,
        instruments: Mapping[str, Instrument],
        references: Mapping[str, Heard],
        money: Money | None,
        counts: Mapping[str, int],
        now: Instant,
    ) -> dict[str, Any]:
        """Return everything that people and programs may want to know of the account."""
        book = desk.book
        named = [name for name in instruments if name in book.symbols and book.symbols[name].generations]
        due = {name for name in named if name not in self._rows} | set(self._in_turn(named, is_all=bool(desk.closing)))
        self._rows = {
            name: _symbol(desk, book.symbols[name], instruments[name], references.get(name), now)
            if name in due
            else self._rows[name]
            for name in named
        }
        return {
            "at_ms": now.wall_ms,
            "is_ready": desk.is_ready,
            "is_closed": desk.is_closed,
            "closing": desk.closing.value if desk.closing is not None else None,
            "waiting_for": desk.waits_for(),
            "owner_epoch": book.owner_epoch,
            "halt_epoch": book.halt_epoch,
            "holds": [
                {"cause": h.cause.value, "symbol": h.symbol, "reason": h.reason, "since_ms": h.since_ms}
                for h in book.holds.holds
            ],
            "entries_gone": sorted(desk.entries_gone),
            "counts": dict(counts),
            "account": account_picture(desk, money),
            "symbols": dict(self._rows),
        }

    def _in_turn(self, named: Sequence[str], *, is_all: bool) -> Sequence[str]:
        parts = 1 if is_all else max(1, -(-len(named) // AT_ONCE))
        self._looks += 1
        return named[self._looks % parts :: parts]


def _symbol(
    desk: OrderDesk, book: SymbolBook, instrument: Instrument, heard: Heard | None, now: Instant
) -> dict[str, Any]:
    mark, account = desk.mark(instrument.symbol, now), desk.book.account
    lots = [lot for _, lot in book.lots()]
    ledger, generation = book.ledger, book.generation
    worth = value(ledger, lots, mark, book.held_sign, instrument) if mark is not None else None
    total = total_profit(book, instrument, mark, account) if mark is not None else None
    return {
        "side": generation.side.value,
        "tick": str(instrument.tick),
        "step": str(instrument.step),
        "generation": generation.generation,
        "anchor": str(instrument.price(generation.anchor)),
        # One moment for all that follows; the price is the last one that had crossed a level, or is a second old.
        "at_ms": now.wall_ms,
        "price": str(instrument.price(abs(heard.reference))) if heard is not None else None,
        "price_at_ms": heard.at_ms if heard is not None else None,
        "mark": str(mark) if mark is not None else None,
        "lots": len(lots),
        "lots_side": "long" if book.held_sign > 0 else "short",
        "lot_quantity": str(instrument.quantity(book.lot_steps())),
        "lot_cost": str(sum((lot.cost for lot in lots), Decimal(0))),
        "position": str(instrument.quantity(book.expected_position())),
        "foreign": str(instrument.quantity(book.foreign)),
        "stop": _stop(desk, book.symbol, instrument, now),
        "trigger": _trigger(book),
        "opening": _opening(book, instrument),
        "turning": _turning(desk, book, instrument),
        "entries": sum(1 for slot in book.slots.values() if slot.has_live_entry),
        "exits": sum(1 for slot in book.slots.values() if slot.has_live_exit),
        "grid_profit_gross": str(ledger.realised),
        "grid_profit": str(ledger.net_realised(instrument.quote)),
        "unrealised": str(worth.unrealised) if worth is not None else None,
        "total_profit": str(total) if total is not None else None,
        **fees_picture(book, instrument.quote, account),
        "fees": {asset: str(amount) for asset, amount in ledger.fees},
        "funding": str(ledger.funding),
        "round_trips": ledger.round_trips,
        "entry_fills": ledger.entry_fills,
        "exit_fills": ledger.exit_fills,
        "taker_fills": ledger.taker_fills,
        "churn": _churn(desk.churn(book.symbol)),
        "counts": dict(book.totals.counts),
        "levels": [
            {**_level(slot, book, instrument), **_next_step(desk.next_step(key), now)}
            for key, slot in sorted(book.slots.items())
            if _is_shown(slot)
        ],
    }


def _turning(desk: OrderDesk, book: SymbolBook, instrument: Instrument) -> dict[str, Any] | None:
    """Return which side of a neutral grid works, and what the other one waits for; None for any other grid."""
    word = desk.turn_word(book.symbol)
    if word is None:
        return None
    return {
        "works": word.works.value,
        "waits": word.waits.value,
        "turns_at": str(instrument.price(word.turns_at)),
        "why": word.why,
        "turns": book.turns,
    }


def _stop(desk: OrderDesk, symbol: str, instrument: Instrument, now: Instant) -> dict[str, Any] | None:
    """Return the exchange-side stop, and why there is none though one is configured; None where none is."""
    word = desk.stop_word(symbol, now)
    if word is None:
        return None
    return {
        "phase": word.stop.phase.value if word.stop is not None else None,
        "trigger": str(instrument.price(word.stop.trigger)) if word.stop is not None else None,
        "client_id": word.stop.client_id if word.stop is not None else None,
        "missing": word.missing,
        "retry_ms": None if word.retry_ms is None else now.wall_ms + word.retry_ms - now.mono_ms,
    }


def _trigger(book: SymbolBook) -> dict[str, Any] | None:
    """Return the mark price that the grid waits for or has come to, as far as the journal knows; None for no such."""
    trigger = book.trigger
    if trigger is None:
        return None
    way = "rise" if trigger.rises else "fall"
    return {"price": str(trigger.price), "way": way, "is_fired": trigger.is_fired, "at_ms": trigger.at_ms}


def _opening(book: SymbolBook, instrument: Instrument) -> dict[str, Any] | None:
    """Return what is still to be bought of the position that the grid begins with; None where it begins with none."""
    opening = book.opening
    if opening is None:
        return None
    return {
        "is_planned": opening.is_planned,
        "levels": list(opening.levels),
        "limit": str(instrument.price(opening.limit)),
        "reason": opening.reason,
    }


def _churn(reading: ChurnReading) -> dict[str, Any]:
    ratio = reading.ratio
    return {
        "cancelled": reading.cancelled,
        "replaced": reading.replaced,
        "fills": reading.fills,
        "ratio": str(ratio.quantize(Decimal("0.01"))) if ratio is not None else None,
    }


def _is_shown(slot: SlotState) -> bool:
    return slot.order is not None or slot.lot is not None


def _level(slot: SlotState, book: SymbolBook, instrument: Instrument) -> dict[str, Any]:
    order = slot.order
    return {
        "level": slot.key.level,
        "generation": slot.key.generation,
        "price": str(instrument.price(book.ladders[slot.key.generation].price(slot.key.level))),
        "phase": slot.phase.value,
        "position": slot.position_state.value,
        "order_state": slot.order_state.value,
        "order": None
        if order is None
        else {
            "client_id": order.client_id,
            "purpose": order.purpose.name.lower(),
            "side": order.side.value,
            "price": str(instrument.price(order.price)),
            "quantity": str(instrument.quantity(order.quantity)),
            "filled": str(instrument.quantity(order.filled)),
        },
        "lot": _lot(slot.lot, instrument),
    }


def _next_step(step: NextStep | None, now: Instant) -> dict[str, Any]:
    """Return what the desk does next about a slot, and by when on the wall clock."""
    if step is None:
        return {"next_step": None, "deadline_ms": None}
    deadline_ms = None if step.at_ms is None else now.wall_ms + step.at_ms - now.mono_ms
    return {"next_step": step.what, "deadline_ms": deadline_ms}


def _lot(lot: Lot | None, instrument: Instrument) -> dict[str, Any] | None:
    if lot is None:
        return None
    return {
        "quantity": str(instrument.quantity(lot.quantity)),
        "cost": str(lot.cost),
        "target": str(instrument.price(lot.target)),
        "fees": {asset: str(amount) for asset, amount in lot.fees},
        "funding": str(lot.funding),
        "opened_ms": lot.opened_ms,
    }
