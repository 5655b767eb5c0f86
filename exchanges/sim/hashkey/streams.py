"""What everybody is told, and what each account is told of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from exchanges.sim.hashkey import render_account, render_orders
from exchanges.sim.hashkey import render_market as render
from exchanges.sim.hashkey.contracts import Contract, of_symbol, symbol_of
from exchanges.sim.server.candle_feed import CandleFeed
from exchanges.sim.server.listeners import Session
from exchanges.sim.venue_events import AccountEvent, BookEvent, LeverageEvent, OrderEvent, PrintEvent, VenueEvent

if TYPE_CHECKING:
    from exchanges.sim.hashkey.venue import HashkeyVenue

CANDLE_MS = 250
DEPTH, TICKER, TRADES, CANDLES = "depth", "realtimes", "trade", "kline_"
INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w")
TOPICS = frozenset({DEPTH, TICKER, TRADES, *(f"{CANDLES}{interval}" for interval in INTERVALS)})
ROWS = 40
OWN = "own"
"""The one topic of a private stream: everything of its account."""
DAY_HOURS = 24


class MarketStreams:
    """Public topics: prices as they change, candles by their period."""

    def __init__(self, venue: HashkeyVenue) -> None:
        self._venue = venue
        self._candles = CandleFeed(venue, every_ms=CANDLE_MS)

    def send(self, event: VenueEvent) -> None:
        match event:
            case BookEvent():
                held = of_symbol(self._venue, event.symbol)
                if f"{DEPTH}:{held.name}" in self._venue.listeners.wanted():
                    self._publish(DEPTH, held, [self._depth(held)])
            case PrintEvent():
                held = of_symbol(self._venue, event.symbol)
                self._publish(TRADES, held, [render.streamed_trade(held, event)])
                self._publish(TICKER, held, [self._ticker(held)])

    def greet(self, session: Session, topic: str) -> None:
        """Send the present state of a topic to a new listener."""
        channel, _, name = topic.partition(":")
        held = of_symbol(self._venue, symbol_of(name))
        if channel == DEPTH:
            self._publish(DEPTH, held, [self._depth(held)], only=session)
        elif channel == TICKER:
            self._publish(TICKER, held, [self._ticker(held)], only=session)

    def tick(self, now_ms: int) -> None:
        """Push what is due by time."""
        for topic in self._venue.listeners.wanted():
            channel, _, name = topic.partition(":")
            if not channel.startswith(CANDLES):
                continue
            held = of_symbol(self._venue, symbol_of(name))
            for row in self._candles.due(topic, held.symbol, channel.removeprefix(CANDLES), now_ms):
                self._publish(channel, held, [render.streamed_candle(held, row)])

    def day(self, held: Contract) -> Any:
        return self._venue.engine.read.klines(held.symbol, "1h", self._venue.now_ms(), limit=DAY_HOURS)

    def _ticker(self, held: Contract) -> Any:
        last = self._venue.engine.read.last_price(held.symbol)
        return render.streamed_ticker(held, self.day(held), last, sent_ms=self._venue.server_ms())

    def _depth(self, held: Contract) -> Any:
        read = self._venue.engine.read
        bids, asks = read.depth(held.symbol, ROWS)
        told = render.depth(held, bids, asks, sent_ms=self._venue.server_ms())
        return {"e": render.EXCHANGE, "s": held.name, "v": f"{read.book(held.symbol).update_id}_1", **told, "o": 0}

    def _publish(self, channel: str, held: Contract, data: list[Any], *, only: Session | None = None) -> None:
        kind = {"klineType": channel.removeprefix(CANDLES)} if channel.startswith(CANDLES) else {}
        frame = orjson.dumps(
            {
                "symbol": held.name,
                "symbolName": held.name,
                "topic": "kline" if kind else channel,
                "params": {"realtimeInterval": "24h", **kind},
                "data": data,
                "f": only is not None,
                "sendTime": self._venue.server_ms(),
                "shared": False,
            }
        )
        self._venue.listeners.publish(f"{channel}:{held.name}", frame, symbol=held.symbol, only=only)


class PrivateStreams:
    """Sends each account its events; with `account_update_first` the position comes before its order."""

    def __init__(self, venue: HashkeyVenue) -> None:
        self._venue = venue
        self._sides: dict[tuple[str, str], str] = {}
        """By account and symbol the side that was held last: it is named still where nothing is held any more."""

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
                    self._send_position(event.account, event.symbol)

    def _send_order(self, event: OrderEvent) -> None:
        order, venue = event.order, self._venue
        held, sent_ms = of_symbol(venue, order.symbol), venue.server_ms()
        leverage = venue.engine.read.position(event.account, order.symbol).leverage
        row = render_orders.order_event(held, order, event.fill, leverage=leverage, sent_ms=sent_ms)
        self._publish("orders", event.account, row, symbol=order.symbol, client_id=order.client_id)
        if event.fill is not None:
            row = render_orders.ticket(held, event.fill, order, sent_ms=sent_ms)
            self._publish("fills", event.account, row, symbol=order.symbol, client_id=order.client_id)

    def _send_account(self, event: AccountEvent) -> None:
        view = self._venue.engine.read.account(event.account)
        self._publish("account", event.account, render_account.account_event(view, sent_ms=self._venue.server_ms()))
        for held in event.positions:
            self._send_position(event.account, held.symbol)

    def _send_position(self, account: str, symbol: str) -> None:
        held = self._venue.engine.read.position(account, symbol)
        if held.quantity:
            self._sides[account, symbol] = render_account.side(held)
        side = self._sides.get((account, symbol), "LONG")
        contract, sent_ms = of_symbol(self._venue, symbol), self._venue.server_ms()
        row = render_account.position_event(held, contract, side, sent_ms=sent_ms)
        self._publish("positions", account, row, symbol=symbol)

    def _publish(self, stream: str, account: str, row: Any, *, symbol: str = "", client_id: str = "") -> None:
        """Send one event: a list of it, as the venue does."""
        self._venue.private_sent[stream] += 1
        told = orjson.dumps([row])
        self._venue.listeners.publish_private(OWN, account, told, stream=stream, symbol=symbol, client_id=client_id)
