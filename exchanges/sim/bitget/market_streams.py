"""What everybody is told: the touch, tickers, candles, trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchanges.sim.bitget import render_market as render
from exchanges.sim.bitget.hub import Session, Topic
from exchanges.sim.venue_events import BookEvent, PrintEvent, VenueEvent
from exchanges.sim.views import Kline

if TYPE_CHECKING:
    from exchanges.sim.bitget.venue import BitgetVenue

TICKER_MS = 300
CANDLE_MS = 250
GREETING_CANDLES = 100
DAY_MINUTES = 1440
CANDLE = "candle"
CHANNELS = ("ticker", "books1", "trade")
WORDS = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1H": "1h",
    "4H": "4h",
    "6Hutc": "6h",
    "12Hutc": "12h",
    "1Dutc": "1d",
}


def is_public(topic: Topic) -> bool:
    """Whether the venue has such a channel."""
    channel, _ = topic
    return channel in CHANNELS or (channel.startswith(CANDLE) and channel.removeprefix(CANDLE) in WORDS)


class MarketStreams:
    """Public events; what has a period of its own is pushed by `tick`. Nothing says that a candle is closed."""

    def __init__(self, venue: BitgetVenue) -> None:
        self._venue = venue
        self._told_ms: dict[Topic, int] = {}
        self._tickers: dict[Topic, dict[str, Any]] = {}
        self._klines: dict[Topic, Kline] = {}

    def send(self, event: VenueEvent) -> None:
        match event:
            case BookEvent():
                self._push_book(event.symbol)
            case PrintEvent():
                row = render.public_trade(self._venue.instrument(event.symbol), event)
                self._venue.hub.publish(("trade", event.symbol), "update", [row])

    def greet(self, session: Session, topic: Topic) -> None:
        """Send the present state of a topic to a new listener."""
        channel, symbol = topic
        if symbol not in self._venue.instruments():
            return
        if channel == "books1":
            self._push_book(symbol, only=session)
        elif channel == "ticker":
            self._venue.hub.publish(topic, "snapshot", [self._ticker_row(symbol)], only=session)
        elif channel.startswith(CANDLE):
            held, interval = self._venue.instrument(symbol), WORDS[channel.removeprefix(CANDLE)]
            rows = self._venue.engine.read.klines(symbol, interval, self._venue.now_ms(), limit=GREETING_CANDLES)
            if rows and not self._venue.candles_are_missing(symbol):
                told = [render.candle(held, row) for row in rows]
                self._venue.hub.publish(topic, "snapshot", told, only=session)

    def tick(self, now_ms: int) -> None:
        """Push what is due by time."""
        for topic in self._venue.hub.wanted():
            channel, symbol = topic
            if symbol not in self._venue.instruments():
                continue
            if channel == "ticker" and self._is_due(topic, TICKER_MS, now_ms):
                row = self._ticker_row(symbol)
                if _without_time(row) != _without_time(self._tickers.get(topic, {})):
                    self._tickers[topic] = row
                    self._venue.hub.publish(topic, "snapshot", [row])
            elif channel.startswith(CANDLE):
                self._push_candles(topic, now_ms)

    def ticker(self, symbol: str) -> dict[str, Any]:
        """Return the state of a contract's market."""
        read, now_ms = self._venue.engine.read, self._venue.now_ms()
        day = read.klines(symbol, "1m", now_ms, limit=DAY_MINUTES)
        return render.ticker(
            self._venue.instrument(symbol),
            read.premium_index(symbol),
            read.book(symbol),
            read.last_price(symbol),
            day,
            sent_ms=self._venue.server_ms(),
        )

    def _ticker_row(self, symbol: str) -> dict[str, Any]:
        told = {"instId": symbol, "nextFundingTime": "0", "symbolType": 1, "deliveryPrice": "0"}
        return {**self.ticker(symbol), **told}

    def _push_book(self, symbol: str, only: Session | None = None) -> None:
        """Send the book of one level, which is always whole."""
        book, sent_ms = self._venue.engine.read.book(symbol), self._venue.server_ms()
        row = render.touch(self._venue.instrument(symbol), book, sent_ms=sent_ms)
        self._venue.hub.publish(("books1", symbol), "snapshot", [row], only=only)

    def _push_candles(self, topic: Topic, now_ms: int) -> None:
        """Push the candle that closed since the last push, as it ended, then the running one if it has changed."""
        channel, symbol = topic
        interval, read = WORDS[channel.removeprefix(CANDLE)], self._venue.engine.read
        running, before = read.kline(symbol, interval, now_ms), self._klines.get(topic)
        has_closed = before is not None and now_ms > before.close_ms
        if before is not None and has_closed:
            for row in read.klines(symbol, interval, now_ms, start_ms=before.open_ms, limit=DAY_MINUTES):
                if row.close_ms < now_ms:
                    self._send_candle(topic, row)
        if running is None:
            self._klines.pop(topic, None)
        elif has_closed or (running != before and self._is_due(topic, CANDLE_MS, now_ms)):
            self._send_candle(topic, running)
            self._klines[topic] = running

    def _send_candle(self, topic: Topic, row: Kline) -> None:
        if not self._venue.candles_are_missing(row.symbol):
            told = render.candle(self._venue.instrument(row.symbol), row)
            self._venue.hub.publish(topic, "update", [told])

    def _is_due(self, topic: Topic, every_ms: int, now_ms: int) -> bool:
        if now_ms - self._told_ms.get(topic, 0) < every_ms:
            return False
        self._told_ms[topic] = now_ms
        return True


def _without_time(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "ts"}
