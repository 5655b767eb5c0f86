"""The public half of Gate: quotes, candles and marks. No keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from exchanges import wire
from exchanges.errors import Refusal, VenueRefused
from exchanges.gate import requests, wire_market, wire_rules
from exchanges.gate.calls import FUTURES
from exchanges.gate.codes import CONTRACT_NOT_FOUND
from exchanges.gate.contracts import Contract, Contracts, contract_name, renewed
from exchanges.gate.settings import PREFIX, Endpoints
from exchanges.gate.tongue import CANDLES, QUOTES, TICKERS, GateHttp, GateStreams, stream_name
from exchanges.outcome import Effect
from exchanges.port import CandleEvent, QuoteEvent, StreamDown, StreamUp
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
CANDLES_MAX = 2000
MarkEvent = tuple[str, Decimal, int] | StreamUp | StreamDown


class GateMarket:
    """The `MarketVenue` of Gate. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._settings = settings
        self._endpoints = Endpoints.of(settings)
        self._policy = self._endpoints.policy()
        self._http = HttpClient(self._policy, GateHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._ages = Ages(settings.monotonic_ns)
        self._live = LiveStreams()
        self._contracts: Contracts = {}

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""
        return (await self._contract(symbol)).instrument

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        contract = await self._contract(symbol)
        reply = await self._get("order_book", contract=contract.name, limit=1)
        return wire_market.rest_quote(reply, contract, self._settings.monotonic_ns())

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the last one is given as still running."""
        length_ms = wire_market.interval_ms(interval)
        contract = await self._contract(symbol)
        rows = await self._get("candlesticks", contract=contract.name, interval=interval, limit=min(limit, CANDLES_MAX))
        return wire_market.rest_candles(rows, contract, length_ms)

    async def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = _names(QUOTES, "quote", symbols)
        buffer: LatestBuffer[QuoteEvent] = LatestBuffer(_quote_key, 4 * len(names), lambda: _restart(names))
        newest: dict[str, int] = {}

        async def take(name: str, message: wire.Row) -> None:
            update_id = wire_market.update_id(message)
            if update_id <= newest.get(name, -1):
                return
            newest[name] = update_id
            quote = wire_market.streamed_quote(message, self._contracts, self._settings.monotonic_ns())
            if quote is not None:
                await buffer.put(quote)

        async def announce(event: StreamUp | StreamDown) -> None:
            newest.pop(event.name, None)
            await buffer.put(event)

        async with aclosing(self._stream(names, buffer, take, announce, self._knowing(symbols))) as events:
            async for event in events:
                yield event

    async def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle.

        The venue may leave the closing of a candle untold: it is closed for us once the next one has begun.
        """
        wire_market.interval_ms(interval)
        names = [
            StreamName(venue=stream_name(CANDLES, f"{interval}_{contract_name(one)}"), ours=f"candle/{one}")
            for one in symbols
        ]
        buffer: LatestBuffer[CandleEvent] = LatestBuffer(_candle_key, CANDLES_KEPT, lambda: _restart(names))
        running: dict[str, Candle] = {}

        async def take(name: str, message: wire.Row) -> None:
            for candle in wire_market.streamed_candles(message, self._contracts):
                before = running.get(candle.symbol)
                if before is not None and before.open_ms < candle.open_ms and not before.is_closed:
                    await buffer.put(replace(before, is_closed=True))
                if before is None or before.open_ms <= candle.open_ms:
                    running[candle.symbol] = candle
                await buffer.put(candle)

        async def announce(event: StreamUp | StreamDown) -> None:
            running.pop(event.name.removeprefix("candle/"), None)
            await buffer.put(event)

        async with aclosing(self._stream(names, buffer, take, announce, self._knowing(symbols))) as events:
            async for event in events:
                yield event

    async def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms) about once a second; a slow consumer gets the latest."""
        names = _names(TICKERS, "mark", symbols)
        buffer: LatestBuffer[MarkEvent] = LatestBuffer(_mark_key, 4 * len(names), lambda: _restart(names))
        wanted = {name.ours for name in names}

        async def take(name: str, message: wire.Row) -> None:
            # one message may tell of several contracts
            for mark in wire_market.marks(message):
                if f"mark/{mark[0]}" in wanted:
                    self._ages.heard(f"mark/{mark[0]}")
                    await buffer.put(mark)

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
            url=self._endpoints.socket,
            names=names,
            tongue=GateStreams(settings.now_ms),
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

    def _knowing(self, symbols: Sequence[str]) -> Prepare:
        async def prepare() -> None:
            for symbol in symbols:
                await self._contract(symbol)

        return prepare

    async def _contract(self, symbol: str) -> Contract:
        name = contract_name(symbol)
        if name not in self._contracts:
            read = wire_rules.contracts(await self._get("contracts"))
            self._contracts = renewed(self._contracts, read).contracts
        if name not in self._contracts:
            raise VenueRefused(CONTRACT_NOT_FOUND, f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._contracts[name]

    async def _get(self, path: str, **query: str | int) -> Any:
        url = f"{self._endpoints.rest}{PREFIX}/{FUTURES}/{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        timeout_s = self._settings.read_timeout_s
        return await self._http.send(
            "GET", url, effect=Effect.READ, timeout_s=timeout_s, headers=requests.PLAIN_HEADERS
        )


def _names(channel: str, ours: str, symbols: Sequence[str]) -> list[StreamName]:
    return [
        StreamName(venue=stream_name(channel, contract_name(symbol)), ours=f"{ours}/{symbol}") for symbol in symbols
    ]


def _restart(names: Sequence[StreamName]) -> list[StreamUp]:
    """Say after an overflow that everything before may be lost."""
    return [StreamUp(name=name.ours) for name in names]


def _quote_key(event: QuoteEvent) -> tuple[str, str]:
    return ("quote", event.symbol) if isinstance(event, Quote) else ("state", event.name)


def _candle_key(event: CandleEvent) -> tuple[str, str, int]:
    return (event.symbol, "", event.open_ms) if isinstance(event, Candle) else ("state", event.name, 0)


def _mark_key(event: MarkEvent) -> tuple[str, str]:
    return ("mark", event[0]) if isinstance(event, tuple) else ("state", event.name)
