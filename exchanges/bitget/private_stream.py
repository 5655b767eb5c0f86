"""The account's own stream: orders and positions on one connection, as events of one stream of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from exchanges import wire
from exchanges.bitget import wire_account, wire_orders
from exchanges.bitget.wire_account import Terms
from exchanges.port import ConfigurationChanged, Position, PrivateEvent, StreamDown, StreamUp
from exchanges.session.ages import StreamName
from exchanges.session.buffers import WholeBuffer

NAME = "private"
ORDERS, POSITIONS = "orders/default", "positions/default"
CHANNELS = [StreamName(venue=channel, ours=NAME) for channel in (ORDERS, POSITIONS)]


class PrivateStream:
    """Reads the channels. Events go to the buffer whole and in order; nothing is ever dropped.

    Both channels are one stream to us: it is up once, and down once for the same reason. A position that is closed is
    told by its absence: the list of positions is always whole.
    """

    def __init__(
        self,
        *,
        buffer: WholeBuffer[PrivateEvent],
        instruments: Callable[[], wire.Instruments],
        reload_rules: Callable[[], Awaitable[None]],
        known_positions: dict[str, Position],
        terms: dict[str, Terms],
    ) -> None:
        self._buffer = buffer
        self._instruments = instruments
        self._reload_rules = reload_rules
        self._known_positions = known_positions
        self._terms = terms
        self._announced: StreamUp | StreamDown | None = None

    async def announce(self, event: StreamUp | StreamDown) -> None:
        """Tell once what each of the channels says."""
        if event != self._announced:
            self._announced = event
            await self._buffer.put(event)

    async def take(self, name: str, message: wire.Row) -> None:
        """Take one message of a channel."""
        try:
            events = self._events(message)
        except wire.UnknownSymbol:
            await self._reload_rules()
            events = self._events(message)
        for event in events:
            if isinstance(event, Position):
                self._known_positions[event.symbol] = event
            await self._buffer.put(event)

    def _events(self, message: wire.Row) -> list[PrivateEvent]:
        channel = wire.text(wire.mapping(message.get("arg"), NAME), "channel", NAME)
        rows = [wire.mapping(value, channel) for value in wire.sequence(message.get("data"), f"{channel}.data")]
        if channel == "orders":
            return [wire_orders.update(row, self._instruments()) for row in rows]
        return self._positions(rows, wire.integer(message, "ts", channel))

    def _positions(self, rows: list[wire.Row], venue_ms: int) -> list[PrivateEvent]:
        events: list[PrivateEvent] = []
        told: set[str] = set()
        for row in rows:
            read = wire_account.position(row, self._instruments(), symbol_key="instId")
            told.add(read.symbol)
            events += self._changes(read)
            if read != self._known_positions.get(read.symbol):
                events.append(read)
        for symbol, held in self._known_positions.items():
            if held.quantity and symbol not in told:
                settings = self._terms.get(symbol) or Terms(
                    margin_mode=wire_account.ISOLATED if held.is_isolated else wire_account.CROSSED,
                    leverage=held.leverage,
                )
                events.append(wire_account.flat(symbol, settings, max(venue_ms, held.venue_ms)))
        return events

    def _changes(self, read: Position) -> list[ConfigurationChanged]:
        known = self._terms.get(read.symbol)
        if known is None:
            return []
        margin_mode = wire_account.ISOLATED if read.is_isolated else wire_account.CROSSED
        self._terms[read.symbol] = told = Terms(margin_mode=margin_mode, leverage=read.leverage)
        return wire_account.changed_terms(read.symbol, known, told)
