"""The public half of OKX: quotes, candles, marks and trades. No keys, no ccxt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from exchanges import wire
from exchanges.okx import wire_market, wire_rules
from exchanges.okx.contracts import Contract, Contracts
from exchanges.okx.rest import RestClient
from exchanges.okx.settings import Endpoints
from exchanges.okx.tongue import OkxHttp, OkxStreams
from exchanges.port import CandleEvent, FundingDue, QuoteEvent, TradeEvent
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

CANDLES_MAX = 300
"""The most that one answer holds."""


class OkxMarket(MarketHalf):
    """The `MarketVenue` of OKX. Nothing is connected before the first call."""

    def __init__(self, settings: AdapterSettings) -> None:
        self._endpoints = Endpoints.of(settings)
        super().__init__(settings, self._endpoints.policy(), OkxHttp())
        self._rest = RestClient(
            None, self._endpoints.rest, self._http, settings.now_ms, is_demo=self._endpoints.is_demo
        )
        self._contracts = Contracts()

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, read once."""
        return (await self._contract(symbol)).instrument

    async def quote(self, symbol: str) -> Quote:
        """Return the best bid and ask by REST."""
        contract = await self._contract(symbol)
        reply = await self._get("market/books", instId=contract.inst_id, sz=1)
        return wire_market.rest_quote(reply, contract, self._settings.monotonic_ns())

    async def funding(self, symbol: str) -> FundingDue:
        """Return the next funding, as the venue publishes it."""
        contract = await self._contract(symbol)
        return wire_market.funding(await self._get("public/funding-rate", instId=contract.inst_id), symbol)

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; the venue says which are closed."""
        name, length_ms = wire_market.bar(interval)
        contract = await self._contract(symbol)
        query: dict[str, str | int] = {"instId": contract.inst_id, "bar": name, "limit": min(limit, CANDLES_MAX)}
        return wire_market.candles(await self._get("market/candles", **query), symbol, length_ms)

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        """Yield quotes; a slow consumer gets the latest of each symbol."""
        names = _names("bbo-tbt", "quote", symbols)
        buffer = quote_buffer(names)
        newest = Newest()

        async def take(name: str, message: wire.Row) -> None:
            contract = self._contracts.of_row(wire.mapping(message.get("arg"), "bbo-tbt.arg"), "bbo-tbt.arg")
            for row in wire_rules.rows(message, "bbo-tbt"):
                sequence = wire.integer(row, "seqId" if "seqId" in row else "ts", "bbo-tbt")
                if not newest.takes(name, sequence):
                    continue
                quote = wire_market.quote(row, contract, self._settings.monotonic_ns())
                if quote is not None:
                    await buffer.put(quote)

        announce = forgetting(newest.forget, buffer.put)
        return self._stream(self._endpoints.public, OkxStreams(), names, buffer, take, announce, self._knowing(symbols))

    def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        """Yield candles as they run and close; a slow consumer gets the latest state of each candle."""
        bar, length_ms = wire_market.bar(interval)
        names = _names(f"candle{bar}", "candle", symbols)
        buffer = candle_buffer(names)

        async def take(name: str, message: wire.Row) -> None:
            for row in wire.sequence(message.get("data"), "candle.data"):
                await buffer.put(wire_market.candle(row, name.partition("/")[2], length_ms))

        return self._stream(
            self._endpoints.business, OkxStreams(), names, buffer, take, buffer.put, self._knowing(symbols)
        )

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        """Yield (symbol, mark price, venue time in ms), five times a second while it changes, else every ten."""
        names = _names("mark-price", "mark", symbols)
        buffer = mark_buffer(names)

        async def take(name: str, message: wire.Row) -> None:
            for row in wire_rules.rows(message, "mark-price"):
                await buffer.put(wire_market.mark(row, name.partition("/")[2]))

        stream = self._stream(
            self._endpoints.public, OkxStreams(), names, buffer, take, buffer.put, self._knowing(symbols)
        )
        return self._probed_marks(stream, symbols, buffer, self._mark)

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        """Yield everybody's trades."""
        names = _names("trades", "trade", symbols)
        buffer = trade_buffer(names)

        async def take(name: str, message: wire.Row) -> None:
            for row in wire_rules.rows(message, "trades"):
                await buffer.put(wire_market.trade(row, self._contracts.of_row(row, "trades")))

        return self._stream(
            self._endpoints.public, OkxStreams(), names, buffer, take, buffer.put, self._knowing(symbols)
        )

    async def _contract(self, symbol: str) -> Contract:
        if symbol not in self._contracts.by_symbol:
            read = wire_rules.contracts(await self._get("public/instruments", instType="SWAP"))
            self._contracts = self._contracts.renewed(read)
        return self._contracts.of_symbol(symbol)

    async def _mark(self, symbol: str) -> Mark:
        contract = await self._contract(symbol)
        reply = await self._get("public/mark-price", instType="SWAP", instId=contract.inst_id)
        return wire_market.mark(wire_rules.only_row(reply, "mark-price"), symbol)

    async def _get(self, path: str, **query: str | int) -> Any:
        return await self._rest.get(path, query, self._settings.read_timeout_s)


def _names(channel: str, ours: str, symbols: Sequence[str]) -> list[StreamName]:
    return [StreamName(venue=f"{channel}:{_inst_id(symbol)}", ours=f"{ours}/{symbol}") for symbol in symbols]


def _inst_id(symbol: str) -> str:
    """Return the venue's id of a symbol; its quote is a coin that ends the symbol."""
    quote = "USDC" if symbol.endswith("USDC") else "USDT"
    return f"{symbol.removesuffix(quote)}-{quote}-SWAP"
