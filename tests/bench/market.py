"""What the bench trades: coins that are all alike, on one ladder, at a venue without request limits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sim.catalogue import ENTRIES, exchange_info_entry
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, Candle, Trade
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.market_source import ListedMarket
from exchanges.sim.server.options import VenueOptions, demo_account
from exchanges.sim.server.windows import Interval, Kind, Window
from grid.order import Side

TICKS = 100
"""A coin's price in ticks for each quote unit: its tick is 0.01."""
ANCHOR = 3000 * TICKS
INTERVAL = 2 * TICKS
SIZE = 5_000_000
HISTORY_S = 60

_NO_LIMITS = (
    Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=1_000_000_000),
    Window(kind=Kind.ORDERS, interval=Interval.MINUTE, number=1, limit=1_000_000_000),
)


def coin(number: int) -> str:
    """Return the symbol of a coin."""
    return f"C{number:02d}USDT"


def level_price(level: int) -> int:
    """Return a level's price in ticks."""
    return ANCHOR + level * INTERVAL


def book_above(symbol: str, level: int, time_ms: int, offset: int = 0) -> BookTop:
    """Return quotes halfway between a level and the next, `offset` ticks off."""
    bid = level_price(level) + INTERVAL // 2 + offset
    return BookTop(symbol=symbol, time_ms=time_ms, bid=bid, bid_quantity=SIZE, ask=bid + 1, ask_quantity=SIZE)


def print_at(symbol: str, price: int, aggressor: Side, time_ms: int, quantity: int = 5_000) -> Trade:
    """Return one trade."""
    return Trade(symbol=symbol, time_ms=time_ms, price=price, quantity=quantity, aggressor=aggressor)


def instruments(count: int) -> list[SimInstrument]:
    """Return the coins, each with the rules of the demo's ETHUSDT."""
    like = next(entry for entry in ENTRIES if entry.base == "ETH")
    entries = [exchange_info_entry(replace(like, base=coin(number).removesuffix("USDT"))) for number in range(count)]
    return [SimInstrument.from_exchange_info(entry) for entry in entries]


def venue_options(count: int, now_ms: int, connection: type[Connection]) -> VenueOptions:
    """Return a venue of so many coins, each quoted once and with a minute of calm candles."""
    known = tuple(instruments(count))
    listed = [
        event
        for held in known
        for event in (print_at(held.symbol, ANCHOR, Side.SELL, 0), book_above(held.symbol, 0, 0))
    ]
    candles = [candle for held in known for candle in _calm_seconds(held.symbol, now_ms)]
    return VenueOptions(
        market=ListedMarket(known=known, listed=tuple(listed), candles=tuple(candles)),
        accounts=(demo_account(deposit=Decimal(10_000_000)),),
        windows=_NO_LIMITS,
        connection=connection,
    )


def _calm_seconds(symbol: str, now_ms: int) -> list[Candle]:
    last_ms = now_ms - now_ms % 1000
    return [
        Candle(
            symbol=symbol,
            open_ms=open_ms,
            interval_ms=1000,
            open=ANCHOR,
            high=ANCHOR,
            low=ANCHOR,
            close=ANCHOR,
            volume=20_000,
            history=True,
        )
        for open_ms in range(last_ms - HISTORY_S * 1000, last_ms, 1000)
    ]


def ladder(symbol: str, **over: Any) -> dict[str, Any]:
    """Return the configuration of one coin's ladder: three entries under the price, none kept beyond them."""
    return {
        "symbol": symbol,
        "interval": INTERVAL // TICKS,
        "anchor": ANCHOR // TICKS,
        "amount": 100,
        "buy_window": 3,
        "entry_slack": 0,
        "max_lots": 50,
        "leverage": 5,
        "min_rest_s": 0,
        **over,
    }
