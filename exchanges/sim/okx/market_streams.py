"""The public channels: book and trades at once, candles every 250 ms and at their close, marks as they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanges.sim.okx import render_market as render
from exchanges.sim.okx.hub import Session
from exchanges.sim.venue_events import BookEvent, InstrumentEvent, PrintEvent, VenueEvent
from exchanges.sim.views import Kline

if TYPE_CHECKING:
    from exchanges.sim.okx.venue import OkxVenue

CANDLE_PUSH_MS = 250
MARK_PUSH_MS = 200
MARK_REPEAT_MS = 10_000
DEPTH = 5
DAY_MINUTES = 1440


class MarketStreams:
    """Turns engine events and the passing of time into frames of those channels that somebody listens to."""

    def __init__(self, venue: OkxVenue) -> None:
        self._venue = venue
        self._due_ms: dict[tuple[str, str], int] = {}
        self._candles: dict[tuple[str, str], Kline] = {}
        self._marks: dict[str, tuple[str, int]] = {}
        """By instrument: the mark told last, and when."""

    def greet(self, session: Session, channel: str, inst_id: str) -> None:
        """Send what a channel begins with: the state as it is."""
        venue, symbol = self._venue, self._venue.swaps.symbol_of(inst_id)
        if not symbol:
            return
        swap, rows = venue.swaps.of_symbol(symbol), []
        if channel == "bbo-tbt":
            rows = [render.best(swap, venue.engine.read.book(symbol))]
        elif channel == "books5":
            rows = [render.book(swap, *venue.engine.read.depth(symbol, DEPTH), venue.engine.read.book(symbol))]
        elif channel == "tickers":
            rows = [render.ticker(venue, swap)]
        elif channel == "mark-price":
            rows = [render.mark(venue, swap)]
        if rows:
            venue.hub.publish((channel, inst_id), rows, symbol=symbol, only=session)

    def send(self, event: VenueEvent) -> None:
        venue = self._venue
        if isinstance(event, InstrumentEvent):
            swap = venue.swaps.of_symbol(event.symbol)
            venue.hub.publish(("instruments", "SWAP"), [render.instrument(swap)], symbol=event.symbol)
        elif isinstance(event, BookEvent):
            self._send_book(event)
        elif isinstance(event, PrintEvent):
            swap = venue.swaps.of_symbol(event.symbol)
            venue.hub.publish(("trades", swap.inst_id), [render.trade(swap, event)], symbol=event.symbol)

    def tick(self, now_ms: int) -> None:
        """Push what is due by time."""
        for channel in self._venue.hub.channels("candle"):
            for inst_id in self._venue.hub.wanted(channel):
                self._push_candle(channel, inst_id, now_ms)
        for inst_id in self._venue.hub.wanted("mark-price"):
            symbol = self._venue.swaps.symbol_of(inst_id)
            if symbol and self._is_due(("mark-price", inst_id), MARK_PUSH_MS, now_ms):
                self._push_mark(inst_id, symbol, now_ms)

    def _push_mark(self, inst_id: str, symbol: str, now_ms: int) -> None:
        """Push a mark that has changed, and one that has not every ten seconds."""
        row = render.mark(self._venue, self._venue.swaps.of_symbol(symbol))
        told, at_ms = self._marks.get(inst_id, ("", 0))
        if row["markPx"] == told and now_ms - at_ms < MARK_REPEAT_MS:
            return
        self._marks[inst_id] = row["markPx"], now_ms
        self._venue.hub.publish(("mark-price", inst_id), [row], symbol=symbol)

    def _send_book(self, event: BookEvent) -> None:
        venue = self._venue
        swap = venue.swaps.of_symbol(event.symbol)
        row = render.best(swap, event.book)
        venue.hub.publish(("bbo-tbt", swap.inst_id), [row], symbol=event.symbol)
        if swap.inst_id in venue.hub.wanted("books5"):
            bids, asks = venue.engine.read.depth(event.symbol, DEPTH)
            rows = [{**render.book(swap, bids, asks, event.book), "instId": swap.inst_id}]
            venue.hub.publish(("books5", swap.inst_id), rows, symbol=event.symbol)
        if swap.inst_id in venue.hub.wanted("tickers"):
            venue.hub.publish(("tickers", swap.inst_id), [render.ticker(venue, swap)], symbol=event.symbol)

    def _is_due(self, key: tuple[str, str], every_ms: int, now_ms: int) -> bool:
        if now_ms < self._due_ms.get(key, 0):
            return False
        self._due_ms[key] = now_ms - now_ms % every_ms + every_ms
        return True

    def _push_candle(self, channel: str, inst_id: str, now_ms: int) -> None:
        """Push the candle that closed since the last push, then the running one if it has changed."""
        symbol, interval = self._venue.swaps.symbol_of(inst_id), render.INTERVALS.get(channel.removeprefix("candle"))
        if not symbol or interval is None:
            return
        key = channel, inst_id
        running = self._venue.engine.read.kline(symbol, interval, now_ms)
        before = self._candles.get(key)
        has_closed = before is not None and now_ms > before.close_ms
        if not has_closed and (running is None or running == before or not self._is_due(key, CANDLE_PUSH_MS, now_ms)):
            return
        if before is not None and has_closed:
            rows = self._venue.engine.read.klines(symbol, interval, now_ms, start_ms=before.open_ms, limit=DAY_MINUTES)
            for row in rows:
                if row.close_ms < now_ms:
                    self._send_candle(key, symbol, row, is_closed=True)
        if running is not None:
            self._send_candle(key, symbol, running, is_closed=False)
            self._candles[key] = running
        else:
            self._candles.pop(key, None)

    def _send_candle(self, key: tuple[str, str], symbol: str, kline: Kline, *, is_closed: bool) -> None:
        if self._venue.candles_are_missing(symbol):
            return
        row = render.candle(self._venue.swaps.of_symbol(symbol), kline, is_closed=is_closed)
        self._venue.hub.publish(key, [row], symbol=symbol)
