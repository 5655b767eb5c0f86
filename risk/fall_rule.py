"""The fall rule: the price drops within minutes by much more than the coin usually moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.candle import Candle
from risk.coin_window import EXACT, CoinWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class FallRule:
    """Compares a candle's low with the highest of the `window` closes before it.

    Anomalous: lower by at least `multiplier` x the mean move from close to close over the last `baseline` candles (or
    as many as are known), by `fall_min` of that close at least, by `fall_max` of it always. Recovered: the newest
    closed candle is not anomalous and closed at or above the mean of the `window` closes before it.

    A candle's low only falls while it runs, so a finished one answers as it did at its worst moment: recorded candles
    tell in which minutes a live run would have halted.
    """

    window: int
    baseline: int
    multiplier: Decimal
    fall_min: Decimal
    fall_max: Decimal

    @property
    def length(self) -> int:
        """Return the longer of baseline and window."""
        return max(self.baseline, self.window)

    @property
    def needed(self) -> int:
        """Return `window`: the baseline is what there is, held between the two bounds."""
        return self.window

    def is_anomalous(self, window: CoinWindow, candle: Candle) -> bool | None:
        """Judge a candle against those before it."""
        before = window.known_before(candle, self.window)
        if before and self._is_fall(window, candle, _highest(before)):
            return True
        return False if len(before) == self.window else None

    def has_recovered(self, window: CoinWindow, closed: Candle) -> bool:
        """Judge the newest closed candle."""
        before = window.directly_before(closed, self.window)
        if before is None or self.is_anomalous(window, closed):
            return False
        close_sum = Decimal(0)
        for one in before:
            close_sum = EXACT.add(close_sum, one.close)
        return EXACT.multiply(closed.close, self.window) >= close_sum

    def figures(self, window: CoinWindow, candle: Candle) -> str:
        """Say how far it fell and from how far on that is a fall."""
        before = window.known_before(candle, self.window)
        if not before:
            return ""
        high = _highest(before)
        moves, count = window.moves_before(candle)
        usual = self.multiplier * moves / count / high if count else self.fall_max
        limit = min(self.fall_max, max(self.fall_min, usual))
        return (
            f"low {candle.low} {1 - candle.low / high:.2%} under the highest of {len(before)} closes, "
            f"limit {limit:.2%}, price {candle.close}"
        )

    def _is_fall(self, window: CoinWindow, candle: Candle, high: Decimal) -> bool:
        fallen = EXACT.subtract(high, candle.low)
        if fallen < EXACT.multiply(self.fall_min, high):
            return False
        if fallen >= EXACT.multiply(self.fall_max, high):
            return True
        moves, count = window.moves_before(candle)
        return count > 0 and EXACT.multiply(fallen, count) >= EXACT.multiply(self.multiplier, moves)


def _highest(candles: Sequence[Candle]) -> Decimal:
    return max(candle.close for candle in candles)
