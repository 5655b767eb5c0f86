"""The mark price at which a grid begins: until then the hold `trigger` keeps its entries away (rule 20)."""

from __future__ import annotations

from dataclasses import replace

from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from exchanges.desk.standing import StandingHolds
from grid.holds import HoldCause
from grid.kind_records import TriggerSet


class Triggering:
    """Holds each symbol that waits. From which side its price has to come is journalled with the first mark."""

    def __init__(self, core: Core, standing: StandingHolds) -> None:
        self._core = core
        self._standing = standing

    def begin(self, now: Instant) -> None:
        """Hold what waits; a price that is configured no more keeps nobody waiting."""
        for symbol in self._core.symbols:
            self.look(symbol, now)

    def look(self, symbol: str, now: Instant) -> None:
        """Put or lift the symbol's hold by its configuration and what the journal knows."""
        wanted, kept = self._core.symbols[symbol].trigger, self._core.book.symbol(symbol).trigger
        if wanted is None or symbol in self._core.leaving:
            self._standing.lift(HoldCause.TRIGGER, symbol, "there is no trigger_price to wait for")
        elif kept is None or kept.price != wanted or not kept.is_fired:
            reason = f"no order before the mark price has come to trigger_price, {wanted}"
            held = self._core.book.holds.find(HoldCause.TRIGGER, symbol)
            if held is not None and held.reason != reason:
                self._standing.lift(HoldCause.TRIGGER, symbol, "trigger_price has changed")
            self._standing.put(HoldCause.TRIGGER, symbol, reason, now)
        else:
            self._standing.lift(HoldCause.TRIGGER, symbol, "trigger_price was reached before")

    def on_mark(self, symbol: str, now: Instant) -> None:
        """Take a mark price of the symbol."""
        core = self._core
        if core.book.holds.find(HoldCause.TRIGGER, symbol) is None or symbol not in core.symbols:
            return
        wanted, mark = core.symbols[symbol].trigger, core.mark(symbol, now)
        if wanted is None or mark is None:
            return
        kept = core.book.symbol(symbol).trigger
        if kept is None or kept.price != wanted:
            kept = TriggerSet(symbol=symbol, price=wanted, rises=mark < wanted, is_fired=False, at_ms=now.wall_ms)
            core.record(kept)
        if kept.is_crossed_by(mark):
            core.record(replace(kept, is_fired=True, at_ms=now.wall_ms))
            self._standing.lift(HoldCause.TRIGGER, symbol, f"the mark price {mark} has come to trigger_price")
