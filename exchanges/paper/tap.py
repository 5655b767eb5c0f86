"""The public streams that feed the paper venue: best prices, trades, marks; and whether they speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from decimal import Decimal

from exchanges.port import MarketVenue, PublicTrade, StreamDown, StreamUp
from exchanges.sim.market import BookTop, Mark, MarketEvent, Trade
from grid.order import Quote

Heard = Quote | PublicTrade | tuple[str, Decimal, int] | StreamUp | StreamDown
NEEDED = ("quote", "trade")
"""Without these of a symbol nobody can say what would have filled; without marks the engine takes a middle price."""


class Tap:
    """Reads the streams in tasks of its own. `on_state` hears why they are down, or nothing once all speak again."""

    def __init__(
        self, market: MarketVenue, on_market: Callable[[MarketEvent], None], on_state: Callable[[str], None]
    ) -> None:
        self._market = market
        self._on_market = on_market
        self._on_state = on_state
        self._tasks: list[asyncio.Task[None]] = []
        self._silent: dict[str, str] = {}
        self._covered: set[str] = set()
        self.heard = 0
        """How many quotes, trades and marks came."""

    def cover(self, symbols: Sequence[str]) -> None:
        """Read the streams of these symbols too."""
        fresh = [symbol for symbol in symbols if symbol not in self._covered]
        if not fresh:
            return
        self._covered.update(fresh)
        self._silent.update({f"{kind}/{symbol}": "not connected yet" for kind in NEEDED for symbol in fresh})
        streams: tuple[AsyncGenerator[Heard, None], ...] = (
            self._market.quotes(fresh),
            self._market.trades(fresh),
            self._market.marks(fresh),
        )
        for stream in streams:
            task = asyncio.create_task(self._read(stream))
            task.add_done_callback(raise_bug)
            self._tasks.append(task)

    def why_silent(self, symbol: str) -> str:
        """Return why nothing can be said of a symbol's market now; empty where something can."""
        for kind in NEEDED:
            name = f"{kind}/{symbol}"
            if symbol not in self._covered or name in self._silent:
                return f"{name}: {self._silent.get(name, 'not connected yet')}"
        return ""

    def silence(self) -> str:
        """Return which streams do not speak, and why."""
        return "; ".join(f"{name}: {why}" for name, why in sorted(self._silent.items()))

    async def close(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, stream: AsyncGenerator[Heard, None]) -> None:
        async with aclosing(stream) as events:
            async for event in events:
                if isinstance(event, StreamUp | StreamDown):
                    self._note(event)
                else:
                    self.heard += 1
                    self._on_market(_market_event(event))

    def _note(self, event: StreamUp | StreamDown) -> None:
        was_silent = bool(self._silent)
        if event.name.partition("/")[0] not in NEEDED:
            return
        if isinstance(event, StreamUp):
            self._silent.pop(event.name, None)
        else:
            self._silent[event.name] = event.reason
        if isinstance(event, StreamDown) or was_silent != bool(self._silent):
            self._on_state(self.silence())


def top_of(quote: Quote) -> BookTop:
    """Return the others' best prices."""
    return BookTop(
        symbol=quote.symbol,
        time_ms=quote.venue_ms,
        bid=quote.bid,
        bid_quantity=quote.bid_quantity,
        ask=quote.ask,
        ask_quantity=quote.ask_quantity,
    )


def _market_event(event: Quote | PublicTrade | tuple[str, Decimal, int]) -> MarketEvent:
    match event:
        case Quote():
            return top_of(event)
        case PublicTrade():
            return Trade(
                symbol=event.symbol,
                time_ms=event.venue_ms,
                price=event.price,
                quantity=event.quantity,
                aggressor=event.aggressor,
            )
        case (symbol, price, venue_ms):
            return Mark(symbol=symbol, time_ms=venue_ms, price=price)


def raise_bug(task: asyncio.Task[None]) -> None:
    """What breaks here would leave a venue that never fills: the loop's handler ends the process."""
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "the paper venue broke", "exception": error})
