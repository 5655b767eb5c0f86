"""Candles for the tests of the risk package."""

from __future__ import annotations

from decimal import Decimal

from risk.candle import Candle

MINUTE = 60_000


def candle(
    place: int, *, symbol: str = "BTCUSDT", close: str = "100", volume: str = "10", is_closed: bool = True
) -> Candle:
    """The candle of minute `place`, flat unless said otherwise."""
    price = Decimal(close)
    return Candle(
        symbol=symbol,
        open_ms=place * MINUTE,
        close_ms=(place + 1) * MINUTE - 1,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=Decimal(volume),
        is_closed=is_closed,
    )


def running(place: int, *, symbol: str = "BTCUSDT", close: str = "100", volume: str = "10") -> Candle:
    """The same, unfinished."""
    return candle(place, symbol=symbol, close=close, volume=volume, is_closed=False)


def shock(place: int, *, symbol: str = "BTCUSDT", is_closed: bool = False) -> Candle:
    """A candle that is anomalous after flat ones by either rule: a fall of 4 % on more than three times the volume."""
    return candle(place, symbol=symbol, close="96", volume="31", is_closed=is_closed)
