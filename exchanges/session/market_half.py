"""What the public half of every venue shares: its connections, the ages of its streams, and how one is read.

A venue says where its streams are, in which tongue, and what of a message is a quote, a candle or a mark.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from exchanges.errors import VenueError
from exchanges.hosts import HostPolicy
from exchanges.port import CandleEvent, PublicTrade, QuoteEvent, StreamDown, StreamUp, TradeEvent
from exchanges.session.ages import Ages, StreamName
from exchanges.session.buffers import LatestBuffer
from exchanges.session.http import HttpClient, HttpTongue
from exchanges.session.live import LiveStreams
from exchanges.session.reader import Handler, Reader, ReaderTimes
from exchanges.session.settings import AdapterSettings
from exchanges.session.subscription import Announce, Prepare, StreamTongue, Subscription, Take
from grid.instrument import Instrument
from grid.order import Quote
from risk.candle import Candle

CANDLES_KEPT = 2000
TRADES_KEPT = 20_000
MARK_SILENCE_S = 3.0
"""A mark that is not told for so long is asked for; one of ten seconds ago is no mark any more."""
Mark = tuple[str, Decimal, int]
"""Our symbol, its mark price, venue time in ms."""
MarkEvent = Mark | StreamUp | StreamDown
E = TypeVar("E")


class MarketHalf(ABC):
    """Base of a `MarketVenue`. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings, policy: HostPolicy, http: HttpTongue) -> None:
        self._settings = settings
        self._policy = policy
        self._http = HttpClient(policy, http, settings.monotonic_ns, settings.connect_timeout_s)
        self._ages = Ages(settings.monotonic_ns)
        self._live = LiveStreams()

    @abstractmethod
    async def instrument(self, symbol: str) -> Instrument:
        """Return the symbol's rules, as first read; raises `VenueRefused` where the venue has no such contract."""

    def ages(self) -> dict[str, float]:
        """Return seconds since each stream last spoke or was confirmed, by our stream name (`quote/ETHUSDT`)."""
        return self._ages.read()

    async def close(self) -> None:
        """End every stream and connection."""
        await self._live.close()
        await self._http.close()

    async def _stream(
        self,
        url: str,
        tongue: StreamTongue,
        names: Sequence[StreamName],
        buffer: LatestBuffer[E],
        take: Take,
        announce: Announce,
        prepare: Prepare | None = None,
    ) -> AsyncGenerator[E, None]:
        """Yield what `take` and `announce` put into the buffer; the streams have ages while this is read."""
        settings = self._settings
        subscription = Subscription(
            url=url,
            names=names,
            tongue=tongue,
            policy=self._policy,
            times=settings.socket_times,
            ages=self._ages,
            take=take,
            announce=announce,
            prepare=prepare,
        )
        async with aclosing(followed(subscription, names, buffer, settings, self._ages, self._live)) as events:
            async for event in events:
                yield event

    async def _probed_marks(
        self,
        stream: AsyncGenerator[MarkEvent, None],
        symbols: Sequence[str],
        buffer: LatestBuffer[MarkEvent],
        probe: Callable[[str], Awaitable[Mark]],
    ) -> AsyncGenerator[MarkEvent, None]:
        """Yield the stream; a mark that it has not told for a while is asked for: venues tell changes, or little more.

        A silent stream and a mark that stands still look alike: only the answer tells them apart.
        """
        probing = asyncio.create_task(self._probe_marks(symbols, buffer, probe))
        probing.add_done_callback(lambda done: None if done.cancelled() else buffer.end(done.exception()))
        try:
            async with aclosing(stream) as events:
                async for event in events:
                    yield event
        finally:
            probing.cancel()
            await asyncio.wait([probing])

    async def _probe_marks(
        self, symbols: Sequence[str], buffer: LatestBuffer[MarkEvent], probe: Callable[[str], Awaitable[Mark]]
    ) -> None:
        while True:
            await asyncio.sleep(MARK_SILENCE_S)
            ages = self._ages.read()
            for symbol in symbols:
                if ages.get(f"mark/{symbol}", 0.0) >= MARK_SILENCE_S:
                    with suppress(VenueError):
                        await buffer.put(await probe(symbol))

    def _knowing(self, symbols: Sequence[str]) -> Prepare:
        """Return what reads the symbols' rules before their stream is asked for."""

        async def prepare() -> None:
            for symbol in symbols:
                await self.instrument(symbol)

        return prepare


