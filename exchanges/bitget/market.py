"""The public half of Bitget: quotes, candles and marks. No keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.bitget import requests, wire_market, wire_rules
from exchanges.bitget.codes import SYMBOL_UNKNOWN
from exchanges.bitget.settings import Endpoints
from exchanges.bitget.tongue import BitgetHttp, BitgetStreams, data_of
from exchanges.errors import Refusal, VenueRefused
from exchanges.outcome import Effect
from exchanges.port import CandleEvent, QuoteEvent, StreamDown, StreamUp
from exchanges.rulebook import merge
from exchanges.session.ages import Ages, StreamName
from exchanges.session.buffers import LatestBuffer
from exchanges.session.http import HttpClient
from exchanges.session.live import LiveStreams
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.settings import AdapterSettings
from exchanges.session.subscription import Prepare, Subscription, Take
from grid.instrument import Instrument
from grid.order import Quote
from risk.candle import Candle

CANDLES_KEPT = 2000
CANDLES_MAX = 1000
MarkEvent = tuple[str, Decimal, int] | StreamUp | StreamDown


class BitgetMarket:
    """The `MarketVenue` of Bitget. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._settings = settings
        self._endpoints = Endpoints.of(settings)
        self._policy = self._endpoints.policy()
        self._http = HttpClient(self._policy, BitgetHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._ages = Ages(settings.monotonic_ns)
        self._live = LiveStreams()
        self._instruments: wire.Instruments = {}

    async def instrument(self, symbol: str) -> Instrument:
        """Return the symbol's rules, as first read; raises `VenueRefused` where the venue has no such contract."""
        if symbol not in self._instruments:
            read = wire_rules.instruments(await self._get("contracts"))
            self._instruments = merge(self._instruments, read).instruments
        if symbol not in self._instruments:
            raise VenueRefused(SYMBOL_UNKNOWN, f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._instruments[symbol]

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        instrument = await self.instrument(symbol)
        rows = await self._get("ticker", symbol=symbol)
        return wire_market.rest_quote(rows, instrument, self._settings.monotonic_ns())

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the last one is given as still running."""
        word, length_ms = wire_market.interval_of(interval)
        rows = await self._get("candles", symbol=symbol, granularity=word, limit=min(limit, CANDLES_MAX))
        return wire_market.rest_candles(rows, symbol, length_ms)

    async def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = [StreamName(venue=f"books1/{symbol}", ours=f"quote/{symbol}") for symbol in symbols]
        buffer: LatestBuffer[QuoteEvent] = LatestBuffer(_quote_key, 4 * len(names), lambda: _restart(names))
        newest: dict[str, int] = {}

        async def take(name: str, message: wire.Row) -> None:
            now_ns = self._settings.monotonic_ns()
            number, quote = wire_market.streamed_quote(message, self._instruments, now_ns)
            if number <= newest.get(name, -1):
                return
            newest[name] = number
            if quote is not None:
                await buffer.put(quote)

        async def prepare() -> None:
            for symbol in symbols:
                await self.instrument(symbol)

        async def announce(event: StreamUp | StreamDown) -> None:
            newest.pop(event.name, None)
            await buffer.put(event)

        async with aclosing(self._stream(names, buffer, take, announce, prepare)) as events:
            async for event in events:
                yield event

    async def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle.

        Nothing says that a candle is closed but that the next one has begun.
        """
        word, length_ms = wire_market.interval_of(interval)
        names = [StreamName(venue=f"candle{word}/{symbol}", ours=f"candle/{symbol}") for symbol in symbols]
        buffer: LatestBuffer[CandleEvent] = LatestBuffer(_candle_key, CANDLES_KEPT, lambda: _restart(names))
        running: dict[str, Candle] = {}

        async def take(name: str, message: wire.Row) -> None:
            for candle in wire_market.streamed_candles(message, length_ms):
                before = running.get(name)
                if before is not None and candle.open_ms < before.open_ms:
                    continue
                if before is not None and candle.open_ms > before.open_ms:
                    await buffer.put(wire_market.closed(before))
                running[name] = candle
                await buffer.put(candle)

        async def announce(event: StreamUp | StreamDown) -> None:
            running.pop(event.name, None)
            await buffer.put(event)

        async with aclosing(self._stream(names, buffer, take, announce)) as events:
            async for event in events:
                yield event

    async def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms) with each change of the ticker; a slow consumer the latest."""
        names = [StreamName(venue=f"ticker/{symbol}", ours=f"mark/{symbol}") for symbol in symbols]
        buffer: LatestBuffer[MarkEvent] = LatestBuffer(_mark_key, 4 * len(names), lambda: _restart(names))

        async def take(name: str, message: wire.Row) -> None:
            await buffer.put(wire_market.mark(message))

        async with aclosing(self._stream(names, buffer, take, buffer.put)) as events:
            async for event in events:
                yield event

    def ages(self) -> dict[str, float]:
        """Return seconds since each stream last spoke or was confirmed, by our stream name (`quote/ETHUSDT`)."""
        return self._ages.read()

    async def close(self) -> None:
        """End every stream and connection."""
        await self._live.close()
        await self._http.close()

    async def _stream(
        self,
        names: list[StreamName],
        buffer: LatestBuffer[Any],
        take: Take,
        announce: Any,
        prepare: Prepare | None = None,
    ) -> AsyncGenerator[Any, None]:
        settings = self._settings
        subscription = Subscription(
            url=self._endpoints.public,
            names=names,
            tongue=BitgetStreams(),
            policy=self._policy,
            times=settings.socket_times,
            ages=self._ages,
            take=take,
            announce=announce,
            prepare=prepare,
        )
        times = ReaderTimes(life_s=settings.connection_life_s, backoff=settings.backoff)
        try:
            reader = Reader(subscription, times, settings.random, settings.monotonic_ns)
            async with aclosing(self._live.iterate(reader, buffer)) as events:
                async for event in events:
                    yield event
        finally:
            for name in names:
                self._ages.forget(name.ours)

    async def _get(self, path: str, **query: str | int) -> Any:
        told = requests.query_of({**query, "productType": requests.PRODUCT})
        url = f"{self._endpoints.rest}/api/v2/mix/market/{path}?{told}"
        reply = await self._http.send("GET", url, effect=Effect.READ, timeout_s=self._settings.read_timeout_s)
        return data_of(reply, path)


def _restart(names: Sequence[StreamName]) -> list[StreamUp]:
    """Say after an overflow that everything before may be lost."""
    return [StreamUp(name=name.ours) for name in names]


def _quote_key(event: QuoteEvent) -> tuple[str, str]:
    return ("quote", event.symbol) if isinstance(event, Quote) else ("state", event.name)


def _candle_key(event: CandleEvent) -> tuple[str, str, int]:
    return (event.symbol, "", event.open_ms) if isinstance(event, Candle) else ("state", event.name, 0)


def _mark_key(event: MarkEvent) -> tuple[str, str]:
    return ("mark", event[0]) if isinstance(event, tuple) else ("state", event.name)
