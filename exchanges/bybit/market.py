"""The public half of Bybit: quotes, candles, marks and trades. No keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from urllib.parse import urlencode

from exchanges import wire
from exchanges.bybit import wire_market, wire_rules
from exchanges.bybit.codes import SYMBOL_UNKNOWN
from exchanges.bybit.requests import CATEGORY
from exchanges.bybit.settings import Endpoints
from exchanges.bybit.tongue import BybitHttp, BybitStreams, result_of
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
RESTARTED = 1
"""The number of a book's first state after the venue has restarted."""


class BybitMarket(MarketHalf):
    """The `MarketVenue` of Bybit. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._endpoints = Endpoints.of(settings)
        super().__init__(settings, self._endpoints.policy(), BybitHttp())
        self._instruments: wire.Instruments = {}

    async def instrument(self, symbol: str) -> Instrument:
        """Return the symbol's rules, as first read; raises `VenueRefused` where the venue has no such contract."""
        if symbol not in self._instruments:
            read = wire_rules.instruments(await self._get("instruments-info", symbol=symbol))
            self._instruments = merge(self._instruments, {**self._instruments, **read}).instruments
        if symbol not in self._instruments:
            raise VenueRefused(str(SYMBOL_UNKNOWN), f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._instruments[symbol]

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        instrument = await self.instrument(symbol)
        result = await self._get("orderbook", symbol=symbol, limit=1)
        return wire_market.rest_quote(result, instrument, self._settings.monotonic_ns())

    async def funding(self, symbol: str) -> FundingDue:
        """Return the next funding, as the venue publishes it."""
        return wire_market.funding(await self._get("tickers", symbol=symbol))

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the last one is given as still running."""
        word, length_ms = wire_market.interval_of(interval)
        result = await self._get("kline", symbol=symbol, interval=word, limit=min(limit, CANDLES_MAX))
        return wire_market.rest_candles(result, symbol, length_ms)

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol.

        A book that rests is told again every three seconds: that keeps the stream's age low and is no new quote.
        """
        names = [StreamName(venue=f"orderbook.1.{symbol}", ours=f"quote/{symbol}") for symbol in symbols]
        buffer = quote_buffer(names)
        newest = Newest(first_number=RESTARTED)

        async def take(name: str, message: wire.Row) -> None:
            if not newest.takes(name, wire_market.update_id(message)):
                return
            quote = wire_market.streamed_quote(message, self._instruments, self._settings.monotonic_ns())
            if quote is not None:
                await buffer.put(quote)

        announce = forgetting(newest.forget, buffer.put)
        return self._stream(
            self._endpoints.public, BybitStreams(), names, buffer, take, announce, self._knowing(symbols)
        )

    def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle."""
        word, _ = wire_market.interval_of(interval)
        names = [StreamName(venue=f"kline.{word}.{symbol}", ours=f"candle/{symbol}") for symbol in symbols]
        buffer = candle_buffer(names)

        async def take(name: str, message: wire.Row) -> None:
            for candle in wire_market.streamed_candles(message):
                await buffer.put(candle)

        return self._stream(self._endpoints.public, BybitStreams(), names, buffer, take, buffer.put)

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms) with each change; a slow consumer gets the latest."""
        names = [StreamName(venue=f"tickers.{symbol}", ours=f"mark/{symbol}") for symbol in symbols]
        buffer = mark_buffer(names)
        known = wire_market.Marks()

        async def take(name: str, message: wire.Row) -> None:
            mark = known.take(message)
            if mark is not None:
                await buffer.put(mark)

        async def prepare() -> None:
            known.forget()

        stream = self._stream(self._endpoints.public, BybitStreams(), names, buffer, take, buffer.put, prepare)
        return self._probed_marks(stream, symbols, buffer, self._mark)

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        """Yield everybody's trades."""
        names = [StreamName(venue=f"publicTrade.{symbol}", ours=f"trade/{symbol}") for symbol in symbols]
        buffer = trade_buffer(names)

        async def take(name: str, message: wire.Row) -> None:
            for trade in wire_market.trades(message, self._instruments):
                await buffer.put(trade)

        return self._stream(
            self._endpoints.public, BybitStreams(), names, buffer, take, buffer.put, self._knowing(symbols)
        )

    async def _mark(self, symbol: str) -> Mark:
        return wire_market.rest_mark(await self._get("tickers", symbol=symbol), symbol, self._settings.now_ms())

    async def _get(self, path: str, **query: str | int) -> wire.Row:
        url = f"{self._endpoints.rest}/v5/market/{path}?{urlencode({'category': CATEGORY, **query})}"
        reply = await self._http.send("GET", url, effect=Effect.READ, timeout_s=self._settings.read_timeout_s)
        return result_of(reply, path)
