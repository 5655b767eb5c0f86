"""The public channels: best prices and trades at once, candles as they change, tickers once a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanges.sim.gate import render
from exchanges.sim.gate.render_market import candle_event, ticker
from exchanges.sim.server.text import plain
from exchanges.sim.venue_events import BookEvent, PrintEvent, VenueEvent
from exchanges.sim.views import Kline

if TYPE_CHECKING:
    from exchanges.sim.gate.venue import GateVenue

QUOTES, TICKERS, CANDLES, PRINTS = "futures.book_ticker", "futures.tickers", "futures.candlesticks", "futures.trades"
CHANNELS = (QUOTES, TICKERS, CANDLES, PRINTS)
TICKER_PUSH_MS = 1000
CANDLE_PUSH_MS = 250


class MarketStreams:
    """Turns engine events and the passing of time into frames of what somebody listens to."""

    def __init__(self, venue: GateVenue) -> None:
        self._venue = venue
        self._due_ms: dict[str, int] = {}
        self._running: dict[str, Kline] = {}

    def send(self, event: VenueEvent) -> None:
        match event:
            case BookEvent():
                self._send_quote(event)
            case PrintEvent():
                self._send_print(event)
            case _:
                pass

    def tick(self, now_ms: int) -> None:
        """Push what is due by time."""
        for name in self._venue.hub.wanted(TICKERS):
            if self._is_due(f"ticker {name}", TICKER_PUSH_MS, now_ms) and self._knows(name):
                symbol = name.replace("_", "")
                told = ticker(self._venue, self._venue.contract(symbol))
                self._venue.hub.publish(TICKERS, name, [told], symbol=symbol)
        for about in self._venue.hub.wanted(CANDLES):
            if self._is_due(f"candle {about}", CANDLE_PUSH_MS, now_ms):
                self._push_candle(about)

    def _send_quote(self, event: BookEvent) -> None:
        book, contract = event.book, self._venue.contract(event.symbol)
        told = {
            "t": book.time_ms,
            "u": book.update_id,
            "s": contract.name,
            "b": plain(contract.instrument.price(book.bid)) if book.bid_quantity else "",
            "B": render.streamed_size(contract, book.bid_quantity),
            "a": plain(contract.instrument.price(book.ask)) if book.ask_quantity else "",
            "A": render.streamed_size(contract, book.ask_quantity),
        }
        self._venue.hub.publish(QUOTES, contract.name, told, symbol=event.symbol)

    def _send_print(self, event: PrintEvent) -> None:
        contract = self._venue.contract(event.symbol)
        told = {
            "id": event.trade_id,
            "create_time": event.time_ms // 1000,
            "create_time_ms": event.time_ms,
            "contract": contract.name,
            "size": render.streamed_size(contract, -event.quantity if event.buyer_is_maker else event.quantity),
            "price": plain(contract.instrument.price(event.price)),
        }
        self._venue.hub.publish(PRINTS, contract.name, [told], symbol=event.symbol)

    def _push_candle(self, about: str) -> None:
        """Push a candle that changed. Its end is not told: the next one begins."""
        interval, _, name = about.partition("_")
        symbol = name.replace("_", "")
        if not self._knows(name) or self._venue.candles_are_missing(symbol):
            return
        rows = self._venue.engine.read.klines(symbol, interval, self._venue.now_ms(), limit=1)
        if not rows or rows[-1] == self._running.get(about):
            return
        self._running[about] = rows[-1]
        told = candle_event(self._venue.contract(symbol), rows[-1], interval, is_closed=False)
        self._venue.hub.publish(CANDLES, about, [told], symbol=symbol)

    def _knows(self, name: str) -> bool:
        return name.replace("_", "") in self._venue.instruments()

    def _is_due(self, what: str, every_ms: int, now_ms: int) -> bool:
        if now_ms < self._due_ms.get(what, 0):
            return False
        self._due_ms[what] = now_ms - now_ms % every_ms + every_ms
        return True