async def followed(
    handler: Handler,
    names: Sequence[StreamName],
    buffer: LatestBuffer[E],
    settings: AdapterSettings,
    ages: Ages,
    live: LiveStreams,
) -> AsyncGenerator[E, None]:
    """Yield what the handler puts into the buffer; the streams have ages while this is read."""
    times = ReaderTimes(life_s=settings.connection_life_s, backoff=settings.backoff)
    try:
        reader = Reader(handler, times, settings.random, settings.monotonic_ns)
        async with aclosing(live.iterate(reader, buffer)) as events:
            async for event in events:
                yield event
    finally:
        for name in names:
            ages.forget(name.ours)


class Newest:
    """The last number that each stream told: a state with an older one was overtaken.

    With `first_number` a venue begins to count again, whatever came before.
    """

    def __init__(self, first_number: int | None = None) -> None:
        self._first_number = first_number
        self._numbers: dict[str, int] = {}

    def takes(self, name: str, number: int) -> bool:
        """Note a number; whether it is new."""
        last = self._numbers.get(name, -1)
        if number <= last and (number != self._first_number or number == last):
            return False
        self._numbers[name] = number
        return True

    def forget(self, name: str) -> None:
        """Begin anew with a stream."""
        self._numbers.pop(name, None)


class RunningCandles:
    """The candle that runs on each stream: it is closed by the next one, where a venue may leave that untold."""

    def __init__(self) -> None:
        self._running: dict[str, Candle] = {}

    def take(self, candle: Candle) -> tuple[Candle, ...]:
        """Return what is to be told of it: the one before as closed, where this one ends it, then this one.

        Of one that is over only the venue's own word that it is closed is told: late, and with its last figures.
        """
        before = self._running.get(candle.symbol)
        if before is None:
            self._running[candle.symbol] = candle
            return (candle,)
        is_over = candle.open_ms < before.open_ms or (candle.open_ms == before.open_ms and before.is_closed)
        if is_over:
            return (candle,) if candle.is_closed else ()
        self._running[candle.symbol] = candle
        if before.is_closed or before.open_ms == candle.open_ms:
            return (candle,)
        return (replace(before, is_closed=True), candle)

    def forget(self, name: str) -> None:
        """Begin anew with a stream, by its name."""
        self._running.pop(name.removeprefix("candle/"), None)


def forgetting(forget: Callable[[str], None], announce: Announce) -> Announce:
    """Return what announces a state of a stream, and before that forgets what was known of the stream."""

    async def announced(event: StreamUp | StreamDown) -> None:
        forget(event.name)
        await announce(event)

    return announced


def quote_buffer(names: Sequence[StreamName]) -> LatestBuffer[QuoteEvent]:
    """Return a buffer of the latest quote of each symbol."""
    return LatestBuffer(_quote_key, 4 * len(names), lambda: _restart(names))


def candle_buffer(names: Sequence[StreamName]) -> LatestBuffer[CandleEvent]:
    """Return a buffer of the latest state of each candle."""
    return LatestBuffer(_candle_key, CANDLES_KEPT, lambda: _restart(names))


def mark_buffer(names: Sequence[StreamName]) -> LatestBuffer[MarkEvent]:
    """Return a buffer of the latest mark of each symbol."""
    return LatestBuffer(_mark_key, 4 * len(names), lambda: _restart(names))


def trade_buffer(names: Sequence[StreamName]) -> LatestBuffer[TradeEvent]:
    """Return a buffer that keeps every trade, up to a number at which a consumer has surely fallen behind."""
    return LatestBuffer(_trade_key, TRADES_KEPT, lambda: _restart(names))


def _restart(names: Sequence[StreamName]) -> list[StreamUp]:
    """Say after an overflow that everything before may be lost."""
    return [StreamUp(name=name.ours) for name in names]


def _quote_key(event: QuoteEvent) -> tuple[str, str]:
    return ("quote", event.symbol) if isinstance(event, Quote) else ("state", event.name)


def _candle_key(event: CandleEvent) -> tuple[str, str, int]:
    return (event.symbol, "", event.open_ms) if isinstance(event, Candle) else ("state", event.name, 0)


def _trade_key(event: TradeEvent) -> tuple[str, str]:
    return (event.symbol, event.trade_id) if isinstance(event, PublicTrade) else ("state", event.name)


def _mark_key(event: MarkEvent) -> tuple[str, str]:
    return ("mark", event[0]) if isinstance(event, tuple) else ("state", event.name)
