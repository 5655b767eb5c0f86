"""The names of streams, and which of the venue's three roots serves each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Root(Enum):
    """Where a socket was opened. LEGACY is the old `/ws` and `/stream`, retired on 2026-04-23 for market data."""

    PUBLIC = "/public"
    MARKET = "/market"
    PRIVATE = "/private"
    LEGACY = ""


class Topic(Enum):
    BOOK_TICKER = "bookTicker"
    DEPTH = "depth"
    AGGREGATE_TRADE = "aggTrade"
    TRADE = "trade"
    KLINE = "kline"
    MARK_PRICE = "markPrice"
    TICKER = "ticker"
    MINI_TICKER = "miniTicker"
    FORCE_ORDER = "forceOrder"
    CONTRACT = "contractInfo"

    @property
    def root(self) -> Root:
        return Root.PUBLIC if self in (Topic.BOOK_TICKER, Topic.DEPTH) else Root.MARKET


INTERVALS_MS = {
    "1s": 1000,
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
    "3d": 259_200_000,
    "1w": 604_800_000,
}

_DEPTH = re.compile(r"depth(?P<levels>5|10|20)?(?:@(?P<speed>100|250|500)ms)?")
_ALL = {
    "!bookTicker": Topic.BOOK_TICKER,
    "!markPrice@arr": Topic.MARK_PRICE,
    "!markPrice@arr@1s": Topic.MARK_PRICE,
    "!ticker@arr": Topic.TICKER,
    "!miniTicker@arr": Topic.MINI_TICKER,
    "!forceOrder@arr": Topic.FORCE_ORDER,
    "!contractInfo": Topic.CONTRACT,
}
_PLAIN = {topic.value: topic for topic in Topic if topic is not Topic.DEPTH}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamName:
    """A parsed name. `symbol` is upper case and empty for streams over all symbols."""

    name: str
    topic: Topic
    symbol: str = ""
    interval: str = ""
    levels: int = 0
    speed_ms: int = 0


def parse_stream(name: str) -> StreamName | None:
    """Return what a stream name asks for; None where the venue has no such stream."""
    if name in _ALL:
        return StreamName(name=name, topic=_ALL[name], speed_ms=1000 if name.endswith("@1s") else 3000)
    symbol, _, rest = name.partition("@")
    if not symbol or symbol != symbol.lower() or not rest:
        return None
    return _parse_of_symbol(name, symbol.upper(), rest)


def _parse_of_symbol(name: str, symbol: str, rest: str) -> StreamName | None:
    if rest.startswith("kline_"):
        interval = rest.removeprefix("kline_")
        return (
            StreamName(name=name, topic=Topic.KLINE, symbol=symbol, interval=interval)
            if interval in INTERVALS_MS
            else None
        )
    if depth := _DEPTH.fullmatch(rest):
        return StreamName(
            name=name,
            topic=Topic.DEPTH,
            symbol=symbol,
            levels=int(depth["levels"] or 0),
            speed_ms=int(depth["speed"] or 250),
        )
    if rest in ("markPrice", "markPrice@1s"):
        speed_ms = 1000 if rest.endswith("1s") else 3000
        return StreamName(name=name, topic=Topic.MARK_PRICE, symbol=symbol, speed_ms=speed_ms)
    topic = _PLAIN.get(rest)
    return StreamName(name=name, topic=topic, symbol=symbol) if topic and topic is not Topic.KLINE else None
