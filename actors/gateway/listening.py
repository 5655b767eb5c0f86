"""What the gateway hears of the venue by itself: order stream and mark prices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing

from actors.mail.outbox import Gauges
from exchanges.desk.events import Event, HoldAsked, MarkSeen, StopSaid, StreamSaid, StreamState
from exchanges.port import ConfigurationChanged, MarketVenue, StreamDown, StreamUp, TradingVenue
from grid.holds import HoldCause
from grid.order import OrderUpdate
from grid.stop import StopReport


class Listening:
    """Turns streams into events, in the gateway's loop."""

    def __init__(
        self,
        *,
        venue: TradingVenue,
        market: MarketVenue,
        symbols: Sequence[str],
        on_event: Callable[[Event], None],
        gauges: Gauges,
    ) -> None:
        self._venue = venue
        self._market = market
        self._symbols = list(symbols)
        self._leverages: Mapping[str, int] = {}
        self._on_event = on_event
        self._gauges = gauges
        self._stream: asyncio.Task[None] | None = None
        self._marked: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Listen for ever; ends only by an error, which ends the gateway's process."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._orders())
            group.create_task(self._marks())

    def renew_orders(self) -> None:
        """Drop the order stream and connect anew: it is deaf."""
        if self._stream is not None:
            self._stream.cancel()

    def cover(self, symbols: Sequence[str], leverages: Mapping[str, int]) -> None:
        """Listen to the marks of these symbols from now on. A leverage that we have set ourselves is no news."""
        self._symbols, self._leverages = list(symbols), leverages
        if self._marked is not None:
            self._marked.cancel()

    async def _orders(self) -> None:
        while True:
            self._stream = asyncio.ensure_future(self._orders_once())
            await _until_dropped(self._stream)
            self._on_event(StreamState(is_up=False, reason="the order stream was dropped to connect anew"))

    async def _orders_once(self) -> None:
        async with aclosing(self._venue.private_events()) as events:
            async for event in events:
                match event:
                    case OrderUpdate():
                        self._on_event(StreamSaid(update=event))
                    case StopReport():
                        self._on_event(StopSaid(report=event))
                    case StreamUp():
                        self._gauges.count("gridmesh_stream_connects", stream="private")
                        self._on_event(StreamState(is_up=True))
                    case StreamDown(reason=reason):
                        self._on_event(StreamState(is_up=False, reason=f"the order stream is down: {reason}"))
                    case ConfigurationChanged(symbol=symbol, leverage=int(now)) if self._leverages.get(symbol) == now:
                        pass
                    case ConfigurationChanged(what=what, symbol=symbol) if symbol in ("", *self._symbols):
                        reason = f"{what}: changed at the venue by somebody else; only an operator lifts this"
                        self._on_event(HoldAsked(cause=HoldCause.VENUE_RULE, symbol=symbol, is_put=True, reason=reason))
                    case _:
                        pass  # positions are judged by readings only

    async def _marks(self) -> None:
        while True:
            self._marked = asyncio.ensure_future(self._marks_once())
            await _until_dropped(self._marked)

    async def _marks_once(self) -> None:
        async with aclosing(self._market.marks(self._symbols)) as events:
            async for event in events:
                if isinstance(event, tuple):
                    self._on_event(MarkSeen(symbol=event[0], price=event[1]))
                elif isinstance(event, StreamUp):
                    self._gauges.count("gridmesh_stream_connects", stream=event.name)


async def _until_dropped(stream: asyncio.Task[None]) -> None:
    """Wait for a stream's end; one that is dropped here ends quietly, and with its owner it is dropped too."""
    try:
        await stream
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            stream.cancel()
            raise
