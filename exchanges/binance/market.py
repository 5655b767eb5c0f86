"""The public half of Binance USD-M: quotes, candles, marks and trades. No keys, no ccxt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from urllib.parse import urlencode

from exchanges import wire
from exchanges.binance import wire_market, wire_rules
from exchanges.binance.settings import Endpoints
from exchanges.binance.tongue import BinanceHttp, BinanceStreams
from exchanges.errors import Refusal, VenueRefused
from exchanges.outcome import Effect
from exchanges.port import CandleEvent, FundingDue, QuoteEvent, TradeEvent
from exchanges.rulebook import merge
from exchanges.session.ages import StreamName
from exchanges.session.market_half import (
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


class BinanceMarket(MarketHalf):
    """The `MarketVenue` of Binance USD-M. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._endpoints = Endpoints.of(settings)
        super().__init__(settings, self._endpoints.policy(), BinanceHttp())
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

    async def funding(self, symbol: str) -> FundingDue:
        """Return the next funding, as the venue publishes it."""
        return wire_market.funding(await self._get("premiumIndex", symbol=symbol))

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the last one is given as still running."""
        reply = await self._get("klines", symbol=symbol, interval=interval, limit=limit)
        return wire_market.rest_candles(reply, symbol)

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = [StreamName(venue=f"{symbol.lower()}@bookTicker", ours=f"quote/{symbol}") for symbol in symbols]
        buffer = quote_buffer(names)
        newest = Newest()

        async def take(name: str, row: wire.Row) -> None:
            update_id = wire.integer(row, "u", "bookTicker")
            if not newest.takes(name, update_id):
                return
            quote = wire_market.streamed_quote(row, self._instruments, self._settings.monotonic_ns())
            if quote is not None:
                await buffer.put(quote)

        announce = forgetting(newest.forget, buffer.put)
        return self._stream(
            self._endpoints.public, BinanceStreams(), names, buffer, take, announce, self._knowing(symbols)
        )

    def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle."""
        names = [StreamName(venue=f"{symbol.lower()}@kline_{interval}", ours=f"candle/{symbol}") for symbol in symbols]
        buffer = candle_buffer(names)

        async def take(name: str, row: wire.Row) -> None:
            await buffer.put(wire_market.streamed_candle(row))

        return self._stream(self._endpoints.market, BinanceStreams(), names, buffer, take, buffer.put)

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms) about once a second; a slow consumer gets the latest."""
        names = [StreamName(venue=f"{symbol.lower()}@markPrice@1s", ours=f"mark/{symbol}") for symbol in symbols]
        buffer = mark_buffer(names)

        async def take(name: str, row: wire.Row) -> None:
            await buffer.put(wire_market.mark(row))

        return self._stream(self._endpoints.market, BinanceStreams(), names, buffer, take, buffer.put)

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        """Yield everybody's trades, one for each price that an order took at."""
        names = [StreamName(venue=f"{symbol.lower()}@aggTrade", ours=f"trade/{symbol}") for symbol in symbols]
        buffer = trade_buffer(names)

        async def take(name: str, row: wire.Row) -> None:
            await buffer.put(wire_market.trade(row, self._instruments))

        return self._stream(
            self._endpoints.market, BinanceStreams(), names, buffer, take, buffer.put, self._knowing(symbols)
        )

    async def _get(self, path: str, **query: str | int) -> Any:
        url = f"{self._endpoints.rest}/fapi/v1/{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        return await self._http.send("GET", url, effect=Effect.READ, timeout_s=self._settings.read_timeout_s)
