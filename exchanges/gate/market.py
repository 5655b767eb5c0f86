"""The public half of Gate: quotes, candles, marks and trades. No keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from urllib.parse import urlencode

from exchanges import wire
from exchanges.errors import Refusal, VenueRefused
from exchanges.gate import requests, wire_market, wire_rules
from exchanges.gate.calls import FUTURES
from exchanges.gate.codes import CONTRACT_NOT_FOUND
from exchanges.gate.contracts import Contract, Contracts, contract_name, renewed
from exchanges.gate.settings import PREFIX, Endpoints
from exchanges.gate.tongue import CANDLES, PRINTS, QUOTES, TICKERS, GateHttp, GateStreams, stream_name
from exchanges.outcome import Effect
from exchanges.port import CandleEvent, FundingDue, QuoteEvent, TradeEvent
from exchanges.session.ages import StreamName
from exchanges.session.market_half import (
    Mark,
    MarketHalf,
    MarkEvent,
    Newest,
    RunningCandles,
    candle_buffer,
    forgetting,
    mark_buffer,
    quote_buffer,
    trade_buffer,
)
from exchanges.session.settings import AdapterSettings
from grid.instrument import Instrument
from grid.order import Quote
from risk.candle import Candle

CANDLES_MAX = 2000


class GateMarket(MarketHalf):
    """The `MarketVenue` of Gate. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._endpoints = Endpoints.of(settings)
        super().__init__(settings, self._endpoints.policy(), GateHttp())
        self._contracts: Contracts = {}

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""
        return (await self._contract(symbol)).instrument

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        contract = await self._contract(symbol)
        reply = await self._get("order_book", contract=contract.name, limit=1)
        return wire_market.rest_quote(reply, contract, self._settings.monotonic_ns())

    async def funding(self, symbol: str) -> FundingDue:
        """Return the next funding, as the venue publishes it."""
        contract = await self._contract(symbol)
        return wire_market.funding(await self._get(f"contracts/{contract.name}"), symbol)

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the last one is given as still running."""
        length_ms = wire_market.interval_ms(interval)
        contract = await self._contract(symbol)
        rows = await self._get("candlesticks", contract=contract.name, interval=interval, limit=min(limit, CANDLES_MAX))
        return wire_market.rest_candles(rows, contract, length_ms)

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = _names(QUOTES, "quote", symbols)
        buffer = quote_buffer(names)
        newest = Newest()

        async def take(name: str, message: wire.Row) -> None:
            update_id = wire_market.update_id(message)
            if not newest.takes(name, update_id):
                return
            quote = wire_market.streamed_quote(message, self._contracts, self._settings.monotonic_ns())
            if quote is not None:
                await buffer.put(quote)

        announce = forgetting(newest.forget, buffer.put)
        return self._stream(
            self._endpoints.socket, self._tongue(), names, buffer, take, announce, self._knowing(symbols)
        )

    def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle.

        The venue may leave the closing of a candle untold: it is closed for us once the next one has begun.
        """
        wire_market.interval_ms(interval)
        names = [
            StreamName(venue=stream_name(CANDLES, f"{interval}_{contract_name(one)}"), ours=f"candle/{one}")
            for one in symbols
        ]
        buffer = candle_buffer(names)
        running = RunningCandles()

        async def take(name: str, message: wire.Row) -> None:
            for candle in wire_market.streamed_candles(message, self._contracts):
                for told in running.take(candle):
                    await buffer.put(told)

        announce = forgetting(running.forget, buffer.put)
        return self._stream(
            self._endpoints.socket, self._tongue(), names, buffer, take, announce, self._knowing(symbols)
        )

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms) about once a second; a slow consumer gets the latest."""
        names = _names(TICKERS, "mark", symbols)
        buffer = mark_buffer(names)
        wanted = {name.ours for name in names}

        async def take(name: str, message: wire.Row) -> None:
            # one message may tell of several contracts
            for mark in wire_market.marks(message):
                if f"mark/{mark[0]}" in wanted:
                    self._ages.heard(f"mark/{mark[0]}")
                    await buffer.put(mark)

        stream = self._stream(self._endpoints.socket, self._tongue(), names, buffer, take, buffer.put)
        return self._probed_marks(stream, symbols, buffer, self._mark)

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        """Yield everybody's trades."""
        names = _names(PRINTS, "trade", symbols)
        buffer = trade_buffer(names)
        wanted = {name.ours for name in names}

        async def take(name: str, message: wire.Row) -> None:
            # one message may tell of several contracts
            for trade in wire_market.trades(message, self._contracts):
                if f"trade/{trade.symbol}" in wanted:
                    await buffer.put(trade)

        return self._stream(
            self._endpoints.socket, self._tongue(), names, buffer, take, buffer.put, self._knowing(symbols)
        )

    def _tongue(self) -> GateStreams:
        return GateStreams(self._settings.now_ms)

    async def _contract(self, symbol: str) -> Contract:
        name = contract_name(symbol)
        if name not in self._contracts:
            read = wire_rules.contracts(await self._get("contracts"))
            self._contracts = renewed(self._contracts, read).contracts
        if name not in self._contracts:
            raise VenueRefused(CONTRACT_NOT_FOUND, f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._contracts[name]

    async def _mark(self, symbol: str) -> Mark:
        rows = await self._get("tickers", contract=contract_name(symbol))
        return wire_market.rest_mark(rows, symbol, self._settings.now_ms())

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
