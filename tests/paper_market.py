"""A market that is played by hand to a paper account, event by event; what plays it is the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from exchanges.errors import VenueUnreachable
from exchanges.paper.store import PaperStore
from exchanges.paper.terms import PaperTerms
from exchanges.paper.trading import PaperTrading
from exchanges.port import (
    CandleEvent,
    FundingDue,
    PrivateEvent,
    PublicTrade,
    QuoteEvent,
    StreamDown,
    StreamUp,
    TradeEvent,
)
from exchanges.session.market_half import MarkEvent
from grid.instrument import Instrument
from grid.order import Fill, OrderRequest, OrderUpdate, Quote, Side, TimeInForce
from risk.candle import Candle
from risk.veto import Approved

ETH = Instrument(
    symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick=Decimal("0.01"),
    step=Decimal("0.001"),
    price_min=1,
    price_max=10**9,
    quantity_min=1,
    quantity_max=10**7,
    notional_min=Decimal(5),
)
START_MS = 1_750_000_000_000
MID = 300_000
Told = Quote | PublicTrade | tuple[str, Decimal, int]


class HandMarket:
    """The public half of a venue whose streams say what `play` is given."""

    def __init__(self, first: Quote) -> None:
        self._first = first
        self.due: FundingDue | None = None
        self.asked = 0
        self._queues: dict[str, asyncio.Queue[Any]] = {kind: asyncio.Queue() for kind in ("quote", "trade", "mark")}

    async def instrument(self, symbol: str) -> Instrument:
        return replace(ETH, symbol=symbol)

    async def quote(self, symbol: str) -> Quote:
        return self._first

    async def funding(self, symbol: str) -> FundingDue:
        self.asked += 1
        if self.due is None:
            raise VenueUnreachable("nobody tells")
        return self.due

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        return []

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]:
        return self._read("quote", symbols)

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        return self._read("trade", symbols)

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[MarkEvent, None]:
        return self._read("mark", symbols)

    async def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]:
        for name in symbols:
            yield StreamUp(name=f"candle/{name}")

    def ages(self) -> dict[str, float]:
        return {}

    async def close(self) -> None:
        pass

    def say(self, kind: str, event: Told | StreamUp | StreamDown) -> None:
        self._queues[kind].put_nowait(event)

    async def heard_funding(self) -> None:
        """Wait until the account has asked, and taken the answer."""
        asked = self.asked
        while self.asked == asked == 0:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _read(self, kind: str, symbols: Sequence[str]) -> AsyncGenerator[Any, None]:
        for symbol in symbols:
            yield StreamUp(name=f"{kind}/{symbol}")
        while True:
            yield await self._queues[kind].get()


class PaperRig:
    """A paper account, the market it lives by, and everything it told."""

    def __init__(self, venue: PaperTrading, market: HandMarket) -> None:
        self.venue = venue
        self.market = market
        self.told: list[PrivateEvent] = []

    async def play(self, event: Told) -> None:
        """Let the market speak; returns when the account has heard it."""
        heard = self.venue.venue.heard
        kind = "quote" if isinstance(event, Quote) else "trade" if isinstance(event, PublicTrade) else "mark"
        self.market.say(kind, event)
        while self.venue.venue.heard == heard:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    def fills(self) -> list[Fill]:
        return [one.fill for one in self.told if isinstance(one, OrderUpdate) and one.fill is not None]

    async def listen(self) -> None:
        async for event in self.venue.private_events():
            self.told.append(event)

    async def heard_up(self) -> None:
        while not any(isinstance(one, StreamUp) for one in self.told):  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def paper(path: Path, first: Quote | None = None, **terms: Any) -> AsyncGenerator[PaperRig, None]:
    """A paper account in a file, at a market that has just been connected to. Its time is the market's alone."""
    market = HandMarket(first or top(MID, MID + 1))
    chosen = PaperTerms(**{"symbols": ("ETHUSDT",), "latency_min_ms": 0, "latency_max_ms": 0, **terms})
    venue = PaperTrading(
        market=market,
        terms=chosen,
        store=PaperStore(path),
        now_ms=lambda: START_MS,
        monotonic_ns=lambda: 0,
        strict_time=True,
    )
    rig = PaperRig(venue, market)
    await venue.connect()
    listening = asyncio.create_task(rig.listen())
    await rig.heard_up()
    try:
        yield rig
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await venue.close()


def top(bid: int, ask: int, *, at_ms: int = 0, bid_size: int = 500, ask_size: int = 500) -> Quote:
    return Quote(
        symbol="ETHUSDT",
        bid=bid,
        ask=ask,
        bid_quantity=bid_size,
        ask_quantity=ask_size,
        venue_ms=START_MS + at_ms,
        received_ns=0,
    )


def trade(price: int, quantity: int, aggressor: Side, *, at_ms: int = 0, number: int = 0) -> PublicTrade:
    return PublicTrade(
        symbol="ETHUSDT",
        trade_id=str(number),
        price=price,
        quantity=quantity,
        aggressor=aggressor,
        venue_ms=START_MS + at_ms,
    )


def order(client_id: str, price: int, quantity: int = 10, side: Side = Side.BUY, **changes: Any) -> Approved:
    told: dict[str, Any] = {"closing": False, "time_in_force": TimeInForce.POST_ONLY, **changes}
    return Approved(
        request=OrderRequest(symbol="ETHUSDT", client_id=client_id, side=side, price=price, quantity=quantity, **told)
    )
