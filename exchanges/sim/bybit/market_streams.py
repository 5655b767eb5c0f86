"""What everybody is told: the touch, tickers as a state and its changes, candles, trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchanges.sim.bybit import render_market as render
from exchanges.sim.bybit.hub import Session
from exchanges.sim.bybit.topics import INTERVALS
from exchanges.sim.venue_events import BookEvent, PrintEvent, VenueEvent
from exchanges.sim.views import Kline

if TYPE_CHECKING:
    from exchanges.sim.bybit.venue import BybitVenue

BOOK_REPEAT_MS = 3000
TICKER_MS = 200
KLINE_MS = 250
DAY_MINUTES = 1440


class MarketStreams:
    """Public events; what has a period of its own is pushed by `tick`."""

    def __init__(self, venue: BybitVenue) -> None:
        self._venue = venue
        self._told_ms: dict[str, int] = {}
        self._tickers: dict[str, dict[str, Any]] = {}
        self._klines: dict[str, Kline] = {}

    def send(self, event: VenueEvent) -> None:
        match event:
            case BookEvent():
                self._push_book(event.symbol)
            case PrintEvent():
                topic = f"publicTrade.{event.symbol}"
                row = render.print_event(self._venue.instrument(event.symbol), event)
                self._venue.hub.publish(topic, self._message(topic, "snapshot", [row]))

    def greet(self, session: Session, topic: str) -> None:
        """Send the present state of a topic to a new listener."""
        kind, _, symbol = topic.partition(".")
        if symbol.rpartition(".")[2] not in self._venue.instruments():
            return
        if kind == "orderbook":
            self._push_book(symbol.rpartition(".")[2], only=session)
        elif kind == "tickers":
            message = self._message(topic, "snapshot", self.ticker(symbol))
            self._venue.hub.publish(topic, message, only=session)

    def tick(self, now_ms: int) -> None:
        """Push what is due by time."""
        for topic in self._venue.hub.wanted():
            symbol = topic.rpartition(".")[2]
            if symbol not in self._venue.instruments():
                continue
            match topic.split(".")[0]:
                case "orderbook" if now_ms - self._told_ms.get(topic, 0) >= BOOK_REPEAT_MS:
                    self._push_book(symbol)
                case "tickers" if self._is_due(topic, TICKER_MS, now_ms):
                    self._push_ticker(topic, symbol)
                case "kline":
                    self._push_kline(topic, symbol, now_ms)

    def ticker(self, symbol: str) -> dict[str, Any]:
        """Return the state of a contract's market."""
        read, now_ms = self._venue.engine.read, self._venue.now_ms()
        day = read.klines(symbol, "1m", now_ms, limit=DAY_MINUTES)
        held = self._venue.instrument(symbol)
        return render.ticker(held, read.premium_index(symbol), read.book(symbol), read.last_price(symbol), day)

    def _push_book(self, symbol: str, only: Session | None = None) -> None:
        """Send the book of one level, which is always whole."""
        topic, book = f"orderbook.1.{symbol}", self._venue.engine.read.book(symbol)
        message = self._message(topic, "snapshot", render.touch(self._venue.instrument(symbol), book))
        self._told_ms[topic] = self._venue.now_ms()
        self._venue.hub.publish(topic, {**message, "cts": book.time_ms}, only=only)

    def _push_ticker(self, topic: str, symbol: str) -> None:
        """Send what has changed since the last push; nothing where nothing did."""
        state, before = self.ticker(symbol), self._tickers.get(topic, {})
        changed = {key: value for key, value in state.items() if before.get(key) != value}
        self._tickers[topic] = state
        if changed:
            self._venue.hub.publish(topic, self._message(topic, "delta", {"symbol": symbol, **changed}))

    def _push_kline(self, topic: str, symbol: str, now_ms: int) -> None:
        """Push the candle that closed since the last push, then the running one if it has changed."""
        word = topic.split(".")[1]
        read, before = self._venue.engine.read, self._klines.get(topic)
        running = read.kline(symbol, INTERVALS[word], now_ms)
        has_closed = before is not None and now_ms > before.close_ms
        if before is not None and has_closed:
            for row in read.klines(symbol, INTERVALS[word], now_ms, start_ms=before.open_ms, limit=DAY_MINUTES):
                if row.close_ms < now_ms:
                    self._send_kline(topic, word, row, is_closed=True)
        if running is None:
            self._klines.pop(topic, None)
        elif has_closed or (running != before and self._is_due(topic, KLINE_MS, now_ms)):
            self._send_kline(topic, word, running, is_closed=False)
            self._klines[topic] = running

    def _send_kline(self, topic: str, word: str, row: Kline, *, is_closed: bool) -> None:
        if self._venue.candles_are_missing(row.symbol):
            return
        held, sent_ms = self._venue.instrument(row.symbol), self._venue.server_ms()
        told = render.kline_event(held, row, word, is_closed=is_closed, sent_ms=sent_ms)
        self._venue.hub.publish(topic, self._message(topic, "snapshot", [told]))

    def _message(self, topic: str, kind: str, data: Any) -> dict[str, Any]:
        return {"topic": topic, "type": kind, "ts": self._venue.server_ms(), "data": data}

    def _is_due(self, topic: str, every_ms: int, now_ms: int) -> bool:
        if now_ms - self._told_ms.get(topic, 0) < every_ms:
            return False
        self._told_ms[topic] = now_ms
        return True
