"""What the private half of every venue shares: its connections, the private stream, and who pays for what it sends.

A venue says its rules, how an order is placed and cancelled, and who reads its private stream.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from exchanges import wire
from exchanges.cost import CallCosts, Cost
from exchanges.hosts import HostPolicy
from exchanges.port import ConfigurationChanged, PrivateEvent, UsedQuota, VenueRules
from exchanges.session.ages import Ages, StreamName
from exchanges.session.answers import Answer
from exchanges.session.buffers import WholeBuffer
from exchanges.session.clock_offset import ClockOffset
from exchanges.session.live import LiveStreams
from exchanges.session.reader import Handler, Reader, ReaderTimes
from exchanges.session.settings import AdapterSettings
from exchanges.session.subscription import Announce, LogIn, Prepare, StreamTongue, Subscription, Take
from grid.instrument import Instrument
from grid.order import OrderReport
from risk.veto import Approved

T = TypeVar("T")


class SomeCalls(Protocol):
    """What a private half needs of whatever sends its requests."""

    policy: HostPolicy
    clock: ClockOffset

    @property
    def is_socket_up(self) -> bool: ...

    def fence_by(self, fence: Callable[[], None]) -> None: ...

    async def open_socket(self) -> None: ...

    async def measure_clock(self) -> ClockOffset: ...

    async def close(self) -> None: ...


C = TypeVar("C", bound=SomeCalls)


class TradingHalf(ABC, Generic[C]):
    """Base of a `TradingVenue`, for one account in one-way mode.

    The constructor does no I/O. `connect` may be called again after it failed. Cancelling a waiting call means that
    its outcome is unknown. `clock_cost` is that of one reading of the venue's clock.
    """

    def __init__(self, settings: AdapterSettings, calls: C, costs: CallCosts, *, clock_cost: Cost) -> None:
        self._settings = settings
        self.on_quota: Callable[[UsedQuota], None] | None = None
        self.toll: Callable[[Cost], Awaitable[None]] | None = None
        self.costs = costs
        self._clock_cost = clock_cost
        self._calls = calls
        self._ages = Ages(settings.monotonic_ns)
        self._live = LiveStreams()
        self._events: WholeBuffer[PrivateEvent] | None = None
        self._told: set[str] = set()

    @abstractmethod
    async def rules(self) -> VenueRules:
        """Read the venue's rules anew, and `_tell` of what they change."""

    @abstractmethod
    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""

    @abstractmethod
    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""

    @abstractmethod
    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id. "Unknown order" may mean filled, cancelled or not yet there: ask for the order."""

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Ask `fence` before every write, after its time stamp was taken; it raises where nothing may be sent."""
        self._calls.fence_by(fence)

    @property
    def orders_by_socket(self) -> bool:
        """Whether an order placed now would go over the socket."""
        return self._calls.is_socket_up

    async def connect(self) -> None:
        """Load the rules, measure the clock, open the order socket."""
        await self.rules()
        await self._calls.measure_clock()
        await self._calls.open_socket()

    async def cancel_batch(self, symbol: str, client_ids: Sequence[str]) -> list[Answer]:
        """Cancel several orders of one symbol side by side; the answer at index k belongs to id k.

        The venue's own batch is not used: each cancel then has an outcome of its own, whatever happens to the others.
        """
        return await asyncio.gather(*(self.cancel(symbol, one) for one in client_ids), return_exceptions=True)

    def ages(self) -> dict[str, float]:
        """Return seconds since the private stream last spoke or was confirmed. Quiet is not stale."""
        return self._ages.read()

    def clock_offset_ms(self) -> int:
        """Return venue clock minus ours at the last measurement."""
        return self._calls.clock.offset_ms

    async def measure_clock(self) -> int:
        """Measure the clock anew and return the offset; to be called now and then."""
        await self._pay(Cost(weight=self._clock_cost.weight * self._settings.time_probes))
        return (await self._calls.measure_clock()).offset_ms

    async def close(self) -> None:
        """End every stream and connection."""
        await self._live.close()
        await self._calls.close()

    def _subscription(
        self,
        url: str,
        tongue: StreamTongue,
        names: Sequence[StreamName],
        *,
        take: Take,
        announce: Announce,
        prepare: Prepare | None = None,
        log_in: LogIn | None = None,
    ) -> Subscription:
        return Subscription(
            url=url,
            names=names,
            tongue=tongue,
            policy=self._calls.policy,
            times=self._settings.socket_times,
            ages=self._ages,
            take=take,
            announce=announce,
            prepare=prepare,
            log_in=log_in,
        )

    async def _private_stream(
        self, handler: Handler, buffer: WholeBuffer[PrivateEvent]
    ) -> AsyncGenerator[PrivateEvent, None]:
        """Yield what the handler puts into the buffer, for ever; what `_tell` tells meanwhile is among it."""
        settings = self._settings
        times = ReaderTimes(life_s=settings.connection_life_s, backoff=settings.backoff)
        reader = Reader(handler, times, settings.random, settings.monotonic_ns)
        self._events = buffer
        try:
            async with aclosing(self._live.iterate(reader, buffer)) as events:
                async for event in events:
                    yield event
        finally:
            self._events = None

    async def _swept_stream(
        self, handler: Handler, buffer: WholeBuffer[PrivateEvent], sweep: Callable[[], Coroutine[Any, Any, None]]
    ) -> AsyncGenerator[PrivateEvent, None]:
        """Yield as `_private_stream` does while `sweep` runs beside it; an error that ends `sweep` ends the stream."""
        sweeping = asyncio.create_task(sweep())
        sweeping.add_done_callback(lambda done: None if done.cancelled() else buffer.end(done.exception()))
        try:
            async with aclosing(self._private_stream(handler, buffer)) as events:
                async for event in events:
                    yield event
        finally:
            sweeping.cancel()
            await asyncio.wait([sweeping])

    async def _tell(self, changes: Mapping[str, str]) -> None:
        """Tell of a change that stops a symbol, once, as an event of the private stream."""
        for symbol, words in changes.items():
            if words not in self._told and self._events is not None:
                self._told.add(words)
                await self._events.put(ConfigurationChanged(what=words, symbol=symbol))

    async def _tell_settings(self, changes: Sequence[ConfigurationChanged]) -> None:
        """Tell what another hand changed of a symbol's settings, where no stream of the venue does."""
        for change in changes:
            if self._events is not None:
                await self._events.put(change)

    async def _place_unread(self, order: Approved) -> OrderReport:
        """Place an order of a symbol whose rules were not read yet."""
        await self.instrument(order.request.symbol)
        return await self.place(order)

    async def _parsed(self, parse: Callable[[], list[T]]) -> list[T]:
        """Parse a reply about any symbol; read the rules anew where one is not known yet."""
        try:
            return parse()
        except wire.UnknownSymbol:
            await self._reload()
            return parse()

    async def _whole(self, read: Callable[[], Awaitable[list[T]]], cost: Cost) -> list[T]:
        """Read about any symbol, and once more, at that cost, with the rules read anew where one is not known yet."""
        try:
            return await read()
        except wire.UnknownSymbol:
            await self._reload()
            await self._pay(cost)
            return await read()

    async def _reload(self) -> None:
        await self._pay(self.costs.rules)
        await self.rules()

    async def _pay(self, cost: Cost) -> None:
        if self.toll is not None:
            await self.toll(cost)

    def _note_quota(self, used: UsedQuota) -> None:
        if self.on_quota is not None:
            self.on_quota(used)
