"""What the gateway hears of the venue by itself: order stream, mark prices, account and income."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from actors.clock import Clock
from actors.structured_log import log_of
from exchanges.desk.events import Event, IncomeRead, MarkSeen, StreamSaid, StreamState
from exchanges.errors import VenueError
from exchanges.port import Account, MarketVenue, StreamDown, StreamUp, TradingVenue
from grid.order import OrderUpdate

ACCOUNT_S = 5.0
INCOME_S = 60.0
INCOME_REACH_MS = 3 * 60_000


class Listening:
    """Turns streams and periodic readings into events, in the gateway's loop."""

    def __init__(
        self,
        *,
        name: str,
        venue: TradingVenue,
        market: MarketVenue,
        symbols: Sequence[str],
        clock: Clock,
        on_event: Callable[[Event], None],
        on_account: Callable[[Account], None],
    ) -> None:
        self._venue = venue
        self._market = market
        self._symbols = list(symbols)
        self._clock = clock
        self._on_event = on_event
        self._on_account = on_account
        self._log = log_of(name)
        self._stream: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Listen for ever; ends only by an error, which ends the gateway's process."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._orders())
            group.create_task(self._marks())
            group.create_task(self._poll(ACCOUNT_S, "account", self._read_account))
            group.create_task(self._poll(INCOME_S, "income", self._read_income))

    def renew_orders(self) -> None:
        """Drop the order stream and connect anew: it is deaf."""
        if self._stream is not None:
            self._stream.cancel()

    async def _orders(self) -> None:
        while True:
            self._stream = asyncio.ensure_future(self._orders_once())
            try:
                await self._stream
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    self._stream.cancel()
                    raise
            self._on_event(StreamState(is_up=False, reason="the order stream was dropped to connect anew"))

    async def _orders_once(self) -> None:
        async with aclosing(self._venue.private_events()) as events:  # type: ignore[type-var]
            async for event in events:
                match event:
                    case OrderUpdate():
                        self._on_event(StreamSaid(update=event))
                    case StreamUp():
                        self._on_event(StreamState(is_up=True))
                    case StreamDown(reason=reason):
                        self._on_event(StreamState(is_up=False, reason=f"the order stream is down: {reason}"))
                    case _:
                        pass  # positions and modes are judged by readings only

    async def _marks(self) -> None:
        async for event in self._market.marks(self._symbols):
            if isinstance(event, tuple):
                self._on_event(MarkSeen(symbol=event[0], price=event[1]))

    async def _poll(self, period_s: float, what: str, read: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(period_s)
            try:
                await read()
            except VenueError as error:
                self._log.warning("reading_failed", what=what, why=str(error))

    async def _read_account(self) -> None:
        self._on_account(await self._venue.account())

    async def _read_income(self) -> None:
        rows = await self._venue.income_since(self._clock.now_ms() - INCOME_REACH_MS)
        self._on_event(IncomeRead(rows=tuple(rows)))
