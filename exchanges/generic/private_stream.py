"""What ccxt's private streams say, as events of the port; a position is read over REST after each fill."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from exchanges import wire
from exchanges.errors import VenueError
from exchanges.generic import wire_orders
from exchanges.generic.contracts import Contracts
from exchanges.generic.link import Watch, copied
from exchanges.generic.ours import OurOrders
from exchanges.port import Position, PrivateEvent
from exchanges.session.buffers import WholeBuffer
from exchanges.session.joining import FillJoiner
from grid.order import Fill, OrderReport, OrderUpdate

NAME = "private"
ORDERS, FILLS = "orders", "fills"
SWEEP_S = 0.25
BEHIND_MS = 60_000
"""How much earlier than its order's last word a fill may be stamped."""


def watches(*, with_fills: bool) -> list[Watch]:
    """Return what is followed: orders, and fills where their stream may be trusted; else those are read."""

    async def orders(made: Any) -> Any:
        return (ORDERS, copied(await made.watch_orders()))

    async def fills(made: Any) -> Any:
        return (FILLS, copied(await made.watch_my_trades()))

    return [Watch(ours=NAME, ask=ask) for ask in ([orders, fills] if with_fills else [orders])]


class PrivateTaking:
    """Turns news into events, whole and in order."""

    def __init__(
        self,
        *,
        buffer: WholeBuffer[PrivateEvent],
        contracts: Callable[[], Contracts],
        reload_rules: Callable[[], Awaitable[None]],
        read_order: Callable[[Fill], Awaitable[OrderReport]],
        read_fills: Callable[[str, int], Awaitable[list[Fill]]] | None,
        read_positions: Callable[[], Awaitable[list[Position]]],
        ours: OurOrders,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._buffer = buffer
        self._contracts = contracts
        self._reload_rules = reload_rules
        self._read_order = read_order
        self._read_fills = read_fills
        """None where they are streamed."""
        self._read_positions = read_positions
        self._ours = ours
        self._monotonic_ns = monotonic_ns
        self._joiner = FillJoiner()
        self._moved: set[str] = set()
        """Symbols whose position a fill has changed since it was last read."""
        self._wanted: dict[str, int] = {}
        """By symbol, since when there are fills to be read."""
        self._work = asyncio.Event()

    async def take(self, name: str, news: Any) -> None:
        """Take what one of the streams told since it was last asked."""
        kind, rows = news
        for row in rows:
            if row.get("symbol") not in self._contracts().by_unified:
                await self._reload_rules()
                if row.get("symbol") not in self._contracts().by_unified:
                    continue  # spot, dated, inverse: nothing that is traded here
            await self._put(self._updates(kind, row))

    async def sweep(self) -> None:
        """Read what the stream does not tell, and tell in time what waits for its other half, for ever."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), SWEEP_S)
            self._work.clear()
            for symbol in list(self._wanted):
                await self._tell_fills(symbol)
            updates, strangers = self._joiner.overdue(self._monotonic_ns())
            for fill in strangers:
                # asked again at the next turn where the venue does not answer
                with suppress(VenueError):
                    updates += self._joiner.order(await self._read_order(fill), self._monotonic_ns())
            await self._put(updates)
            if self._moved:
                await self._tell_positions()

    async def _tell_fills(self, symbol: str) -> None:
        """Read a symbol's fills. What is not told yet is told in time without them: the desk reads them then."""
        assert self._read_fills is not None
        since_ms = self._wanted.pop(symbol)
        with suppress(VenueError):
            for fill in await self._read_fills(symbol, since_ms):
                await self._put(self._joiner.trade(fill, self._monotonic_ns()))

    def _updates(self, kind: str, row: wire.Row) -> list[OrderUpdate]:
        now_ns = self._monotonic_ns()
        if kind == FILLS:
            fill = wire_orders.trade(row, self._contracts())
            return self._joiner.trade(fill, now_ns) if fill is not None else []
        if wire_orders.is_conditional(row):
            return []
        report = self._ours.report(row, self._contracts())
        updates = self._joiner.order(report, now_ns)
        if self._read_fills is not None and report.filled and not updates:
            since_ms = report.venue_ms - BEHIND_MS
            self._wanted[report.symbol] = min(since_ms, self._wanted.get(report.symbol, since_ms))
            self._work.set()
        return updates

    async def _put(self, updates: list[OrderUpdate]) -> None:
        for update in updates:
            if update.fill is not None or update.report.filled:
                self._moved.add(update.report.symbol)
            await self._buffer.put(update)

    async def _tell_positions(self) -> None:
        moved, self._moved = self._moved, set()
        try:
            read = await self._read_positions()
        except VenueError:
            self._moved |= moved
            return
        for position in read:
            if position.symbol in moved:
                await self._buffer.put(position)
