"""Plays a market into the venue in real time: paused, resumed, sought, sped up, and shifted in price on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from exchanges.sim.market import BookTop, Candle, Mark, MarketEvent, Trade
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.market_source import MarketSource
from grid.order import Side

STEP_S = 0.02
BURST_MAX = 500


class TapeDriver:
    """The tape of a venue. Speed only compresses the tape's time: a venue minute stays a minute of the clock."""

    def __init__(self, venue: VenueCore, source: MarketSource, *, speed: float, keep_playing: bool = False) -> None:
        self._venue = venue
        self._source = source
        self._speed = speed
        self._keep_playing = keep_playing
        self._events: Iterator[MarketEvent] = source.events()
        self._next: MarketEvent | None = None
        self._start_ms = source.venue_start_ms
        self._paused_at_ms: int | None = None
        self._shift_ticks: dict[str, int] = {}
        self._tops: dict[str, BookTop] = {}
        self.played = 0
        self.is_over = False

    def load_history(self) -> None:
        for candle in self._source.history():
            self._venue.on_market(candle)

    async def run(self) -> None:
        """Play until the end of the tape, then for ever do nothing."""
        while True:
            is_behind = self._paused_at_ms is None and self.play_due() == BURST_MAX
            await asyncio.sleep(0 if is_behind else STEP_S)

    def play_due(self) -> int:
        """Play what is due by now, at most `BURST_MAX` events; return how many were played."""
        now_ms, played = self._venue.now_ms(), 0
        while played < BURST_MAX:
            event = self._upcoming()
            if event is None:
                break
            at_ms = self._venue_ms(event.time_ms)
            if at_ms > now_ms:
                break
            self._next = None
            self.play(_shifted(self._retimed(event, at_ms), self._shift_ticks.get(event.symbol, 0)))
            played += 1
        return played

    def play(self, event: MarketEvent) -> None:
        if isinstance(event, BookTop):
            self._tops[event.symbol] = event
        self.played += 1
        self._venue.on_market(event)

    def pause(self) -> None:
        if self._paused_at_ms is None:
            self._paused_at_ms = self._venue.now_ms()

    def resume(self) -> None:
        if self._paused_at_ms is not None:
            self._start_ms += self._venue.now_ms() - self._paused_at_ms
            self._paused_at_ms = None

    def seek(self, ahead_ms: int) -> int:
        """Skip so much of the tape; of what is skipped only the last quote of each symbol counts. Return the number."""
        skipped, last = 0, {}
        target_ms = self._tape_ms(self._venue.now_ms()) + ahead_ms
        while (event := self._upcoming()) is not None and event.time_ms < target_ms:
            if isinstance(event, BookTop):
                last[event.symbol] = event
            self._next = None
            skipped += 1
        self._start_ms -= round(ahead_ms / self._speed)
        now_ms = self._venue.now_ms()
        for event in last.values():
            self.play(_shifted(self._retimed(event, now_ms), self._shift_ticks.get(event.symbol, 0)))
        return skipped

    def jump(self, symbol: str, percent: Decimal) -> None:
        """Move the symbol's price by so many percent from now on, with a trade at the far side of the new quote."""
        instrument = self._venue.instrument(symbol)
        last = self._venue.engine.read.last_price(symbol)
        ticks = int(last * percent / 100)
        self._shift_ticks[symbol] = self._shift_ticks.get(symbol, 0) + ticks
        top = self._tops.get(symbol) or _top_around(symbol, last, instrument.quantity_min)
        now_ms = self._venue.now_ms()
        moved = _shifted(replace(top, time_ms=now_ms), ticks)
        assert isinstance(moved, BookTop)
        side = Side.BUY if ticks > 0 else Side.SELL
        price = moved.ask if ticks > 0 else moved.bid
        quantity = max(moved.ask_quantity if ticks > 0 else moved.bid_quantity, instrument.quantity_min)
        self.play(moved)
        self.play(Trade(symbol=symbol, time_ms=now_ms, price=price, quantity=quantity, aggressor=side))

    def status(self) -> dict[str, object]:
        return {
            "played": self.played,
            "is_paused": self._paused_at_ms is not None,
            "is_over": self.is_over,
            "tape_ms": self._tape_ms(self._venue.now_ms()),
            "speed": self._speed,
            "shift_ticks": dict(self._shift_ticks),
        }

    def _upcoming(self) -> MarketEvent | None:
        if self._next is None and not self.is_over:
            self._next = next(self._events, None)
            if self._next is None:
                self._end()
        return self._next

    def _end(self) -> None:
        if not self._keep_playing:
            self.is_over = True
            return
        self._events = self._source.events()
        self._start_ms = self._venue.now_ms()
        self._next = next(self._events, None)
        self.is_over = self._next is None

    def _venue_ms(self, tape_ms: int) -> int:
        return self._start_ms + int((tape_ms - self._source.tape_start_ms) / self._speed)

    def _tape_ms(self, venue_ms: int) -> int:
        return self._source.tape_start_ms + int((venue_ms - self._start_ms) * self._speed)

    def _retimed(self, event: MarketEvent, at_ms: int) -> MarketEvent:
        if isinstance(event, Candle):
            open_ms = self._venue_ms(event.open_ms)
            interval_ms = max(1, round(event.interval_ms / self._speed))
            return replace(event, open_ms=open_ms, interval_ms=interval_ms)
        return event if event.time_ms == at_ms else replace(event, time_ms=at_ms)


def _top_around(symbol: str, last: int, quantity: int) -> BookTop:
    return BookTop(symbol=symbol, time_ms=0, bid=last - 1, bid_quantity=quantity, ask=last + 1, ask_quantity=quantity)


def _shifted(event: MarketEvent, ticks: int) -> MarketEvent:
    """Return the event with its prices moved; marks and funding are left alone, they are not in ticks."""
    if ticks == 0:
        return event
    match event:
        case Trade():
            return replace(event, price=event.price + ticks)
        case BookTop():
            return replace(event, bid=event.bid + ticks, ask=event.ask + ticks)
        case Candle():
            return replace(
                event,
                open=event.open + ticks,
                high=event.high + ticks,
                low=event.low + ticks,
                close=event.close + ticks,
            )
        case Mark():
            return event
        case _:
            return event
