"""The account's own stream: orders, executions and positions on one connection, as events of one stream of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from exchanges import wire
from exchanges.bybit import wire_account, wire_orders, wire_stops
from exchanges.port import Position, PrivateEvent
from exchanges.session.ages import StreamName
from exchanges.session.buffers import WholeBuffer
from grid.order import OrderUpdate

NAME = "private"
ORDERS, EXECUTIONS, POSITIONS = "order.linear", "execution.linear", "position.linear"
TOPICS = [StreamName(venue=topic, ours=NAME) for topic in (ORDERS, EXECUTIONS, POSITIONS)]


class PrivateStream:
    """Reads the topics. Events go to the buffer whole and in order; nothing is ever dropped."""

    def __init__(
        self,
        *,
        buffer: WholeBuffer[PrivateEvent],
        instruments: Callable[[], wire.Instruments],
        reload_rules: Callable[[], Awaitable[None]],
        known_positions: dict[str, Position],
    ) -> None:
        self._buffer = buffer
        self._instruments = instruments
        self._reload_rules = reload_rules
        self._known_positions = known_positions

    async def take(self, name: str, message: wire.Row) -> None:
        """Take one message of a topic."""
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
        topic = wire.text(message, "topic", NAME)
        read = {ORDERS: self._order, EXECUTIONS: self._execution, POSITIONS: self._position}[topic]
        rows = [wire.mapping(value, topic) for value in wire.sequence(message.get("data"), f"{topic}.data")]
        # a categorised topic tells that category alone, futures in USDC among it
        return [event for row in rows if _is_ours(row) for event in read(row)]

    def _order(self, row: wire.Row) -> list[PrivateEvent]:
        if wire_stops.is_waiting(row):
            return [wire_stops.report(row, self._instruments())]
        update = OrderUpdate(report=wire_orders.report(row, self._instruments()))
        if wire_stops.is_stop(row) and row["orderStatus"] == "New":
            return [wire_stops.report(row, self._instruments()), update]
        return [update]

    def _execution(self, row: wire.Row) -> list[PrivateEvent]:
        update = wire_orders.update(row, self._instruments())
        return [update] if update is not None else []

    def _position(self, row: wire.Row) -> list[PrivateEvent]:
        return [*wire_account.streamed(row, self._instruments(), self._known_positions)]


def _is_ours(row: wire.Row) -> bool:
    told: Any = row.get("symbol")
    return isinstance(told, str) and told.endswith("USDT")
