"""Candles of a market in which nothing happens: for worlds whose tape has none of the watched coins."""

from __future__ import annotations

from decimal import Decimal

from actors.virtual.agenda import EPOCH_MS
from risk.candle import Candle
from risk.rules import RiskRules


class CalmTape:
    """Every candle is like the one before, a little higher than the mean of the earlier ones."""

    def __init__(self, rules: RiskRules) -> None:
        self._length = rules.interval_ms

    def closed(self, symbol: str, count: int, wall_ms: int) -> tuple[Candle, ...]:
        """Return the newest closed candles, oldest first."""
        opened = wall_ms - wall_ms % self._length
        return tuple(self.candle(symbol, opened - back * self._length, is_closed=True) for back in range(count, 0, -1))

    def newest(self, symbol: str, wall_ms: int) -> tuple[Candle, ...]:
        """Return the candle that closed last and the running one."""
        opened = wall_ms - wall_ms % self._length
        return (
            self.candle(symbol, opened - self._length, is_closed=True),
            self.candle(symbol, opened, is_closed=False),
        )

    def candle(self, symbol: str, open_ms: int, *, is_closed: bool) -> Candle:
        """Return one candle of the calm market."""
        price = Decimal(100) + Decimal((open_ms - EPOCH_MS) // self._length) / 10_000
        return Candle(
            symbol=symbol,
            open_ms=open_ms,
            close_ms=open_ms + self._length - 1,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=Decimal(10),
            is_closed=is_closed,
        )
