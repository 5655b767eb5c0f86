"""The public half of OKX: quotes, candles and marks. No keys, no ccxt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.okx import wire_market, wire_rules
from exchanges.okx.contracts import Contract, Contracts
from exchanges.okx.rest import RestClient
from exchanges.okx.settings import Endpoints
from exchanges.okx.tongue import OkxHttp, OkxStreams
from exchanges.port import CandleEvent, QuoteEvent, StreamDown, StreamUp
from exchanges.session.ages import Ages, StreamName
from exchanges.session.buffers import LatestBuffer
from exchanges.session.http import HttpClient
from exchanges.session.live import LiveStreams
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.settings import AdapterSettings
from exchanges.session.subscription import Subscription, Take
from grid.instrument import Instrument
from grid.order import Quote
from risk.candle import Candle

CANDLES_KEPT = 2000
CANDLES_MAX = 300
"""The most that one answer holds."""
MarkEvent = tuple[str, Decimal, int] | StreamUp | StreamDown


class OkxMarket:
    """The `MarketVenue` of OKX. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._settings = settings
        self._endpoints = Endpoints.of(settings)
        self._policy = self._endpoints.policy()
        self._http = HttpClient(self._policy, OkxHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._rest = RestClient(
            None, self._endpoints.rest, self._http, settings.now_ms, is_demo=self._endpoints.is_demo
        )
        self._ages = Ages(settings.monotonic_ns)
        self._live = LiveStreams()
        self._contracts = Contracts()

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, read once."""
        return (await self._contract(symbol)).instrument

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        contract = await self._contract(symbol)
        reply = await self._get("market/books", instId=contract.inst_id, sz=1)
        return wire_market.rest_quote(reply, contract, self._settings.monotonic_ns())

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the venue says which are closed."""
        name, length_ms = wire_market.bar(interval)
        contract = await self._contract(symbol)
        query: dict[str, str | int] = {"instId": contract.inst_id, "bar": name, "limit": min(limit, CANDLES_MAX)}
        return wire_market.candles(await self._get("market/candles", **query), symbol, length_ms)

    async def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = _names("bbo-tbt", "quote", symbols)
        buffer: LatestBuffer[QuoteEvent] = LatestBuffer(_quote_key, 4 * len(names), lambda: _restart(names))
        newest: dict[str, int] = {}

        async def take(name: str, message: wire.Row) -> None:
            contract = self._contracts.of_row(wire.mapping(message.get("arg"), "bbo-tbt.arg"), "bbo-tbt.arg")
            for row in wire_rules.rows(message, "bbo-tbt"):
                sequence = wire.integer(row, "seqId" if "seqId" in row else "ts", "bbo-tbt")
                if sequence <= newest.get(name, -1):
                    continue
                newest[name] = sequence
                quote = wire_market.quote(row, contract, self._settings.monotonic_ns())
                if quote is not None:
                    await buffer.put(quote)

        async def announce(event: StreamUp | StreamDown) -> None:
            newest.pop(event.name, None)
            await buffer.put(event)

        async with aclosing(self._stream(self._endpoints.public, names, buffer, take, announce)) as events:
            async for event in events:
                yield event

    async def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle."""
        bar, length_ms = wire_market.bar(interval)
        names = _names(f"candle{bar}", "candle", symbols)
        buffer: LatestBuffer[CandleEvent] = LatestBuffer(_candle_key, CANDLES_KEPT, lambda: _restart(names))

        async def take(name: str, message: wire.Row) -> None:
            for row in wire.sequence(message.get("data"), "candle.data"):
                await buffer.put(wire_market.candle(row, name.partition("/")[2], length_ms))

        async with aclosing(self._stream(self._endpoints.business, names, buffer, take, buffer.put)) as events:
            async for event in events:
                yield event

    async def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms), five times a second while it changes."""
        names = _names("mark-price", "mark", symbols)
        buffer: LatestBuffer[MarkEvent] = LatestBuffer(_mark_key, 4 * len(names), lambda: _restart(names))

        async def take(name: str, message: wire.Row) -> None:
            for row in wire_rules.rows(message, "mark-price"):
                await buffer.put(wire_market.mark(row, name.partition("/")[2]))

        async with aclosing(self._stream(self._endpoints.public, names, buffer, take, buffer.put)) as events:
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
        self, url: str, names: list[StreamName], buffer: LatestBuffer[Any], take: Take, announce: Any
    ) -> AsyncGenerator[Any, None]:
        settings = self._settings

        async def prepare() -> None:
            for name in names:
                await self._contract(name.ours.partition("/")[2])

        subscription = Subscription(
            url=url,
            names=names,
            tongue=OkxStreams(),
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

    async def _contract(self, symbol: str) -> Contract:
        if symbol not in self._contracts.by_symbol:
            read = wire_rules.contracts(await self._get("public/instruments", instType="SWAP"))
            self._contracts = self._contracts.renewed(read)
        return self._contracts.of_symbol(symbol)

    async def _get(self, path: str, **query: str | int) -> Any:
        return await self._rest.get(path, query, self._settings.read_timeout_s)


def _names(channel: str, ours: str, symbols: Sequence[str]) -> list[StreamName]:
    return [StreamName(venue=f"{channel}:{_inst_id(symbol)}", ours=f"{ours}/{symbol}") for symbol in symbols]


def _inst_id(symbol: str) -> str:
    """Return the venue's id of a symbol; its quote is a coin that ends the symbol."""
    quote = "USDC" if symbol.endswith("USDC") else "USDT"
    return f"{symbol.removesuffix(quote)}-{quote}-SWAP"


def _restart(names: Sequence[StreamName]) -> list[StreamUp]:
    """Say after an overflow that everything before may be lost."""
    return [StreamUp(name=name.ours) for name in names]


def _quote_key(event: QuoteEvent) -> tuple[str, str]:
    return ("quote", event.symbol) if isinstance(event, Quote) else ("state", event.name)


def _candle_key(event: CandleEvent) -> tuple[str, str, int]:
    return (event.symbol, "", event.open_ms) if isinstance(event, Candle) else ("state", event.name, 0)


def _mark_key(event: MarkEvent) -> tuple[str, str]:
    return ("mark", event[0]) if isinstance(event, tuple) else ("state", event.name)
