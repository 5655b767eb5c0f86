"""The public half of any exchange, by ccxt: it costs each process that holds one about 50 MB and half a second."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from exchanges import wire
from exchanges.errors import BadReply, NotSupported
from exchanges.generic import wire_market
from exchanges.generic.calls import Calls
from exchanges.generic.contracts import Contract, Contracts, contracts
from exchanges.generic.exchange import KEPT
from exchanges.generic.facts import facts_of
from exchanges.generic.link import Watch, copied
from exchanges.generic.marks import Marks
from exchanges.generic.streaming import CcxtStreams, Take
from exchanges.port import CandleEvent, FundingDue, QuoteEvent, TradeEvent
from exchanges.session.ages import Ages, StreamName
from exchanges.session.buffers import LatestBuffer
from exchanges.session.live import LiveStreams
from exchanges.session.market_half import (
    MarkEvent,
    RunningCandles,
    candle_buffer,
    followed,
    forgetting,
    mark_buffer,
    quote_buffer,
    trade_buffer,
)
from exchanges.session.settings import AdapterSettings
from exchanges.session.subscription import Announce
from grid.instrument import Instrument
from grid.order import Quote
from risk.candle import Candle

POLL_S = 2.0
CANDLES_MAX = 1000
E = TypeVar("E")


class CcxtMarket:
    """The `MarketVenue` of an exchange that has no adapter of its own. Nothing is connected before the first call."""

    def __init__(self, name: str, settings: AdapterSettings) -> None:
        self._settings = settings
        self._calls = Calls(name, settings)
        self._ages = Ages(settings.monotonic_ns)
        self._live = LiveStreams()
        self._contracts = Contracts()
        self._marks = Marks(self._calls)

    async def instrument(self, symbol: str) -> Instrument:
        """Return the symbol's rules, as first read; raises `VenueRefused` where the venue has no such contract."""
        return (await self._contract(symbol)).instrument

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        contract = await self._contract(symbol)
        book = await self._calls.read("fetch_order_book", contract.unified)
        found = wire_market.book_quote(book, contract, self._calls.venue_now_ms(), self._settings.monotonic_ns())
        if found is None:
            raise BadReply(f"book: one side of {symbol} is empty")
        return found

    async def funding(self, symbol: str) -> FundingDue:
        """Return the next funding, as far as ccxt can read it."""
        self._first("fetchFundingRate")
        contract = await self._contract(symbol)
        told = await self._calls.read("fetch_funding_rate", contract.unified)
        return wire_market.funding(told, symbol, self._calls.venue_now_ms())

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first."""
        length_ms = self._length_ms(interval)
        contract = await self._contract(symbol)
        most = int(self._calls.feature("fetchOHLCV").get("limit") or CANDLES_MAX)
        reply = await self._calls.read("fetch_ohlcv", contract.unified, interval, None, min(limit, most))
        return wire_market.candles(reply, contract, length_ms, self._calls.venue_now_ms())

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes, by the quickest of the streams that ccxt has here."""
        kind = self._first("watchBidsAsks", "watchOrderBook", "watchTicker")
        buffer = quote_buffer(_names("quote", symbols))

        async def ask(made: Any, unified: str) -> Any:
            match kind:
                case "watchBidsAsks":
                    return (await made.watch_bids_asks([unified])).get(unified)
                case "watchOrderBook":
                    return await made.watch_order_book(unified)
            return await made.watch_ticker(unified)

        async def take(name: str, news: Any) -> None:
            contract = self._contracts.of_symbol(_symbol(name))
            read = wire_market.book_quote if kind == "watchOrderBook" else wire_market.ticker_quote
            quote = read(news or {}, contract, self._calls.venue_now_ms(), self._settings.monotonic_ns())
            if quote is not None:
                await buffer.put(quote)

        return self._stream("quote", symbols, ask, buffer, take)

    def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close: one is closed by the next. Read again and again where none stream."""
        length_ms = self._length_ms(interval)
        buffer = candle_buffer(_names("candle", symbols))
        running = RunningCandles()
        streams = self._calls.has("watchOHLCV")

        async def ask(made: Any, unified: str) -> Any:
            if streams:
                return await made.watch_ohlcv(unified, interval)
            return await self._calls.read("fetch_ohlcv", unified, interval, None, 3)

        async def take(name: str, news: Any) -> None:
            contract = self._contracts.of_symbol(_symbol(name))
            for row in sorted(wire.sequence(list(news), name), key=lambda row: row[0]):
                candle = wire_market.candle(row, contract, length_ms, is_closed=False)
                for told in running.take(candle):
                    await buffer.put(told)

        announce = forgetting(running.forget, buffer.put)
        return self._stream("candle", symbols, ask, buffer, take, announce=announce, polls=not streams)

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms); read every two seconds where no stream may be trusted."""
        buffer = mark_buffer(_names("mark", symbols))
        streams = facts_of(self._calls.name).streams_marks

        async def ask(made: Any, unified: str) -> Any:
            if streams:
                return await made.watch_mark_price(unified)
            return await self._marks.row(unified)

        async def take(name: str, news: Any) -> None:
            symbol = _symbol(name)
            told = wire_market.mark(wire.mapping(news, name), symbol, self._calls.venue_now_ms())
            if told is not None:
                await buffer.put(told)

        return self._stream("mark", symbols, ask, buffer, take, polls=not streams)

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        """Yield everybody's trades."""
        self._first("watchTrades")
        told = Told()
        buffer = trade_buffer(_names("trade", symbols))

        async def ask(made: Any, unified: str) -> Any:
            return copied(await made.watch_trades(unified))

        async def take(name: str, news: Any) -> None:
            contract = self._contracts.of_symbol(_symbol(name))
            for row in news:
                trade = wire_market.trade(row, contract)
                if told.takes(name, trade.trade_id):
                    await buffer.put(trade)

        return self._stream("trade", symbols, ask, buffer, take)

    def ages(self) -> dict[str, float]:
        """Return seconds since each stream last spoke or was confirmed, by our stream name (`quote/ETHUSDT`)."""
        return self._ages.read()

    async def close(self) -> None:
        """End every stream and connection."""
        await self._live.close()
        await self._calls.close()

    async def _stream(
        self,
        what: str,
        symbols: Sequence[str],
        ask: Callable[[Any, str], Awaitable[Any]],
        buffer: LatestBuffer[E],
        take: Take,
        *,
        announce: Announce | None = None,
        polls: bool = False,
    ) -> AsyncGenerator[E, None]:
        settings = self._settings
        names = _names(what, symbols)
        watches = [self._watch(name.ours, ask, polls=polls) for name in names]

        async def prepare() -> None:
            for symbol in symbols:
                await self._contract(symbol)

        handler = CcxtStreams(
            self._calls,
            settings,
            watches,
            ages=self._ages,
            take=take,
            announce=announce or buffer.put,  # type: ignore[arg-type]
            prepare=prepare,
        )
        async with aclosing(followed(handler, names, buffer, settings, self._ages, self._live)) as events:
            async for event in events:
                yield event

    def _watch(self, ours: str, ask: Callable[[Any, str], Awaitable[Any]], *, polls: bool) -> Watch:
        asked = False

        async def next_news(made: Any) -> Any:
            nonlocal asked
            if polls and asked:
                await asyncio.sleep(POLL_S)
            asked = True
            return await ask(made, self._contracts.of_symbol(_symbol(ours)).unified)

        return Watch(ours=ours, ask=next_news, polls=polls)

    async def _contract(self, symbol: str) -> Contract:
        if symbol not in self._contracts.by_symbol:
            markets = await self._calls.markets()
            self._contracts = self._contracts.renewed(contracts(markets, self._calls.exchange.precisionMode))
        return self._contracts.of_symbol(symbol)

    def _first(self, *abilities: str) -> str:
        for ability in abilities:
            if self._calls.has(ability):
                return ability
        raise NotSupported(f"{self._calls.name}: ccxt has no {' and no '.join(abilities)}")

    def _length_ms(self, interval: str) -> int:
        if interval not in (self._calls.exchange.timeframes or {}):
            raise NotSupported(f"{self._calls.name}: no candles of {interval}")
        return int(self._calls.exchange.parse_timeframe(interval)) * 1000


class Told:
    """The last trades of each stream by their ids: ccxt may tell one again."""

    def __init__(self) -> None:
        self._ids: dict[str, OrderedDict[str, None]] = {}

    def takes(self, name: str, trade_id: str) -> bool:
        """Note a trade; whether it is new. One without an id always is."""
        ids = self._ids.setdefault(name, OrderedDict())
        if trade_id in ids:
            return False
        if trade_id:
            ids[trade_id] = None
        while len(ids) > KEPT:
            ids.popitem(last=False)
        return True


def _names(what: str, symbols: Sequence[str]) -> list[StreamName]:
    return [StreamName(venue=symbol, ours=f"{what}/{symbol}") for symbol in symbols]


def _symbol(name: str) -> str:
    return name.partition("/")[2]
