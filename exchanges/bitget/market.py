"""The public half of Bitget: quotes, candles, marks and trades. No keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from exchanges import wire
from exchanges.bitget import requests, wire_market, wire_rules
from exchanges.bitget.codes import SYMBOL_UNKNOWN
from exchanges.bitget.settings import Endpoints
from exchanges.bitget.tongue import BitgetHttp, BitgetStreams, data_of
from exchanges.errors import Refusal, VenueRefused
from exchanges.outcome import Effect
from exchanges.port import CandleEvent, FundingDue, QuoteEvent, TradeEvent
from exchanges.rulebook import merge
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

CANDLES_MAX = 1000


class BitgetMarket(MarketHalf):
    """The `MarketVenue` of Bitget. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._endpoints = Endpoints.of(settings)
        super().__init__(settings, self._endpoints.policy(), BitgetHttp())
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

    async def funding(self, symbol: str) -> FundingDue:
        """Return the next funding, as the venue publishes it."""
        return wire_market.funding(await self._get("current-fund-rate", symbol=symbol))

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the last one is given as still running."""
        word, length_ms = wire_market.interval_of(interval)
        rows = await self._get("candles", symbol=symbol, granularity=word, limit=min(limit, CANDLES_MAX))
        return wire_market.rest_candles(rows, symbol, length_ms)

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = [StreamName(venue=f"books1/{symbol}", ours=f"quote/{symbol}") for symbol in symbols]
        buffer = quote_buffer(names)
        newest = Newest()

        async def take(name: str, message: wire.Row) -> None:
            now_ns = self._settings.monotonic_ns()
            number, quote = wire_market.streamed_quote(message, self._instruments, now_ns)
            if newest.takes(name, number) and quote is not None:
                await buffer.put(quote)

        announce = forgetting(newest.forget, buffer.put)
        return self._stream(
            self._endpoints.public, BitgetStreams(), names, buffer, take, announce, self._knowing(symbols)
        )

    def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle.

        Nothing says that a candle is closed but that the next one has begun.
        """
        word, length_ms = wire_market.interval_of(interval)
        names = [StreamName(venue=f"candle{word}/{symbol}", ours=f"candle/{symbol}") for symbol in symbols]
        buffer = candle_buffer(names)
        running = RunningCandles()

        async def take(name: str, message: wire.Row) -> None:
            for candle in wire_market.streamed_candles(message, length_ms):
                for told in running.take(candle):
                    await buffer.put(told)

        announce = forgetting(running.forget, buffer.put)
        return self._stream(self._endpoints.public, BitgetStreams(), names, buffer, take, announce)

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms) with each change of the ticker; a slow consumer the latest."""
        names = [StreamName(venue=f"ticker/{symbol}", ours=f"mark/{symbol}") for symbol in symbols]
        buffer = mark_buffer(names)

        async def take(name: str, message: wire.Row) -> None:
            await buffer.put(wire_market.mark(message))

        stream = self._stream(self._endpoints.public, BitgetStreams(), names, buffer, take, buffer.put)
        return self._probed_marks(stream, symbols, buffer, self._mark)

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        """Yield everybody's trades."""
        names = [StreamName(venue=f"trade/{symbol}", ours=f"trade/{symbol}") for symbol in symbols]
        buffer = trade_buffer(names)

        async def take(name: str, message: wire.Row) -> None:
            for trade in wire_market.trades(message, self._instruments):
                await buffer.put(trade)

        return self._stream(
            self._endpoints.public, BitgetStreams(), names, buffer, take, buffer.put, self._knowing(symbols)
        )

    async def _mark(self, symbol: str) -> Mark:
        return wire_market.rest_mark(await self._get("ticker", symbol=symbol), symbol)

    async def _get(self, path: str, **query: str | int) -> Any:
        told = requests.query_of({**query, "productType": requests.PRODUCT})
        url = f"{self._endpoints.rest}/api/v2/mix/market/{path}?{told}"
        reply = await self._http.send("GET", url, effect=Effect.READ, timeout_s=self._settings.read_timeout_s)
        return data_of(reply, path)
