"""What everybody is told, and what each account is told of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from exchanges.sim.kucoinfutures import render_account, render_orders
from exchanges.sim.kucoinfutures import render_market as render
from exchanges.sim.kucoinfutures.contracts import Contract, of_symbol, symbol_of
from exchanges.sim.orders import Execution, Fill, OrderStatus
from exchanges.sim.server.candle_feed import CandleFeed
from exchanges.sim.server.listeners import Session
from exchanges.sim.venue_events import AccountEvent, BookEvent, LeverageEvent, OrderEvent, PrintEvent, VenueEvent
from exchanges.sim.views import MarginType

if TYPE_CHECKING:
    from exchanges.sim.kucoinfutures.venue import KucoinVenue

CANDLE_MS = 250
TOUCH, TICKER, TRADES = "/contractMarket/tickerV2", "/contractMarket/ticker", "/contractMarket/execution"
BOOKS = {"/contractMarket/level2Depth5": 5, "/contractMarket/level2Depth50": 50}
CANDLES = "/contractMarket/limitCandle"
INTERVALS = {
    "1min": "1m",
    "5min": "5m",
    "15min": "15m",
    "30min": "30m",
    "1hour": "1h",
    "2hour": "2h",
    "4hour": "4h",
    "8hour": "8h",
    "12hour": "12h",
    "1day": "1d",
    "1week": "1w",
}
ORDERS, WALLET, POSITIONS = "/contractMarket/tradeOrders", "/contractAccount/wallet", "/contract/positionAll"
PRIVATE = (ORDERS, WALLET, POSITIONS)
ENDS = (Execution.CANCELED, Execution.EXPIRED)


def frame(topic: str, subject: str, data: Any, *, is_private: bool = False) -> bytes:
    told = {"topic": topic, "type": "message", "subject": subject, "data": data}
    return orjson.dumps({**told, "channelType": "private"} if is_private else told)


class MarketStreams:
    """Public topics: prices as they change, candles by their period."""

    def __init__(self, venue: KucoinVenue) -> None:
        self._venue = venue
        self._candles = CandleFeed(venue, every_ms=CANDLE_MS)

    def send(self, event: VenueEvent) -> None:
        match event:
            case BookEvent():
                self._send_books(event.symbol)
            case PrintEvent():
                held = of_symbol(self._venue, event.symbol)
                self._publish(TRADES, held, "match", render.trade(held, event))
                self._publish(TICKER, held, "ticker", self.ticker(held))

    def greet(self, session: Session, topic: str) -> None:
        """Send the present state of a topic to a new listener."""
        channel, _, about = topic.partition(":")
        symbol = symbol_of(about)
        if symbol in self._venue.instruments():
            held = of_symbol(self._venue, symbol)
            if channel == TOUCH:
                self._publish(TOUCH, held, "tickerV2", self._touch(held), only=session)
            elif channel in BOOKS:
                self._publish(channel, held, "level2", self.depth(held, BOOKS[channel]), only=session)

    def tick(self, now_ms: int) -> None:
        """Push what is due by time."""
        for topic in self._venue.listeners.wanted():
            channel, _, about = topic.partition(":")
            name, _, word = about.partition("_")
            symbol = symbol_of(name)
            if channel != CANDLES or word not in INTERVALS or symbol not in self._venue.instruments():
                continue
            held = of_symbol(self._venue, symbol)
            for row in self._candles.due(topic, symbol, INTERVALS[word], now_ms):
                told = {"symbol": name, "candles": render.streamed_candle(held, row), "time": self._venue.server_ms()}
                self._venue.listeners.publish(topic, frame(topic, "candle.stick", told), symbol=symbol)

    def ticker(self, held: Contract) -> Any:
        read = self._venue.engine.read
        last = read.recent_trades(held.symbol, 1)
        sent_ms = self._venue.server_ms()
        return render.ticker(held, read.book(held.symbol), last[-1] if last else None, sent_ms=sent_ms)

    def depth(self, held: Contract, rows: int) -> Any:
        read = self._venue.engine.read
        bids, asks = read.depth(held.symbol, rows)
        sequence = read.book(held.symbol).update_id
        return render.depth(held, bids, asks, sequence=sequence, sent_ms=self._venue.server_ms())

    def _touch(self, held: Contract) -> Any:
        return render.touch(held, self._venue.engine.read.book(held.symbol), sent_ms=self._venue.server_ms())

    def _send_books(self, symbol: str) -> None:
        held, wanted = of_symbol(self._venue, symbol), self._venue.listeners.wanted()
        if f"{TOUCH}:{held.name}" in wanted:
            self._publish(TOUCH, held, "tickerV2", self._touch(held))
        for channel, rows in BOOKS.items():
            if f"{channel}:{held.name}" in wanted:
                self._publish(channel, held, "level2", self.depth(held, rows))

    def _publish(self, channel: str, held: Contract, subject: str, data: Any, *, only: Session | None = None) -> None:
        topic = f"{channel}:{held.name}"
        self._venue.listeners.publish(topic, frame(topic, subject, data), symbol=held.symbol, only=only)


class PrivateStreams:
    """Sends each account its events; with `account_update_first` the position comes before its order."""

    def __init__(self, venue: KucoinVenue) -> None:
        self._venue = venue

    def send(self, events: Sequence[VenueEvent]) -> None:
        ordered = list(events)
        if self._venue.behaviour.account_update_first:
            ordered.sort(key=lambda event: not isinstance(event, AccountEvent))
        for event in ordered:
            match event:
                case OrderEvent():
                    self._send_order(event)
                case AccountEvent():
                    self._send_account(event)
                case LeverageEvent():
                    self._send_position(event.account, event.symbol, "position.change")

    def _send_order(self, event: OrderEvent) -> None:
        if event.execution is Execution.NEW:
            self._send_change(event, "open", None)
        elif event.fill is not None:
            self._send_change(event, "match", event.fill)
            if event.order.status is OrderStatus.FILLED:
                self._send_change(event, "filled", None)
        if event.execution in ENDS:
            self._send_change(event, "canceled", None)

    def _send_change(self, event: OrderEvent, word: str, fill: Fill | None) -> None:
        order, venue = event.order, self._venue
        held = of_symbol(venue, order.symbol)
        is_isolated = venue.engine.read.position(event.account, order.symbol).margin_type is MarginType.ISOLATED
        sent_ms = venue.server_ms()
        row = render_orders.order_event(held, order, word, fill, is_isolated=is_isolated, sent_ms=sent_ms)
        venue.private_sent["orders"] += 1
        for topic in (ORDERS, f"{ORDERS}:{held.name}"):
            told = frame(topic, "symbolOrderChange", row, is_private=True)
            venue.listeners.publish_private(
                topic, event.account, told, stream="orders", symbol=order.symbol, client_id=order.client_id
            )

    def _send_account(self, event: AccountEvent) -> None:
        venue = self._venue
        venue.private_sent["wallet"] += 1
        data = render_account.wallet(venue.engine.read.account(event.account), sent_ms=venue.server_ms())
        told = frame(WALLET, "walletBalance.change", data, is_private=True)
        venue.listeners.publish_private(WALLET, event.account, told, stream="wallet")
        for held in event.positions:
            self._send_position(event.account, held.symbol, "position.change")

    def _send_position(self, account: str, symbol: str, subject: str) -> None:
        venue = self._venue
        held = venue.engine.read.position(account, symbol)
        data = render_account.position(held, of_symbol(venue, symbol), now_ms=venue.server_ms())
        venue.private_sent["positions"] += 1
        told = frame(POSITIONS, subject, data, is_private=True)
        venue.listeners.publish_private(POSITIONS, account, told, stream="positions", symbol=symbol)
