"""The volume rule: much more volume than usual while the price is under its mean."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from risk.candle import Candle
from risk.coin_window import EXACT, CoinWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRule:
    """Compares a candle with the `length` closed ones before it.

    Anomalous: volume > multiplier x their mean volume, and last price < their mean close. Recovered: closed above
    their mean close, with volume below multiplier x their mean.
    """

    length: int
    multiplier: Decimal

    @property
    def needed(self) -> int:
        """Return `length`: a mean over fewer candles is another mean."""
        return self.length

    def is_anomalous(self, window: CoinWindow, candle: Candle) -> bool | None:
        """Judge a candle against those before it."""
        baseline = window.baseline_before(candle)
        if baseline is None:
            return None
        volume_sum, close_sum = baseline
        is_under = EXACT.multiply(candle.close, self.length) < close_sum
        return is_under and EXACT.multiply(candle.volume, self.length) > EXACT.multiply(self.multiplier, volume_sum)

    def has_recovered(self, window: CoinWindow, closed: Candle) -> bool:
        """Judge the newest closed candle."""
        baseline = window.baseline_before(closed)
        if baseline is None:
            return False
        volume_sum, close_sum = baseline
        is_above = EXACT.multiply(closed.close, self.length) > close_sum
        return is_above and EXACT.multiply(closed.volume, self.length) < EXACT.multiply(self.multiplier, volume_sum)

    def figures(self, window: CoinWindow, candle: Candle) -> str:
        """Say volume and price against their means."""
        baseline = window.baseline_before(candle)
        if baseline is None:
            return ""
        volume_mean, close_mean = (total / self.length for total in baseline)
        times = f"{candle.volume / volume_mean:.1f} x its mean" if volume_mean else "over a mean of 0"
        return (
            f"volume {candle.volume} {times}, price {candle.close} {candle.close / close_mean - 1:+.2%} from its mean"
        )
