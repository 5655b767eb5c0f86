"""Lots too small to be sold alone: one exit for all of them together, owned by the symbol's desk (rule 19)."""

from __future__ import annotations

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.core import Core
from exchanges.desk.events import ClosingMode, Instant
from exchanges.desk.placing import Placing
from grid.decision import is_dust
from grid.instrument import Instrument
from grid.lot import Lot
from grid.order import Purpose
from grid.slot import Phase, SlotKey
from grid.symbol_book import OrderEntry, SymbolBook

LOOK_MS = 500
AGAIN_FIRST_MS = 1_000
AGAIN_LAST_MS = 30_000


class Dust:
    """Looks after each symbol's dust; at most one order of it lives at a time."""

    def __init__(self, core: Core, cancelling: Cancelling, placing: Placing) -> None:
        self._core = core
        self._cancelling = cancelling
        self._placing = placing
        self._look_ms = 0
        self._tries: dict[str, tuple[int, int, int]] = {}
        """By symbol: steps at the last try, tries without progress, and when the next may be (monotonic ms)."""

    def step(self, now: Instant) -> None:
        """Time passed: place, re-price or withdraw."""
        core = self._core
        if now.mono_ms < self._look_ms or not core.may_act:
            return
        self._look_ms = now.mono_ms + LOOK_MS
        for symbol in core.symbols:
            book = core.book.symbols.get(symbol)
            if core.ending(symbol) not in (None, ClosingMode.LEAVE_EXITS) or symbol in core.selling:
                continue
            if book is not None and book.generations:
                self._look_after(book, now)

    def _look_after(self, book: SymbolBook, now: Instant) -> None:
        live = [o for o in self._core.book.live_orders(book.symbol) if o.purpose is Purpose.DUST]
        for order in live:
            if self._should_go(order, book, now):
                self._cancelling.cancel(order.client_id, now)
        if not live:
            self._place(book, now)

    def _place(self, book: SymbolBook, now: Instant) -> None:
        core, instrument = self._core, self._core.symbols[book.symbol].instrument
        lots = _dust(book, instrument)
        reference = core.reference(book.symbol, now)
        if not lots or reference is None or book.held_sign != book.sign:
            return
        highest = max(book.sign * lot.target for _, lot in lots)
        price = book.sign * (reference + 1)
        steps = sum(lot.quantity for _, lot in lots)
        if reference < highest or not _is_sellable(instrument, price, steps):
            return
        if not self._may_try(book.symbol, steps, now):
            return
        target = book.sign * highest
        self._placing.intend_dust(book.symbol, tuple(key for key, _ in lots), price, steps, target, now)

    def _may_try(self, symbol: str, steps: int, now: Instant) -> bool:
        last, tries, next_ms = self._tries.get(symbol, (0, 0, 0))
        if steps == last and now.mono_ms < next_ms:
            return False
        tries = tries + 1 if steps == last else 0
        wait_ms = min(AGAIN_FIRST_MS << min(tries, 10), AGAIN_LAST_MS)
        self._tries[symbol] = (steps, tries, now.mono_ms + wait_ms)
        return True

    def _should_go(self, order: OrderEntry, book: SymbolBook, now: Instant) -> bool:
        """Whether the lots no longer cover it, or its price is half an interval over what they would sell at now."""
        lots = [(key, lot) for key in order.closes if (lot := book.slot(key).lot) is not None]
        if order.quantity - order.booked > sum(lot.quantity for _, lot in lots):
            return True
        reference = self._core.reference(book.symbol, now)
        if reference is None or not order.order_id:
            return False
        lowest = max(reference + 1, *(book.sign * lot.target for _, lot in lots))
        gap = min(book.ladders[key.generation].gap(key.level) for key, _ in lots)
        return book.sign * order.price - lowest >= -(-gap // 2)


def _dust(book: SymbolBook, instrument: Instrument) -> list[tuple[SlotKey, Lot]]:
    """Return the dust that nothing else is under way for, the highest target first."""
    return [
        (key, lot)
        for key, lot in book.lots_from_the_top()
        if is_dust(lot, instrument) and book.slot(key).phase is Phase.FREE
    ]


def _is_sellable(instrument: Instrument, price: int, steps: int) -> bool:
    if not instrument.quantity_min <= steps <= instrument.quantity_max:
        return False
    return instrument.closing_exempt or instrument.notional(price, steps) >= instrument.notional_min
