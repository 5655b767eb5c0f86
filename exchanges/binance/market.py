"""The public half of Binance USD-M: quotes, candles and marks. No keys, no ccxt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from exchanges import wire
from exchanges.binance import wire_market, wire_rules
from exchanges.binance.settings import Endpoints
from exchanges.binance.tongue import BinanceHttp, BinanceStreams
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
MarkEvent = tuple[str, Decimal, int] | StreamUp | StreamDown


class BinanceMarket:
    """The `MarketVenue` of Binance USD-M. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._settings = settings
        self._endpoints = Endpoints.of(settings)
        self._policy = self._endpoints.policy()
        self._http = HttpClient(self._policy, BinanceHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._ages = Ages(settings.monotonic_ns)
        self._live = LiveStreams()
        self._instruments: wire.Instruments = {}

    async def instrument(self, symbol: str) -> Instrument:
        """Return the symbol's rules, as first read; raises `VenueRefused` where the venue has no such contract."""
        if symbol not in self._instruments:
            read = wire_rules.instruments(await self._get("exchangeInfo"))
            self._instruments = merge(self._instruments, read).instruments
        if symbol not in self._instruments:
            raise VenueRefused("-1121", f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._instruments[symbol]

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        instrument = await self.instrument(symbol)
        reply = await self._get("ticker/bookTicker", symbol=symbol)
        return wire_market.rest_quote(reply, instrument, self._settings.monotonic_ns())

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the last one is given as still running."""
        reply = await self._get("klines", symbol=symbol, interval=interval, limit=limit)
        return wire_market.rest_candles(reply, symbol)

    async def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = [StreamName(venue=f"{symbol.lower()}@bookTicker", ours=f"quote/{symbol}") for symbol in symbols]
        buffer: LatestBuffer[QuoteEvent] = LatestBuffer(_quote_key, 4 * len(names), lambda: _restart(names))
        newest: dict[str, int] = {}

        async def take(name: str, row: wire.Row) -> None:
            update_id = wire.integer(row, "u", "bookTicker")
            if update_id <= newest.get(name, -1):
                return
            newest[name] = update_id
            quote = wire_market.streamed_quote(row, self._instruments, self._settings.monotonic_ns())
            if quote is not None:
                await buffer.put(quote)

        async def prepare() -> None:
            for symbol in symbols:
                await self.instrument(symbol)

        async def announce(event: StreamUp | StreamDown) -> None:
            newest.pop(event.name, None)
            await buffer.put(event)

        async with aclosing(self._stream(self._endpoints.public, names, buffer, take, announce, prepare)) as events:
            async for event in events:
                yield event

    async def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle."""
        names = [StreamName(venue=f"{symbol.lower()}@kline_{interval}", ours=f"candle/{symbol}") for symbol in symbols]
        buffer: LatestBuffer[CandleEvent] = LatestBuffer(_candle_key, CANDLES_KEPT, lambda: _restart(names))

        async def take(name: str, row: wire.Row) -> None:
            await buffer.put(wire_market.streamed_candle(row))

        async with aclosing(self._stream(self._endpoints.market, names, buffer, take, buffer.put)) as events:
            async for event in events:
                yield event

    async def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms) about once a second; a slow consumer gets the latest."""
        names = [StreamName(venue=f"{symbol.lower()}@markPrice@1s", ours=f"mark/{symbol}") for symbol in symbols]
        buffer: LatestBuffer[MarkEvent] = LatestBuffer(_mark_key, 4 * len(names), lambda: _restart(names))

        async def take(name: str, row: wire.Row) -> None:
            await buffer.put(wire_market.mark(row))

        async with aclosing(self._stream(self._endpoints.market, names, buffer, take, buffer.put)) as events:
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
        url: str,
        names: list[StreamName],
        buffer: LatestBuffer[Any],
        take: Take,
        announce: Any,
        prepare: Prepare | None = None,
    ) -> AsyncGenerator[Any, None]:
        settings = self._settings
        subscription = Subscription(
            url=url,
            names=names,
            tongue=BinanceStreams(),
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
        url = f"{self._endpoints.rest}/fapi/v1/{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        return await self._http.send("GET", url, effect=Effect.READ, timeout_s=self._settings.read_timeout_s)


def _restart(names: Sequence[StreamName]) -> list[StreamUp]:
    """Say after an overflow that everything before may be lost."""
    return [StreamUp(name=name.ours) for name in names]


def _quote_key(event: QuoteEvent) -> tuple[str, str]:
    return ("quote", event.symbol) if isinstance(event, Quote) else ("state", event.name)


def _candle_key(event: CandleEvent) -> tuple[str, str, int]:
    return (event.symbol, "", event.open_ms) if isinstance(event, Candle) else ("state", event.name, 0)


def _mark_key(event: MarkEvent) -> tuple[str, str]:
    return ("mark", event[0]) if isinstance(event, tuple) else ("state", event.name)
