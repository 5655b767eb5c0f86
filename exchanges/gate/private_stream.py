"""The account's own stream: orders, trades and positions on one connection, as events of one stream of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from exchanges import wire
from exchanges.errors import VenueError
from exchanges.gate import wire_account, wire_orders
from exchanges.gate.contracts import Contracts
from exchanges.port import Position, PrivateEvent
from exchanges.session.ages import StreamName
from exchanges.session.buffers import WholeBuffer
from exchanges.session.joining import FillJoiner
from grid.order import Fill, OrderReport

NAME = "private"
ORDERS, TRADES, POSITIONS = "futures.orders", "futures.usertrades", "futures.positions"
CHANNELS = [StreamName(venue=channel, ours=NAME) for channel in (ORDERS, TRADES, POSITIONS)]
SWEEP_S = 0.25


class PrivateStream:
    """Reads the channels. Events go to the buffer whole and in order; nothing is ever dropped."""

    def __init__(
        self,
        *,
        buffer: WholeBuffer[PrivateEvent],
        contracts: Callable[[], Contracts],
        reload_rules: Callable[[], Awaitable[None]],
        read_order: Callable[[Fill], Awaitable[OrderReport]],
        known_positions: dict[str, Position],
        joiner: FillJoiner,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._buffer = buffer
        self._contracts = contracts
        self._reload_rules = reload_rules
        self._read_order = read_order
        self._known_positions = known_positions
        self._joiner = joiner
        self._monotonic_ns = monotonic_ns

    async def take(self, name: str, message: wire.Row) -> None:
        """Take one message of a channel."""
        channel = wire.text(message, "channel", NAME)
        for value in wire.sequence(message.get("result"), channel):
            row = wire.mapping(value, channel)
            if not _is_ours(row):
                continue
            try:
                events = self._events(channel, row)
            except wire.UnknownSymbol:
                await self._reload_rules()
                events = self._events(channel, row)
            for event in events:
                if isinstance(event, Position):
                    self._known_positions[event.symbol] = event
                await self._buffer.put(event)

    async def sweep(self) -> None:
        """Tell in time what waits for its other half, for ever."""
        while True:
            await asyncio.sleep(SWEEP_S)
            updates, strangers = self._joiner.overdue(self._monotonic_ns())
            for fill in strangers:
                # asked again at the next turn where the venue does not answer
                with suppress(VenueError):
                    updates += self._joiner.order(await self._read_order(fill), self._monotonic_ns())
            for update in updates:
                await self._buffer.put(update)

    def _events(self, channel: str, row: wire.Row) -> Sequence[PrivateEvent]:
        now_ns = self._monotonic_ns()
        if channel == ORDERS:
            return self._joiner.order(wire_orders.report(row, self._contracts()), now_ns)
        if channel == TRADES:
            return self._joiner.trade(wire_orders.trade(row, self._contracts()), now_ns)
        return [*wire_account.streamed(row, self._contracts(), self._known_positions)]


def _is_ours(row: wire.Row) -> bool:
    told = row.get("contract")
    return isinstance(told, str) and told.endswith("_USDT")
