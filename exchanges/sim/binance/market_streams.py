"""The public streams: book and trades at once, candles every 250 ms and at their close, the rest by their period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanges.sim.binance import render_market as render
from exchanges.sim.binance.render_events import order_trade_update
from exchanges.sim.binance.stream_names import StreamName, Topic, parse_stream
from exchanges.sim.orders import OrderStatus, OrderType
from exchanges.sim.venue_events import BookEvent, InstrumentEvent, OrderEvent, PrintEvent, VenueEvent
from exchanges.sim.views import DepthRow, Kline

if TYPE_CHECKING:
    from exchanges.sim.binance.venue import Venue

KLINE_PUSH_MS = 250
TICKER_PUSH_MS = 1000
DEPTH_LEVELS = 20
DAY_MINUTES = 1440

Sides = tuple[list[DepthRow], list[DepthRow]]


class MarketStreams:
    """Turns engine events and the passing of time into frames of those streams that somebody listens to."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._due_ms: dict[str, int] = {}
        self._klines: dict[str, Kline] = {}
        self._depths: dict[str, tuple[int, Sides]] = {}

    def send(self, event: VenueEvent) -> None:
        match event:
            case BookEvent():
                self._send_book(event)
            case PrintEvent():
                self._send_print(event)
            case OrderEvent() if _is_liquidation(event):
                self._send_liquidation(event)
            case InstrumentEvent():
                instrument = self._venue.instrument(event.symbol)
                payload = render.contract_event(instrument, sent_ms=self._venue.server_ms())
                self._publish("!contractInfo", payload, event.symbol)
            case _:
                pass

    def tick(self, now_ms: int) -> None:
        """Push what is due by time."""
        hub = self._venue.hub
        for stream in hub.wanted(Topic.KLINE):
            self._push_kline(stream, now_ms)
        for stream in hub.wanted(Topic.MARK_PRICE):
            if self._is_due(stream, stream.speed_ms, now_ms):
                self._push_marks(stream)
        for stream in hub.wanted(Topic.DEPTH):
            if self._is_due(stream, stream.speed_ms, now_ms):
                self._push_depth(stream)
        for topic in (Topic.TICKER, Topic.MINI_TICKER):
            for stream in hub.wanted(topic):
                if self._is_due(stream, TICKER_PUSH_MS, now_ms):
                    self._push_ticker(stream, now_ms)

    def day_ticker(self, symbol: str, now_ms: int) -> render.Json:
        venue = self._venue
        minutes = venue.engine.read.klines(symbol, "1m", now_ms, limit=DAY_MINUTES)
        trades = venue.engine.read.recent_trades(symbol, 1)
        return render.day_ticker(venue.instrument(symbol), minutes, trades[-1] if trades else None)

    def _send_book(self, event: BookEvent) -> None:
        names = (f"{event.symbol.lower()}@bookTicker", "!bookTicker")
        if not any(self._venue.hub.has_listener(name) for name in names):
            return
        instrument = self._venue.instrument(event.symbol)
        payload = render.book_ticker_event(instrument, event.book, sent_ms=self._venue.server_ms())
        for name in names:
            self._publish(name, payload, event.symbol)

    def _send_print(self, event: PrintEvent) -> None:
        hub, low = self._venue.hub, event.symbol.lower()
        if hub.has_listener(f"{low}@aggTrade"):
            instrument = self._venue.instrument(event.symbol)
            payload = render.aggregate_trade_event(instrument, event, sent_ms=self._venue.server_ms())
            self._publish(f"{low}@aggTrade", payload, event.symbol)
        if hub.has_listener(f"{low}@trade"):
            instrument = self._venue.instrument(event.symbol)
            payload = render.trade_event(instrument, event, sent_ms=self._venue.server_ms())
            self._publish(f"{low}@trade", payload, event.symbol)

    def _send_liquidation(self, event: OrderEvent) -> None:
        sent_ms = self._venue.server_ms()
        private = order_trade_update(self._venue.instrument(event.order.symbol), event, sent_ms=sent_ms)
        payload = render.force_order_event(private["o"], sent_ms=sent_ms)
        for name in (f"{event.order.symbol.lower()}@forceOrder", "!forceOrder@arr"):
            self._publish(name, payload, event.order.symbol)

    def _publish(self, name: str, payload: render.Json, symbol: str) -> None:
        stream = parse_stream(name)
        if stream is not None:
            self._venue.hub.publish(stream, payload, symbol=symbol)

    def _is_due(self, stream: StreamName, every_ms: int, now_ms: int) -> bool:
        if now_ms < self._due_ms.get(stream.name, 0):
            return False
        self._due_ms[stream.name] = now_ms - now_ms % every_ms + every_ms
        return True

    def _known(self, stream: StreamName) -> list[str]:
        symbols = [held.symbol for held in self._venue.engine.read.instruments()]
        if not stream.symbol:
            return symbols
        return [stream.symbol] if stream.symbol in symbols else []

    def _push_kline(self, stream: StreamName, now_ms: int) -> None:
        """Push the candle that closed since the last push, then the running one if it has changed."""
        if not self._known(stream):
            return
        running = self._venue.engine.read.kline(stream.symbol, stream.interval, now_ms)
        before = self._klines.get(stream.name)
        has_closed = before is not None and now_ms > before.close_ms
        if has_closed or (running and running != before and self._is_due(stream, KLINE_PUSH_MS, now_ms)):
            if before is not None and has_closed:
                self._push_closed(stream, before, now_ms)
            if running is not None:
                self._send_kline(stream, running, is_closed=False)
                self._klines[stream.name] = running
            else:
                self._klines.pop(stream.name, None)

    def _push_closed(self, stream: StreamName, before: Kline, now_ms: int) -> None:
        rows = self._venue.engine.read.klines(
            stream.symbol, stream.interval, now_ms, start_ms=before.open_ms, limit=DAY_MINUTES
        )
        for row in rows:
            if row.close_ms < now_ms:
                self._send_kline(stream, row, is_closed=True)

    def _send_kline(self, stream: StreamName, kline: Kline, *, is_closed: bool) -> None:
        if self._venue.candles_are_missing(stream.symbol):
            return
        instrument = self._venue.instrument(stream.symbol)
        payload = render.kline_event(
            instrument, kline, stream.interval, is_closed=is_closed, sent_ms=self._venue.server_ms()
        )
        self._venue.hub.publish(stream, payload, symbol=stream.symbol)

    def _push_marks(self, stream: StreamName) -> None:
        sent_ms = self._venue.server_ms()
        rows = [
            render.mark_price_event(self._venue.engine.read.premium_index(symbol), sent_ms=sent_ms)
            for symbol in self._known(stream)
        ]
        self._publish_rows(stream, rows)

    def _push_ticker(self, stream: StreamName, now_ms: int) -> None:
        draw = render.ticker_event if stream.topic is Topic.TICKER else render.mini_ticker_event
        sent_ms = self._venue.server_ms()
        self._publish_rows(
            stream, [draw(self.day_ticker(symbol, now_ms), sent_ms=sent_ms) for symbol in self._known(stream)]
        )

    def _publish_rows(self, stream: StreamName, rows: list[render.Json]) -> None:
        if stream.symbol:
            for row in rows:
                self._venue.hub.publish(stream, row, symbol=stream.symbol)
        else:
            self._venue.hub.publish(stream, rows, symbol="")

    def _push_depth(self, stream: StreamName) -> None:
        """Push the best levels, or for the diff stream what changed in them since the last push."""
        venue = self._venue
        if not self._known(stream):
            return
        book = venue.engine.read.book(stream.symbol)
        bids, asks = venue.engine.read.depth(stream.symbol, stream.levels or DEPTH_LEVELS)
        previous_id, (bids_before, asks_before) = self._depths.get(stream.name, (book.update_id - 1, ([], [])))
        if previous_id == book.update_id and (bids, asks) == (bids_before, asks_before):
            return
        self._depths[stream.name] = (book.update_id, (bids, asks))
        is_diff = stream.levels == 0
        payload = render.depth_event(
            venue.instrument(stream.symbol),
            _changed(bids_before, bids) if is_diff else bids,
            _changed(asks_before, asks) if is_diff else asks,
            book,
            first_id=previous_id + 1,
            previous_id=previous_id,
            sent_ms=venue.server_ms(),
        )
        venue.hub.publish(stream, payload, symbol=stream.symbol)


def _changed(before: list[DepthRow], after: list[DepthRow]) -> list[DepthRow]:
    """Return the levels that differ; one that went away comes with quantity 0."""
    held = set(before)
    prices = {row.price for row in after}
    gone = [DepthRow(price=row.price, quantity=0) for row in before if row.price not in prices]
    return gone + [row for row in after if row not in held]


def _is_liquidation(event: OrderEvent) -> bool:
    order = event.order
    is_forced = order.type is OrderType.LIQUIDATION and order.client_id.startswith("autoclose-")
    return is_forced and order.status is OrderStatus.FILLED
