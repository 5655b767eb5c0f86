"""Selling the lots of one symbol in reduce-only slices, inside a bound from mark (rule 23 of the trading rules)."""

from __future__ import annotations

from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from exchanges.desk.placing import Placing
from grid.symbol_book import SymbolBook

SLICES_WITHOUT_PROGRESS = 10


class Flattening:
    """Sends one slice at a time; the next only once the last one is over."""

    def __init__(self, core: Core, placing: Placing) -> None:
        self._core = core
        self._placing = placing
        self._left: dict[str, tuple[int, int]] = {}

    def begin(self, symbol: str) -> None:
        """Count tries from here."""
        self._left.pop(symbol, None)

    def step(self, book: SymbolBook, now: Instant) -> bool:
        """Sell the sum of the lots, never the position; return whether nothing more can be done."""
        core, instrument = self._core, self._core.symbols[book.symbol].instrument
        steps = book.lot_steps()
        if steps < instrument.quantity_min:
            return True
        if core.book.live_orders(book.symbol):
            return False
        mark = core.mark(book.symbol, now)
        if mark is None:
            return False
        last, tries = self._left.get(book.symbol, (steps, 0))
        tries = 0 if steps < last else tries + 1
        self._left[book.symbol] = (steps, tries)
        if tries > SLICES_WITHOUT_PROGRESS:
            core.notice("not_flat", f"{book.symbol}: {steps} steps are left; the venue takes no more", "critical")
            return True
        bound = mark * (1 - book.held_sign * core.settings.flatten_slippage)
        price = instrument.ticks_ceil(bound) if book.held_sign > 0 else instrument.ticks_floor(bound)
        self._placing.intend_flatten(book.symbol, price, min(steps, instrument.quantity_max), now)
        return False
