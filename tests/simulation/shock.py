"""A market in which every watched coin falls at times."""

from __future__ import annotations

from decimal import Decimal

from actors.virtual.agenda import EPOCH_MS
from actors.virtual.candles import CalmTape
from risk.candle import Candle
from risk.rules import RiskRules


class ShockTape(CalmTape):
    """A calm market with moments in which every coin falls on loud volume."""

    def __init__(self, rules: RiskRules) -> None:
        super().__init__(rules)
        self.shocks: list[tuple[int, int]] = []

    def candle(self, symbol: str, open_ms: int, *, is_closed: bool) -> Candle:
        """Return one candle."""
        calm = super().candle(symbol, open_ms, is_closed=is_closed)
        start_ms = next((start for start, end in self.shocks if start <= open_ms - EPOCH_MS < end), None)
        if start_ms is None:
            return calm
        # Ever deeper and louder: a shock that only goes on becomes the new mean.
        depth = (open_ms - EPOCH_MS - start_ms) // self._length + 1
        price = calm.close - 3 * depth
        return Candle(
            symbol=symbol,
            open_ms=open_ms,
            close_ms=calm.close_ms,
            open=calm.open,
            high=calm.open,
            low=price,
            close=price,
            volume=Decimal(1_000) * 4**depth,
            is_closed=is_closed,
        )
